import Foundation
import HCL
import PorcCore
import PorcStore
import Testing

@testable import PorcServer

/// What an action run shows, told by events alone.
@Suite struct ActionReportTests {
  typealias Run = PorcCore.Run

  private static let id = Run.ID("porc-1")
  private static let pages = TFELinks(address: "https://tfe", organization: "acme")
  private static let request = PlanRequest(by: Caller(id: "a", name: "anna"))
  private static let summary = PlanSummary(additions: 3, destructions: 1)

  /// - Parameters:
  ///   - past: what had happened when somebody pressed.
  ///   - events: what happened after it.
  private func report(
    _ verb: String, plan: Int? = nil, past: [RunEvent] = [], _ events: [RunEvent], approval: Bool = false,
    operation: Run.Operation = .apply
  ) -> ActionReport {
    let press = ActionRun(
      id: "r_1", verb: verb, actor: Caller(id: "port:alice", name: "alice"), run: Self.id,
      instance: Instance.ID("web"), plan: plan, position: Int64(past.count), opening: ["alice asked."],
      createdAt: Date(timeIntervalSince1970: 0))
    let submission = Submission(
      operation: operation, template: PortalBench.template.reference, submitter: PortalBench.caller,
      metadata: BlueprintMetadata(name: "web"), inputs: [:], sensitiveInputs: [], region: nil,
      requiresApproval: approval, blueprintDigest: "d", sensitiveDigest: nil)
    let start = Date(timeIntervalSince1970: 1_800_000_000)
    let happened = (past + events).enumerated().map { index, event in (position: Int64(index + 1), event: event) }
    var situation = RunMachine.evolve(
      nil, Fact(run: Self.id, event: .submitted(instance: Instance.ID("web"), submission: submission), at: start))
    situation = RunMachine.evolve(
      situation,
      Fact(run: Self.id, event: .workspaceReady(workspace: Workspace(id: "ws-1", name: "porc-web")), at: start))
    let located = situation.flatMap { situation in
      situation.runs[Self.id].map { Located(run: $0, situation: situation, version: 1) }
    }
    return ActionReport(press, happened, located, links: Self.pages)
  }

  private static let planning: [RunEvent] = [
    .planRequested(request: request), .held, .buildStarted, .built(bundle: "b"),
    .planStarted(number: 1, request: request, clears: nil),
    .workspaceReady(workspace: Workspace(id: "ws-1", name: "porc-web")),
    .tfeRunCreated(number: 1, tfeRunID: "run-1", configurationVersionID: "cv-1"),
  ]
  private static let planned = planning + [.planFinished(number: 1, hasChanges: true, summary: summary)]
  private static let confirmed: [RunEvent] = [.applyConfirmed(number: 1, by: Caller(id: "a", name: "anna"))]
  private static let outputs = [
    "url": Output(value: "https://secret", isSensitive: false), "key": Output(value: nil, isSensitive: true),
  ]
  private static let canceling: [RunEvent] = [.cancelRequested(by: nil)]
  private static let again = PlanRequest(by: Caller(id: "a", name: "anna"), appliesAutomatically: true)

  @Test func aPlanIsToldStepByStep() {
    let report = report("plan", Self.planned)
    #expect(
      report.lines == [
        "alice asked.", "The configuration is being built.", "Terraform Enterprise plans it as run-1.",
        "The plan: 3 to add, 0 to change, 1 to destroy. Press 'Apply now' to apply it.",
      ])
    #expect(report.end == .init(.success, because: report.lines.last ?? ""))
    #expect(report.label == "Planned" && report.externalID == "run-1")
    #expect(report.links == ["https://tfe/app/acme/workspaces/porc-web/runs/run-1"])
  }

  @Test func whatToDoNextIsSaid() {
    func last(_ report: ActionReport) -> String { report.lines.last ?? "" }
    #expect(
      last(report("plan", Self.planned, approval: true)).hasSuffix("It needs an approval before it can be applied."))
    #expect(
      last(report("destroy", Self.planned, operation: .destroy)).hasSuffix("Press 'Confirm destroy' to apply it."))
    let nothing = Self.planning + [.planFinished(number: 1, hasChanges: false, summary: PlanSummary())]
    #expect(last(report("plan", nothing)) == "The plan has no changes. Press 'Apply now' to apply it.")
  }

  /// A press, what had happened before it, what happens after it, and how that ends.
  struct Case: CustomTestStringConvertible, Sendable {
    var verb: String
    var plan: Int?
    var past: [RunEvent]
    var events: [RunEvent]
    var outcome: ActionRun.End.Outcome?

    init(
      _ verb: String, of plan: Int? = nil, past: [RunEvent] = [], _ events: [RunEvent] = [], _ more: RunEvent...,
      ends outcome: ActionRun.End.Outcome?
    ) {
      (self.verb, self.plan, self.past, self.events, self.outcome) = (verb, plan, past, events + more, outcome)
    }

    var testDescription: String { "\(verb) after \(past.map(\.name)): \(events.map(\.name))" }
  }

  private static let no = Failure("no")
  private static let canceledOnce: [RunEvent] = [.canceled] + planned
  private static let discardedBefore = planned + [.discarded(number: 1)]
  private static let confirmedBefore = planned + confirmed
  private static let appliedBefore = confirmedBefore + [.applyFinished(number: 1, outputs: [:])]
  private static let overriding = planning + [.policyOverrideNeeded(number: 1, detail: "why")]
  private static let auto: [RunEvent] = [
    .planStarted(number: 1, request: again, clears: nil), .planFinished(number: 1, hasChanges: true, summary: summary),
  ]
  private static let discarding: [RunEvent] = [.discardRequested(number: 1, by: request.by)]

  private static let plans = [
    Case("plan", planning, ends: nil), Case("plan", planned, ends: .success), Case("destroy", planned, ends: .success),
    Case("plan", planning, .planFailed(number: 1, failure: no), ends: .failure),
    Case("plan", planning, .policyFailed(number: 1, failure: no), ends: .failure),
    Case("plan", overriding, ends: .success), Case("plan", planning, .discarded(number: 1), ends: .failure),
    Case("plan", planning, .canceled, ends: .failure), Case("plan", planning, .applyStarted(number: 1), ends: .success),
    Case("plan", planning, .planWithdrawn(number: 1, reason: "It was applied."), ends: .failure),
    Case("plan", planning, .planStarted(number: 2, request: request, clears: 1), ends: .failure),
    Case("plan", [], .buildStarted, .buildFailed(failure: no), ends: .failure),
    Case("plan", [], .planRequested(request: request), .planRequestWithdrawn, ends: .failure),
    // What was there before is not what was asked for.
    Case("plan", past: planned, ends: nil), Case("plan", past: discardedBefore, ends: nil),
    Case(
      "plan", past: planned, [], .planStarted(number: 2, request: request, clears: 1), .planCleared(number: 2),
      ends: nil),
    Case(
      "plan", past: planned, [], .planStarted(number: 2, request: request, clears: 1),
      .planFinished(number: 2, hasChanges: true, summary: summary), ends: .success),
    // Plan and apply in one.
    Case("plan", auto, ends: nil), Case("plan", auto, .applyFinished(number: 1, outputs: [:]), ends: .success),
    Case("plan", auto, .applyFailed(number: 1, failure: no, isPartial: true), ends: .failure),
  ]

  private static let applies = [
    Case("apply", of: 1, past: planned, confirmed, ends: nil),
    Case("apply", of: 1, past: planned, confirmed, .applyStarted(number: 1), ends: nil),
    Case("apply", of: 1, past: planned, confirmed, .applyFinished(number: 1, outputs: [:]), ends: .success),
    Case("apply", of: 1, past: appliedBefore, ends: .success),
    Case("apply", of: 1, past: confirmedBefore, [], .applyFinished(number: 1, outputs: [:]), ends: .success),
    Case(
      "apply", of: 1, past: planned, confirmed, .applyFailed(number: 1, failure: no, isPartial: true), ends: .failure),
    Case("apply", of: 1, past: planned, confirmed, .planFailed(number: 1, failure: no), ends: .failure),
    Case("apply", of: 1, past: planned, confirmed, .policyFailed(number: 1, failure: no), ends: .failure),
    Case("apply", of: 1, past: planned, confirmed, .discarded(number: 1), ends: .failure),
    Case("apply", of: 1, past: planned, confirmed, .canceled, ends: .failure),
    Case("apply", of: 1, past: canceledOnce, confirmed, ends: nil),
    Case("apply", of: 2, past: appliedBefore, ends: nil),
    Case(
      "apply", of: 1, past: planned, confirmed, .planStarted(number: 2, request: request, clears: 1), ends: .failure),
  ]

  private static let decisions = [
    Case("approve", of: 1, past: planned, [], .approved(number: 1, by: request.by), ends: .success),
    Case("approve", of: 1, past: planned, ends: .success), Case("discard", of: 1, past: planned, discarding, ends: nil),
    Case("discard", of: 1, past: planned, discarding, .discarded(number: 1), ends: .success),
    Case("discard", of: 1, past: discardedBefore, ends: .success),
    Case("discard", of: 1, past: planned, [], .canceled, ends: .success),
    Case("discard", of: 1, past: planned, [], .applyStarted(number: 1), ends: .failure),
    Case("discard", of: 1, past: planned, [], .applyFinished(number: 1, outputs: [:]), ends: .failure),
    Case("discard", of: 1, past: planned, [], .planFailed(number: 1, failure: no), ends: .success),
    Case("discard", of: 1, past: canceledOnce, ends: nil),
    Case(
      "override", of: 1, past: overriding, [], .overrideRequested(number: 1, by: request.by, reason: "so"), ends: nil),
    Case(
      "override", of: 1, past: overriding, [], .planFinished(number: 1, hasChanges: true, summary: summary),
      ends: .success),
    Case("override", of: 1, past: overriding, [], .applyStarted(number: 1), ends: .success),
    Case("override", of: 1, past: overriding, [], .policyOverrideNeeded(number: 1, detail: "another"), ends: .success),
    Case("override", of: 1, past: overriding, [], .overrideRefused(number: 1, failure: no), ends: .failure),
    Case("override", of: 1, past: overriding, [], .discarded(number: 1), ends: .failure),
  ]

  private static let others = [
    Case("cancel", of: 1, past: planning, canceling, ends: nil),
    Case("cancel", of: 1, past: planning, canceling, .canceled, ends: .success),
    Case("cancel", [], .canceled, ends: .success), Case("cancel", past: [.canceled], ends: .success),
    Case("cancel", past: [.canceled, .planRequested(request: request)], ends: nil),
    Case("cancel", past: [.canceled, .planRequested(request: request)], [], .planRequestWithdrawn, ends: .success),
    Case(
      "cancel", of: 1, past: planning, canceling, .planFinished(number: 1, hasChanges: true, summary: summary),
      ends: nil),
    Case("cancel", of: 1, past: planning, canceling, .discarded(number: 1), ends: .success),
    Case("cancel", of: 1, past: planning, canceling, .planFailed(number: 1, failure: no), ends: .success),
    Case("cancel", of: 1, past: planning, canceling, .applyStarted(number: 1), ends: .failure),
    Case("cancel", of: 1, past: confirmedBefore, canceling, .applyStarted(number: 1), ends: nil),
    Case("cancel", of: 1, past: confirmedBefore, canceling, .applyFinished(number: 1, outputs: [:]), ends: .failure),
    Case(
      "cancel", of: 1, past: confirmedBefore, canceling, .applyFailed(number: 1, failure: no, isPartial: true),
      ends: .success),
    Case("build", [], .buildStarted, ends: nil), Case("build", [], .buildStarted, .built(bundle: "b"), ends: .success),
    Case("build", past: [.buildStarted, .built(bundle: "b")], ends: .success),
    Case("build", past: [.buildStarted, .buildFailed(failure: no), .buildStarted], ends: nil),
    Case("build", [], .buildStarted, .buildFailed(failure: no), ends: .failure),
  ]

  @Test(arguments: plans + applies + decisions + others)
  func eachVerbHasItsEnd(of press: Case) {
    let whole = report(press.verb, plan: press.plan, past: press.past, press.events)
    #expect(whole.end?.outcome == press.outcome, "\(whole.lines)")
    if let end = whole.end { #expect(whole.lines.last == end.reason && !end.reason.isEmpty) }
  }

  /// The log of what has happened so far is the beginning of the log of what will have happened.
  @Test(arguments: plans + applies + decisions + others)
  func theLogOnlyGrowsAndNothingComesAfterTheEnd(of press: Case) {
    var before = report(press.verb, plan: press.plan, past: press.past, [])
    for count in 0...press.events.count + 2 {
      let events = press.events + [.discarded(number: 1), .applyFinished(number: 1, outputs: [:])]
      let report = report(press.verb, plan: press.plan, past: press.past, Array(events.prefix(count)))
      #expect(report.lines.starts(with: before.lines))
      if before.end != nil { #expect(report == before) }
      before = report
    }
  }

  @Test func outputsAreNamedAndTheirValuesAreNot() {
    let report = report(
      "apply", plan: 1, past: Self.planned, Self.confirmed + [.applyFinished(number: 1, outputs: Self.outputs)])
    #expect(report.lines.last == "Applied. Outputs: key, url.")
    #expect(!report.lines.joined().contains("secret"))
    let destroyed = self.report(
      "apply", plan: 1, past: Self.planned, Self.confirmed + [.applyFinished(number: 1, outputs: [:])],
      operation: .destroy)
    #expect(destroyed.lines == ["alice asked.", "The plan to destroy is confirmed.", "Destroyed."])
    #expect(destroyed.label == "Destroyed")
  }

  @Test func whatFailedIsSaidInItsOwnWords() {
    let failure = Failure("Error: quota", detail: "Ask for more.", address: "aws_s3_bucket.this")
    let report = report(
      "apply", plan: 1, past: Self.planned,
      Self.confirmed + [.applyFailed(number: 1, failure: failure, isPartial: true)])
    #expect(
      report.end?.reason
        == "The apply failed. Error: quota (aws_s3_bucket.this): Ask for more.\nWhat was changed so far stays.")
    let long = self.report(
      "plan", Self.planning + [.planFailed(number: 1, failure: Failure(String(repeating: "x", count: 9000)))])
    #expect(long.lines.last?.count == ActionReport.maximumLine)
  }

  @Test func policiesAreToldAndWhatItWaitsForToo() {
    var gates = Gates(tfeStatus: "policy_override")
    gates.policies = PolicyResults(
      passed: 2, failed: 1, failures: [PolicyFailure("cost", enforcementLevel: "soft-mandatory")])
    let wait = RunEvent.waiting(
      number: 1, wait: .workspaceLocked(workspace: "porc-web", by: "bob", reason: nil),
      since: Date(timeIntervalSince1970: 0))
    let report = report("plan", Self.planning + [wait, .planEvaluated(number: 1, summary: nil, gates: gates)])
    #expect(
      report.lines.suffix(2) == [
        "It waits for the workspace 'porc-web', which is locked by bob; unlock it in Terraform Enterprise.",
        "Policies: 2 passed, 1 failed. The policy 'cost' (soft-mandatory) failed.",
      ])
  }

  @Test func anActionRunIsHeldToItsOwnPlan() {
    let other: [RunEvent] = [
      .tfeRunCreated(number: 2, tfeRunID: "run-2", configurationVersionID: "cv-2"),
      .approved(number: 2, by: Self.request.by),
      .applyStarted(number: 2), .applyFinished(number: 2, outputs: [:]),
    ]
    let report = report("apply", plan: 1, past: Self.planned, other)
    #expect(report.lines == ["alice asked."] && report.end == nil && report.externalID == "run-1")
  }

  @Test func howMuchOfALogWasSaidIsFoundInAnyOrder() {
    let lines = ["a", "b", "a", "c"]
    #expect(ActionReporter.said(lines, in: []) == 0)
    #expect(ActionReporter.said(lines, in: ["b", "a"]) == 2)
    #expect(ActionReporter.said(lines, in: ["x", "a", "b", "a"]) == 3)
    #expect(ActionReporter.said(lines, in: ["a", "c"]) == 1)
    #expect(ActionReporter.said(lines, in: ["c", "a", "b", "a"]) == 4)
  }
}
