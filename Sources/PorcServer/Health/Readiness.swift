import Synchronization

/// Whether the server has done what it must before it is ready: its first catalog sync.
final class Readiness: Sendable {
  private let state = Mutex(false)
  var isReady: Bool { state.withLock { $0 } }
  func succeed() { state.withLock { $0 = true } }
}
