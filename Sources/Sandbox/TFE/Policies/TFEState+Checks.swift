/// What happens to a run between its plan and its apply.
extension TFEState {
  /// A step that lasts a while.
  struct TimedCheck: Sendable {
    let runID: String
    let step: RunChecks.Step
    let milliseconds: Int
  }

  /// Takes a run whose plan is finished on: through the checks that are ahead of it, to its apply, the decision that it
  /// waits for, or its end.
  func proceed(_ run: Run) {
    var run = run
    while let step = run.checks?.next {
      run.checks?.begin(step)
      run.enter(step.running)
      if let milliseconds = run.checks?.milliseconds, milliseconds > 0 {
        save(run)
        checkContinuation.yield(TimedCheck(runID: run.id, step: step, milliseconds: milliseconds))
        return
      }
      guard conclude(step, &run) else { return }
    }
    let canApply = run.hasChanges || run.request.allowEmptyApply
    if run.request.planOnly || !canApply {
      run.enter(.plannedAndFinished)
    } else if run.request.savePlan {
      run.enter(.plannedAndSaved)
    } else if run.request.autoApply {
      run.timestamps["confirmed-at"] = Timestamp.now()
      return queueApply(run)
    } else if run.checks == nil {
      run.enter(.planned)
    }
    // Otherwise it waits in the status of its last check.
    save(run)
  }

  /// A step has lasted as long as it was to.
  func concludeCheck(_ timed: TimedCheck) {
    guard var run = runs[timed.runID], run.status == timed.step.running else { return }
    if conclude(timed.step, &run) { proceed(run) }
  }

  /// - Returns: whether the run goes on; otherwise it waits or is over, and is stored.
  private func conclude(_ step: RunChecks.Step, _ run: inout Run) -> Bool {
    let canWait = !run.request.planOnly
    switch run.checks?.conclude(step, canWait: canWait) ?? .passed {
    case .passed:
      run.enter(step.done)
      return true
    case .overridable where !canWait: end(&run, .policySoftFailed, phase: .unreachable)
    case .overridable:
      run.enter(step == .policyCheck ? .policyOverride : .postPlanAwaitingDecision)
      save(run)
    case .refused: end(&run, .errored, phase: .unreachable)
    }
    return false
  }

  /// Goes on with a step that was under way when the server stopped.
  func resumeCheck(_ run: Run) {
    guard let checks = run.checks, let step = checks.next else { return }
    checkContinuation.yield(TimedCheck(runID: run.id, step: step, milliseconds: checks.milliseconds))
  }

  func overridePolicyCheck(_ id: String) throws {
    var run = try run(ofCheck: id)
    guard let check = run.checks?.policyCheck, check.id == id, features.policyOverrides else {
      throw APIError.notFound
    }
    guard isOverridable(check, run) else {
      throw APIError.conflict("The policy check is \(check.status.rawValue), so it cannot be overridden")
    }
    run.checks?.policyCheck?.enter(.overridden)
    run.enter(.policyChecked)
    proceed(run)
  }

  func overrideTaskStage(_ id: String) throws {
    var run = try run(ofCheck: id)
    guard let stage = run.checks?.taskStage, stage.id == id, features.policyOverrides else { throw APIError.notFound }
    guard isOverridable(stage, run) else {
      throw APIError.conflict("The task stage is \(stage.status.rawValue), so it cannot be overridden")
    }
    run.checks?.taskStage?.isOverridden = true
    run.checks?.taskStage?.enter(.passed)
    run.enter(.postPlanCompleted)
    proceed(run)
  }

  func isOverridable(_ check: RunChecks.PolicyCheck, _ run: Run) -> Bool {
    run.status == .policyOverride && check.status == .softFailed
  }

  func isOverridable(_ stage: RunChecks.TaskStage, _ run: Run) -> Bool {
    run.status == .postPlanAwaitingDecision && stage.status == .awaitingOverride
  }

  /// The run that a task stage, policy evaluation, policy set outcome, cost estimate or policy check belongs to.
  func run(ofCheck id: String) throws -> Run {
    guard let run = runs[runOfCheck[id]] else { throw APIError.notFound }
    return run
  }
}
