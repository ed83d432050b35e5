import Synchronization

/// What is to be sent, in memory: a queue for each configuration, so that a receiver gets its notifications in the
/// order in which things happened, and one that does not answer holds up no other.
final class NotificationOutbox: Sendable {
  /// How many wait for one receiver at most. What comes while so many wait is dropped.
  static let maximum = 200

  private let queues = Mutex<[String: [Notification]]>([:])
  /// A configuration's id whenever its queue, which was empty, has something. It stays so until `next` answers nil.
  let filled: AsyncStream<String>
  private let continuation: AsyncStream<String>.Continuation

  init() {
    (filled, continuation) = AsyncStream.makeStream()
  }

  func add(_ notification: Notification) {
    let isFirst = queues.withLock { queues in
      let count = queues[notification.configurationID]?.count
      guard count ?? 0 < Self.maximum else { return false }
      queues[notification.configurationID, default: []].append(notification)
      return count == nil
    }
    if isFirst { continuation.yield(notification.configurationID) }
  }

  /// Takes the oldest of a queue out. After nil, the queue is announced again when something comes.
  func next(for configurationID: String) -> Notification? {
    queues.withLock { queues in
      if queues[configurationID]?.isEmpty ?? true {
        queues[configurationID] = nil
        return nil
      }
      return queues[configurationID]?.removeFirst()
    }
  }
}
