import PorcCore
import TestKit
import Testing

/// What people are told they may do, against what they may do.
@Suite struct OutlookTests {
  /// What `nextActions` promises and keeps silent about, tried out.
  static func check(_ situation: Situation, at time: Run, _ context: String) {
    for run in situation.runs.values {
      let submitter = run.submission.submitter
      let other = Caller(id: "somebody-else", name: "")
      let commands: [RunCommand] = [
        .build, .plan(PlanRequest(by: other)), .approve(tfeRunID: nil, by: other), .apply(tfeRunID: nil, by: submitter),
        .discard(tfeRunID: nil, by: other), .override(tfeRunID: nil, by: other, reason: "x"), .cancel(by: other),
        .forceCancel(by: other),
      ]
      let actions = situation.nextActions(of: run, at: time.updatedAt, rules: RunMachine.Rules())
      for command in commands {
        let facts = (try? RunMachine.decide(command, for: run.id, in: situation, at: time.updatedAt))?.facts ?? []
        // An approval that nobody requires is allowed, but nothing to propose.
        let isIdle = if case .approve = command { !situation.needsApproval(run) } else { false }
        #expect(
          actions.contains(command.name) == (!facts.isEmpty && !isIdle),
          "\(command.name) of \(run.id) in \(run.state.rawValue), \(context)")
      }
      let names = commands.map(\.name)
      #expect(actions == names.filter(actions.contains))
    }
  }

  @Test(arguments: 4_000..<4_020 as Range<UInt64>)
  func theNextActionsAreThoseThatLeadToSomething(seed: UInt64) throws {
    var world = World(seed: seed)
    for _ in 0..<120 {
      world.step()
      guard let situation = world.situation, let run = situation.currentRun else { continue }
      Self.check(situation, at: run, "seed \(seed)")
    }
  }

  @Test(arguments: [
    (RunState.submitted, ["build", "plan", "cancel"]), (.building, ["plan", "cancel"]), (.built, ["plan", "cancel"]),
    (.buildFailed, ["build", "plan"]), (.planning, ["cancel"]), (.planned, ["plan", "apply", "discard"]),
    (.planFailed, ["plan"]), (.policyFailed, ["plan"]), (.policyOverride, ["plan", "discard", "override"]),
    (.applying, ["cancel"]), (.applied, ["plan"]), (.applyFailed, ["plan"]), (.discarded, ["plan"]),
    (.canceled, ["plan"]),
  ])
  func everyStateHasItsNextActions(state: RunState, actions: [String]) throws {
    let story = try Story.at(state)
    #expect(try story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules) == actions)
  }

  @Test(arguments: RunState.allCases) func onlyWhatWaitsForSomebodySaysSo(state: RunState) throws {
    let story = try Story.at(state)
    let waitingFor = try story.present().waitingFor(story.run("a"))
    let expected: String? =
      switch state {
      case .planned: "somebody to apply or discard the plan"
      case .policyOverride: "somebody to override the policy or discard the plan"
      default: nil
      }
    #expect(waitingFor == expected)
  }

  @Test func aPlanThatNeedsAnApprovalWaitsForIt() throws {
    var story = try Story.at(.planned, .sample(requiresApproval: true))
    #expect(try story.present().waitingFor(story.run("a")) == "approval by somebody with the scope approve")
    #expect(
      try story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules)
        == ["plan", "approve", "discard"])
    try story.tell("a", .approve(tfeRunID: nil, by: .bob))
    #expect(try story.present().waitingFor(story.run("a")) == "somebody to apply or discard the plan")
    #expect(
      try story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules)
        == ["plan", "apply", "discard"])
  }

  @Test func aCancelWaitsForTFE() throws {
    for (state, words) in [(RunState.planning, "TFE to cancel the plan"), (.applying, "TFE to cancel the apply")] {
      var story = try Story.at(state)
      try story.tell("a", .cancel(by: .alice))
      #expect(try story.present().waitingFor(story.run("a")) == words)
      #expect(try story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules).isEmpty)
    }
  }
}
