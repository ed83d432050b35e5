public import Foundation

/// A person's wish.
public enum RunCommand: Sendable, Equatable {
  case build
  case plan(PlanRequest)
  /// - Parameter tfeRunID: the plan that was seen, by TFE's id; the current one if none is named.
  case apply(tfeRunID: String?, by: Caller)
  case approve(tfeRunID: String?, by: Caller)
  case discard(tfeRunID: String?, by: Caller)
  case cancel(by: Caller)
  /// Kills what a cancel did not stop.
  case forceCancel(by: Caller)
  /// Lets a plan pass that an overridable policy refused.
  case override(tfeRunID: String?, by: Caller, reason: String)

  /// The verb, as in the API's path and in `pine`.
  public var name: String {
    switch self {
    case .build: "build"
    case .plan: "plan"
    case .apply: "apply"
    case .approve: "approve"
    case .discard: "discard"
    case .cancel: "cancel"
    case .forceCancel: "force-cancel"
    case .override: "override"
    }
  }
}

/// What a worker learned of the outside. Reports never are refused: one that no longer matters leads to nothing.
public enum RunReport: Sendable, Equatable {
  case built(bundle: String)
  case buildFailed(Failure)
  case workspaceReady(Workspace)
  case tfeRunCreated(plan: Int, tfeRunID: String, configurationVersionID: String)
  case planFinished(plan: Int, hasChanges: Bool, summary: PlanSummary)
  case planFailed(plan: Int, Failure)
  case policyFailed(plan: Int, Failure)
  case policyOverrideNeeded(plan: Int, String)
  /// What policies, run tasks and the cost estimate say of the plan, before or after its end is known.
  /// - Parameter summary: what the plan would do, where no other report says so.
  case planEvaluated(plan: Int, summary: PlanSummary?, Gates)
  /// TFE did not take an override.
  case overrideRefused(plan: Int, Failure)
  /// TFE applies: on PORC's word, or on somebody's in TFE's own pages.
  case applyStarted(plan: Int)
  case applyFinished(plan: Int, outputs: [String: Output])
  /// - Parameter began: whether TFE had begun to change things.
  case applyFailed(plan: Int, Failure, began: Bool)
  case remoteDiscarded(plan: Int)
  case remoteCanceled(plan: Int, applyBegan: Bool)
  /// What keeps a plan, or its apply, from getting on; `nil` if nothing does any more. The plan is 0 for a build.
  case waiting(plan: Int, Wait?)
  /// A cancel has not ended the run yet; from then on TFE takes a forced one.
  case forceCancelOffered(plan: Int, from: Date)
  case forceCancelRefused(plan: Int, Failure)
  /// TFE does not delete the workspace of a destroyed instance.
  case removalRefused(Failure)
}
