/// What a change of a run's status is to those who are notified.
struct RunEvent: Sendable {
  /// One of the six that every TFE knows, such as `run:needs_attention`.
  let trigger: String
  /// The finer one that newer releases send beside it, for runs that need attention or end early.
  var type: String?
  /// For people.
  let message: String

  /// nil for a status that nobody is told of: the steps in between, and a discard, which the documents name no trigger
  /// for.
  ///
  /// - Parameter isNew: whether the run was just made.
  init?(_ status: Run.Status, isNew: Bool) {
    switch status {
    case _ where isNew: (trigger, message) = ("run:created", "Run Created")
    case .planning: (trigger, message) = ("run:planning", "Run Planning")
    case .planned, .plannedAndSaved, .postPlanCompleted:
      (trigger, type, message) = ("run:needs_attention", "run:pending_apply_approval", "Run Needs Confirmation")
    case .costEstimated:
      (trigger, type, message) = ("run:needs_attention", "run:cost_estimated", "Run Cost Estimated")
    case .policyChecked:
      (trigger, type, message) = ("run:needs_attention", "run:policies_checked", "Run Policies Checked")
    case .policyOverride, .postPlanAwaitingDecision:
      (trigger, type, message) = (
        "run:needs_attention", "run:policy_override_required", "Run Needs Policy Override"
      )
    case .applying: (trigger, message) = ("run:applying", "Run Applying")
    case .applied: (trigger, message) = ("run:completed", "Run Applied")
    case .plannedAndFinished: (trigger, message) = ("run:completed", "Run Planned and Finished")
    case .errored: (trigger, type, message) = ("run:errored", "run:run_errored", "Run Errored")
    case .canceled, .forceCanceled: (trigger, type, message) = ("run:errored", "run:run_canceled", "Run Canceled")
    case .policySoftFailed:
      (trigger, type, message) = ("run:errored", "run:policy_soft_failed", "Run Policy Soft Failed")
    case .pending, .planQueued, .confirmed, .applyQueued, .discarded, .postPlanRunning, .costEstimating,
      .policyChecking:
      return nil
    }
  }
}
