import PorcStore
import ServiceLifecycle
import Synchronization

/// Rings whenever the store has changed, so that workers, long polls and streams wait without polling and miss nothing:
/// each remembers the count that it saw before it looked. One subscription to the store serves any number of them.
final class Doorbell: Service {
  private let store: any Store
  private let state = Mutex(State())

  private struct State {
    var count = 0
    var next = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    /// Those whose time was up before they had begun to wait.
    var expired: Set<Int> = []
    var isOver = false
  }

  init(store: any Store) {
    self.store = store
  }

  /// How often it rang.
  var count: Int { state.withLock(\.count) }

  /// Whether the server, or the service that asks, stops: who waits for changes ends then.
  var isOver: Bool { Task.isShuttingDownGracefully || state.withLock(\.isOver) }

  /// Rings until the server stops; then it wakes everybody for good.
  func run() async {
    for await _ in store.changes().cancelOnGracefulShutdown() { ring() }
    state.withLock { $0.isOver = true }
    ring()
  }

  private func ring() {
    let waiters = state.withLock { state in
      state.count += 1
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Returns when it has rung since `count`, after `limit`, when the server stops, or when the task is canceled.
  func wait(since count: Int, upTo limit: Duration) async {
    let id = state.withLock { state in
      state.next += 1
      return state.next
    }
    let alarm = Task {
      try? await Task.sleep(for: limit)
      wake(id)
    }
    await withTaskCancellationOrGracefulShutdownHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          if state.count != count || state.isOver || state.expired.contains(id) { return true }
          state.waiters[id] = continuation
          return false
        }
        if isDue { continuation.resume() }
      }
    } onCancelOrGracefulShutdown: { [self] in
      wake(id)
    }
    alarm.cancel()
    await alarm.value  // it may be about to note an expiry
    state.withLock { _ = $0.expired.remove(id) }
  }

  private func wake(_ id: Int) {
    let waiter = state.withLock { state in
      let waiter = state.waiters.removeValue(forKey: id)
      if waiter == nil { state.expired.insert(id) }
      return waiter
    }
    waiter?.resume()
  }

  /// Looks again after every change, and once a second since another server may have committed, until `isSame` fails,
  /// `limit` has passed, or the server stops.
  ///
  /// - Returns: what was seen last.
  func wait<Value: Sendable>(
    upTo limit: Duration, while isSame: (Value) -> Bool, _ look: () async throws -> Value
  ) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
      let seen = count
      let value = try await look()
      let left = deadline - .now
      guard isSame(value), left > .zero, !isOver, !Task.isCancelled else { return value }
      await wait(since: seen, upTo: min(left, .seconds(1)))
    }
  }
}
