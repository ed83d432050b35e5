import PorcCore
import Testing

/// The end of an instance, and its next life.
@Suite struct DestroyTests {
  static func deployed() throws -> Story {
    var story = Story()
    try story.deployed("a")
    return story
  }

  @Test func aDestroyIsPlannedSeenAndAppliedLikeAnyRun() throws {
    var story = try Self.deployed()
    #expect(try story.destroy("d") == ["submitted", "plan_requested", "held", "plan_started"])
    #expect(story.jobs.last == RunJob(.startPlan, run: "d", plan: 1))
    try story.finishPlan("d")
    #expect(try story.state("d") == .planned)
    try story.applied("d")
    let situation = try story.present()
    #expect(try story.run("d").terraformStatus(in: situation.instance) == "destroyed")
    #expect(situation.instance.destroyedAt == story.now)
    #expect(situation.instance.deployed == nil)
    #expect(situation.instance.basis == nil)
    #expect(story.jobs.last == RunJob(.removeInstance, run: "d", delay: 86_400))
  }

  @Test func whereNothingWasEverAppliedTFEIsNotAsked() throws {
    var story = try Story.at(.discarded)
    let jobs = story.jobs
    #expect(try story.destroy("d").last == "plan_finished")
    #expect(story.jobs == jobs)
    #expect(try story.run("d").currentPlan?.hasChanges == false)
    #expect(try story.tell("d", .apply(tfeRunID: nil, by: .alice)) == ["apply_confirmed", "apply_finished"])
    #expect(try story.present().instance.destroyedAt != nil)
  }

  @Test func whatBeganToBeAppliedIsDestroyedInTFE() throws {
    var story = try Story.at(.applyFailed)
    #expect(try story.present().instance.basis?.isApplied == false)
    try story.destroy("d")
    #expect(story.jobs.last == RunJob(.startPlan, run: "d", plan: 1))
  }

  @Test func theLastAppliedRunIsTheBasisHoweverLaterOnesFailed() throws {
    var story = try Self.deployed()
    try story.submit("b", .sample(version: "2.0.0"))
    try story.planned("b")
    try story.tell("b", .apply(tfeRunID: nil, by: .alice))
    try story.hear("b", .applyFailed(plan: 1, Failure("quota"), began: true))
    #expect(try story.present().instance.basis?.run == "a")
    #expect(try story.present().instance.basis?.configurationVersionID == "cv-of-run-a-1")
    #expect(try story.present().instance.deployed?.template.version == "1.0.0")
  }

  @Test func aDestroyCannotBeBuilt() throws {
    var story = try Self.deployed()
    try story.submit("b")
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.destroy("d")
    #expect(try story.tell("d", .build).isEmpty)
    #expect(try story.state("d") == .submitted)
    #expect(story.waiting == ["d"])
  }

  @Test func aDestroyIsRefusedWhileTheHolderAwaitsADecisionUnlessItSupersedes() throws {
    var story = try Self.deployed()
    try story.submit("b")
    try story.planned("b")
    #expect(throws: Refusal.self) { try story.destroy("d") }
    #expect(try story.present().runs["d"] == nil)
    let facts = try story.destroy("d", .sample(.destroy), PlanRequest(by: .alice, supersedes: true))
    #expect(facts == ["submitted", "plan_requested", "b:discard_requested"])
    #expect(try story.hear("b", .remoteDiscarded(plan: 1)) == ["discarded", "d:held", "d:plan_started"])
  }

  @Test func oneDestroyAtATime() throws {
    var story = try Self.deployed()
    try story.destroy("d")
    let held = try #require(throws: Refusal.self) { try story.destroy("e") }
    #expect(held.message.contains("The run d is destroying 'gke-dev-west' already"))

    var queued = try Self.deployed()
    try queued.submit("b")
    try queued.tell("b", .plan(PlanRequest(by: .bob)))
    try queued.destroy("d")
    let waits = try #require(throws: Refusal.self) { try queued.destroy("e") }
    #expect(waits.message.contains("The run d"))
  }

  @Test func whatIsDestroyedIsNotDestroyedAgain() throws {
    var story = try Self.deployed()
    try story.destroy("d")
    try story.finishPlan("d")
    try story.applied("d")
    let refusal = try #require(throws: Refusal.self) { try story.destroy("e") }
    #expect(refusal.message == "The instance 'gke-dev-west' is destroyed already.")
  }

  @Test func aBlueprintSubmittedDuringADestroyBeginsTheNextLife() throws {
    var story = try Self.deployed()
    try story.destroy("d")
    try story.submit("n")
    try story.tell("n", .plan(PlanRequest(by: .bob)))
    try story.finishPlan("d")
    try story.applied("d")
    #expect(try story.present().instance.destroyedAt == nil)
    #expect(story.holder == "n")
    #expect(try story.state("n") == .building)
  }

  @Test func runsOfAnEndedLifeAreNotPlanned() throws {
    var story = try Self.deployed()
    try story.submit("b")
    try story.destroy("d")
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.tell("a", .plan(PlanRequest(by: .bob)))
    try story.finishPlan("d")
    try story.tell("d", .apply(tfeRunID: nil, by: .alice))
    let facts = try story.hear("d", .applyFinished(plan: 1, outputs: [:]))
    // A run that waited ends; one that had ended only loses its wish.
    #expect(facts == ["apply_finished", "b:canceled", "a:plan_request_withdrawn"])
    #expect(story.holder == nil)
    #expect(story.waiting.isEmpty)
    for id: Run.ID in ["a", "b", "d"] {
      let refusal = try #require(throws: Refusal.self) { try story.tell(id, .plan(PlanRequest(by: .bob))) }
      #expect(refusal.message.contains("has been destroyed since the run \(id) was submitted"))
    }
  }

  @Test func aDestroyThatWasNotAppliedEndsNoLife() throws {
    var story = try Self.deployed()
    try story.destroy("d")
    try story.finishPlan("d")
    try story.tell("d", .discard(tfeRunID: nil, by: .alice))
    try story.hear("d", .remoteDiscarded(plan: 1))
    #expect(try story.present().instance.deployed?.run == "a")
    #expect(try story.tell("a", .plan(PlanRequest(by: .bob))) == ["plan_requested", "held", "plan_started"])
  }

  @Test func aDestroyIsPlannedAgainOnlyWhileNothingNewerWasSubmitted() throws {
    var story = try Self.deployed()
    try story.destroy("d")
    try story.finishPlan("d")
    try story.tell("d", .discard(tfeRunID: nil, by: .alice))
    try story.hear("d", .remoteDiscarded(plan: 1))
    #expect(try story.present().nextActions(of: story.run("d"), at: story.now, rules: story.rules) == ["plan"])
    try story.submit("n", .sample(version: "2.0.0"))
    try story.planned("n")
    try story.applied("n")
    let refusal = try #require(throws: Refusal.self) { try story.tell("d", .plan(PlanRequest(by: .alice))) }
    #expect(refusal.fix.contains("pine destroy gke-dev-west"))
  }

  @Test func aPartialDestroyLeavesTheInstanceAndCanBePlannedAgain() throws {
    var story = try Self.deployed()
    try story.destroy("d")
    try story.finishPlan("d")
    try story.tell("d", .apply(tfeRunID: nil, by: .alice))
    try story.hear("d", .applyStarted(plan: 1), .applyFailed(plan: 1, Failure("in use"), began: true))
    let situation = try story.present()
    #expect(situation.instance.destroyedAt == nil)
    #expect(situation.instance.deployed?.run == "a")
    #expect(situation.instance.basis?.run == "a")
    try story.tell("d", .plan(PlanRequest(by: .alice)))
    #expect(story.jobs.last == RunJob(.startPlan, run: "d", plan: 2))
  }
}
