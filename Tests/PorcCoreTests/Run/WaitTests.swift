import Foundation
import PorcCore
import Testing

/// What a run waits for, reason by reason: what is said, where it can be so, and how it ends.
@Suite struct WaitTests {
  static let since = Date(timeIntervalSince1970: 1_800_000_000)
  static let sinceText = "2027-01-15T08:00:00Z"

  struct Row: Sendable, CustomTestStringConvertible {
    var wait: Wait
    var sentence: String
    var testDescription: String { sentence }
    init(_ wait: Wait, _ sentence: String) { (self.wait, self.sentence) = (wait, sentence) }
  }

  /// Those that a worker learns.
  static let learned = [
    Row(.maximumRuns(limit: 50), "its turn: 50 runs of PORC plan or apply already (tfe.maximum_runs)"),
    Row(.maximumRuns(limit: 1), "its turn: one run of PORC plans or applies already (tfe.maximum_runs)"),
    Row(.workers, "a free worker of PORC, which has more to do at once than porc.concurrency allows"),
    Row(
      .tfeRunAhead(tfeRunID: "run-9", runID: nil),
      "the run run-9 in Terraform Enterprise, which is not PORC's and is before it in its workspace; "
        + "it goes on by itself when that run has ended; apply, discard or cancel it there"),
    Row(
      .tfeRunAhead(tfeRunID: "run-9", runID: "porc-b"),
      "the run run-9 in Terraform Enterprise (porc-b), which is before it in its workspace; "
        + "it goes on by itself when porc-b has ended"),
    Row(
      .workspaceLocked(workspace: "porc-web", by: "ann", reason: "audit"),
      "the workspace 'porc-web', which is locked by ann (\"audit\"); unlock it in Terraform Enterprise"),
    Row(
      .workspaceLocked(workspace: "porc-web", by: nil, reason: nil),
      "the workspace 'porc-web', which is locked; unlock it in Terraform Enterprise"),
    Row(
      .tfeQueue,
      "its turn in Terraform Enterprise, which has not begun with it; look at the run there if this takes long"),
    Row(.tfeCapacity, "a free worker in Terraform Enterprise"),
    Row(
      .runTasks(stage: "pre_apply"),
      "the run tasks before the apply in Terraform Enterprise; it goes on by itself when they have answered; "
        + "look at the run there"),
    Row(
      .tfeUnreachable,
      "Terraform Enterprise, which cannot be reached since \(sinceText); PORC tries again by itself"),
    Row(
      .tfeFailing(status: 502),
      "Terraform Enterprise, which answers with errors (502) since \(sinceText); PORC tries again by itself"),
    Row(
      .tokenRefused,
      "Terraform Enterprise, which refuses PORC's token since \(sinceText); give PORC a valid one (TFE_TOKEN)"),
    Row(
      .tfeRefused,
      "Terraform Enterprise, which refuses what PORC asks since \(sinceText); "
        + "PORC tries again by itself, and its log says what was refused"),
    Row(
      .rateLimited(until: since.addingTimeInterval(90)),
      "Terraform Enterprise's rate limit, until 2027-01-15T08:01:30Z; it goes on by itself then"),
    Row(
      .stepFailing,
      "PORC itself, which fails at this since \(sinceText); "
        + "PORC tries again by itself, and its log says what went wrong"),
  ]

  /// Those that are told by how things stand.
  static let derived = [
    Row(
      .anotherRun(runID: "porc-b", state: .policyOverride, instance: Instance.ID("web")),
      "the run porc-b, which holds 'web' and is waiting for a policy override"),
    Row(.turn, "its turn"), Row(.decision, "somebody to apply or discard the plan"),
    Row(.approval, "approval by somebody with the scope approve"),
    Row(.policyOverride, "somebody to override the policy or discard the plan"),
    Row(.earlierPlan, "TFE to discard the earlier plan"), Row(.cancelOfPlan, "TFE to cancel the plan"),
    Row(.cancelOfApply, "TFE to cancel the apply"), Row(.discard, "TFE to discard the plan"),
    Row(.override, "TFE to take the override"), Row(.beginOfApply, "TFE to begin the apply"),
    Row(.removal, "TFE to let the workspace go"),
  ]

  @Test(arguments: learned + derived) func eachIsToldInOneSentence(row: Row) throws {
    let waiting = Waiting(row.wait, since: Self.since)
    #expect(waiting.sentence == row.sentence)
    #expect(!waiting.clearedBy.isEmpty && waiting.clearedBy.last != ".")
    // What is stored comes back.
    let stored = try JSONEncoder.porc.encode(row.wait)
    #expect(try JSONDecoder.porc.decode(Wait.self, from: stored) == row.wait)
    let name = try #require(try JSONSerialization.jsonObject(with: stored) as? [String: Any]).keys.first
    #expect(name == row.wait.name)
    #expect(WaitBody(waiting).reason == name)
  }

  @Test func thereIsASentenceForEach() {
    #expect(Set((Self.learned + Self.derived).map(\.wait.name)) == Set(Wait.allNames))
    #expect(Set(Wait.allNames).count == Wait.allNames.count)
    #expect(Set((Self.learned + Self.derived).map(\.sentence)).count == Self.learned.count + Self.derived.count)
  }

  /// A holder whose plan lies there is not waited out: somebody has to act.
  @Test(arguments: RunState.allCases) func whatIsWaitedForTellsWhatToDo(state: RunState) {
    let waiting = Waiting(.anotherRun(runID: "porc-b", state: state, instance: Instance.ID("web")))
    #expect(waiting.clearedBy.contains("--supersede") == state.awaitsDecision)
  }

  // MARK: Where it can be so

  /// Every learned reason in every state: while a person decides, and after the end, a run waits for none of them.
  @Test(arguments: learned, RunState.allCases)
  func aRunWaitsOutsideOnlyWhileItIsUnderWay(row: Row, state: RunState) throws {
    for plan in [0, 1] {
      var story = try Story.at(state)
      let before = try story.present().waitingFor(story.run("a"))
      let updatedAt = try story.run("a").updatedAt
      let facts = try story.hear("a", .waiting(plan: plan, row.wait))
      let isUnderWay = plan == 0 ? state == .building : [.planning, .applying].contains(state)
      #expect(facts == (isUnderWay ? ["waiting"] : []))
      let since = isUnderWay ? story.now : nil
      let sentence = isUnderWay ? Waiting(row.wait, since: since).sentence : before
      #expect(try story.present().waitingFor(story.run("a")) == sentence)
      #expect(try story.run("a").updatedAt == updatedAt)
      #expect(try story.hear("a", .waiting(plan: plan, row.wait)).isEmpty)

      #expect(try story.hear("a", .waiting(plan: plan, nil)) == (isUnderWay ? ["waiting_ended"] : []))
      #expect(try story.present().waitingFor(story.run("a")) == before)
      #expect(try story.run("a").waitEndedAt == (isUnderWay ? story.now : nil))
    }
  }

  @Test(arguments: learned) func whatChangesTheStateEndsTheWaiting(row: Row) throws {
    let ends: [(RunState, RunReport)] = [
      (.building, .built(bundle: "digest")), (.building, .buildFailed(Failure("no"))),
      (.planning, .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd)),
      (.planning, .planFailed(plan: 1, Failure("no"))), (.planning, .policyOverrideNeeded(plan: 1, "too dear")),
      (.planning, .applyStarted(plan: 1)), (.planning, .remoteDiscarded(plan: 1)),
      (.applying, .applyFinished(plan: 1, outputs: [:])),
      (.applying, .applyFailed(plan: 1, Failure("no"), began: true)),
      (.applying, .remoteCanceled(plan: 1, applyBegan: true)),
    ]
    for (state, report) in ends {
      var story = try Story.at(state)
      try story.hear("a", .waiting(plan: state == .building ? 0 : 1, row.wait))
      #expect(try story.run("a").wait == row.wait)
      try story.hear("a", report)
      #expect(try story.run("a").wait == nil && story.run("a").waitsSince == nil, "\(report)")
    }
  }

  @Test func aPlanThatHasItsTFERunWaitsForItsTurnNoMore() throws {
    var story = try Story.at(.built)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    try story.hear("a", .waiting(plan: 1, .maximumRuns(limit: 50)))
    #expect(try story.present().waiting(story.run("a"))?.wait == .maximumRuns(limit: 50))
    try story.hear("a", .created(1, "run-1"))
    #expect(try story.present().waiting(story.run("a")) == nil)
  }

  @Test func whatWasLearnedOfAnEarlierPlanIsForgotten() throws {
    var story = try Story.at(.planned)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(try story.hear("a", .waiting(plan: 1, .tfeCapacity)).isEmpty)
    try story.hear("a", .waiting(plan: 2, .tfeUnreachable))
    #expect(try story.present().waiting(story.run("a"))?.wait == .tfeUnreachable, "that is why it is not discarded")
    try story.hear("a", .remoteDiscarded(plan: 1))
    #expect(try story.present().waiting(story.run("a")) == nil)
  }

  // MARK: Which one is told

  @Test func troubleIsToldBeforeWhatItKeepsFromBeingDone() throws {
    for (state, wait) in [(RunState.planning, Wait.cancelOfPlan), (.applying, .cancelOfApply)] {
      var story = try Story.at(state)
      try story.hear("a", .waiting(plan: 1, .tfeCapacity))
      try story.tell("a", .cancel(by: .alice))
      #expect(try story.present().waiting(story.run("a"))?.wait == wait)
      try story.hear("a", .waiting(plan: 1, .tokenRefused))
      #expect(try story.present().waiting(story.run("a"))?.wait == .tokenRefused)
    }
  }

  @Test func aDiscardThatCannotBeSentSaysSo() throws {
    for state in [RunState.planned, .policyOverride] {
      var story = try Story.at(state)
      #expect(try story.hear("a", .waiting(plan: 1, .tfeUnreachable)).isEmpty)
      try story.tell("a", .discard(tfeRunID: nil, by: .bob))
      #expect(try story.present().waiting(story.run("a"))?.wait == .discard)
      #expect(try story.hear("a", .waiting(plan: 1, .tfeCapacity)).isEmpty)
      try story.hear("a", .waiting(plan: 1, .tfeUnreachable))
      #expect(try story.present().waiting(story.run("a"))?.wait == .tfeUnreachable)
      try story.hear("a", .remoteDiscarded(plan: 1))
      #expect(try story.present().waiting(story.run("a")) == nil)
    }
  }

  @Test func aRunWaitsForTheOneThatHoldsTheInstance() throws {
    var story = try Story.at(.planning)
    try story.submit("b")
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.hear("a", .waiting(plan: 1, .tfeUnreachable))
    #expect(
      try story.present().waiting(story.run("b"))?.wait
        == .anotherRun(runID: "a", state: .planning, instance: story.instance))
  }

  /// A proxy answers now and then in the place of a TFE that is away: one outage, since its beginning.
  @Test func anOutageIsAsOldAsItsFirstFailure() throws {
    var story = try Story.at(.planning)
    try story.hear("a", .waiting(plan: 1, .tfeUnreachable))
    let start = story.now
    try story.hear("a", .waiting(plan: 1, .tfeFailing(status: 502)))
    #expect(try story.present().waiting(story.run("a")) == Waiting(.tfeFailing(status: 502), since: start))
    try story.hear("a", .waiting(plan: 1, .tokenRefused))
    #expect(try story.present().waiting(story.run("a")) == Waiting(.tokenRefused, since: story.now))
    try story.hear("a", .waiting(plan: 1, .tfeUnreachable))
    #expect(try story.present().waiting(story.run("a")) == Waiting(.tfeUnreachable, since: story.now))
  }

  @Test func programsGetTheParts() throws {
    let locked = WaitBody(Waiting(.workspaceLocked(workspace: "w", by: "ann", reason: "audit"), since: Self.since))
    #expect(locked.lockedBy == "ann" && locked.lockReason == "audit" && locked.since == Self.since)
    let ahead = WaitBody(Waiting(.tfeRunAhead(tfeRunID: "run-9", runID: "porc-b")))
    #expect(ahead.tfeRunID == "run-9" && ahead.runID == "porc-b" && ahead.since == nil)
    #expect(WaitBody(Waiting(.rateLimited(until: Self.since))).until == Self.since)
    let story = try Story.at(.planned)
    #expect(try WireShapeTests.status(story).wait?.reason == "decision")
  }
}
