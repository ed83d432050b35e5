import PorcCore
import PorcStore
import Synchronization

/// Whether the server can do its work: its first catalog sync is done, and the database takes what is written.
final class Readiness: Sendable {
  private let store: any Store
  private let hasSynced = Mutex(false)
  private let check = WritableCheck()

  init(store: any Store) {
    self.store = store
  }

  /// Whether the first catalog sync is done.
  var isReady: Bool { hasSynced.withLock(\.self) }

  func succeed() { hasSynced.withLock { $0 = true } }

  /// - Throws: why it is not ready.
  func require() async throws {
    guard isReady else {
      throw Fault(.busy, "PORC is starting.", fix: "Ask again in a moment.", retryAfter: 1)
    }
    try await check.require(store)
  }
}

/// Asks the disk at most once a second, however many ask.
private actor WritableCheck {
  private var latest: (task: Task<Void, any Error>, at: ContinuousClock.Instant)?

  func require(_ store: any Store) async throws {
    if let latest, latest.at.duration(to: .now) < .seconds(1) { return try await latest.task.value }
    let task = Task { try await store.checkWritable() }
    latest = (task, .now)
    try await task.value
  }
}
