import Foundation
import HCL
import PorcCore
import Testing

/// Planning again, and what a plan is bound to.
@Suite struct ReplanTests {
  @Test func theEarlierTFERunIsClearedBeforeTheNextIsMade() throws {
    var story = try Story.at(.planned)
    #expect(try story.tell("a", .plan(PlanRequest(by: .alice))) == ["plan_started"])
    #expect(story.jobs.last == RunJob(.clearPlan, run: "a", plan: 1))
    #expect(!story.jobs.contains(RunJob(.startPlan, run: "a", plan: 2)))
    #expect(try story.present().waitingFor(story.run("a")) == "TFE to discard the earlier plan")
    #expect(try story.hear("a", .remoteDiscarded(plan: 1)) == ["plan_cleared"])
    #expect(story.jobs.last == RunJob(.startPlan, run: "a", plan: 2))
    #expect(try story.run("a").currentPlan?.number == 2)
    #expect(try story.state("a") == .planning)
  }

  @Test(arguments: [
    RunReport.remoteCanceled(plan: 1, applyBegan: false), .planFailed(plan: 1, Failure("x")),
    .policyFailed(plan: 1, Failure("x")), .planFinished(plan: 1, hasChanges: false, summary: PlanSummary()),
  ])
  func whateverEndsTheEarlierTFERunWithoutAnApplyClearsIt(report: RunReport) throws {
    var story = try Story.at(.planned)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(try story.hear("a", report) == ["plan_cleared"])
    #expect(story.jobs.last == RunJob(.startPlan, run: "a", plan: 2))
  }

  @Test func whatDoesNotEndTheEarlierTFERunDoesNotClearIt() throws {
    var story = try Story.at(.policyOverride)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(try story.hear("a", .policyOverrideNeeded(plan: 1, "too dear")).isEmpty)
    #expect(try story.hear("a", .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd)).isEmpty)
  }

  @Test(arguments: [
    (RunReport.applyStarted(plan: 1), RunState.applying), (.applyFinished(plan: 1, outputs: [:]), .applied),
    (.applyFailed(plan: 1, Failure("x"), began: true), .applyFailed),
    (.remoteCanceled(plan: 1, applyBegan: true), .applyFailed),
  ])
  func anEarlierPlanThatWasAppliedMeanwhileIsTheTruth(report: RunReport, end: RunState) throws {
    var story = try Story.at(.planned)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    let facts = try story.hear("a", report)
    #expect(facts.first == "plan_withdrawn")
    let run = try story.run("a")
    #expect(run.state == end)
    #expect(run.currentPlan?.number == 1)
    #expect(run.plan(number: 2)?.withdrawal?.contains("Plan 1 was applied in TFE") == true)
    #expect(!story.jobs.contains(RunJob(.startPlan, run: "a", plan: 2)))
    #expect(try story.present().instance.deployed?.tfeRunID == (end == .applied ? "run-1" : nil))
  }

  @Test func aCancelDuringClearingEndsTheRunOnceTFEHoldsNothing() throws {
    var story = try Story.at(.planned)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(try story.tell("a", .cancel(by: .alice)) == ["cancel_requested"])
    #expect(story.jobs.last == RunJob(.clearPlan, run: "a", plan: 1))
    #expect(try story.tell("a", .cancel(by: .alice)).isEmpty)
    #expect(try story.hear("a", .remoteDiscarded(plan: 1)) == ["plan_cleared", "canceled"])
    #expect(!story.jobs.contains(RunJob(.startPlan, run: "a", plan: 2)))
    #expect(story.holder == nil)
  }

  @Test func aCancelDuringClearingDoesNotOutliveThePlanItWasAbout() throws {
    var story = try Story.at(.planned)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    try story.tell("a", .cancel(by: .alice))
    try story.hear("a", .applyStarted(plan: 1))
    #expect(try story.state("a") == .applying)
    // The apply goes on, and can be canceled itself.
    #expect(try story.present().waitingFor(story.run("a")) == nil)
    #expect(try story.tell("a", .cancel(by: .alice)) == ["cancel_requested"])
    #expect(story.jobs.last == RunJob(.cancel, run: "a", plan: 1))
  }

  @Test func numbersAreNeverUsedTwice() throws {
    var story = try Story.at(.planned)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    try story.hear("a", .applyFailed(plan: 1, Failure("x"), began: true))
    #expect(try story.run("a").plan(number: 2)?.withdrawal != nil)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(try story.run("a").plans.map(\.number) == [1, 2, 3])
    #expect(try story.run("a").currentPlan?.number == 3)
    #expect(Plan.message(run: "a", number: 3) == "a/3")
  }

  @Test func anApplyOfAnOldPlanNamesTheCurrentOne() throws {
    var story = try Story.at(.planned)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    let early = try #require(throws: Refusal.self) { try story.tell("a", .apply(tfeRunID: "run-1", by: .bob)) }
    #expect(early.reason == .planSuperseded)
    #expect(early.supersededBy == nil)
    try story.hear("a", .remoteDiscarded(plan: 1), .created(2, "run-2"))
    try story.hear("a", .planFinished(plan: 2, hasChanges: true, summary: .threeToAdd))
    let refusal = try #require(throws: Refusal.self) { try story.tell("a", .apply(tfeRunID: "run-1", by: .bob)) }
    #expect(refusal.reason == .planSuperseded)
    #expect(refusal.message.contains("the current one is run-2"))
    #expect(refusal.supersededBy == "run-2")
    #expect(refusal.fault.supersededBy == "run-2")
    #expect(try story.tell("a", .apply(tfeRunID: "run-2", by: .bob)) == ["apply_confirmed"])
    #expect(story.jobs.last == RunJob(.confirm, run: "a", plan: 2))
  }

  @Test func aPlanWithoutChangesIsAppliedWithoutACallToTFE() throws {
    var story = Story()
    try story.submit("a")
    try story.planned("a", hasChanges: false)
    #expect(try story.state("a") == .planned)
    let jobs = story.jobs
    #expect(try story.tell("a", .apply(tfeRunID: nil, by: .bob)) == ["apply_confirmed", "apply_finished"])
    #expect(story.jobs == jobs)
    #expect(try story.state("a") == .applied)
    #expect(try story.present().instance.deployed?.run == "a")
  }

  @Test func anApplyWithoutChangesKeepsTheOutputs() throws {
    var story = Story()
    let outputs = ["endpoint": Output(value: "https://x", isSensitive: false)]
    try story.submit("a")
    try story.planned("a")
    try story.applied("a", outputs: outputs)
    try story.submit("b")
    try story.planned("b", hasChanges: false)
    try story.tell("b", .apply(tfeRunID: nil, by: .bob))
    #expect(try story.present().instance.deployed?.outputs == outputs)
    #expect(try story.present().instance.basis?.run == "b")
  }

  @Test func planAndApplyInOneCommandEndsWithoutAnotherWordWhereNothingChanges() throws {
    var story = Story()
    try story.submit("a")
    try story.tell("a", .plan(PlanRequest(by: .alice, appliesAutomatically: true)))
    try story.hear("a", .built(bundle: "digest"), .created(1, "run-1"))
    let facts = try story.hear("a", .planFinished(plan: 1, hasChanges: false, summary: PlanSummary()))
    #expect(facts == ["plan_finished", "apply_confirmed", "apply_finished"])
    #expect(story.holder == nil)
  }

  @Test func planAndApplyInOneCommandIsRefusedWhereAnApprovalIsRequired() throws {
    var story = try Story.at(.built, .sample(requiresApproval: true))
    let refusal = try #require(throws: Refusal.self) {
      try story.tell("a", .plan(PlanRequest(by: .alice, appliesAutomatically: true)))
    }
    #expect(refusal.reason == .approvalMissing)
  }

  @Test func anApprovalIsForOnePlan() throws {
    var story = try Story.at(.planned, .sample(requiresApproval: true))
    let missing = try #require(throws: Refusal.self) { try story.tell("a", .apply(tfeRunID: nil, by: .bob)) }
    #expect(missing.reason == .approvalMissing)
    #expect(throws: Refusal.self) { try story.tell("a", .approve(tfeRunID: "run-1", by: .alice)) }
    #expect(try story.tell("a", .approve(tfeRunID: "run-1", by: .bob)) == ["approved"])
    #expect(try story.tell("a", .approve(tfeRunID: "run-1", by: .bob)).isEmpty)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    try story.hear("a", .remoteDiscarded(plan: 1), .created(2, "run-2"))
    try story.hear("a", .planFinished(plan: 2, hasChanges: true, summary: .threeToAdd))
    let again = try #require(throws: Refusal.self) { try story.tell("a", .apply(tfeRunID: nil, by: .bob)) }
    #expect(again.reason == .approvalMissing)
    try story.tell("a", .approve(tfeRunID: nil, by: .carol))
    #expect(try story.tell("a", .apply(tfeRunID: nil, by: .alice)) == ["apply_confirmed"])
  }

  @Test func aPlanThatIsTooOldIsNotApplied() throws {
    var story = try Story.at(.planned)
    story.rules = RunMachine.Rules(maximumPlanAge: 60)
    story.now += 58
    #expect(try story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules).contains("apply"))
    story.now += 60
    let refusal = try #require(throws: Refusal.self) { try story.tell("a", .apply(tfeRunID: nil, by: .bob)) }
    #expect(refusal.reason == .wrongState)
    #expect(refusal.message.contains("older than 60 seconds"))
    #expect(try !story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules).contains("apply"))
  }

  @Test(arguments: [
    RunReport.planFinished(plan: 1, hasChanges: true, summary: .threeToAdd), .policyOverrideNeeded(plan: 1, "too dear"),
  ])
  func aCancelThatComesTooLateForThePlanningDiscardsThePlan(report: RunReport) throws {
    var story = try Story.at(.planning)
    try story.tell("a", .cancel(by: .bob))
    #expect(try story.hear("a", report).last == "discard_requested")
    #expect(story.jobs.last == RunJob(.discard, run: "a", plan: 1))
    #expect(story.facts.last?.event == .discardRequested(number: 1, by: .bob))
    try story.hear("a", .remoteDiscarded(plan: 1))
    #expect(try story.state("a") == .discarded)
  }

  @Test func aCancelThatComesTooLateForThePlanningDoesNotCoverTheApply() throws {
    var story = Story()
    try story.submit("a")
    try story.tell("a", .plan(PlanRequest(by: .alice, appliesAutomatically: true)))
    try story.hear("a", .built(bundle: "digest"), .created(1, "run-1"))
    try story.tell("a", .cancel(by: .alice))
    try story.hear("a", .applyStarted(plan: 1))
    #expect(try story.tell("a", .cancel(by: .alice)) == ["cancel_requested"])
  }

  @Test func aTFERunThatTurnsUpAfterTheEndIsDiscarded() throws {
    var story = Story()
    try story.submit("a")
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    try story.hear("a", .built(bundle: "digest"))
    try story.tell("a", .cancel(by: .alice))
    try story.hear("a", .remoteCanceled(plan: 1, applyBegan: false))
    #expect(try story.state("a") == .canceled)
    #expect(try story.hear("a", .created(1, "run-1")) == ["tfe_run_created", "discard_requested"])
    #expect(try story.hear("a", .remoteCanceled(plan: 1, applyBegan: true)) == ["apply_failed"])
    #expect(try story.run("a").isPartial)
  }

  @Test func aTFERunThatTurnsUpForAnEarlierPlanIsDiscarded() throws {
    var story = Story()
    try story.submit("a")
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    try story.hear("a", .built(bundle: "digest"))
    try story.tell("a", .cancel(by: .alice))
    try story.hear("a", .remoteCanceled(plan: 1, applyBegan: false))
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(try story.hear("a", .created(1, "run-1")) == ["tfe_run_created", "discard_requested"])
    #expect(try story.run("a").currentPlan?.number == 2)
    #expect(try story.state("a") == .planning)
  }

  @Test func aDiscardThatIsUnderwayForbidsEverythingElse() throws {
    for state in [RunState.planned, .policyOverride] {
      var story = try Story.at(state)
      try story.tell("a", .discard(tfeRunID: nil, by: .alice))
      let commands: [RunCommand] = [
        .plan(PlanRequest(by: .alice)), .apply(tfeRunID: nil, by: .alice), .approve(tfeRunID: nil, by: .bob),
        .override(tfeRunID: nil, by: .bob, reason: "agreed"), .cancel(by: .alice),
      ]
      for command in commands { #expect(throws: Refusal.self) { try story.tell("a", command) } }
      #expect(try story.tell("a", .discard(tfeRunID: nil, by: .alice)).isEmpty)
      #expect(try story.present().waitingFor(story.run("a")) == "TFE to discard the plan")
    }
  }
}
