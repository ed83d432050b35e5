public import Foundation

extension RunMachine {
  /// The outside work that `situation` still calls for, told from how things stand and not from what happened. Some of
  /// it may have been done, and nobody has heard of it yet: whoever does a job asks for that first.
  ///
  /// Every job that a fact calls for (``jobs(after:in:retention:)``) is here until its outcome is a fact too.
  ///
  /// - Parameters:
  ///   - retention: how long a destroyed instance stays visible, in seconds.
  ///   - now: when the jobs would be added.
  public static func outstandingJobs(
    in situation: Situation, retention: TimeInterval, at now: Date
  ) -> [RunJob] {
    var jobs = situation.runs.values.sorted { $0.id < $1.id }.flatMap(outstandingJobs)
    let newest = situation.runs[situation.instance.newest]
    if let destroyedAt = situation.instance.destroyedAt, newest?.operation == .destroy {
      let left = max(0, destroyedAt.addingTimeInterval(retention).timeIntervalSince(now))
      jobs.append(RunJob(.removeInstance, run: situation.instance.newest, delay: left))
    }
    return jobs
  }

  private static func outstandingJobs(of run: Run) -> [RunJob] {
    var jobs: [RunJob] = []
    func add(_ kind: RunJob.Kind, _ plan: Int = 0) { jobs.append(RunJob(kind, run: run.id, plan: plan)) }
    let current = run.currentPlan
    if run.state == .building { add(.build) }
    if run.state == .planning, let current {
      if let clears = current.clears {
        add(.clearPlan, clears)
      } else if current.tfeRunID == nil {
        add(run.cancelRequestedAt == nil ? .startPlan : .cancel, current.number)
      }
    }
    for plan in run.plans where plan.tfeRunID != nil && !plan.isSettled {
      let isCurrent = plan.number == current?.number
      if isCurrent, run.cancelRequestedAt != nil { add(.cancel, plan.number) }
      if isCurrent, run.state == .applying, plan.confirmation != nil, !plan.applyBegan { add(.confirm, plan.number) }
      if isCurrent, run.state == .policyOverride, plan.overrideRequestedAt != nil { add(.override, plan.number) }
      if plan.discardRequestedAt != nil { add(.discard, plan.number) }
      if plan.number != current?.clears { add(.follow, plan.number) }
    }
    return jobs
  }
}
