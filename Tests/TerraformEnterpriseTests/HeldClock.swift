import Synchronization
import TestKit

/// A clock that stands still until it is told to go; then each sleep moves it on, as ``TestClock``'s do.
final class HeldClock: Clock, Sendable {
  typealias Instant = TestClock.Instant
  private let clock = TestClock()
  private let gate: (stream: AsyncStream<Void>, open: AsyncStream<Void>.Continuation) = {
    let (stream, open) = AsyncStream.makeStream(of: Void.self)
    return (stream, open)
  }()
  private let isOpen = Mutex(false)

  var now: Instant { clock.now }
  var minimumResolution: Duration { clock.minimumResolution }

  func advance(by duration: Duration) { clock.advance(by: duration) }

  func release() {
    isOpen.withLock { $0 = true }
    gate.open.finish()
  }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    // One pump sleeps at a time; more would need a gate each.
    if !isOpen.withLock(\.self) { for await _ in gate.stream {} }
    try await clock.sleep(until: deadline, tolerance: tolerance)
  }
}
