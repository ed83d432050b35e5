public import Foundation

/// What the plan of a run needs of somebody before it goes on.
///
/// The names are shown in portals, whose buttons go by them: never rename or reuse one.
public enum DecisionNeeded: String, Sendable, CaseIterable {
  case approval
  case apply
  case policyOverride = "policy_override"
}

/// What a person may do next, and what a run waits for.
extension Situation {
  /// The commands that would lead to something now, in the words of the API.
  public func nextActions(of run: Run, at now: Date, rules: RunMachine.Rules) -> [String] {
    let submitter = run.submission.submitter
    let somebody = Caller(id: "", name: "")
    let candidates: [RunCommand] = [
      .build, .plan(PlanRequest(by: somebody)), .approve(tfeRunID: nil, by: somebody),
      .apply(tfeRunID: nil, by: submitter), .discard(tfeRunID: nil, by: somebody),
      .override(tfeRunID: nil, by: somebody, reason: "asked"), .cancel(by: somebody), .forceCancel(by: somebody),
    ]
    return candidates.filter { command in
      if case .approve = command, !needsApproval(run) { return false }
      // It is taken all the same: the right may have been given meanwhile.
      if case .override = command, run.currentPlan?.isOverriddenElsewhere == true { return false }
      guard let decision = try? RunMachine.decide(command, for: run.id, in: self, at: now, rules: rules) else {
        return false
      }
      return !decision.facts.isEmpty
    }.map(\.name)
  }

  /// One sentence: what the run waits for, and what clears it; `nil` when it waits for nothing.
  public func waitingFor(_ run: Run) -> String? { waiting(run)?.sentence }

  /// What the run waits for; `nil` when it waits for nothing.
  public func waiting(_ run: Run) -> Waiting? {
    if run.request != nil, instance.holder != run.id {
      guard let holder else { return Waiting(.turn) }
      return Waiting(.anotherRun(runID: holder.id, state: holder.state, instance: instance.id))
    }
    let learned = run.wait.map { Waiting($0, since: run.waitsSince) }
    // Whatever is to be done, it is not done as long as the doing fails.
    if let learned, learned.wait.isTrouble { return learned }
    return pending(run) ?? learned ?? decision(run)
  }

  /// What somebody has asked TFE for.
  private func pending(_ run: Run) -> Waiting? {
    switch run.state {
    case .planning where run.currentPlan?.clears != nil: Waiting(.earlierPlan)
    case .planning where run.cancelRequestedAt != nil: canceling(.cancelOfPlan, run)
    case .applying where run.cancelRequestedAt != nil: canceling(.cancelOfApply, run)
    case .planned where run.currentPlan?.discardRequestedAt != nil,
      .policyOverride where run.currentPlan?.discardRequestedAt != nil:
      Waiting(.discard)
    case .policyOverride where run.currentPlan?.overrideRequestedAt != nil: Waiting(.override)
    case .planned where run.currentPlan?.request.appliesAutomatically == true && !needsApproval(run):
      Waiting(.beginOfApply)
    case .applied where run.operation == .destroy && instance.newest == run.id:
      instance.removalRefusal.map { Waiting(.removal, words: "TFE to let the workspace go. \($0.text)") }
    default: nil
    }
  }

  private func canceling(_ wait: Wait, _ run: Run) -> Waiting {
    let usual = Waiting(wait)
    guard let plan = run.currentPlan else { return usual }
    let note = plan.forcedCancelNote
    return Waiting(
      wait, words: note.isEmpty ? nil : usual.sentence + note,
      clearing: plan.forcedCancelClearing.map { "\(usual.clearedBy); \($0)" })
  }

  /// What a person has to do.
  private func decision(_ run: Run) -> Waiting? {
    switch run.state {
    case .planned: Waiting(needsApproval(run) ? .approval : .decision)
    case .policyOverride:
      Waiting(
        .policyOverride, words: run.currentPlan?.overrideWait, clearing: run.currentPlan?.overrideClearing)
    default: nil
    }
  }

  /// What the current plan needs of a person; `nil` where it needs nothing, or is being discarded.
  public func awaited(by run: Run) -> DecisionNeeded? {
    guard run.currentPlan?.discardRequestedAt == nil else { return nil }
    return switch run.state {
    case .planned: needsApproval(run) ? .approval : .apply
    case .policyOverride: .policyOverride
    default: nil
    }
  }

  /// Whether the current plan lacks an approval that it requires.
  public func needsApproval(_ run: Run) -> Bool {
    run.state == .planned && run.submission.requiresApproval
      && run.currentPlan?.approvals.contains { $0.by.id != run.submission.submitter.id } == false
  }
}
