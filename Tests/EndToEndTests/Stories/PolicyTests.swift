import Foundation
import Testing

/// What policies and the cost estimate say of a plan, of both kinds and every level.
@Suite(.devServer(), .timeLimit(.minutes(2)))
struct PolicyTests {
  /// Says what the embedded TFE's policies are to say of the next runs: by the instance's name.
  private static func write(_ dev: DevServer) throws {
    var policies: [String] = []
    for kind in ["sentinel", "opa"] {
      for level in ["advisory", "soft-mandatory", "hard-mandatory"] {
        policies.append(
          """
          {"name": "\(level)-\(kind)", "kind": "\(kind)", "enforcement": "\(level)", "result": "fail",
           "description": "What it is about.", "workspaces": "porc-\(kind)-\(level)"}
          """)
      }
    }
    let text = """
      {"cost": {"monthly": "25.50", "prior": "10", "workspaces": "porc-*-advisory"},
       "policies": [\(policies.joined(separator: ","))]}
      """
    try text.write(toFile: dev.data + "/tfe/policies.json", atomically: true, encoding: .utf8)
  }

  @Test(arguments: ["sentinel", "opa"]) func anAdvisoryPolicyIsShownAndBlocksNothing(kind: String) async throws {
    let dev = try DevServer.current()
    try Self.write(dev)
    let run = try await dev.submit(Blueprint.service(named: "\(kind)-advisory"))
    try await dev.plan(run)
    let plan = try await dev.summary(run)["plan"]
    #expect(plan["policies"]["failures"][0]["name"].string?.contains("advisory-\(kind)") == true)
    #expect(plan["policies"]["failures"][0]["enforcement_level"] == "advisory")
    #expect(plan["policies"]["failures"][0]["description"] == "What it is about.")
    #expect(plan["cost_estimate"]["status"] == "finished")
    let page = try await dev.pine("summary", run).exiting(0)
    #expect(page.output.contains("cost: +15.5") && page.output.contains("(advisory): What it is about."))
    try await dev.apply(run)
  }

  @Test(arguments: ["sentinel", "opa"]) func aPolicyIsOverriddenWithAReason(kind: String) async throws {
    let dev = try DevServer.current()
    try Self.write(dev)
    let name = "\(kind)-soft-mandatory"
    let run = try await dev.submit(Blueprint.service(named: name))
    let refused = try await dev.pine("plan", run).exiting(5)
    #expect(refused.error.contains("soft-mandatory-\(kind)") && refused.error.contains("pine override"))
    let shown = try await dev.shows(name, ["terraform_status": "policy_override"])
    #expect(shown["last_error"]?.string?.contains("What it is about.") == true)
    #expect(try await dev.porc.post("/runs/\(run)/apply").expecting(409).problem == "wrong-state")

    try await dev.pine("override", run, "--reason", "agreed").exiting(0)
    let summary = try await dev.summary(run)
    #expect(summary["status"] == "planned" && summary["error"] == .null)
    #expect(summary["overrides"][0]["reason"] == "agreed")
    #expect(summary["plan"]["policies"]["failures"][0]["overridden"] == true)
    try await dev.apply(run)
    try await dev.shows(name, ["terraform_status": "applied", "last_error": .null])
  }

  @Test(arguments: ["sentinel", "opa"]) func aHardPolicyEndsThePlan(kind: String) async throws {
    let dev = try DevServer.current()
    try Self.write(dev)
    let name = "\(kind)-hard-mandatory"
    let run = try await dev.submit(Blueprint.service(named: name))
    let failed = try await dev.pine("plan", run).exiting(1)
    #expect(failed.error.contains("hard-mandatory-\(kind)"))
    #expect(try await dev.status(run)["status"] == "policy_failed")
    let shown = try await dev.shows(name, ["terraform_status": "policy_failed"])
    #expect(shown["last_error"]?.string?.contains("What it is about.") == true)
  }
}
