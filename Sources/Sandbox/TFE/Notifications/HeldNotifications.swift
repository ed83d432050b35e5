import Synchronization

/// Notifications that are held back until another has gone to the same receiver.
final class HeldNotifications: Sendable {
  /// What a held notification waits with.
  struct Ticket: Sendable {
    fileprivate let released: AsyncStream<Void>

    /// Returns when another was sent, after `patience`, and when the task is cancelled.
    func wait(atMost patience: Duration) async {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { for await _ in released {} }
        group.addTask { try? await Task.sleep(for: patience) }
        await group.next()
        group.cancelAll()
      }
    }
  }

  private let waiting = Mutex<[String: [AsyncStream<Void>.Continuation]]>([:])

  /// Holds one back from now on.
  func hold(for configurationID: String) -> Ticket {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    waiting.withLock { $0[configurationID, default: []].append(continuation) }
    return Ticket(released: stream)
  }

  /// Lets go of those that were held back.
  func release(_ configurationID: String) {
    for continuation in waiting.withLock({ $0.removeValue(forKey: configurationID) ?? [] }) { continuation.finish() }
  }
}
