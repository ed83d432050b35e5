/// How far a run has come. Statuses that are not known here are not final.
///
/// Never decide from the status alone whether a run waits for somebody: ask ``Run/actions``.
public struct RunStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: RunStatus = "pending"
  public static let fetching: RunStatus = "fetching"
  public static let fetchingCompleted: RunStatus = "fetching_completed"
  public static let prePlanRunning: RunStatus = "pre_plan_running"
  public static let prePlanCompleted: RunStatus = "pre_plan_completed"
  public static let queuing: RunStatus = "queuing"
  public static let planQueued: RunStatus = "plan_queued"
  public static let planning: RunStatus = "planning"
  public static let planned: RunStatus = "planned"
  public static let plannedAndSaved: RunStatus = "planned_and_saved"
  public static let costEstimating: RunStatus = "cost_estimating"
  public static let costEstimated: RunStatus = "cost_estimated"
  public static let policyChecking: RunStatus = "policy_checking"
  public static let policyChecked: RunStatus = "policy_checked"
  /// Waits for an override: it cannot be confirmed before.
  public static let policyOverride: RunStatus = "policy_override"
  public static let postPlanRunning: RunStatus = "post_plan_running"
  public static let postPlanCompleted: RunStatus = "post_plan_completed"
  /// Waits for an override of a task stage.
  public static let postPlanAwaitingDecision: RunStatus = "post_plan_awaiting_decision"
  public static let confirmed: RunStatus = "confirmed"
  public static let queuingApply: RunStatus = "queuing_apply"
  public static let applyQueued: RunStatus = "apply_queued"
  public static let preApplyRunning: RunStatus = "pre_apply_running"
  public static let preApplyCompleted: RunStatus = "pre_apply_completed"
  public static let applying: RunStatus = "applying"
  public static let postApplyRunning: RunStatus = "post_apply_running"
  public static let postApplyCompleted: RunStatus = "post_apply_completed"
  /// The end of a plan-only run whose policies failed softly.
  public static let policySoftFailed: RunStatus = "policy_soft_failed"
  public static let applied: RunStatus = "applied"
  /// The end of a plan-only run, or of one without changes.
  public static let plannedAndFinished: RunStatus = "planned_and_finished"
  public static let discarded: RunStatus = "discarded"
  public static let errored: RunStatus = "errored"
  public static let canceled: RunStatus = "canceled"
  public static let forceCanceled: RunStatus = "force_canceled"

  /// Policies in Terraform's own language have passed.
  public static let terraformPolicyChecked: RunStatus = "tf_policy_checked"
  /// Waits for an override of such a policy.
  public static let terraformPolicyOverride: RunStatus = "tf_policy_override"

  /// All that are known here, in the order in which a run may have them.
  public static let all: [RunStatus] = [
    .pending, .fetching, .fetchingCompleted, .prePlanRunning, .prePlanCompleted, .queuing, .planQueued, .planning,
    .planned, .plannedAndSaved, .costEstimating, .costEstimated, .policyChecking, .policyChecked, .policyOverride,
    .policySoftFailed, .postPlanRunning, .postPlanCompleted, .postPlanAwaitingDecision, .terraformPolicyChecked,
    .terraformPolicyOverride, .confirmed, .queuingApply, .applyQueued, .preApplyRunning,
    .preApplyCompleted, .applying, .postApplyRunning, .postApplyCompleted, .applied, .plannedAndFinished, .discarded,
    .errored, .canceled, .forceCanceled,
  ]

  /// Whether nothing will happen to the run any more.
  public var isFinal: Bool {
    switch self {
    case .policySoftFailed, .applied, .plannedAndFinished, .discarded, .errored, .canceled, .forceCanceled: true
    default: false
    }
  }
}
