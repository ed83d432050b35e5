import Foundation
import Testing

/// TFE has the last word on what a cancel came to.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct CancelTests {
  @Test func aRunIsCanceledWhileItIsPlanned() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("planning", of: dev, closed: .plan)
    let run = try await dev.submit(Blueprint.gated(named: "cancel-plan", gate))
    try await dev.ask("plan", run)
    try await gate.reached(.plan)
    try await dev.shows("cancel-plan", ["terraform_status": "planning"])
    try await dev.pine("cancel", run).exiting(0)
    let canceled = try await dev.until(run, is: "canceled")
    #expect(canceled["is_final"] == true && canceled["partial"] == false)
    #expect(try await dev.tfeStatus(canceled["tfe_run_id"].string ?? "") == "canceled")
    try await dev.shows("cancel-plan", ["terraform_status": "canceled", "waiting_for": "nothing"])

    try gate.open(.plan)
    try await dev.plan(run)
    try await dev.apply(run)
    try await dev.shows("cancel-plan", ["terraform_status": "applied"])
  }

  @Test func aRunThatIsCanceledWhileItIsAppliedIsHalfDoneAndCanBeFinished() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("applying", of: dev, closed: .apply)
    let run = try await dev.submit(Blueprint.gated(named: "cancel-apply", gate))
    try await dev.plan(run)
    try await dev.ask("apply", run)
    try await gate.reached(.apply)
    try await dev.ask("cancel", run)
    let failed = try await dev.until(run, is: "apply_failed")
    #expect(failed["partial"] == true && failed["is_final"] == true)
    try await dev.shows("cancel-apply", ["terraform_status": "apply_failed", "deployed_blueprint": .null])
    #expect(try await dev.summary(run)["error"] != .null)

    try gate.open(.apply)
    try await dev.plan(run)
    let plan = try await dev.summary(run)["plan"]
    #expect(
      plan["resources"] == [["address": "terraform_data.second", "action": "replace"]],
      "the first one is there: \(plan)")
    try await dev.shows("cancel-apply", ["terraform_status": "planned", "last_error": .null])
    try await dev.apply(run)
    #expect(try await dev.status(run)["partial"] == false)
    try await dev.shows(
      "cancel-apply", ["terraform_status": "applied", "deployed_blueprint": "gated-1-0-0", "last_error": .null])
  }

  @Test func whatIsHalfDoneCanBeDestroyed() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("half", of: dev, closed: .apply)
    let run = try await dev.submit(Blueprint.gated(named: "half", gate))
    try await dev.plan(run)
    try await dev.ask("apply", run)
    try await gate.reached(.apply)
    try await dev.ask("cancel", run)
    try await dev.until(run, is: "apply_failed")
    let removal = try await dev.planDestroy("half")
    #expect(try await dev.summary(removal)["plan"]["destructions"] == 2)
    try await dev.apply(removal)
    try await dev.shows("half", ["terraform_status": "destroyed"])
  }

  @Test func aRunIsCanceledBeforeItIsPlanned() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "cancel-early"))
    try await dev.ask("cancel", run)
    try await dev.until(run, is: "canceled")
    try await dev.shows("cancel-early", ["terraform_status": "canceled", "workspace_id": .null, "run_id": .null])
    #expect(try await dev.tfeRunsMade().allSatisfy { !$0.hasPrefix(run) })
  }

  @Test func aWishForAPlanCanBeTakenBack() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("holder", of: dev, closed: .plan)
    let first = try await dev.submit(Blueprint.gated(named: "taken-back", gate))
    let second = try await dev.submit(Blueprint.gated(named: "taken-back", gate, text: "two"))
    try await dev.ask("plan", first)
    try await gate.reached(.plan)
    try await dev.ask("plan", second)
    try await dev.ask("cancel", second)
    #expect(try await dev.status(second)["status"] == "canceled")
    try gate.open(.plan)
    try await dev.until(first, is: "planned")
    try await dev.apply(first)
    // Nobody holds the instance any more, so the newest submission is what is shown, beside what is deployed.
    try await dev.shows(
      "taken-back",
      [
        "terraform_status": "canceled", "porc_run_id": .string(second), "deployed_blueprint": "gated-1-0-0",
        "outputs": ["text": "one"],
      ])
    #expect(try await dev.tfeRunsMade().allSatisfy { !$0.hasPrefix(second) })
  }
}
