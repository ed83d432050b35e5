import Processes
import Synchronization

/// The handles to stop terraform, by run. Once everything is to stop, a run that begins later is stopped too.
final class RunStops: Sendable {
  private struct State {
    var signals: [String: StopSignal] = [:]
    var isStopping = false
  }
  private let state = Mutex(State())

  /// Whether everything is to stop.
  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// A phase of a run begins: from now on it can be stopped.
  func begin(_ runID: String) -> StopSignal {
    let signal = StopSignal()
    let isStopping = state.withLock { state in
      state.signals[runID] = signal
      return state.isStopping
    }
    if isStopping { signal.interrupt() }
    return signal
  }

  /// The phase that `signal` stops has ended. The run's next phase may have begun already, with a signal of its own.
  func end(_ runID: String, _ signal: StopSignal) {
    state.withLock { state in
      if state.signals[runID] === signal { state.signals[runID] = nil }
    }
  }

  /// nil where terraform does not run for it.
  func stop(for runID: String) -> StopSignal? { state.withLock { $0.signals[runID] } }

  /// Interrupts terraform for all runs, and kills what still runs after `grace`.
  func stopAll(grace: Duration) {
    let signals = state.withLock { state in
      state.isStopping = true
      return Array(state.signals.values)
    }
    for signal in signals { signal.stop(grace: grace) }
  }
}
