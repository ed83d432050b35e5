import Foundation
import Testing

/// What becomes of runs that do not simply go through, and what the portal shows of it.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct LifecycleTests {
  @Test func planningAgainMakesANewPlanAndDiscardsTheEarlier() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "replanned"))
    let first = try await dev.plan(run)["tfe_run_id"]
    try await dev.shows("replanned", ["run_id": first])
    let second = try await dev.plan(run)["tfe_run_id"]
    #expect(first != second)
    #expect(try await dev.summary(run)["plan"]["number"] == 2)
    #expect(try await dev.tfeStatus(first.string ?? "") == "discarded")
    try await dev.shows("replanned", ["run_id": second, "terraform_status": "planned"])
    try await dev.apply(run)
    try await dev.shows("replanned", ["deployed_run_id": second, "terraform_status": "applied"])
    #expect(try await dev.tfeRunsMade().filter { $0.hasPrefix(run) } == ["\(run)/1", "\(run)/2"])
  }

  @Test func aDiscardedPlanChangesNothingAndCanBePlannedAgain() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "discarded"))
    let first = try await dev.plan(run)["tfe_run_id"]
    try await dev.ask("discard", run, ["tfe_run_id": first])
    let status = try await dev.until(run, is: "discarded")
    #expect(status["is_final"] == true && status["next_actions"] == ["plan"])
    try await dev.shows(
      "discarded", ["terraform_status": "discarded", "deployed_blueprint": .null, "waiting_for": "nothing"])
    #expect(try await dev.tfeStatus(first.string ?? "") == "discarded")
    #expect(try await dev.porc.post("/runs/\(run)/apply").expecting(409).problem == "wrong-state")
    try await dev.plan(run)
    try await dev.apply(run)
    try await dev.shows("discarded", ["terraform_status": "applied"])
  }

  @Test func aSecondRunIsRefusedUnlessItSupersedesTheFirst() async throws {
    let dev = try DevServer.current()
    let first = try await dev.submit(Blueprint.service(named: "contended", text: "one"))
    let second = try await dev.submit(Blueprint.service(named: "contended", text: "two"))
    try await dev.plan(first)
    // The current run is the holder, though another was submitted later.
    try await dev.shows("contended", ["porc_run_id": .string(first), "terraform_status": "planned"])

    let refusal = try await dev.porc.post("/runs/\(second)/plan").expecting(409)
    #expect(refusal.problem == "wrong-state" && refusal.text.contains(first), "it names the holder")
    try await dev.pine("plan", second).exiting(5)
    #expect(try await dev.status(second)["status"] == "submitted")

    let superseding = try await dev.plan(second, ["supersede": true])
    try await dev.until(first, is: "discarded")
    try await dev.shows(
      "contended", ["porc_run_id": .string(second), "terraform_status": "planned", "run_id": superseding["tfe_run_id"]])
    try await dev.apply(second)
    let shown = try await dev.shows("contended", ["terraform_status": "applied"])
    #expect(shown["outputs"] == ["text": "two"])
    #expect(try await dev.status(first)["status"] == "discarded")
  }

  @Test func aSecondRunWaitsWhileTheFirstIsPlanned() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("waiting", of: dev, closed: .plan)
    let first = try await dev.submit(Blueprint.gated(named: "queue", gate, text: "one"))
    let second = try await dev.submit(Blueprint.gated(named: "queue", gate, text: "two"))
    try await dev.ask("plan", first)
    try await gate.reached(.plan)
    let waiting = try await dev.ask("plan", second, ["supersede": true])
    #expect(waiting["waiting_for"].string?.contains(first) == true)
    #expect(try await dev.porc.get("/instances/queue").json["waiting"] == [.string(second)])
    try await dev.shows("queue", ["porc_run_id": .string(first), "terraform_status": "planning"])

    try gate.open(.plan)
    try await dev.until(second, is: "planned")
    #expect(try await dev.status(first)["status"] == "discarded", "superseded as soon as it could be")
    try await dev.apply(second)
    let shown = try await dev.shows("queue", ["terraform_status": "applied", "porc_run_id": .string(second)])
    #expect(shown["outputs"] == ["text": "two"])
  }

  @Test func twoRunsOfOneInstanceGoOneAfterTheOther() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("apply-first", of: dev, closed: .apply)
    let first = try await dev.submit(Blueprint.gated(named: "turns", gate, text: "one"))
    let second = try await dev.submit(Blueprint.gated(named: "turns", gate, text: "two"))
    try await dev.plan(first)
    try await dev.ask("apply", first)
    try await gate.reached(.apply)
    try await dev.shows("turns", ["terraform_status": "applying", "porc_run_id": .string(first)])
    // Accepted, though another run is being applied: it waits.
    let waiting = try await dev.ask("plan", second)
    #expect(waiting["status"] == "submitted" && waiting["waiting_for"] != .null)
    try gate.open(.apply)
    try await dev.until(first, is: "applied")
    try await dev.until(second, is: "planned")
    try await dev.shows(
      "turns", ["terraform_status": "planned", "porc_run_id": .string(second), "outputs": ["text": "one"]])
    try await dev.apply(second)
    try await dev.shows("turns", ["terraform_status": "applied", "outputs": ["text": "two"]])
  }

  @Test func aPlanWithoutChangesIsAppliedWithoutTFE() async throws {
    let dev = try DevServer.current()
    let first = try await dev.deploy(Blueprint.service(named: "unchanged"))
    let firstTFE = try await dev.status(first)["tfe_run_id"]
    let second = try await dev.submit(Blueprint.service(named: "unchanged"))
    let planned = try await dev.plan(second)
    #expect(planned["has_changes"] == false)
    try await dev.shows("unchanged", ["plan_summary": "no changes", "deployed_run_id": firstTFE])
    let before = try await dev.tfeWrites().filter { $0.contains("/actions/") }
    try await dev.apply(second)
    let after = try await dev.tfeWrites().filter { $0.contains("/actions/") && !before.contains($0) }
    #expect(!after.contains { $0.contains(planned["tfe_run_id"].string ?? "?") })
    try await dev.shows(
      "unchanged",
      [
        "terraform_status": "applied", "deployed_run_id": planned["tfe_run_id"], "outputs": ["text": "one"],
        "porc_run_id": .string(second),
      ])
  }

  @Test func aNewVersionIsShownAsDeployedOnlyOnceItIs() async throws {
    let dev = try DevServer.current()
    let first = try await dev.deploy(Blueprint.service("1.0.0", named: "upgraded"))
    let firstTFE = try await dev.status(first)["tfe_run_id"]
    let deployed = try await dev.shows("upgraded", ["deployed_run_id": firstTFE])

    let second = try await dev.submit(Blueprint.service("2.0.0", named: "upgraded"))
    let tfeRun = try await dev.plan(second)["tfe_run_id"]
    try await dev.shows(
      "upgraded",
      [
        "blueprint": "service-2-0-0", "run_id": tfeRun, "terraform_status": "planned",
        "deployed_blueprint": "service-1-0-0", "deployed_run_id": firstTFE,
        "deployed_at": deployed["deployed_at"] ?? .null,
      ])
    #expect(try await dev.entity("upgraded")?["relations"] == ["blueprint": "service-2-0-0"])
    try await dev.ask("discard", second)
    try await dev.until(second, is: "discarded")
    try await dev.shows(
      "upgraded",
      [
        "terraform_status": "discarded", "deployed_blueprint": "service-1-0-0", "deployed_run_id": firstTFE,
        "outputs": ["text": "one"],
      ])
    try await dev.plan(second)
    try await dev.apply(second)
    try await dev.shows(
      "upgraded",
      [
        "terraform_status": "applied", "deployed_blueprint": "service-2-0-0",
        "outputs": ["text": "one", "version": "two"],
      ])
  }

  @Test func aDestroyedInstanceMayBecomeSomethingElse() async throws {
    let dev = try DevServer.current()
    let first = try await dev.deploy(Blueprint.service(named: "reborn"))
    let other = Blueprint.of("other", named: "reborn", ["region": "eu-west", "text": "other"])
    let refusal = try await dev.porc.post("/runs", other).expecting(409)
    #expect(refusal.text.contains("pine destroy reborn"))

    let removal = try await dev.planDestroy("reborn")
    try await dev.shows(
      "reborn",
      [
        "operation": "destroy", "terraform_status": "planned", "plan_summary": "0 to add, 0 to change, 2 to destroy",
        "deployed_blueprint": "service-1-0-0",
      ])
    try await dev.apply(removal)
    #expect(try await dev.status(removal)["status"] == "applied")
    try await dev.shows(
      "reborn",
      ["operation": "destroy", "terraform_status": "destroyed", "outputs": .null, "deployed_blueprint": .null])
    #expect(try await dev.porc.post("/instances/reborn/destroy").expecting(409).problem == "wrong-state")
    #expect(try await dev.porc.post("/runs/\(first)/plan").expecting(409).problem == "wrong-state")

    let next = try await dev.deploy(other)
    try await dev.shows(
      "reborn",
      [
        "operation": "apply", "terraform_status": "applied", "blueprint": "other-1-0-0",
        "deployed_blueprint": "other-1-0-0", "outputs": ["other": "other"], "porc_run_id": .string(next),
      ])
  }
}
