import Logging
import ServiceLifecycle

/// Does one thing again and again, never twice at once, until the server stops. A failure is logged, and the next turn comes.
struct RepeatingService: Service {
  let name: String
  let interval: Duration
  let logger: Logger
  /// How long to wait before the first turn.
  var delay = Duration.zero
  let turn: @Sendable () async throws -> Void

  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown {
        try await Task.sleep(for: delay)
        while !Task.isCancelled {
          do {
            try await turn()
          } catch is CancellationError {
            return
          } catch {
            logger.warning(
              "a recurring task failed and will be tried again", metadata: ["task": "\(name)", "error": "\(error)"])
          }
          try await Task.sleep(for: interval)
        }
      }
    } catch is CancellationError {
      // Stopped while it waited for its next turn.
    }
  }
}
