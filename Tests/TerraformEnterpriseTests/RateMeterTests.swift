import TestKit
import Testing

@testable import TerraformEnterprise

@Suite struct RateMeterTests {
  /// Takes calls as early as they are allowed, each of which takes as long as `latency` says.
  ///
  /// - Returns: when each began and ended.
  private func history(
    of count: Int, _ meter: inout RateMeter, latency: (Int) -> Duration
  ) -> [(began: Duration, ended: Duration)] {
    var calls: [(began: Duration, ended: Duration)] = []
    var open: [Duration] = []
    var now = Duration.zero
    while calls.count < count {
      if let next = meter.next(at: now), next <= (open.min() ?? next) {
        now = next
        meter.begin(at: now)
        let end = now + latency(calls.count)
        calls.append((now, end))
        open.append(end)
      } else if let end = open.min(), let index = open.firstIndex(of: end) {
        now = max(now, end)
        open.remove(at: index)
        meter.end(at: now)
      } else {
        Issue.record("nothing is under way, and nothing is allowed")
        break
      }
    }
    return calls
  }

  @Test func tenAtOnceThenTwentyASecond() {
    var meter = RateMeter(limit: 30, window: .seconds(1))
    let calls = history(of: 40, &meter) { _ in .milliseconds(1) }
    #expect(calls.prefix(10).allSatisfy { $0.began == .zero })
    #expect(calls[10...].map(\.began) == (1...30).map { .milliseconds(50 * $0) })
  }

  @Test(arguments: [1, 2, 3, 7, 30, 100], [Duration.seconds(1), .seconds(60)])
  func noWindowOfTheirsHoldsMoreThanTheLimitHoweverSlowTheNetwork(limit: Int, window: Duration) {
    for seed in 0..<10 as Range<UInt64> {
      var rng = SplitMix(seed: seed)
      var meter = RateMeter(limit: limit, window: window)
      let calls = history(of: 4 * limit, &meter) { _ in window * Double.random(in: 0...3, using: &rng) }
      // TFE sees each at any moment between its beginning and its end: as bad a one as can be, all squeezed together.
      for moment in calls.map(\.ended) {
        let seen = calls.map { min(max($0.began, moment), $0.ended) }
        let inWindow = seen.count { $0 >= moment && $0 < moment + window }
        #expect(inWindow <= limit, "seed \(seed), at \(moment)")
      }
    }
  }

  @Test func aRaisedLimitCountsAtOnceAndALoweredOneToo() {
    var meter = RateMeter(limit: 30, window: .seconds(1))
    for _ in 0..<10 { meter.begin(at: .zero) }
    #expect(meter.next(at: .zero) == .milliseconds(50))
    meter.limit = 300
    #expect(meter.next(at: .zero) == .milliseconds(5))
    meter.limit = 10
    for _ in 0..<10 { meter.end(at: .milliseconds(100)) }
    #expect(meter.next(at: .milliseconds(100)) == .milliseconds(1100), "ten have ended within a second")
  }

  @Test func whatWasNotMadeAfterAllIsNotUnderWay() {
    var meter = RateMeter(limit: 2, window: .seconds(1))
    for _ in 0..<2 { meter.begin(at: .zero) }
    #expect(meter.next(at: .seconds(60)) == nil)
    meter.giveBack()
    #expect(meter.next(at: .seconds(60)) == .seconds(60))
  }

  @Test func whatRemainsIsWhatMayBeMadeNow() {
    var meter = RateMeter(limit: 30, window: .seconds(1))
    for left in (0..<10).reversed() {
      meter.begin(at: .zero)
      #expect(meter.remaining(at: .zero) == left)
    }
    #expect(meter.remaining(at: .milliseconds(50)) == 1)
    #expect(meter.remaining(at: .milliseconds(120)) == 2)
    #expect(meter.remaining(at: .seconds(60)) == 10)
  }
}
