import Foundation

extension Draft {
  mutating func hear(_ report: RunReport, about run: Run) {
    switch report {
    case .built(let bundle):
      guard run.state == .building else { return }
      record(.built(bundle: bundle), for: run.id)
      if instance?.holder == run.id { begin(run.id) }
    case .buildFailed(let failure):
      guard run.state == .building else { return }
      record(.buildFailed(failure: failure), for: run.id)
    case .workspaceReady(let workspace):
      guard instance?.workspace != workspace else { return }
      record(.workspaceReady(workspace: workspace), for: run.id)
    case .tfeRunCreated(let number, let tfeRunID, let configurationVersionID):
      guard let plan = run.plan(number: number), plan.tfeRunID == nil, plan.withdrawal == nil else { return }
      record(
        .tfeRunCreated(number: number, tfeRunID: tfeRunID, configurationVersionID: configurationVersionID), for: run.id)
      // The run ended (a cancel, say) or went on while its TFE run was being made: that one must not live on unseen.
      if run.state.isFinal || number != run.currentPlan?.number {
        record(.discardRequested(number: number, by: plan.request.by), for: run.id)
      }
    case .waiting(let number, let wait):
      hear(of: wait, number, run)
    case .removalRefused(let failure):
      guard instance?.destroyedAt != nil, instance?.newest == run.id, instance?.removalRefusal != failure else {
        return
      }
      record(.removalRefused(failure: failure), for: run.id)
    default:
      guard let number = report.plan, let plan = run.plan(number: number), !plan.isSettled else { return }
      if number == run.currentPlan?.number {
        hearOfCurrent(report, plan, of: run)
      } else {
        hearOfEarlier(report, plan, of: run)
      }
    }
  }

  /// Only news is recorded: that it waits for the same as before is none.
  private mutating func hear(of wait: Wait?, _ number: Int, _ run: Run) {
    guard wait != run.wait, run.canWait(for: wait, number) else { return }
    guard let wait else { return record(.waitingEnded(number: number), for: run.id) }
    let since = wait.isOutage && run.wait?.isOutage == true ? run.waitsSince : nil
    record(.waiting(number: number, wait: wait, since: since ?? now), for: run.id)
  }

  /// The machine's heart: what TFE says of the current plan, in each state.
  private mutating func hearOfCurrent(_ report: RunReport, _ plan: Plan, of run: Run) {
    let number = plan.number
    let began = report.applyBegan || plan.applyBegan
    switch (run.state, report) {
    case (.planning, .planFinished(_, let hasChanges, let summary)),
      (.policyOverride, .planFinished(_, let hasChanges, let summary)):
      finishPlan(number, hasChanges: hasChanges, summary, of: run)
    case (.planned, .planFinished(_, true, let summary)) where plan.summary != summary:
      record(.planFinished(number: number, hasChanges: true, summary: summary), for: run.id)
    case (.planning, .policyOverrideNeeded(_, let detail)):
      record(.policyOverrideNeeded(number: number, detail: detail), for: run.id)
      if run.cancelRequestedAt != nil { giveUp(plan, of: run.id, by: run.cancelRequestedBy ?? plan.request.by) }
    case (.policyOverride, .overrideRefused(_, let failure)) where plan.overrideRequestedAt != nil:
      record(.overrideRefused(number: number, failure: failure), for: run.id)
    case (_, .planEvaluated(_, let summary, let gates))
    where run.state.isAtTFE && (plan.gates != gates || (summary ?? plan.summary) != plan.summary):
      record(.planEvaluated(number: number, summary: summary, gates: gates), for: run.id)
      // The next gate, after one that was overridden: it waits for another override.
      if run.state == .policyOverride, let known = plan.gates, known.tfeStatus != gates.tfeStatus,
        let detail = gates.failure?.text
      {
        record(.policyOverrideNeeded(number: number, detail: detail), for: run.id)
      }
    case (_, .forceCancelOffered(_, let from)) where run.cancelRequestedAt != nil && plan.forceCancelAt != from:
      record(.forceCancelOffered(number: number, from: from), for: run.id)
    case (_, .forceCancelRefused(_, let failure)) where run.state.isAtTFE && plan.forceCancelRequestedAt != nil:
      record(.forceCancelRefused(number: number, failure: failure), for: run.id)

    case (.applying, .planFailed(_, let failure)), (.applying, .policyFailed(_, let failure)):
      record(.applyFailed(number: number, failure: failure, isPartial: began), for: run.id)
    case (_, .planFailed(_, let failure)) where run.state.isAtTFE:
      record(.planFailed(number: number, failure: failure), for: run.id)
    case (_, .policyFailed(_, let failure)) where run.state.isAtTFE:
      record(.policyFailed(number: number, failure: failure), for: run.id)

    case (_, .applyStarted) where run.state.isAtTFE && !plan.applyBegan:
      record(.applyStarted(number: number), for: run.id)
    // In a final state, TFE's run has turned up late, and what it did is the truth: only that it did nothing is no news.
    case (_, .applyFinished(_, let outputs)) where run.state.isAtTFE || run.state.isFinal:
      record(.applyFinished(number: number, outputs: outputs), for: run.id)
    case (_, .applyFailed(_, let failure, _)) where run.state.isAtTFE || (run.state.isFinal && began):
      record(.applyFailed(number: number, failure: failure, isPartial: began), for: run.id)
    case (_, .remoteCanceled) where began && (run.state.isAtTFE || run.state.isFinal):
      // Half-built is not "canceled".
      let failure =
        plan.forceCancelRequestedAt == nil
        ? Failure("The apply was canceled while it ran.")
        : Failure(
          "The apply was canceled by force while it ran.",
          detail: "Terraform was killed: what it changed last may be missing from its state.")
      record(.applyFailed(number: number, failure: failure, isPartial: true), for: run.id)
    case (_, .remoteCanceled) where run.state.isAtTFE:
      record(.canceled, for: run.id)
    case (_, .remoteDiscarded) where run.state.isAtTFE:
      record(.discarded(number: number), for: run.id)
    default: break
    }
  }

  /// A plan that was superseded, and whose TFE run is being settled.
  private mutating func hearOfEarlier(_ report: RunReport, _ plan: Plan, of run: Run) {
    guard let current = run.currentPlan, current.clears == plan.number else { return }
    switch report {
    case .remoteDiscarded, .remoteCanceled(_, applyBegan: false), .planFailed, .policyFailed,
      .planFinished(_, hasChanges: false, _):
      record(.planCleared(number: current.number), for: run.id)
      // Canceled meanwhile: now that TFE holds nothing of it any more, it can end.
      if run.cancelRequestedAt != nil { record(.canceled, for: run.id) }
    case .applyStarted, .applyFinished, .applyFailed, .remoteCanceled(_, applyBegan: true):
      record(
        .planWithdrawn(
          number: current.number, reason: "Plan \(plan.number) was applied in TFE before it could be discarded."),
        for: run.id)
      if let run = self.run(run.id), let plan = run.plan(number: plan.number) { hearOfCurrent(report, plan, of: run) }
    default: break
    }
  }
}

extension Run {
  /// Whether what a worker learned can be what the run waits for: while a person decides, it waits for that person.
  fileprivate func canWait(for wait: Wait?, _ number: Int) -> Bool {
    if state == .building { return number == 0 }
    guard let plan = currentPlan, plan.number == number, !plan.isSettled else { return false }
    switch state {
    case .planning, .applying: return true
    case .planned, .policyOverride: return wait.map { $0.isTrouble && plan.discardRequestedAt != nil } ?? true
    default: return false
    }
  }
}

extension RunState {
  /// Whether the run's plan is in TFE's hands, or waits there.
  fileprivate var isAtTFE: Bool {
    switch self {
    case .planning, .planned, .policyOverride, .applying: true
    default: false
    }
  }
}

extension RunReport {
  /// Whether it says that TFE had begun to change things when it ended.
  fileprivate var applyBegan: Bool {
    switch self {
    case .applyFailed(_, _, let began), .remoteCanceled(_, let began): began
    default: false
    }
  }

  /// The number of the plan it is about.
  var plan: Int? {
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
}
