import PorcCore
import PorcStore
import Synchronization

/// Whether the server can do its work: its first catalog sync is done, and the database takes what is written.
final class Readiness: Sendable {
  private let store: any Store
  private struct State {
    var hasSynced = false
    var missing: Set<String> = []
  }
  private let state = Mutex(State())
  private let check = WritableCheck()

  init(store: any Store) {
    self.store = store
  }

  /// Whether the first catalog sync is done.
  var isReady: Bool { state.withLock(\.hasSynced) }

  func succeed() { state.withLock { $0.hasSynced = true } }

  /// It is waited for these sources, of which nothing is known yet.
  func wait(for sources: Set<String>) { state.withLock { $0.missing = sources } }

  /// - Throws: why it is not ready.
  func require() async throws {
    guard isReady else {
      throw Fault(.busy, "PORC is starting\(reason).", fix: "Ask again in a moment.", retryAfter: 1)
    }
    try await check.require(store)
  }

  /// What it waits for, as the end of a sentence. Anybody may read it: paths of this machine are not in it.
  private var reason: String {
    let missing = state.withLock(\.missing).sorted()
    var names = missing.filter { !$0.hasPrefix("folder:") }.map { "'\($0)'" }
    if names.count < missing.count { names.insert("the folders of templates", at: 0) }
    if names.isEmpty { return "" }
    return ": it looks for the first time at \(names.prefix(5).joined(separator: ", "))\(names.count > 5 ? ", …" : "")"
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
