import Synchronization

/// A clock that never really sleeps: a sleep moves its time forward and returns at once, and is remembered.
///
/// Give it to code that waits between attempts; then look at ``slept``. For a loop that waits for something to happen
/// elsewhere use a real clock: this one would make it spin.
public final class TestClock: Clock, Sendable {
  /// A moment on this clock, counted from its making.
  public struct Instant: InstantProtocol {
    var elapsed: Duration

    /// This moment and `duration` more.
    public func advanced(by duration: Duration) -> Instant { Instant(elapsed: elapsed + duration) }
    /// How far `other` lies after this moment.
    public func duration(to other: Instant) -> Duration { other.elapsed - elapsed }
    /// Whether `lhs` is earlier.
    public static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.elapsed < rhs.elapsed }
  }

  private struct State {
    var now = Instant(elapsed: .zero)
    var slept: [Duration] = []
  }
  private let state = Mutex(State())

  /// A clock at zero.
  public init() {}

  /// The clock's time: the sum of all sleeps and of ``advance(by:)``.
  public var now: Instant { state.withLock(\.now) }
  /// The smallest step that can be told apart.
  public var minimumResolution: Duration { .nanoseconds(1) }
  /// Every sleep asked for so far, oldest first.
  public var slept: [Duration] { state.withLock(\.slept) }

  /// Moves time forward, as work that takes time would.
  public func advance(by duration: Duration) {
    state.withLock { $0.now = $0.now.advanced(by: duration) }
  }

  /// Jumps to `deadline` and remembers the distance. Throws `CancellationError` in a cancelled task, as real clocks do.
  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    state.withLock { state in
      state.slept.append(state.now.duration(to: deadline))
      state.now = max(state.now, deadline)
    }
    await Task.yield()
  }
}
