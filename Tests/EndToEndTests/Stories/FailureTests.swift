import Foundation
import Testing

/// Terraform's own words reach everybody who looks.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct FailureTests {
  @Test func aSecretThatItsModuleShowsIsMaskedAllTheSame() async throws {
    let secrets = ["l3ak-\(UUID().uuidString)", #"l3ak-"q\w<&>"# + UUID().uuidString]
    let dev = try DevServer.current()
    func blueprint(_ secret: String, fails: Bool = false) -> JSON {
      Blueprint.of("leaky", named: "leaky-\(fails)", ["password": .string(secret), "fails": .bool(fails)])
    }
    var said: [String] = []
    func read(_ run: String) async throws {
      for part in ["/summary", "/events", "/logs"] {
        said.append(try await dev.porc.get("/runs/\(run)\(part)").expecting(200).text)
      }
      said.append(try await dev.pine("logs", run).exiting(0).output)
    }
    let first = try await dev.deploy(blueprint(secrets[0]))
    let outputs = try await dev.summary(first)["outputs"]
    #expect(outputs["leaked"] == ["sensitive": true])
    #expect(outputs["length"]["value"].number == Double(secrets[0].count))
    try await read(first)
    #expect(said.last?.contains("the password is (sensitive value)") == true)
    // Terraform's state still has the first when the second replaces it, and the second when all is destroyed.
    let second = try await dev.deploy(blueprint(secrets[1]))
    try await read(second)
    #expect(said.last?.contains("the old password was (sensitive value)") == true)
    #expect(try await dev.porc.get("/runs/\(second)/summary").text.contains("terraform_data.key"))
    let removal = try await dev.planDestroy("leaky-false")
    try await dev.apply(removal)
    try await read(removal)
    #expect(said.last?.contains("the old password was (sensitive value)") == true)

    let failing = try await dev.porc.post("/runs", blueprint(secrets[1], fails: true)).expecting(201)
    let failed = try #require(failing.json["run_id"].string)
    try await dev.porc.post("/runs/\(failed)/plan").expecting(202)
    try await DevServer.until(failed, "plan_failed", on: dev.porc) { $0["status"] == "plan_failed" }
    try await read(failed)
    #expect(said.contains { $0.contains("The password (sensitive value) is too weak.") })
    said.append(try await dev.porc.get("/instances").text)
    said.append(try await dev.port.get("/v1/blueprints/blueprint_instance/entities").text)
    // What is left of the second in each of its spellings.
    let parts = [secrets[0], String(secrets[1].suffix(36))]
    for text in said {
      for part in parts where text.contains(part) { Issue.record("A secret is in: \(text.prefix(2000))") }
    }
  }

  private func submit(_ phase: String, _ name: String, _ dev: DevServer) async throws -> String {
    try await dev.submit(Blueprint.of("failing", named: name, ["phase": .string(phase)]))
  }

  @Test func aFailingPlanSaysWhyEverywhere() async throws {
    let dev = try DevServer.current()
    let run = try await submit("plan", "bad-plan", dev)
    let why = "The address pool 10.0.0.0/24 is exhausted."
    let planned = try await dev.pine("plan", "--run-id", run).exiting(1)
    #expect(planned.output.contains(why), "Terraform's output: \(planned)")
    #expect(planned.error.contains(why), "the complaint: \(planned)")
    let summary = try await dev.summary(run)
    #expect(summary["status"] == "plan_failed" && summary["is_final"] == true)
    #expect(summary["error"]["summary"] == "Resource precondition failed")
    #expect(summary["error"]["detail"].string?.contains(why) == true)
    #expect(try await dev.pine("summary", run).exiting(0).output.contains(why))
    let shown = try await dev.shows("bad-plan", ["terraform_status": "plan_failed"])
    #expect(shown["last_error"]?.string?.contains(why) == true)
    #expect(shown["deployed_blueprint"] == nil)
    #expect(try await dev.porc.get("/runs/\(run)/logs?phase=plan").text.contains(why))
  }

  @Test func aTemplateThatTerraformRefusesSaysWhatIsWrongWithIt() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.of("future", named: "future", [:]))
    let planned = try await dev.pine("plan", run).exiting(1)
    #expect(planned.error.contains("Unsupported Terraform Core version"), "\(planned)")
    let error = try await dev.summary(run)["error"]
    #expect(error["summary"] == "Unsupported Terraform Core version")
    #expect(error["detail"].string?.contains("main.tf line 2") == true)
    try await dev.shows("future", ["terraform_status": "plan_failed"])
  }

  @Test func aFailingApplySaysWhyEverywhere() async throws {
    let dev = try DevServer.current()
    let run = try await submit("apply", "bad-apply", dev)
    try await dev.plan(run)
    let why = "exit status 3"
    let applied = try await dev.pine("apply", "--run-id", run).exiting(1)
    #expect(applied.output.contains(why) && applied.output.contains("the disk is full"), "\(applied)")
    #expect(applied.error.contains(why), "\(applied)")
    let summary = try await dev.summary(run)
    #expect(summary["status"] == "apply_failed" && summary["partial"] == true)
    #expect(summary["error"]["summary"] == "local-exec provisioner error")
    let shown = try await dev.shows("bad-apply", ["terraform_status": "apply_failed"])
    #expect(shown["last_error"]?.string?.contains(why) == true)

    // What was mended is submitted as a new run, and its success leaves no trace of the error.
    let mended = try await dev.deploy(Blueprint.of("failing", named: "bad-apply", ["phase": "none"]))
    try await dev.shows(
      "bad-apply", ["terraform_status": "applied", "last_error": .null, "porc_run_id": .string(mended)])
  }
}
