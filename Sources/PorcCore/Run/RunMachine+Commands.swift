import Foundation

extension Draft {
  mutating func build(_ run: Run) throws(Refusal) {
    if run.operation == .destroy { return }  // it goes by what was built before
    switch run.state {
    case .submitted, .buildFailed: record(.buildStarted, for: run.id)
    case .building: break
    case .canceled where !run.isBuilt:
      throw Refusal(
        .wrongState, "The run \(run.id) was canceled before it was built.", fix: "Plan it again, or submit a new run.")
    default: break  // built is built, whatever came after
    }
  }

  mutating func plan(_ id: Run.ID, _ request: PlanRequest) throws(Refusal) {
    guard let run = run(id), let instance else { return }
    if request.appliesAutomatically, run.submission.requiresApproval {
      throw Refusal(
        .approvalMissing, "The run \(id) requires an approval, so plan and apply cannot be asked in one command.",
        fix: "Plan it, have the plan approved, then apply it.")
    }
    if run.life <= instance.endedLife {
      throw Refusal(
        .wrongState, "The instance '\(instance.id)' has been destroyed since the run \(id) was submitted.",
        fix: "Submit the blueprint again.")
    }
    if run.operation == .destroy, run.state.isFinal, instance.newest != id {
      throw Refusal(
        .wrongState, "Another run of '\(instance.id)' was submitted after the run \(id), which was to destroy it.",
        fix: "Destroy what is there now: pine destroy \(instance.id).")
    }
    if let earlier = run.request {
      // Already waiting for its turn or for the build; only the wish to supersede is news.
      guard request.supersedes, !earlier.supersedes else { return }
      var stronger = earlier
      stronger.supersedes = true
      record(.planRequested(request: stronger), for: id)
      return advance()
    }
    switch run.state {
    case .planning:
      if let key = request.key, key == run.currentPlan?.request.key { return }
      throw Refusal(
        .wrongState, "The run \(id) is being planned already.",
        fix: "Wait for that plan (pine watch \(id)), or cancel it.")
    case .applying:
      throw Refusal(
        .wrongState, "The run \(id) is being applied, so it cannot be planned.", fix: "Wait for the apply to end.")
    case .planned, .policyOverride:
      if run.currentPlan?.discardRequestedAt != nil { throw beingDiscarded(run) }
      if run.currentPlan?.confirmation != nil { throw Refusal.wrongState(run, "plan", "Wait for the apply to end.") }
      startPlan(of: run, request)
    case .submitted, .building, .built, .buildFailed, .planFailed, .policyFailed, .applied, .applyFailed, .discarded,
      .canceled:
      if let holder = instance.holder.flatMap(self.run), holder.id != id, holder.state.awaitsDecision,
        !request.supersedes, holder.currentPlan?.discardRequestedAt == nil
      {
        throw Refusal(
          .wrongState, "The run \(holder.id) holds '\(instance.id)': its plan awaits a decision.",
          fix: "Apply or discard that plan, or plan with --supersede, which discards it.")
      }
      record(.planRequested(request: request), for: id)
      advance()
    }
  }

  mutating func apply(_ run: Run, seen: String?, by caller: Caller, rules: RunMachine.Rules) throws(Refusal) {
    let plan = try planSeen(seen, of: run)
    switch run.state {
    case .applying: return
    case .applied: return
    case .planned:
      guard let plan, plan.hasChanges != nil else { throw noPlan(run, "apply") }
      if plan.discardRequestedAt != nil { throw beingDiscarded(run) }
      if run.submission.requiresApproval, !plan.approvals.contains(where: { $0.by.id != run.submission.submitter.id }) {
        throw Refusal(
          .approvalMissing, "The run \(run.id) requires an approval of its current plan before it can be applied.",
          fix: "Have somebody else with the scope 'approve' approve it: pine approve --run-id \(run.id).")
      }
      if let limit = rules.maximumPlanAge, let plannedAt = plan.plannedAt, now.timeIntervalSince(plannedAt) > limit {
        throw Refusal(
          .wrongState, "The plan of the run \(run.id) is older than \(Int(limit)) seconds, so it cannot be applied.",
          fix: "Plan it again (pine plan --run-id \(run.id)) and apply the new plan.")
      }
      confirm(plan, of: run, by: caller)
    case .policyOverride:
      throw Refusal(
        .wrongState, "The run \(run.id) was refused by a policy, so it cannot be applied.",
        fix: plan?.isOverriddenElsewhere == true
          ? "Have the policy overridden in Terraform Enterprise by somebody with the right, or discard the plan."
          : "Override the policy with a reason (pine override --run-id \(run.id) --reason …), or discard the plan.")
    case .submitted, .building, .built:
      throw noPlan(run, "apply")
    case .planning:
      throw Refusal.wrongState(run, "apply", "Wait for the plan to finish, look at it, then apply it.")
    case .buildFailed, .planFailed, .policyFailed, .applyFailed, .discarded, .canceled:
      throw Refusal.wrongState(run, "apply", "Plan it again (pine plan --run-id \(run.id)), or submit a new run.")
    }
  }

  mutating func approve(_ run: Run, seen: String?, by caller: Caller) throws(Refusal) {
    let plan = try planSeen(seen, of: run)
    guard run.state == .planned, let plan else {
      throw Refusal.wrongState(run, "approve", "Only a plan that awaits a decision can be approved.")
    }
    if plan.discardRequestedAt != nil { throw beingDiscarded(run) }
    if caller.id == run.submission.submitter.id {
      throw Refusal(
        .notAllowed, "\(caller.name) submitted the run \(run.id), and so cannot approve it.",
        fix: "Have somebody else with the scope 'approve' approve it.")
    }
    if plan.approvals.contains(where: { $0.by.id == caller.id }) { return }
    record(.approved(number: plan.number, by: caller), for: run.id)
  }

  mutating func discard(_ run: Run, seen: String?, by caller: Caller) throws(Refusal) {
    let plan = try planSeen(seen, of: run)
    switch run.state {
    case .discarded: return
    case .planned, .policyOverride:
      guard let plan, plan.discardRequestedAt == nil else { return }
      giveUp(plan, of: run.id, by: caller)
    case .submitted, .building, .built, .planning:
      throw Refusal.wrongState(run, "discard", "Cancel it instead: pine cancel --run-id \(run.id).")
    case .applying:
      throw Refusal.wrongState(run, "discard", "Cancel it instead; what was changed so far stays.")
    case .buildFailed, .planFailed, .policyFailed, .applied, .applyFailed, .canceled:
      throw Refusal.wrongState(run, "discard", "It has ended; there is nothing to discard.")
    }
  }

  mutating func cancel(_ run: Run, by caller: Caller) throws(Refusal) {
    if run.cancelRequestedAt != nil, !run.state.isFinal { return }
    switch run.state {
    case .canceled where run.request == nil: return
    case .submitted, .building, .built: record(.canceled, for: run.id)
    case .planning, .applying: record(.cancelRequested(by: caller), for: run.id)
    case .planned, .policyOverride:
      throw Refusal.wrongState(run, "cancel", "Discard its plan instead: pine discard --run-id \(run.id).")
    case .buildFailed, .planFailed, .policyFailed, .applied, .applyFailed, .discarded, .canceled:
      // A final run may wait for another plan: that wish can be taken back.
      guard run.request != nil else {
        throw Refusal.wrongState(run, "cancel", "It has ended; there is nothing to cancel.")
      }
      record(.planRequestWithdrawn, for: run.id)
    }
  }

  mutating func forceCancel(_ run: Run, by caller: Caller) throws(Refusal) {
    guard run.state == .planning || run.state == .applying, let plan = run.currentPlan, plan.tfeRunID != nil else {
      throw Refusal.wrongState(run, "a forced cancel", "Only what TFE plans or applies can be canceled by force.")
    }
    if plan.forceCancelRequestedAt != nil { return }
    guard run.cancelRequestedAt != nil else {
      throw Refusal(
        .wrongState, "The run \(run.id) was not canceled, so it cannot be canceled by force.",
        fix: "Cancel it first (pine cancel --run-id \(run.id)), which lets Terraform end in an orderly way.")
    }
    guard let from = plan.forceCancelAt, from <= now else {
      let time = plan.forceCancelAt.map { "only from \(Timestamp.text($0)) on" } ?? "only some time after the cancel"
      throw Refusal(
        .wrongState, "Terraform Enterprise takes a forced cancel of the run \(run.id) \(time).",
        fix: "Wait for the cancel to end it, or until then.")
    }
    record(.forceCancelRequested(number: plan.number, by: caller), for: run.id)
  }

  mutating func override(_ run: Run, seen: String?, by caller: Caller, reason: String) throws(Refusal) {
    let plan = try planSeen(seen, of: run)
    guard run.state == .policyOverride, let plan else {
      throw Refusal.wrongState(run, "override", "Only a plan that waits for a policy override can be overridden.")
    }
    if plan.discardRequestedAt != nil { throw beingDiscarded(run) }
    if plan.overrideRequestedAt != nil { return }  // TFE has not answered yet
    if reason.allSatisfy(\.isWhitespace) {
      throw Refusal(
        .wrongState, "An override of the run \(run.id) has no reason.", fix: "Give one: --reason \"…\".")
    }
    record(.overrideRequested(number: plan.number, by: caller, reason: reason), for: run.id)
  }

  /// The current plan, having checked that it is the one that was named.
  private func planSeen(_ tfeRunID: String?, of run: Run) throws(Refusal) -> Plan? {
    let current = run.currentPlan
    guard let tfeRunID, tfeRunID != current?.tfeRunID else { return current }
    let now = current?.tfeRunID.map { "the current one is \($0)" } ?? "a newer one is being made"
    guard run.plan(tfeRunID: tfeRunID) != nil else {
      throw Refusal(
        .planSuperseded,
        "The run \(run.id) has no plan \(tfeRunID)\(current?.tfeRunID == nil ? "" : "; \(now)").",
        fix: "Look at the run (pine summary --run-id \(run.id)) and name its current plan.",
        supersededBy: current?.tfeRunID)
    }
    throw Refusal(
      .planSuperseded, "The plan \(tfeRunID) of the run \(run.id) has been superseded; \(now).",
      fix: "Look at the current plan (pine summary --run-id \(run.id)) and name that one.",
      supersededBy: current?.tfeRunID)
  }

  private func noPlan(_ run: Run, _ verb: String) -> Refusal {
    Refusal.wrongState(run, verb, "Plan it first: pine plan --run-id \(run.id).")
  }

  private func beingDiscarded(_ run: Run) -> Refusal {
    Refusal(
      .wrongState, "The plan of the run \(run.id) is being discarded.",
      fix: "Wait until it is discarded, then plan it again.")
  }
}

extension Refusal {
  static func wrongState(_ run: Run, _ verb: String, _ fix: String) -> Refusal {
    Refusal(.wrongState, "The run \(run.id) is \(run.state.spoken), so it cannot take '\(verb)'.", fix: fix)
  }
}
