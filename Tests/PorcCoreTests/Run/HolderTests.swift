import PorcCore
import Testing

/// Several runs of one instance: who holds it, who waits, who goes next.
@Suite struct HolderTests {
  static func two(_ state: RunState) throws -> Story {
    var story = try Story.at(state)
    try story.submit("b")
    return story
  }

  @Test(arguments: [RunState.planning, .applying])
  func aPlanWaitsWhileTheHolderIsBusy(state: RunState) throws {
    var story = try Self.two(state)
    #expect(try story.tell("b", .plan(PlanRequest(by: .bob))) == ["plan_requested"])
    #expect(story.waiting == ["b"])
    #expect(story.holder == "a")
    #expect(try story.state("b") == .submitted)
    #expect(try story.present().waitingFor(story.run("b"))?.contains("the run a") == true)
    // Asked again it still waits, once.
    #expect(try story.tell("b", .plan(PlanRequest(by: .bob))).isEmpty)
    #expect(story.waiting == ["b"])
  }

  @Test(arguments: [RunState.planned, .policyOverride])
  func aPlanIsRefusedWhileTheHolderAwaitsADecision(state: RunState) throws {
    var story = try Self.two(state)
    let refusal = try #require(throws: Refusal.self) { try story.tell("b", .plan(PlanRequest(by: .bob))) }
    #expect(refusal.reason == .wrongState)
    #expect(refusal.message.contains("The run a holds 'gke-dev-west'"))
    #expect(refusal.fix.contains("--supersede"))
  }

  @Test(arguments: [RunState.planned, .policyOverride])
  func aSupersedingPlanDiscardsTheHoldersAtOnce(state: RunState) throws {
    var story = try Self.two(state)
    let facts = try story.tell("b", .plan(PlanRequest(by: .bob, supersedes: true)))
    #expect(facts == ["plan_requested", "a:discard_requested"])
    #expect(story.jobs.last == RunJob(.discard, run: "a", plan: 1))
    #expect(story.holder == "a")
    #expect(try story.hear("a", .remoteDiscarded(plan: 1)) == ["discarded", "b:held", "b:build_started"])
    #expect(story.holder == "b")
    #expect(story.waiting.isEmpty)
  }

  @Test func aSupersedingPlanOverOneWithoutChangesNeedsNoCallToTFE() throws {
    var story = Story()
    try story.submit("a")
    try story.planned("a", hasChanges: false)
    try story.submit("b")
    let facts = try story.tell("b", .plan(PlanRequest(by: .bob, supersedes: true)))
    #expect(facts == ["plan_requested", "a:discarded", "held", "build_started"])
    #expect(story.facts.contains { $0.event == .discarded(number: 1, by: .bob) })
  }

  @Test func aSupersedingPlanThatWaitsDiscardsTheHoldersPlanWhenItIsFinished() throws {
    var story = try Self.two(.planning)
    try story.tell("b", .plan(PlanRequest(by: .bob, supersedes: true)))
    let facts = try story.hear("a", .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd))
    #expect(facts == ["plan_finished", "discard_requested"])
  }

  @Test func aPlanThatWaitsCanBecomeSuperseding() throws {
    var story = try Self.two(.planning)
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.hear("a", .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd))
    #expect(try story.tell("b", .plan(PlanRequest(by: .bob))).isEmpty)
    let facts = try story.tell("b", .plan(PlanRequest(by: .bob, supersedes: true)))
    #expect(facts == ["plan_requested", "a:discard_requested"])
  }

  @Test func aSupersedingPlanDiscardsTheHoldersEvenWithOthersBeforeIt() throws {
    var story = try Self.two(.planning)
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.hear("a", .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd))
    try story.submit("c")
    let facts = try story.tell("c", .plan(PlanRequest(by: .carol, supersedes: true)))
    #expect(facts == ["plan_requested", "a:discard_requested"])
    try story.hear("a", .remoteDiscarded(plan: 1))
    #expect(story.holder == "b")
    #expect(story.waiting == ["c"])
  }

  @Test(arguments: [RunState.planFailed, .policyFailed, .applied, .applyFailed, .discarded, .canceled, .buildFailed])
  func theNextRunFollowsWhateverTheHoldersEnd(end: RunState) throws {
    var story = Story()
    try story.submit("a")
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    try story.submit("b")
    try story.submit("c")
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.tell("c", .plan(PlanRequest(by: .carol)))
    #expect(story.waiting == ["b", "c"])
    switch end {
    case .buildFailed: try story.hear("a", .buildFailed(Failure("x")))
    case .planFailed: try story.hear("a", .built(bundle: "d"), .planFailed(plan: 1, Failure("x")))
    case .policyFailed: try story.hear("a", .built(bundle: "d"), .policyFailed(plan: 1, Failure("x")))
    case .canceled: try story.tell("a", .cancel(by: .alice))
    case .discarded:
      try story.finishPlan("a")
      try story.hear("a", .remoteDiscarded(plan: 1))
    case .applied:
      try story.finishPlan("a")
      try story.applied("a")
    default:
      try story.finishPlan("a")
      try story.hear("a", .applyFailed(plan: 1, Failure("x"), began: true))
    }
    #expect(try story.state("a") == end)
    #expect(story.holder == "b")
    #expect(story.waiting == ["c"])
    #expect(try story.state("b") == .building)
  }

  @Test(arguments: [RunState.submitted, .built, .building])
  func aRunThatWaitsCanBeCanceled(state: RunState) throws {
    var story = try Self.two(.planning)
    if state != .submitted { try story.tell("b", .build) }
    if state == .built { try story.hear("b", .built(bundle: "digest")) }
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.tell("b", .cancel(by: .bob))
    #expect(story.waiting.isEmpty)
    #expect(try story.state("b") == .canceled)
  }

  @Test(arguments: [RunState.discarded, .canceled, .planFailed, .applied])
  func theWishOfAnEndedRunForAnotherPlanCanBeTakenBack(state: RunState) throws {
    var story = try Story.at(state)
    try story.submit("b")
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(story.waiting == ["a"])
    #expect(try story.tell("a", .cancel(by: .alice)) == ["plan_request_withdrawn"])
    #expect(story.waiting.isEmpty)
    #expect(try story.state("a") == state)
  }

  @Test func aBuildThatFailsWhileItsPlanWaitsLeavesTheQueue() throws {
    var story = try Self.two(.planning)
    try story.tell("b", .build)
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.hear("b", .buildFailed(Failure("x")))
    #expect(story.waiting.isEmpty)
    #expect(try story.run("b").request == nil)
  }

  @Test func aRunThatIsBuiltWhileItWaitsIsPlannedAtItsTurn() throws {
    var story = try Self.two(.planning)
    try story.tell("b", .build)
    try story.hear("b", .built(bundle: "digest"))
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    let facts = try story.hear("a", .planFailed(plan: 1, Failure("x")))
    #expect(facts == ["plan_failed", "b:held", "b:plan_started"])
    #expect(story.jobs.last == RunJob(.startPlan, run: "b", plan: 1))
  }

  @Test func theHolderIsShownElseTheNewest() throws {
    var story = try Self.two(.planned)
    #expect(try story.present().currentRun?.id == "a")
    try story.tell("a", .discard(tfeRunID: nil, by: .alice))
    try story.hear("a", .remoteDiscarded(plan: 1))
    #expect(try story.present().currentRun?.id == "b")
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(try story.present().currentRun?.id == "a")
  }

  @Test func anotherTemplateIsRefusedUntilTheInstanceIsDestroyed() throws {
    var story = Story()
    try story.deployed("a")
    let refusal = try #require(throws: Refusal.self) { try story.submit("b", .sample(template: "eks-cluster")) }
    #expect(refusal.reason == .wrongState)
    #expect(refusal.fix.contains("pine destroy gke-dev-west"))
    try story.submit("c", .sample(version: "2.0.0"))
    try story.destroy("d")
    try story.finishPlan("d")
    try story.applied("d")
    #expect(try story.present().instance.destroyedAt != nil)
    try story.submit("e", .sample(template: "eks-cluster"))
    #expect(try story.present().instance.templateName == "eks-cluster")
    #expect(try story.present().instance.destroyedAt == nil)
  }
}
