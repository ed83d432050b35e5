import Retry
import TestKit
import Testing

struct RetryingTests {
  struct Broken: Error, Equatable { let attempt: Int }
  let clock = TestClock()

  /// Fails until `succeedingAt`, and counts the attempts.
  func attempts(
    _ policy: RetryPolicy, succeedingAt: Int = .max, advised: Duration? = nil, each: Duration = .zero
  ) async -> (result: Result<Int, any Error>, count: Int) {
    var count = 0
    do {
      let value = try await retrying(
        policy, clock: clock, random: SplitMix(seed: 7), classify: { _ in .retry(after: advised) }
      ) { attempt in
        count += 1
        clock.advance(by: each)
        guard attempt >= succeedingAt else { throw Broken(attempt: attempt) }
        return attempt
      }
      return (.success(value), count)
    } catch {
      return (.failure(error), count)
    }
  }

  @Test func whatSucceedsIsNotTriedAgain() async throws {
    let outcome = await attempts(RetryPolicy(), succeedingAt: 1)
    #expect(try outcome.result.get() == 1)
    #expect(outcome.count == 1)
    #expect(clock.slept.isEmpty)
  }

  @Test func itIsTriedUntilItSucceeds() async throws {
    let outcome = await attempts(RetryPolicy(maximumAttempts: 5), succeedingAt: 3)
    #expect(try outcome.result.get() == 3)
    #expect(clock.slept.count == 2)
    #expect(clock.slept[1] > clock.slept[0] / 2)
  }

  @Test func theLastFailureIsThrownWhenTheAttemptsAreUsedUp() async {
    let outcome = await attempts(RetryPolicy(maximumAttempts: 3))
    #expect(throws: Broken(attempt: 3)) { try outcome.result.get() }
    #expect(outcome.count == 3)
    #expect(clock.slept.count == 2)
  }

  @Test func aPolicyWithoutAttemptsStillTriesOnce() async {
    #expect(await attempts(RetryPolicy(maximumAttempts: 0)).count == 1)
    #expect(await attempts(.never).count == 1)
  }

  @Test func anAdvisedWaitIsFollowedExactly() async {
    _ = await attempts(RetryPolicy(maximumAttempts: 2), advised: .seconds(1.5))
    #expect(clock.slept == [.seconds(1.5)])
  }

  @Test func anAbsurdAdvisedWaitIsCut() async {
    _ = await attempts(RetryPolicy(maximumAttempts: 2, longestAdvisedWait: .seconds(20)), advised: .seconds(1e9))
    #expect(clock.slept == [.seconds(20)])
    _ = await attempts(RetryPolicy(maximumAttempts: 2), advised: .seconds(-5))
    #expect(clock.slept == [.seconds(20), .zero])
  }

  @Test func noWaitIsBegunThatWouldEndAfterTheDeadline() async {
    let policy = RetryPolicy(maximumAttempts: 100, totalDeadline: .seconds(10))
    let outcome = await attempts(policy, advised: .seconds(2), each: .seconds(1))
    // Attempts end at 1, 4, 7 and 10 seconds; the wait after the fourth would end at 12.
    #expect(outcome.count == 4)
    #expect(throws: Broken(attempt: 4)) { try outcome.result.get() }
  }

  @Test func givingUpThrowsAtOnce() async {
    await #expect(throws: Broken(attempt: 1)) {
      try await retrying(RetryPolicy(), clock: clock, classify: { _ in .giveUp }) { attempt in
        throw Broken(attempt: attempt)
      }
    }
    #expect(clock.slept.isEmpty)
  }

  @Test func aCancelledTaskIsNotTriedAgain() async {
    let clock = clock
    let task = Task {
      try await retrying(RetryPolicy(), clock: clock, classify: { _ in .retry(after: nil) }) { attempt in
        withUnsafeCurrentTask { $0?.cancel() }
        throw Broken(attempt: attempt)
      }
    }
    await #expect(throws: Broken(attempt: 1)) { try await task.value }
    #expect(clock.slept.isEmpty)
  }
}
