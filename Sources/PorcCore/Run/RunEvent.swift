public import Foundation

/// A fact about a run, appended and never changed. The names are stored and sent over the wire: never rename or reuse one.
public enum RunEvent: Codable, Sendable, Equatable {
  case submitted(instance: Instance.ID, submission: Submission)
  case buildStarted
  case built(bundle: String)
  case buildFailed(failure: Failure)
  case planRequested(request: PlanRequest)
  /// A plan that waited for its turn is no longer wanted.
  case planRequestWithdrawn
  /// The run holds the instance from here until it ends.
  case held
  case planStarted(number: Int, request: PlanRequest, clears: Int?)
  /// The TFE run of the earlier plan is final and was not applied.
  case planCleared(number: Int)
  /// The earlier plan turned out to have been applied: the new one is given up before TFE made a run for it.
  case planWithdrawn(number: Int, reason: String)
  case workspaceReady(workspace: Workspace)
  case tfeRunCreated(number: Int, tfeRunID: String, configurationVersionID: String)
  case planFinished(number: Int, hasChanges: Bool, summary: PlanSummary)
  case planFailed(number: Int, failure: Failure)
  case policyFailed(number: Int, failure: Failure)
  case policyOverrideNeeded(number: Int, detail: String)
  /// What policies, run tasks and the cost estimate say of the plan.
  case planEvaluated(number: Int, summary: PlanSummary?, gates: Gates)
  case overrideRequested(number: Int, by: Caller, reason: String)
  case overrideRefused(number: Int, failure: Failure)
  case approved(number: Int, by: Caller)
  case applyConfirmed(number: Int, by: Caller)
  case applyStarted(number: Int)
  case applyFinished(number: Int, outputs: [String: Output])
  case applyFailed(number: Int, failure: Failure, isPartial: Bool)
  case discardRequested(number: Int, by: Caller)
  /// - Parameter by: who decided so, where Terraform Enterprise had nothing to settle.
  case discarded(number: Int, by: Caller? = nil)
  case cancelRequested(by: Caller?)
  case canceled
  /// What the current plan, its apply, or the build (number 0) waits for outside, from now on.
  case waiting(number: Int, wait: Wait, since: Date)
  case waitingEnded(number: Int)
  /// From then on TFE takes a forced cancel.
  case forceCancelOffered(number: Int, from: Date)
  case forceCancelRequested(number: Int, by: Caller)
  case forceCancelRefused(number: Int, failure: Failure)
  /// TFE does not delete the workspace of the destroyed instance.
  case removalRefused(failure: Failure)

  enum CodingKeys: String, CodingKey, CaseIterable {
    case submitted
    case buildStarted = "build_started"
    case built
    case buildFailed = "build_failed"
    case planRequested = "plan_requested"
    case planRequestWithdrawn = "plan_request_withdrawn"
    case held
    case planStarted = "plan_started"
    case planCleared = "plan_cleared"
    case planWithdrawn = "plan_withdrawn"
    case workspaceReady = "workspace_ready"
    case tfeRunCreated = "tfe_run_created"
    case planFinished = "plan_finished"
    case planFailed = "plan_failed"
    case policyFailed = "policy_failed"
    case policyOverrideNeeded = "policy_override_needed"
    case planEvaluated = "plan_evaluated"
    case overrideRequested = "override_requested"
    case overrideRefused = "override_refused"
    case approved
    case applyConfirmed = "apply_confirmed"
    case applyStarted = "apply_started"
    case applyFinished = "apply_finished"
    case applyFailed = "apply_failed"
    case discardRequested = "discard_requested"
    case discarded
    case cancelRequested = "cancel_requested"
    case canceled
    case waiting
    case waitingEnded = "waiting_ended"
    case forceCancelOffered = "force_cancel_offered"
    case forceCancelRequested = "force_cancel_requested"
    case forceCancelRefused = "force_cancel_refused"
    case removalRefused = "removal_refused"
  }

  enum TfeRunCreatedCodingKeys: String, CodingKey {
    case number
    case tfeRunID = "tfe_run_id"
    case configurationVersionID = "configuration_version_id"
  }

  enum PlanFinishedCodingKeys: String, CodingKey {
    case number, summary
    case hasChanges = "has_changes"
  }

  enum ApplyFailedCodingKeys: String, CodingKey {
    case number, failure
    case isPartial = "partial"
  }

  /// The name it is stored and sent under, e.g. `plan_finished`.
  public var name: String { key.rawValue }

  /// All names there are, for the schema and the documents.
  public static var allNames: [String] { CodingKeys.allCases.map(\.rawValue) }

  private var key: CodingKeys {
    switch self {
    case .submitted: .submitted
    case .buildStarted: .buildStarted
    case .built: .built
    case .buildFailed: .buildFailed
    case .planRequested: .planRequested
    case .planRequestWithdrawn: .planRequestWithdrawn
    case .held: .held
    case .planStarted: .planStarted
    case .planCleared: .planCleared
    case .planWithdrawn: .planWithdrawn
    case .workspaceReady: .workspaceReady
    case .tfeRunCreated: .tfeRunCreated
    case .planFinished: .planFinished
    case .planFailed: .planFailed
    case .policyFailed: .policyFailed
    case .policyOverrideNeeded: .policyOverrideNeeded
    case .planEvaluated: .planEvaluated
    case .overrideRequested: .overrideRequested
    case .overrideRefused: .overrideRefused
    case .approved: .approved
    case .applyConfirmed: .applyConfirmed
    case .applyStarted: .applyStarted
    case .applyFinished: .applyFinished
    case .applyFailed: .applyFailed
    case .discardRequested: .discardRequested
    case .discarded: .discarded
    case .cancelRequested: .cancelRequested
    case .canceled: .canceled
    case .waiting: .waiting
    case .waitingEnded: .waitingEnded
    case .forceCancelOffered: .forceCancelOffered
    case .forceCancelRequested: .forceCancelRequested
    case .forceCancelRefused: .forceCancelRefused
    case .removalRefused: .removalRefused
    }
  }
}

/// An event with the run it is about and when it happened.
public struct Fact: Sendable, Equatable {
  public var run: Run.ID
  public var event: RunEvent
  public var at: Date

  public init(run: Run.ID, event: RunEvent, at time: Date) {
    self.run = run
    self.event = event
    self.at = time
  }
}
