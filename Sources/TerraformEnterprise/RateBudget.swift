import Synchronization

/// A budget for one process: it stays below TFE's published limits, obeys what answers say, and lets those who wait go by
/// priority.
///
/// - The general limit is 30 calls a second, or what `X-RateLimit-Limit` says, up to 1000: a Terraform Enterprise of
///   one's own may have raised it. That of run lists is 30 a minute. How far below it stays is told by the two rules of
///   `RateMeter`.
/// - A 429 stops all calls of its scope until the reset, a minute at most; without a time, for a second. An answer that
///   leaves nothing of the window, since somebody else calls with the same token, stops them until the window is over.
/// - Waiting calls go by priority, and of one priority the earliest first. So that none waits for ever, one call in eight
///   is the one that waits longest, once that is more than ten seconds.
public final class RateBudget: CallBudget {
  /// The limits that HashiCorp publishes.
  public static let publishedCallsPerSecond = 30, publishedRunListsPerMinute = 30

  private let general: CallQueue
  private let runLists: CallQueue
  /// Whether answers may change the general limit.
  private let followsAnswers: Bool
  private let counts = Mutex((made: [CallPriority: Int](), refused: [CallScope: Int]()))

  private static let highestLimit = 1000
  private static let longestStop = Duration.seconds(60)

  /// - Parameters:
  ///   - callsPerSecond: TFE's general limit for this token, whatever answers say; `nil` to begin with the published one
  ///     and follow the answers; 0 where TFE has no limit, neither this nor that of run lists: then nothing is held back
  ///     until there is a 429.
  ///   - clock: measures time, and waits.
  public init(callsPerSecond: Int? = nil, clock: any Clock<Duration> = ContinuousClock()) {
    let isLimited = callsPerSecond != 0
    followsAnswers = callsPerSecond == nil
    general = CallQueue(
      RateMeter(limit: isLimited ? callsPerSecond ?? Self.publishedCallsPerSecond : nil, window: .seconds(1)),
      clock: clock)
    runLists = CallQueue(
      RateMeter(limit: isLimited ? Self.publishedRunListsPerMinute : nil, window: .seconds(60)), clock: clock)
  }

  public func take(_ scope: CallScope, priority: CallPriority) async throws {
    if scope == .runLists { try await runLists.enter(priority) }
    do {
      try await general.enter(priority)
    } catch {
      if scope == .runLists { runLists.giveBack() }
      throw error
    }
    counts.withLock { $0.made[priority, default: 0] += 1 }
  }

  public func hear(_ word: RateLimitWord, of scope: CallScope) {
    if word.isRefusal { counts.withLock { $0.refused[scope, default: 0] += 1 } }
    guard scope == .general else {
      // Which of its two limits an answer is about is not documented. The narrower one is more likely, and to stop all
      // calls for its minute would be worse than another 429.
      general.end()
      return runLists.end { Self.obey(word, &$0, $1) }
    }
    general.end { [followsAnswers] meter, now in
      if followsAnswers, let limit = word.limit, limit > 0 { meter.limit = min(limit, Self.highestLimit) }
      Self.obey(word, &meter, now)
    }
  }

  private static func obey(_ word: RateLimitWord, _ meter: inout RateMeter, _ now: Duration) {
    if word.isRefusal {
      meter.stop(until: now + min(word.reset ?? .seconds(1), longestStop))
    } else if word.remaining == 0, let reset = word.reset, meter.limit != nil {
      meter.stop(until: now + min(reset, meter.window))
    }
  }

  // MARK: Looking at it

  /// How things stand, for whoever operates it.
  public struct Reading: Sendable, Hashable {
    /// How many calls TFE allows: a second, of run lists a minute. Absent where there is no limit.
    public var limits: [CallScope: Int]
    /// How many calls could be made now. Absent where there is no limit.
    public var remaining: [CallScope: Int]
    /// How many calls wait.
    public var waiting: [CallPriority: Int]
    /// How long the one that waits longest has waited.
    public var longestWait: Duration
    /// How many calls were made so far.
    public var made: [CallPriority: Int]
    /// How many of them were refused with 429.
    public var refused: [CallScope: Int]
  }

  /// How things stand now.
  public var reading: Reading {
    let (general, runLists) = (general.reading, runLists.reading)
    let (made, refused) = counts.withLock { $0 }
    return Reading(
      limits: [.general: general.limit, .runLists: runLists.limit].compactMapValues(\.self),
      remaining: [.general: general.remaining, .runLists: runLists.remaining].compactMapValues(\.self),
      waiting: general.waiting.merging(runLists.waiting, uniquingKeysWith: +),
      longestWait: max(general.longestWait, runLists.longestWait), made: made, refused: refused)
  }

  /// How long a call of this priority would wait if it came now; zero where it would not. Those that come later and go
  /// first are not known yet.
  public func delay(for priority: CallPriority) -> Duration { general.delay(for: priority) }
}
