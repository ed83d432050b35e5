/// Runs `operation` until it succeeds, `classify` gives up, or the policy's limits are reached.
///
/// A cancelled task is never tried again, whatever `classify` says.
///
/// - Parameters:
///   - policy: attempts, waits and the total deadline.
///   - clock: measures the total deadline and waits between attempts.
///   - random: where the jitter comes from; each call starts with a copy of it.
///   - classify: says, for the failure of an attempt, whether another one makes sense and is safe.
///   - operation: the work; its argument is the number of the attempt, from 1.
/// - Throws: what the last attempt threw, or `CancellationError` from a wait.
public func retrying<Value: Sendable>(
  _ policy: RetryPolicy, clock: any Clock<Duration> = ContinuousClock(),
  random: any RandomNumberGenerator = SystemRandomNumberGenerator(), classify: (any Error) -> RetryDecision,
  operation: (_ attempt: Int) async throws -> Value
) async throws -> Value {
  try await retryLoop(policy, clock, random, classify, operation)
}

/// ``retrying(_:clock:random:classify:operation:)`` with the clock's type known: instants of an `any Clock` cannot be
/// compared.
private func retryLoop<C: Clock, Value: Sendable>(
  _ policy: RetryPolicy, _ clock: C, _ random: any RandomNumberGenerator, _ classify: (any Error) -> RetryDecision,
  _ operation: (_ attempt: Int) async throws -> Value
) async throws -> Value where C.Duration == Duration {
  let end = policy.totalDeadline.map { clock.now.advanced(by: $0) }
  var random = random
  var attempt = 1
  while true {
    do {
      return try await operation(attempt)
    } catch {
      guard attempt < policy.maximumAttempts, !Task.isCancelled, case .retry(let advised) = classify(error) else {
        throw error
      }
      let wait =
        advised.map { min(max($0, .zero), policy.longestAdvisedWait) }
        ?? policy.backoff.delay(attempt: attempt, using: &random)
      if let end, clock.now.advanced(by: wait) > end { throw error }
      try await clock.sleep(until: clock.now.advanced(by: wait), tolerance: nil)
      attempt += 1
    }
  }
}
