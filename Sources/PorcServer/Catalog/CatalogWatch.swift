import Logging
import PorcCore
import ServiceLifecycle
import Synchronization

/// Looks at the sources of templates again and again, and at once at those that are said to have changed. Each is looked
/// at by itself: one that hangs keeps no other waiting.
final class CatalogWatch: Service {
  private struct State {
    /// Those that are said to have changed.
    var told: Set<String> = []
    /// Whether it is time to look at all.
    var isTime = false
    /// Those that are being looked at because it was time.
    var busy: Set<String> = []
    /// Those that nothing was known of at the start, and that are not done; `nil` before it is known which.
    var first: Set<String>?
  }

  private let sync: CatalogSync
  private let interval: Duration
  private let readiness: Readiness
  private let logger: Logger
  private let state = Mutex(State())
  private let wakes: AsyncStream<Void>
  private let wakeUp: AsyncStream<Void>.Continuation

  /// How long the server waits for sources to answer before it says that it is ready without them.
  private static let patience = Duration.seconds(20)

  init(sync: CatalogSync, interval: Duration, readiness: Readiness, logger: Logger) {
    self.sync = sync
    self.interval = interval
    self.readiness = readiness
    self.logger = logger
    (wakes, wakeUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  /// Some sources are said to have changed.
  func look(at names: Set<String>) {
    guard !names.isEmpty else { return }
    state.withLock { $0.told.formUnion(names) }
    wakeUp.yield()
  }

  func run() async throws {
    await cancelWhenGracefulShutdown { [self] in
      await withDiscardingTaskGroup { group in
        group.addTask { await self.keepTime() }
        group.addTask {
          // Whoever waits to be told that it is ready must not wait for a host that does not answer.
          if (try? await Task.sleep(for: Self.patience)) != nil { self.readiness.succeed() }
        }
        for await _ in wakes {
          if Task.isCancelled { break }
          for names in await due() { group.addTask { await self.lookNow(at: names) } }
        }
      }
    }
  }

  private func keepTime() async {
    while !Task.isCancelled {
      state.withLock { $0.isTime = true }
      wakeUp.yield()
      do { try await Task.sleep(for: interval) } catch { break }
    }
    wakeUp.finish()
  }

  /// The sources to look at now; those together that are to be looked at one after the other.
  private func due() async -> [[String]] {
    let (told, isTime) = state.withLock { state in
      defer { (state.told, state.isTime) = ([], false) }
      return (state.told, state.isTime)
    }
    guard isTime else { return told.map { [$0] } }
    do {
      let (groups, unknown) = try await sync.begin()
      let due = state.withLock { state in
        if state.first == nil { state.first = unknown }
        // What is told while it is looked at is looked at again; what is only due is not.
        let due = groups.filter { !told.isDisjoint(with: $0) || state.busy.isDisjoint(with: $0) }
        state.busy.formUnion(due.joined())
        return due
      }
      finish([])  // nothing may be left to wait for
      return due
    } catch {
      if !(error is CancellationError) {
        logger.error("the catalog cannot be synced", metadata: ["error": "\(error)"])
      }
      return told.map { [$0] }
    }
  }

  private func lookNow(at names: [String]) async {
    defer { finish(names) }
    do {
      try await sync.sync(only: Set(names))
    } catch is CancellationError {
      // The server stops; it looks at everything when it starts.
    } catch {
      logger.error("sources cannot be synced", metadata: ["sources": "\(names)", "error": "\(error)"])
    }
  }

  private func finish(_ names: [String]) {
    let isReady = state.withLock { state in
      state.busy.subtract(names)
      state.first?.subtract(names)
      if let first = state.first { readiness.wait(for: first) }
      return state.first?.isEmpty == true
    }
    if isReady { readiness.succeed() }
  }
}
