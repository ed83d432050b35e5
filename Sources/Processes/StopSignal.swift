import Glibc
import Synchronization

/// A handle to stop the programs that are run with it, from any task. A wish to stop stays: a program that is started
/// later gets it as soon as it runs.
public final class StopSignal: Sendable {
  private struct State {
    var groups: Set<pid_t> = []
    var requested: Int32?
  }
  private let state = Mutex(State())

  public init() {}

  /// Whether somebody wished to stop.
  public var isRequested: Bool { state.withLock { $0.requested != nil } }

  /// Whether somebody wished to end it at once.
  public var isKillRequested: Bool { state.withLock { $0.requested == SIGKILL } }

  /// Asks to end: SIGINT to the program and all of its children that stayed in its process group.
  public func interrupt() { send(SIGINT) }

  /// Ends them at once: SIGKILL.
  public func kill() { send(SIGKILL) }

  /// Asks to end now, and kills what still runs after `grace`. Returns at once.
  public func stop(grace: Duration) {
    interrupt()
    // Nobody waits for this task: where the program has ended by then, `kill` finds nothing to do.
    Task {
      try? await Task.sleep(for: grace)
      kill()
    }
  }

  private func send(_ signal: Int32) {
    state.withLock { state in
      if state.requested != SIGKILL { state.requested = signal }
      // A group leaves the set before its leader is reaped, so its number cannot belong to another program.
      for group in state.groups { _ = Glibc.kill(-group, signal) }
    }
  }

  func add(_ group: pid_t) {
    state.withLock { state in
      state.groups.insert(group)
      if let requested = state.requested { _ = Glibc.kill(-group, requested) }
    }
  }

  func remove(_ group: pid_t) {
    state.withLock { _ = $0.groups.remove(group) }
  }
}
