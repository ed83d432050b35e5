public import Foundation

/// What a person may do next, and what a run waits for.
extension Situation {
  /// The commands that would lead to something now, in the words of the API.
  public func nextActions(of run: Run, at now: Date, rules: RunMachine.Rules) -> [String] {
    let submitter = run.submission.submitter
    let somebody = Caller(id: "", name: "")
    let candidates: [RunCommand] = [
      .build, .plan(PlanRequest(by: somebody)), .approve(tfeRunID: nil, by: somebody),
      .apply(tfeRunID: nil, by: submitter), .discard(tfeRunID: nil, by: somebody),
      .override(tfeRunID: nil, by: somebody, reason: "asked"), .cancel(by: somebody),
    ]
    return candidates.filter { command in
      if case .approve = command, !needsApproval(run) { return false }
      guard let decision = try? RunMachine.decide(command, for: run.id, in: self, at: now, rules: rules) else {
        return false
      }
      return !decision.facts.isEmpty
    }.map(\.name)
  }

  /// One sentence: what the run waits for, and what clears it; `nil` when it waits for nothing.
  public func waitingFor(_ run: Run) -> String? {
    if run.request != nil, instance.holder != run.id {
      guard let holder else { return "its turn" }
      return "the run \(holder.id), which holds '\(instance.id)' and is \(holder.state.spoken)"
    }
    switch run.state {
    case .planning where run.currentPlan?.clears != nil: return "TFE to discard the earlier plan"
    case .planning where run.cancelRequestedAt != nil: return "TFE to cancel the plan"
    case .applying where run.cancelRequestedAt != nil: return "TFE to cancel the apply"
    case .planned where run.currentPlan?.discardRequestedAt != nil,
      .policyOverride where run.currentPlan?.discardRequestedAt != nil:
      return "TFE to discard the plan"
    case .planned where run.currentPlan?.request.appliesAutomatically == true && !needsApproval(run):
      return "TFE to begin the apply"
    case .planned where needsApproval(run): return "approval by somebody with the scope approve"
    case .planned: return "somebody to apply or discard the plan"
    case .policyOverride: return "somebody to override the policy or discard the plan"
    default: return nil
    }
  }

  /// Whether the current plan lacks an approval that it requires.
  public func needsApproval(_ run: Run) -> Bool {
    run.state == .planned && run.submission.requiresApproval
      && run.currentPlan?.approvals.contains { $0.by.id != run.submission.submitter.id } == false
  }
}
