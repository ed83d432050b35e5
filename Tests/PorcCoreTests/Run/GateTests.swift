import Foundation
import PorcCore
import Testing

/// What stands between a plan and its apply, and what people may do about it.
@Suite struct GateTests {
  // MARK: What failed, in words

  @Test func oneFailureIsSaidWithItsNameAndWords() {
    #expect(
      Gates.tooDear.failure
        == Failure("The policy 'costs' (soft-mandatory) failed", detail: "At most 100 more in a month."))
  }

  @Test func moreAreCountedAndListed() {
    var gates = Gates.tooDear
    gates.policies = PolicyResults(
      passed: 0, failed: 3,
      failures: [
        PolicyFailure("tags", enforcementLevel: "advisory"), PolicyFailure("a", enforcementLevel: "hard-mandatory"),
        PolicyFailure("b", enforcementLevel: "mandatory", description: "B."),
      ])
    gates.tasks = [
      TaskResult("scan", stage: "post_plan", status: "errored", enforcementLevel: "mandatory", url: "https://x"),
      TaskResult("note", stage: "post_plan", status: "failed", enforcementLevel: "advisory"),
    ]
    #expect(gates.failure?.summary == "2 policies and 1 run tasks failed")
    #expect(
      gates.failure?.detail == """
        The policy 'a' (hard-mandatory) failed
        The policy 'b' (mandatory) failed: B.
        The run task 'scan' (mandatory) failed: https://x
        """)
  }

  @Test func whatPassedIsAdvisoryOrOverriddenIsNoFailure() {
    var gates = Gates(tfeStatus: "policy_checked")
    #expect(gates.failure == nil)
    gates.policies = PolicyResults(
      passed: 1, failed: 2,
      failures: [
        PolicyFailure("tags", enforcementLevel: "advisory"),
        PolicyFailure("costs", enforcementLevel: "soft-mandatory", isOverridden: true),
      ])
    gates.tasks = [TaskResult("scan", stage: "pre_apply", status: "pending", enforcementLevel: "mandatory")]
    #expect(gates.failure == nil)
  }

  @Test func whatBlocksIsKeptFirst() {
    let advisory = (0..<200).map { PolicyFailure("advisory \($0)", enforcementLevel: "advisory") }
    let results = PolicyResults(
      passed: 0, failed: 201, failures: advisory + [PolicyFailure("hard", enforcementLevel: "hard-mandatory")])
    #expect(results.failures.count == PolicyResults.maximumFailures && results.failures[0].name == "hard")
  }

  // MARK: Overrides

  private static let override = RunCommand.override(tfeRunID: nil, by: .bob, reason: "agreed")

  @Test func anOverrideIsAskedOnceUntilItIsAnswered() throws {
    var story = try Story.at(.policyOverride)
    let now = story.now
    #expect(try story.tell("a", Self.override) == ["override_requested"])
    #expect(try story.tell("a", Self.override) == [])
    #expect(try story.present().waiting(story.run("a")) == Waiting(.override))
    #expect(try Self.jobs(story).contains { $0.kind == .override && $0.plan == 1 })
    #expect(
      try story.run("a").currentPlan?.overrides
        == [PolicyOverride(by: .bob, at: now + 1, reason: "agreed")])

    #expect(try story.hear("a", .overrideRefused(plan: 1, Failure("not allowed"))) == ["override_refused"])
    #expect(try story.hear("a", .overrideRefused(plan: 1, Failure("not allowed"))) == [])
    #expect(try story.state("a") == .policyOverride)
    #expect(
      try story.present().waitingFor(story.run("a"))
        == "somebody to override the policy or discard the plan. not allowed")
    #expect(
      try story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules).contains("override"))
    #expect(try !Self.jobs(story).contains { $0.kind == .override })
    // The right may have been given meanwhile.
    #expect(try story.tell("a", Self.override) == ["override_requested"])
    try story.hear("a", .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd))
    #expect(try story.run("a").currentPlan?.overrides?.map(\.refusal) == [Failure("not allowed"), nil])
    #expect(try !Self.jobs(story).contains { $0.kind == .override })
  }

  @Test func theNextGateWaitsForAnotherOverride() throws {
    var story = try Story.at(.policyOverride)
    try story.hear("a", .planEvaluated(plan: 1, summary: nil, .tooDear))
    try story.tell("a", Self.override)
    var next = Gates(tfeStatus: "post_plan_awaiting_decision")
    next.policies = PolicyResults(
      passed: 0, failed: 1, failures: [PolicyFailure("guard", enforcementLevel: "mandatory")])
    #expect(
      try story.hear("a", .planEvaluated(plan: 1, summary: nil, next)) == ["plan_evaluated", "policy_override_needed"])
    #expect(try story.run("a").failure?.text == "The policy 'guard' (mandatory) failed")
    #expect(try story.tell("a", Self.override) == ["override_requested"])
  }

  @Test func whereTheTokenMayNotOverrideThePlaceIsNamed() throws {
    var story = try Story.at(.policyOverride)
    var gates = Gates.tooDear
    gates.overrideLink = "https://tfe.example/run-1"
    try story.hear("a", .planEvaluated(plan: 1, summary: .threeToAdd, gates))
    #expect(
      try story.present().waitingFor(story.run("a"))
        == "somebody to override the policy in TFE, since PORC's token may not, or to discard the plan: "
        + "https://tfe.example/run-1")
    #expect(try story.run("a").currentPlan?.summary == .threeToAdd)
    let waiting = try #require(try story.present().waiting(story.run("a")))
    #expect(waiting.clearedBy.contains("overrides the policy in Terraform Enterprise"))
    #expect(
      try story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules) == ["plan", "discard"])
    let refusal = try #require(throws: Refusal.self) { try story.tell("a", .apply(tfeRunID: nil, by: .alice)) }
    #expect(!refusal.fix.contains("pine override"))
    // The right may have been given meanwhile.
    #expect(try story.tell("a", Self.override) == ["override_requested"])
  }

  @Test(arguments: [
    (Failure("It ended."), "It ended."), (Failure("It ended.", detail: "Killed."), "It ended: Killed."),
    (Failure("It ended.", detail: "", address: "a.b"), "It ended (a.b)"),
    (Failure("Error: no", detail: "No.", address: "a.b"), "Error: no (a.b): No."),
  ])
  func aFailureIsOneText(failure: Failure, text: String) { #expect(failure.text == text) }

  // MARK: A cancel by force

  private static let force = RunCommand.forceCancel(by: .bob)

  @Test(arguments: [RunState.planning, .applying])
  func aForcedCancelNeedsACancelAndItsTime(state: RunState) throws {
    var story = try Story.at(state)
    let before = try #require(throws: Refusal.self) { try story.tell("a", Self.force) }
    #expect(before.message.contains("was not canceled"))
    try story.tell("a", .cancel(by: .alice))
    let early = try #require(throws: Refusal.self) { try story.tell("a", Self.force) }
    #expect(early.message.contains("only some time after the cancel"))
    let from = story.now + 10
    #expect(try story.hear("a", .forceCancelOffered(plan: 1, from: from)) == ["force_cancel_offered"])
    #expect(try story.hear("a", .forceCancelOffered(plan: 1, from: from)) == [])
    let still = try #require(throws: Refusal.self) { try story.tell("a", Self.force) }
    #expect(still.message.contains("only from \(Timestamp.text(from)) on"))
    #expect(try story.present().waitingFor(story.run("a"))?.contains("can be forced from") == true)
    #expect(
      try story.present().waiting(story.run("a"))?.clearedBy.hasSuffix(
        "; from \(Timestamp.text(from)) on, pine cancel --force ends it") == true)
    story.now = from
    #expect(
      try story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules) == ["force-cancel"])
    #expect(try story.tell("a", Self.force) == ["force_cancel_requested"])
    #expect(try story.tell("a", Self.force) == [])
    #expect(story.jobs.last == RunJob(.cancel, run: "a", plan: 1))
    #expect(try Self.jobs(story).contains { $0.kind == .cancel })

    #expect(try story.present().waiting(story.run("a"))?.clearedBy.contains("--force") == false)
    let refusal = Failure("It is not allowed.", detail: "Ask somebody.")
    #expect(try story.hear("a", .forceCancelRefused(plan: 1, refusal)) == ["force_cancel_refused"])
    #expect(try story.present().waitingFor(story.run("a"))?.hasSuffix(". It is not allowed. Ask somebody.") == true)
    #expect(try story.tell("a", Self.force) == ["force_cancel_requested"])
    try story.hear("a", .remoteCanceled(plan: 1, applyBegan: state == .applying))
    #expect(try story.state("a") == (state == .applying ? .applyFailed : .canceled))
    #expect(try story.run("a").isPartial == (state == .applying))
    if state == .applying { #expect(try story.run("a").failure?.summary.contains("by force") == true) }
  }

  @Test func anOfferIsOfTheCancelThatWasAskedFor() throws {
    var story = try Story.at(.planning)
    try story.tell("a", .cancel(by: .alice))
    try story.hear("a", .forceCancelOffered(plan: 1, from: Date(timeIntervalSince1970: 0)))
    // The cancel came too late for the planning, and is over; the apply's has not been asked for.
    try story.hear("a", .applyStarted(plan: 1))
    #expect(throws: Refusal.self) { try story.tell("a", Self.force) }
    try story.tell("a", .cancel(by: .alice))
    #expect(throws: Refusal.self) { try story.tell("a", Self.force) }
  }

  // MARK: The end of an instance

  @Test func aWorkspaceThatDoesNotGoIsSaid() throws {
    var story = Story()
    try story.deployed("a")
    try story.destroy("b")
    try story.hear("b", .created(1, "run-b"), .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd))
    #expect(try story.hear("b", .removalRefused(Failure("it is locked"))) == [])
    try story.tell("b", .apply(tfeRunID: nil, by: .alice))
    try story.hear("b", .applyStarted(plan: 1), .applyFinished(plan: 1, outputs: [:]))
    #expect(try story.hear("b", .removalRefused(Failure("it is locked"))) == ["removal_refused"])
    #expect(try story.hear("b", .removalRefused(Failure("it is locked"))) == [])
    #expect(try story.present().waitingFor(story.run("b")) == "TFE to let the workspace go. it is locked")
    #expect(try story.present().waitingFor(story.run("a")) == nil)
    // A new life needs the workspace.
    try story.submit("c")
    #expect(try story.present().waitingFor(story.run("b")) == nil)
  }

  private static func jobs(_ story: Story) throws -> [RunJob] {
    RunMachine.outstandingJobs(in: try story.present(), retention: 0, at: story.now)
  }
}
