import Retry
import TestKit
import Testing

struct BackoffTests {
  @Test(arguments: 0..<200 as Range<UInt64>)
  func everyWaitIsBetweenHalfAndAllOfItsStep(seed: UInt64) {
    var rng = SplitMix(seed: seed)
    let backoff = Backoff(base: .milliseconds(100), ceiling: .seconds(2))
    for (attempt, full) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1600), (6, 2000), (7, 2000)] {
      let delay = backoff.delay(attempt: attempt, using: &rng)
      #expect(delay >= .milliseconds(full) / 2)
      #expect(delay <= .milliseconds(full))
    }
  }

  @Test func theJitterReallyVaries() {
    var rng = SplitMix(seed: 1)
    let delays = (0..<50).map { _ in Backoff(base: .seconds(1)).delay(attempt: 1, using: &rng) }
    #expect(Set(delays).count > 40)
  }

  @Test func anAttemptBelowOneCountsAsTheFirst() {
    var rng = SplitMix(seed: 3)
    #expect(Backoff(base: .seconds(1)).delay(attempt: -4, using: &rng) <= .seconds(1))
  }

  @Test func aHugeAttemptNumberStaysAtTheCeiling() {
    var rng = SplitMix(seed: 4)
    let backoff = Backoff(base: .milliseconds(1), ceiling: .seconds(30))
    #expect(backoff.delay(attempt: .max, using: &rng) >= .seconds(15))
    #expect(backoff.delay(attempt: .max, using: &rng) <= .seconds(30))
    #expect(Backoff(base: .zero).delay(attempt: .max, using: &rng) == .zero)
  }

  @Test func aBaseAboveTheCeilingIsCutToIt() {
    var rng = SplitMix(seed: 5)
    #expect(Backoff(base: .seconds(60), ceiling: .seconds(1)).delay(attempt: 1, using: &rng) <= .seconds(1))
  }
}
