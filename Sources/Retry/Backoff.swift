/// How long to wait between attempts: doubling, with jitter, up to a ceiling.
///
/// Jitter keeps many clients that failed at the same moment from coming back at the same moment.
public struct Backoff: Sendable, Hashable {
  /// The full wait before the first retry.
  public var base: Duration
  /// No wait is longer than this.
  public var ceiling: Duration

  /// A backoff that starts at `base` and doubles until it reaches `ceiling`.
  public init(base: Duration = .milliseconds(250), ceiling: Duration = .seconds(30)) {
    self.base = base
    self.ceiling = ceiling
  }

  /// How long to wait before another attempt.
  ///
  /// - Parameter attempt: 1 for the first retry. Values below 1 count as 1.
  /// - Returns: between half and all of `base` × 2^(attempt − 1), never above `ceiling`.
  public func delay(attempt: Int, using rng: inout some RandomNumberGenerator) -> Duration {
    var full = min(base, ceiling)
    var doublings = attempt - 1
    // Stops at the ceiling, so a huge attempt number can neither overflow nor loop for long.
    while doublings > 0, full > .zero, full < ceiling {
      full = min(full + full, ceiling)
      doublings -= 1
    }
    return full * Double.random(in: 0.5...1, using: &rng)
  }
}
