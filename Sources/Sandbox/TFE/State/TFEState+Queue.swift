import FoundationEssentials

/// The queue of each workspace. One run holds the workspace until it is final; the others wait in the order in which
/// they were made. Plan-only runs and saved plans do not wait, a saved plan only to be applied.
extension TFEState {
  @discardableResult
  func queue(_ request: Run.Request, workspace: Workspace, configurationVersionID: String) -> String {
    var run = Run(
      id: Identifier.make("run"), sequence: nextSequence(), workspaceID: workspace.id,
      configurationVersionID: configurationVersionID, request: request)
    run.checks = PolicyFile.checks(at: folder.policies, workspace: workspace.name)
    for id in run.checks?.ids ?? [] { runOfCheck[id] = run.id }
    let isAlone = openRunIDs[workspace.id]?.allSatisfy { runs[$0]?.takesTheQueue == false } ?? true
    runIDs[workspace.id, default: []].append(run.id)
    allRunIDs.append(run.id)
    (runOfPhase[run.plan.id], runOfPhase[run.apply.id]) = (run.id, run.id)
    save(run)
    if isAlone, run.takesTheQueue { setCurrentRun(run) }
    advance(workspace.id)
    return run.id
  }

  /// The run that holds the workspace.
  func holder(of workspaceID: String) -> Run? { openRuns(of: workspaceID).first { $0.holdsTheWorkspace } }

  func openRuns(of workspaceID: String) -> [Run] {
    (openRunIDs[workspaceID] ?? []).compactMap { runs[$0] }.sorted { $0.sequence < $1.sequence }
  }

  /// Stores a run; one that just became final lets the next begin.
  func save(_ run: Run) {
    let before = runs[run.id]?.status
    runs.set(run)
    announce(run, before: before)
    if run.status.isFinal {
      if openRunIDs[run.workspaceID]?.remove(run.id) != nil { advance(run.workspaceID) }
    } else {
      openRunIDs[run.workspaceID, default: []].insert(run.id)
    }
  }

  /// Begins what may begin in a workspace.
  func advance(_ workspaceID: String) {
    guard let workspace = workspaces[workspaceID] else { return }
    for run in openRuns(of: workspaceID) where run.status == .pending && !run.takesTheQueue { queuePlan(run) }
    guard workspace.lock == nil, holder(of: workspaceID) == nil else { return }
    let open = openRuns(of: workspaceID)
    if let confirmed = open.first(where: { $0.status == .confirmed }) {
      queueApply(confirmed)
    } else if let next = open.first(where: { $0.status == .pending && $0.takesTheQueue }) {
      queuePlan(next)
    }
  }

  private func queuePlan(_ run: Run) {
    var run = run
    run.timestamps["plan-queueable-at"] = Timestamp.now()
    run.enter(.planQueued)
    run.plan.enter(.queued)
    save(run)
    if run.takesTheQueue { setCurrentRun(run) }
    workContinuation.yield(Work(runID: run.id, phase: .plan))
  }

  func queueApply(_ run: Run) {
    var run = run
    run.enter(.applyQueued)
    run.apply.enter(.queued)
    save(run)
    setCurrentRun(run)
    workContinuation.yield(Work(runID: run.id, phase: .apply))
  }

  private func setCurrentRun(_ run: Run) {
    guard var workspace = workspaces[run.workspaceID], workspace.currentRunID != run.id else { return }
    workspace.currentRunID = run.id
    workspace.updatedAt = Timestamp.now()
    workspaces.set(workspace)
  }

  /// Marks a run as planning. nil where there is nothing to do any more.
  func beginPlan(_ id: String) -> RunJob? {
    guard var run = runs[id], run.status == .planQueued, let workspace = workspaces[run.workspaceID] else {
      return nil
    }
    run.inputStateVersionID = workspace.currentStateVersionID
    run.enter(.planning)
    run.plan.enter(.running)
    save(run)
    return job(run, workspace)
  }

  /// Marks a run as applying. nil where there is nothing to do any more.
  func beginApply(_ id: String) -> RunJob? {
    guard var run = runs[id], run.status == .applyQueued, let workspace = workspaces[run.workspaceID] else {
      return nil
    }
    run.enter(.applying)
    run.apply.enter(.running)
    save(run)
    return job(run, workspace)
  }

  /// What terraform needs to know of a run; nil where there is none.
  func job(_ id: String) -> RunJob? {
    guard let run = runs[id], let workspace = workspaces[run.workspaceID] else { return nil }
    return job(run, workspace)
  }

  func isCancelRequested(_ id: String) -> Bool { runs[id]?.cancelRequestedAt != nil }

  /// Final runs of the same workspace whose working folders have no more use: a few are kept, since a plan's JSON may
  /// still be asked for.
  func runsToTrim(of id: String) -> [String] {
    let all = runs[id].flatMap { runIDs[$0.workspaceID] } ?? []
    return all.reversed().filter { runs[$0]?.status.isFinal ?? false }.dropFirst(10).prefix(5).map { $0 }
  }

  private func job(_ run: Run, _ workspace: Workspace) -> RunJob {
    RunJob(
      run: run, workspace: workspace, variables: variables(of: workspace.id), folder: folder.run(run.id),
      archive: folder.archive(run.configurationVersionID),
      state: workspace.currentStateVersionID.map { folder.state($0) })
  }

  /// What came of a plan. All that a client reads once the plan is final, the run's status and what may be done with
  /// it, is decided here at once: the CLI does not look again.
  func finishPlan(_ id: String, _ outcome: RunOutcome) {
    guard var run = runs[id], run.status == .planning else { return }
    switch outcome {
    case .finished(let hasChanges, let counts):
      run.hasChanges = hasChanges
      run.plan.changes = counts
      run.plan.enter(.finished)
      run.timestamps["planned-at"] = Timestamp.now()
      return proceed(run)
    case .errored:
      run.plan.enter(.errored)
      run.enter(.errored)
    case .canceled(let forced):
      run.plan.enter(.canceled)
      run.enter(forced ? .forceCanceled : .canceled)
    }
    if run.status.isFinal, run.apply.status == .pending, run.plan.status != .finished { run.apply.enter(.unreachable) }
    save(run)
  }

  /// What came of an apply.
  ///
  /// - Parameter state: the state that terraform left, whatever the outcome; nil for none.
  func finishApply(_ id: String, _ outcome: RunOutcome, state: [UInt8]?) throws {
    guard var run = runs[id], run.status == .applying else { return }
    watchedApplies.remove(id)
    if let state { try storeState(of: &run, state) }
    switch outcome {
    case .finished(_, let counts):
      run.apply.changes = counts
      run.apply.enter(.finished)
      run.enter(.applied)
    case .errored:
      run.apply.enter(.errored)
      run.enter(.errored)
    case .canceled(let forced):
      run.apply.enter(.canceled)
      run.enter(forced ? .forceCanceled : .canceled)
    }
    if var workspace = workspaces[run.workspaceID], run.status == .applied {
      workspace.currentConfigurationVersionID = run.configurationVersionID
      workspaces.set(workspace)
    }
    // A saved plan of another run is out of date now.
    for var other in openRuns(of: run.workspaceID) where other.status == .plannedAndSaved && other.id != run.id {
      other.enter(.discarded)
      save(other)
    }
    save(run)
  }

  /// Ends a run that the sandbox itself could not carry through, so that it does not hold its workspace for ever.
  func fail(_ work: Work) {
    switch work.phase {
    case .plan: finishPlan(work.runID, .errored)
    case .apply: try? finishApply(work.runID, .errored, state: nil)
    }
  }

  /// Brings what a crash interrupted to an end. The engine has ended terraform by now.
  ///
  /// - Returns: for each run that ended by it, in which phase it was.
  func recover() throws -> [Work] {
    var interrupted: [Work] = []
    for run in runs.all.values.sorted(by: { $0.sequence < $1.sequence }) {
      switch run.status {
      case .planning where run.cancelRequestedAt != nil:
        finishPlan(run.id, .canceled(forced: false))
        interrupted.append(Work(runID: run.id, phase: .plan))
      case .planning:
        // A plan changes nothing: it is made again, from its beginning.
        queuePlan(run)
      case .applying:
        try finishApply(run.id, .errored, state: try RunJob.state(in: folder.run(run.id), workspaces[run.workspaceID]))
        interrupted.append(Work(runID: run.id, phase: .apply))
      case .planQueued: workContinuation.yield(Work(runID: run.id, phase: .plan))
      case .applyQueued: workContinuation.yield(Work(runID: run.id, phase: .apply))
      case .postPlanRunning, .costEstimating, .policyChecking: resumeCheck(run)
      default: break
      }
    }
    for id in workspaces.all.keys { advance(id) }
    return interrupted
  }
}
