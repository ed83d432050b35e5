import Logging
import ServiceLifecycle
import Synchronization

/// Looks at sources as soon as somebody says that they have changed. What is said while it looks is looked at next.
final class CatalogWaker: Service {
  private let sync: CatalogSync
  private let logger: Logger
  private let waiting = Mutex<Set<String>>([])
  private let wakes: AsyncStream<Void>
  private let wakeUp: AsyncStream<Void>.Continuation

  init(sync: CatalogSync, logger: Logger) {
    self.sync = sync
    self.logger = logger
    (wakes, wakeUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  func wake(_ names: Set<String>) {
    guard !names.isEmpty else { return }
    waiting.withLock { $0.formUnion(names) }
    wakeUp.yield()
  }

  func run() async throws {
    await withDiscardingTaskGroup { group in
      for await _ in wakes.cancelOnGracefulShutdown() {
        let names = waiting.withLock { waiting in
          defer { waiting = [] }
          return waiting
        }
        // A slow repository keeps no other waiting; each source is read once at a time all the same.
        for name in names {
          group.addTask { [self] in
            do {
              try await sync.sync(only: [name])
            } catch is CancellationError {
              // The server stops; it looks at everything when it starts.
            } catch {
              logger.error("a source cannot be synced", metadata: ["source": "\(name)", "error": "\(error)"])
            }
          }
        }
      }
    }
  }
}
