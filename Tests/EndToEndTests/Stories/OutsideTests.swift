import Foundation
import Testing

/// What others do in TFE itself, PORC hears of and tells.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct OutsideTests {
  private func planned(_ name: String, _ dev: DevServer) async throws -> (run: String, tfeRun: String) {
    let run = try await dev.submit(Blueprint.service(named: name))
    let status = try await dev.plan(run)
    return (run, try #require(status["tfe_run_id"].string))
  }

  @Test func anApplyInTFEIsAnApply() async throws {
    let dev = try DevServer.current()
    let (run, tfeRun) = try await planned("outside-apply", dev)
    try await dev.tfe.post("/api/v2/runs/\(tfeRun)/actions/apply", ["comment": "by hand"]).expecting(202)
    try await dev.until(run, is: "applied")
    try await dev.shows(
      "outside-apply",
      ["terraform_status": "applied", "deployed_run_id": .string(tfeRun), "outputs": ["text": "one"]])
  }

  @Test func aDiscardInTFEIsADiscard() async throws {
    let dev = try DevServer.current()
    let (run, tfeRun) = try await planned("outside-discard", dev)
    try await dev.tfe.post("/api/v2/runs/\(tfeRun)/actions/discard").expecting(202)
    try await dev.until(run, is: "discarded")
    try await dev.shows("outside-discard", ["terraform_status": "discarded", "deployed_blueprint": .null])
  }

  @Test func aCancelInTFEIsACancel() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("outside", of: dev, closed: .plan)
    let run = try await dev.submit(Blueprint.gated(named: "outside-cancel", gate))
    try await dev.ask("plan", run)
    try await gate.reached(.plan)
    let tfeRun = try await dev.status(run)["tfe_run_id"].string ?? ""
    try await dev.tfe.post("/api/v2/runs/\(tfeRun)/actions/cancel").expecting(202)
    try await dev.until(run, is: "canceled")
    try await dev.shows("outside-cancel", ["terraform_status": "canceled"])
  }

  @Test func aPlanThatWasAppliedInTFEMeanwhileIsNotPlannedAgain() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("meanwhile", of: dev, closed: .apply)
    let run = try await dev.submit(Blueprint.gated(named: "outside-meanwhile", gate))
    let tfeRun = try await dev.plan(run)["tfe_run_id"].string ?? ""
    try await dev.tfe.post("/api/v2/runs/\(tfeRun)/actions/apply").expecting(202)
    try await gate.reached(.apply)
    // PORC may or may not have heard of it: either way no second plan is made beside the apply.
    let answer = try await dev.porc.post("/runs/\(run)/plan")
    #expect([202, 409].contains(answer.status), "\(answer)")
    try gate.open(.apply)
    try await dev.until(run, is: "applied", "apply_failed")
    let events = try await dev.events(run)
    let truth = try await dev.tfeStatus(tfeRun)
    #expect(truth == "applied" || events.contains("apply_failed"), "TFE says \(truth ?? "nothing"): \(events)")
    #expect(try await dev.tfeRunsMade().filter { $0.hasPrefix(run) } == ["\(run)/1"])
    try await dev.shows("outside-meanwhile", ["run_id": .string(tfeRun)])
  }

  @Test func aWorkspaceOfSomebodyElseIsLeftAlone() async throws {
    let dev = try DevServer.current()
    let made = try await dev.tfe.post(
      "/api/v2/organizations/porc-dev/workspaces",
      ["data": ["type": "workspaces", "attributes": ["name": "porc-theirs", "description": "not yours"]]]
    ).expecting(201)
    let workspace = try #require(made.json["data"]["id"].string)
    let before = try await dev.tfe.get("/api/v2/workspaces/\(workspace)").expecting(200).json

    let run = try await dev.submit(Blueprint.service(named: "theirs"))
    try await dev.ask("plan", run)
    try await dev.until(run, is: "plan_failed")
    let error = try await dev.summary(run)["error"]
    #expect(error["summary"] == "The workspace 'porc-theirs' exists in Terraform Enterprise and is not PORC's")
    let shown = try await dev.shows(
      "theirs", ["terraform_status": "plan_failed", "workspace_id": .null, "run_id": .null])
    #expect(shown["last_error"]?.string?.contains("is not PORC's") == true)

    #expect(try await dev.tfe.get("/api/v2/workspaces/\(workspace)").expecting(200).json == before)
    let touched = try await dev.tfe.requests().filter {
      $0["method"] != "GET"
        && ($0["path"].string?.contains(workspace) == true || $0["body"].string?.contains(workspace) == true)
    }
    #expect(touched.isEmpty)
    #expect(try await dev.tfeRunsMade().allSatisfy { !$0.hasPrefix(run) })
  }
}
