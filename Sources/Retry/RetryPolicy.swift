/// How often, how fast and for how long something is tried.
public struct RetryPolicy: Sendable, Hashable {
  /// How many times the operation is started at most, the first one included. Values below 1 count as 1.
  public var maximumAttempts: Int
  /// How long all attempts and the waits between them may take; `nil` for no limit.
  ///
  /// No wait is begun that would end after it. An attempt under way is not cut off: bound each one with
  /// ``withDeadline(_:clock:operation:)``.
  public var totalDeadline: Duration?
  /// The waits between attempts, where the failure itself does not say how long to wait.
  public var backoff: Backoff
  /// The longest wait that a failure may ask for (a server's `Retry-After`); longer ones are cut to this.
  public var longestAdvisedWait: Duration

  /// A policy with the given limits.
  public init(
    maximumAttempts: Int = 5, totalDeadline: Duration? = .seconds(120), backoff: Backoff = Backoff(),
    longestAdvisedWait: Duration = .seconds(60)
  ) {
    self.maximumAttempts = maximumAttempts
    self.totalDeadline = totalDeadline
    self.backoff = backoff
    self.longestAdvisedWait = longestAdvisedWait
  }

  /// One attempt, no retry.
  public static let never = RetryPolicy(maximumAttempts: 1)
}

/// What to do about a failed attempt.
public enum RetryDecision: Sendable, Hashable {
  /// Trying again cannot help, or would not be safe: the failure is thrown.
  case giveUp
  /// Try again, after the time that the failure itself asked for, or after the policy's backoff where it is `nil`.
  case retry(after: Duration?)
}
