import Synchronization
import TerraformEnterprise
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RateBudgetTests {
  let clock = TestClock()

  private final class Callers: Sendable {
    let order = Mutex<[String]>([])
    var done: [String] { order.withLock(\.self) }
  }

  /// Lets `names` wait, one after the other, and when `age` has passed `late`; then time goes on.
  ///
  /// - Returns: the order in which they went.
  private func order(
    _ names: [(String, CallPriority)], age: Duration = .zero, late: [(String, CallPriority)] = []
  ) async throws -> [String] {
    let clock = HeldClock()
    let budget = RateBudget(callsPerSecond: 1, clock: clock)
    let callers = Callers()
    try await budget.take(.general, priority: .plan)
    budget.hear(RateLimitWord(reset: age + .seconds(1), isRefusal: true), of: .general)
    try await withThrowingTaskGroup(of: Void.self) { group in
      var count = 0
      for (index, (name, priority)) in (names + late).enumerated() {
        if index == names.count { clock.advance(by: age) }
        group.addTask {
          try await budget.take(.general, priority: priority)
          callers.order.withLock { $0.append(name) }
          budget.hear(.nothing, of: .general)
        }
        count += 1
        while budget.reading.waiting.values.reduce(0, +) < count { await Task.yield() }
      }
      clock.release()
      try await group.waitForAll()
    }
    return callers.done
  }

  @Test func whoWaitsGoesByPriorityThenInTurn() async throws {
    let order = try await order([
      ("background", .background), ("poll 1", .poll), ("plan", .plan), ("apply 1", .apply), ("poll 2", .poll),
      ("cancel", .cancel), ("apply 2", .apply),
    ])
    #expect(order == ["apply 1", "apply 2", "cancel", "plan", "poll 1", "poll 2", "background"])
  }

  @Test func oneInEightIsTheOneThatWaitsLongest() async throws {
    let plans = (0..<20).map { ("plan \($0)", CallPriority.plan) }
    let order = try await order([("poll", .poll), ("background", .background)], age: .seconds(11), late: plans)
    #expect(order.firstIndex(of: "poll") == 7)
    #expect(order.firstIndex(of: "background") == 15)
  }

  @Test func itGoesAtThePaceAndCountsWhatIsLeft() async throws {
    let budget = RateBudget(clock: clock)
    #expect(budget.reading.remaining == [.general: 10, .runLists: 10])
    for _ in 0..<30 {
      try await budget.take(.general, priority: .poll)
      budget.hear(.nothing, of: .general)
    }
    #expect(clock.slept == (0..<20).map { _ in .milliseconds(50) })
    let reading = budget.reading
    #expect(reading.limits == [.general: 30, .runLists: 30])
    #expect(reading.remaining == [.general: 0, .runLists: 10])
    #expect(reading.made == [.poll: 30])
    #expect(reading.refused.isEmpty)
  }

  @Test func aRunListCountsUnderBothLimits() async throws {
    let budget = RateBudget(clock: clock)
    for _ in 0..<12 {
      try await budget.take(.runLists, priority: .plan)
      budget.hear(.nothing, of: .runLists)
    }
    #expect(clock.slept == [.seconds(3), .seconds(3)], "thirty a minute, at two thirds")
    #expect(budget.reading.made == [.plan: 12])
    #expect(budget.reading.remaining == [.general: 9, .runLists: 0])
  }

  @Test func aRefusalStopsEverybodyUntilTheResetAndNoBurstFollows() async throws {
    let budget = RateBudget(clock: clock)
    try await budget.take(.general, priority: .poll)
    budget.hear(RateLimitWord(reset: .seconds(2.5), isRefusal: true), of: .general)
    #expect(budget.delay(for: .apply) == .seconds(2.5))
    #expect(budget.reading.remaining[.general] == 0)
    for _ in 0..<3 {
      try await budget.take(.general, priority: .apply)
      budget.hear(.nothing, of: .general)
    }
    #expect(clock.slept == [.seconds(2.5), .milliseconds(50), .milliseconds(50)])
    #expect(budget.reading.refused == [.general: 1])
  }

  @Test(arguments: [(Duration?.some(.seconds(86_400)), Duration.seconds(60)), (nil, .seconds(1))])
  func aRefusalsTimeIsBounded(reset: Duration?, delay: Duration) async throws {
    for limit in [nil, 0, 5] {
      let budget = RateBudget(callsPerSecond: limit, clock: clock)
      try await budget.take(.general, priority: .poll)
      budget.hear(RateLimitWord(reset: reset, isRefusal: true), of: .general)
      #expect(budget.delay(for: .poll) == delay)
    }
  }

  @Test func aRefusedRunListStopsRunListsOnly() async throws {
    let budget = RateBudget(clock: clock)
    try await budget.take(.runLists, priority: .poll)
    budget.hear(RateLimitWord(reset: .seconds(20), isRefusal: true), of: .runLists)
    try await budget.take(.general, priority: .poll)
    #expect(clock.slept.isEmpty)
    try await budget.take(.runLists, priority: .poll)
    #expect(clock.slept == [.seconds(20)])
  }

  @Test func anAnswerThatLeavesNothingStopsUntilTheWindowIsOver() async throws {
    let budget = RateBudget(clock: clock)
    try await budget.take(.general, priority: .poll)
    budget.hear(RateLimitWord(limit: 30, remaining: 0, reset: .milliseconds(300)), of: .general)
    #expect(budget.delay(for: .poll) == .milliseconds(300))
    budget.hear(RateLimitWord(limit: 30, remaining: 0, reset: .seconds(3600)), of: .general)
    #expect(budget.delay(for: .poll) == .seconds(1), "a window is a second")
  }

  @Test func theLimitFollowsTheAnswersUnlessItIsSet() async throws {
    func limit(_ setting: Int?, _ said: Int?) async throws -> Int? {
      let budget = RateBudget(callsPerSecond: setting, clock: clock)
      try await budget.take(.general, priority: .poll)
      budget.hear(RateLimitWord(limit: said), of: .general)
      return budget.reading.limits[.general]
    }
    #expect(try await limit(nil, nil) == 30)
    #expect(try await limit(nil, 60) == 60)
    #expect(try await limit(nil, 1_000_000) == 1000)
    #expect(try await limit(nil, 0) == 30)
    #expect(try await limit(nil, -1) == 30)
    #expect(try await limit(12, 60) == 12)
    #expect(try await limit(0, 60) == nil)
  }

  @Test func withoutALimitNothingWaits() async throws {
    let budget = RateBudget(callsPerSecond: 0, clock: clock)
    for _ in 0..<1000 { try await budget.take(.runLists, priority: .background) }
    #expect(clock.slept.isEmpty)
    #expect(budget.reading.limits.isEmpty && budget.reading.remaining.isEmpty)
    #expect(budget.delay(for: .background) == .zero)
  }

  @Test func theDelayCountsThoseWhoGoBefore() async throws {
    let clock = HeldClock()
    let budget = RateBudget(callsPerSecond: 3, clock: clock)
    #expect(budget.delay(for: .poll) == .zero)
    try await budget.take(.general, priority: .poll)
    budget.hear(.nothing, of: .general)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for priority in [CallPriority.plan, .poll, .poll] {
        group.addTask { try await budget.take(.general, priority: priority) }
      }
      while budget.reading.waiting.values.reduce(0, +) < 3 { await Task.yield() }
      #expect(budget.delay(for: .apply) == .milliseconds(500))
      #expect(budget.delay(for: .plan) == .milliseconds(1000))
      #expect(budget.delay(for: .poll) == .milliseconds(2000))
      clock.advance(by: .milliseconds(250))
      #expect(budget.reading.longestWait == .milliseconds(250))
      group.cancelAll()
      do { try await group.waitForAll() } catch is CancellationError {}
    }
    #expect(budget.reading.waiting.values.allSatisfy { $0 == 0 })
    clock.release()
  }

  @Test func whoIsCanceledLeavesAndTakesNothing() async throws {
    let clock = HeldClock()
    let budget = RateBudget(callsPerSecond: 1, clock: clock)
    try await budget.take(.general, priority: .poll)
    budget.hear(.nothing, of: .general)
    let first = Task { try await budget.take(.general, priority: .apply) }
    while budget.reading.waiting[.apply] != 1 { await Task.yield() }
    let second = Task { try await budget.take(.general, priority: .poll) }
    while budget.reading.waiting[.poll] != 1 { await Task.yield() }
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    #expect(budget.reading.waiting[.apply] == 0)
    clock.release()
    try await second.value
    #expect(budget.reading.made == [.poll: 2])
  }
}
