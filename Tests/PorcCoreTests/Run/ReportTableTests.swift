import Foundation
import HCL
import PorcCore
import Testing

/// Every report in every state; those that name a plan name the run's first.
@Suite struct ReportTableTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var report: RunReport
    /// What differs from "nothing".
    var exceptions: String
    var testDescription: String { name }
  }

  static let why = Failure("Error: quota exceeded", address: "google_container_cluster.this")

  static let rows: [Row] = [
    Row(name: "built", report: .built(bundle: "digest"), exceptions: "building: built"),
    Row(name: "buildFailed", report: .buildFailed(why), exceptions: "building: build_failed"),
    Row(
      name: "workspaceReady", report: .workspaceReady(Workspace(id: "ws-1", name: "porc-gke-dev-west")),
      exceptions: RunState.allCases.map { "\($0.rawValue): workspace_ready" }.joined(separator: "\n")),
    Row(name: "tfeRunCreated", report: .created(1, "run-2"), exceptions: ""),
    Row(
      name: "planFinished", report: .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd),
      exceptions: "planning policy_override: plan_finished"),
    Row(
      name: "planFinished, with other numbers",
      report: .planFinished(plan: 1, hasChanges: true, summary: PlanSummary(additions: 4)),
      exceptions: "planning planned policy_override: plan_finished"),
    Row(
      name: "planFinished, no changes", report: .planFinished(plan: 1, hasChanges: false, summary: PlanSummary()),
      exceptions: "planning policy_override: plan_finished"),
    Row(
      name: "planFailed", report: .planFailed(plan: 1, why),
      exceptions: """
        planning planned policy_override: plan_failed
        applying: apply_failed
        """),
    Row(
      name: "policyFailed", report: .policyFailed(plan: 1, why),
      exceptions: """
        planning planned policy_override: policy_failed
        applying: apply_failed
        """),
    Row(
      name: "policyOverrideNeeded", report: .policyOverrideNeeded(plan: 1, "too dear"),
      exceptions: "planning: policy_override_needed"),
    Row(
      name: "policyOverrideNeeded, of another gate", report: .policyOverrideNeeded(plan: 1, "too big"),
      exceptions: "planning: policy_override_needed"),
    Row(
      name: "planEvaluated", report: .planEvaluated(plan: 1, summary: .threeToAdd, .tooDear),
      exceptions: "planning planned policy_override applying: plan_evaluated"),
    // Nobody asked for what these answer.
    Row(name: "overrideRefused", report: .overrideRefused(plan: 1, why), exceptions: ""),
    Row(
      name: "forceCancelOffered", report: .forceCancelOffered(plan: 1, from: Date(timeIntervalSince1970: 0)),
      exceptions: ""),
    Row(name: "forceCancelRefused", report: .forceCancelRefused(plan: 1, why), exceptions: ""),
    Row(name: "removalRefused", report: .removalRefused(why), exceptions: ""),
    Row(
      name: "applyStarted", report: .applyStarted(plan: 1),
      exceptions: "planning planned policy_override: apply_started"
    ),
    Row(
      name: "applyFinished", report: .applyFinished(plan: 1, outputs: [:]),
      exceptions: "planning planned policy_override applying: apply_finished"),
    Row(
      name: "applyFailed, begun", report: .applyFailed(plan: 1, why, began: true),
      exceptions: "planning planned policy_override applying: apply_failed"),
    Row(
      name: "applyFailed, not begun", report: .applyFailed(plan: 1, why, began: false),
      exceptions: "planning planned policy_override applying: apply_failed"),
    Row(
      name: "remoteDiscarded", report: .remoteDiscarded(plan: 1),
      exceptions: "planning planned policy_override applying: discarded"),
    Row(
      name: "remoteCanceled, begun", report: .remoteCanceled(plan: 1, applyBegan: true),
      exceptions: "planning planned policy_override applying: apply_failed"),
    Row(
      name: "remoteCanceled, not begun", report: .remoteCanceled(plan: 1, applyBegan: false),
      exceptions: """
        planning planned policy_override: canceled
        applying: apply_failed
        """),
    Row(
      name: "waiting in TFE", report: .waiting(plan: 1, .tfeCapacity), exceptions: "planning applying: waiting"),
    Row(
      name: "waiting, TFE being away", report: .waiting(plan: 1, .tfeUnreachable),
      exceptions: "planning applying: waiting"
    ),
    Row(name: "waiting for a worker to build", report: .waiting(plan: 0, .workers), exceptions: "building: waiting"),
    Row(name: "waiting for nothing", report: .waiting(plan: 1, nil), exceptions: ""),
  ]

  @Test(arguments: rows) func everyStateHearsTheReport(row: Row) throws {
    let table = Table(CommandTableTests.everywhere("nothing") + row.exceptions)
    for state in RunState.allCases {
      var story = try Story.at(state)
      let outcome = try Table.outcome { try story.hear("a", row.report) }
      #expect(outcome == table[state], "\(row.name) in \(state.rawValue)")
      // What was heard once is no news.
      #expect(try story.hear("a", row.report).isEmpty, "\(row.name) again in \(state.rawValue)")
    }
  }

  @Test(arguments: rows) func aReportOfAPlanThatNeverWasLeadsToNothing(row: Row) throws {
    guard row.report.planNumber != nil else { return }
    for state in RunState.allCases {
      var story = try Story.at(state)
      #expect(try story.hear("a", row.report.about(plan: 7)).isEmpty, "\(row.name) in \(state.rawValue)")
    }
  }

  @Test func aReportOfAnUnknownRunLeadsToNothing() throws {
    var story = try Story.at(.planning)
    #expect(try story.hear("z", .planFailed(plan: 1, Self.why)).isEmpty)
  }

  @Test func anApplyThatIsCanceledBeforeItBeganIsCanceled() throws {
    var story = try Story.at(.planned)
    try story.tell("a", .apply(tfeRunID: nil, by: .alice))
    try story.tell("a", .cancel(by: .alice))
    try story.hear("a", .remoteCanceled(plan: 1, applyBegan: false))
    #expect(try story.state("a") == .canceled)
    #expect(try !story.run("a").isPartial)
  }

  @Test(arguments: [RunReport.remoteCanceled(plan: 1, applyBegan: true), .applyFailed(plan: 1, why, began: false)])
  func whatEndsAfterTheApplyBeganIsPartial(report: RunReport) throws {
    var story = try Story.at(.applying)
    try story.hear("a", report)
    #expect(try story.state("a") == .applyFailed)
    #expect(try story.run("a").isPartial)
    #expect(try story.run("a").failure != nil)
  }

  @Test func anApplyThatFailsBeforeItBeganIsNotPartial() throws {
    var story = try Story.at(.planned)
    try story.tell("a", .apply(tfeRunID: nil, by: .alice))
    try story.hear("a", .applyFailed(plan: 1, Self.why, began: false))
    #expect(try story.state("a") == .applyFailed)
    #expect(try !story.run("a").isPartial)
  }

  @Test func anOverriddenPolicyIsNoErrorAnyMore() throws {
    var story = try Story.at(.policyOverride)
    #expect(try story.run("a").failure != nil)
    try story.hear("a", .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd))
    #expect(try story.run("a").failure == nil)
  }

  @Test func betterNumbersDoNotMakeAPlanYounger() throws {
    var story = try Story.at(.planned)
    let plannedAt = try story.run("a").currentPlan?.plannedAt
    try story.hear("a", .planFinished(plan: 1, hasChanges: true, summary: PlanSummary(additions: 4)))
    #expect(try story.run("a").currentPlan?.plannedAt == plannedAt)
    #expect(try story.run("a").currentPlan?.summary?.additions == 4)
  }
}

extension RunReport {
  /// The plan it is about.
  var planNumber: Int? {
    switch self {
    case .built, .buildFailed, .workspaceReady, .removalRefused: nil
    case .tfeRunCreated(let plan, _, _), .planFinished(let plan, _, _), .planFailed(let plan, _),
      .policyFailed(let plan, _), .policyOverrideNeeded(let plan, _), .applyStarted(let plan),
      .applyFinished(let plan, _), .applyFailed(let plan, _, _), .remoteDiscarded(let plan),
      .remoteCanceled(let plan, _), .waiting(let plan, _),
      .planEvaluated(let plan, _, _), .overrideRefused(let plan, _),
      .forceCancelOffered(let plan, _), .forceCancelRefused(let plan, _):
      plan
    }
  }

  func about(plan: Int) -> RunReport {
    switch self {
    case .built, .buildFailed, .workspaceReady, .removalRefused: self
    case .tfeRunCreated(_, let run, let version):
      .tfeRunCreated(plan: plan, tfeRunID: run, configurationVersionID: version)
    case .planFinished(_, let hasChanges, let summary):
      .planFinished(plan: plan, hasChanges: hasChanges, summary: summary)
    case .planFailed(_, let failure): .planFailed(plan: plan, failure)
    case .policyFailed(_, let failure): .policyFailed(plan: plan, failure)
    case .policyOverrideNeeded(_, let detail): .policyOverrideNeeded(plan: plan, detail)
    case .applyStarted: .applyStarted(plan: plan)
    case .applyFinished(_, let outputs): .applyFinished(plan: plan, outputs: outputs)
    case .applyFailed(_, let failure, let began): .applyFailed(plan: plan, failure, began: began)
    case .remoteDiscarded: .remoteDiscarded(plan: plan)
    case .remoteCanceled(_, let began): .remoteCanceled(plan: plan, applyBegan: began)
    case .waiting(_, let wait): .waiting(plan: plan, wait)
    case .planEvaluated(_, let summary, let gates): .planEvaluated(plan: plan, summary: summary, gates)
    case .overrideRefused(_, let failure): .overrideRefused(plan: plan, failure)
    case .forceCancelOffered(_, let from): .forceCancelOffered(plan: plan, from: from)
    case .forceCancelRefused(_, let failure): .forceCancelRefused(plan: plan, failure)
    }
  }
}
