import FoundationEssentials
import Processes

extension TFEState {
  /// Confirms a plan. Another run that holds the workspace lets a saved plan wait.
  func applyRun(_ id: String) throws {
    var run = try run(id)
    guard run.isConfirmable else { throw Self.notAllowed("apply", run) }
    run.enter(.confirmed)
    if run.takesTheQueue {
      run.enter(.applyQueued)
      run.apply.enter(.queued)
      save(run)
      workContinuation.yield(Work(runID: id, phase: .apply))
    } else {
      save(run)
      advance(run.workspaceID)
    }
  }

  func discardRun(_ id: String) throws {
    var run = try run(id)
    guard run.isDiscardable else { throw Self.notAllowed("discard", run) }
    discard(&run)
  }

  private func discard(_ run: inout Run) {
    end(&run, .discarded, phase: .unreachable)
  }

  /// Interrupts terraform; what does not run yet, or waits to be confirmed, is canceled at once.
  func cancelRun(_ id: String) throws {
    var run = try run(id)
    guard run.isCancelable else { throw Self.notAllowed("cancel", run) }
    if [.planning, .applying].contains(run.status) {
      if run.cancelRequestedAt == nil { run.cancelRequestedAt = .now }
      save(run)
      stops.stop(for: id)?.interrupt()
    } else {
      end(&run, .canceled, phase: .canceled)
    }
  }

  /// Kills terraform, some time after a cancel did not help.
  func forceCancelRun(_ id: String) throws {
    let run = try run(id)
    guard !run.status.isFinal, let available = forceCancelAvailableAt(run), available <= .now else {
      throw Self.notAllowed("force-cancel", run)
    }
    stops.stop(for: id)?.kill()
  }

  func forceCancelAvailableAt(_ run: Run) -> Date? {
    run.cancelRequestedAt.map { $0.addingTimeInterval(coolOff / .seconds(1)) }
  }

  /// Discards everything that a pending run waits for.
  func forceExecuteRun(_ id: String) throws {
    let run = try run(id)
    guard run.status == .pending, run.takesTheQueue else {
      throw APIError.forbidden("Run must be pending and blocked by another run to be force executed")
    }
    let holder = holder(of: run.workspaceID)
    guard holder?.isDiscardable ?? true else {
      throw APIError.conflict("The run that locks the workspace cannot be discarded")
    }
    // Those in between first, so that none of them begins.
    for var other in openRuns(of: run.workspaceID)
    where other.status == .pending && other.takesTheQueue && other.sequence < run.sequence {
      discard(&other)
    }
    if var holder { discard(&holder) }
  }

  /// Ends a run that terraform does not work on. Its logs are closed for those who read them.
  func end(_ run: inout Run, _ status: Run.Status, phase: Run.Phase.Status) {
    let folder = folder.run(run.id)
    if !run.plan.status.isFinal {
      run.plan.enter(phase)
      RunLog.close(folder.planLog, "Run \(status.rawValue) before it was planned.")
    }
    if !run.apply.status.isFinal {
      run.apply.enter(phase)
      RunLog.close(folder.applyLog, "Run \(status.rawValue) before it was applied.")
    }
    run.enter(status)
    save(run)
  }

  private static func notAllowed(_ action: String, _ run: Run) -> APIError {
    .conflict("The run is \(run.status.rawValue), so it cannot take '\(action)'")
  }
}
