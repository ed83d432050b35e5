import HTTPTypes
import Retry
import Synchronization
import TerraformEnterprise
import TestKit
import Testing

/// The budget and the client together, as a server sees them.
@Suite(.timeLimit(.minutes(1)))
struct CallBudgetTests {
  let tfe = TFE()

  private static let rateLimit = HTTPField.Name("X-RateLimit-Limit")!  // a valid field name

  /// When each call arrived, on the given clock.
  private final class Arrivals<C: Clock>: Sendable where C.Duration == Duration {
    private let clock: C
    private let start: C.Instant
    private let times = Mutex<[Duration]>([])
    init(_ clock: C) { (self.clock, start) = (clock, clock.now) }
    func note() { times.withLock { $0.append(start.duration(to: clock.now)) } }

    var last: Duration { times.withLock { $0.max() ?? .zero } }

    /// The most that arrived in any window of this length.
    func most(in window: Duration) -> Int {
      let times = times.withLock { $0.sorted() }
      return times.indices.map { first in times[first...].prefix { $0 < times[first] + window }.count }.max() ?? 0
    }
  }

  private func readings(_ count: Int, of client: Client) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<count { group.addTask { _ = try await client.runs.read("run-1") } }
      try await group.waitForAll()
    }
  }

  /// Time jumps here with each wait, as if the network took any time it likes: only what was answered is known to have
  /// arrived.
  @Test func neverMoreThanTheLimitInAnySecondWhateverTheNetworkDoes() async throws {
    let arrivals = Arrivals(tfe.clock)
    tfe.server.always("GET /api/v2/runs/run-1") { _ in
      arrivals.note()
      return TFE.run()
    }
    let budget = RateBudget(clock: tfe.clock)
    try await tfe.serve({ $0.budget = budget }) { client in
      _ = try await client.discovery.apiPath()
      try await readings(200, of: client)
    }
    #expect(tfe.calls.count == 200)
    #expect(arrivals.most(in: .seconds(1)) <= 30)
    #expect(arrivals.last >= .seconds(9.5), "201 calls, of which ten at once")
    #expect(budget.reading.made == [.plan: 201])
  }

  @Test func neverMoreThanTheLimitInAnySecondOnARealClock() async throws {
    let arrivals = Arrivals(ContinuousClock())
    tfe.server.always("GET /api/v2/runs/run-1") { _ in
      arrivals.note()
      return TFE.run()
    }
    try await tfe.serve({ $0.budget = RateBudget(callsPerSecond: 120) }) { client in
      _ = try await client.discovery.apiPath()
      try await readings(200, of: client)
    }
    #expect(tfe.calls.count == 200)
    #expect(arrivals.most(in: .seconds(1)) <= 120)
  }

  @Test func aSingleLifecycleIsNotSlowed() async throws {
    tfe.server.always("GET /api/v2/runs/run-1") { _ in TFE.run() }
    try await tfe.serve({ [clock = tfe.clock] in $0.budget = RateBudget(clock: clock) }) { client in
      for _ in 0..<9 { _ = try await client.runs.read("run-1") }
    }
    #expect(tfe.clock.slept.isEmpty)
  }

  @Test func runListsHaveTheirOwnLimit() async throws {
    let arrivals = Arrivals(tfe.clock)
    for path in ["workspaces/ws-1/runs", "organizations/acme/runs"] {
      tfe.server.always("GET /api/v2/\(path)") { _ in
        arrivals.note()
        return .json(#"{"data": []}"#)
      }
    }
    tfe.server.always("GET /api/v2/runs/run-1") { _ in TFE.run() }
    try await tfe.serve({ [clock = tfe.clock] in $0.budget = RateBudget(clock: clock) }) { client in
      _ = try await client.discovery.apiPath()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<60 {
          group.addTask {
            let list =
              number % 2 == 0 ? client.runs.list(workspace: "ws-1") : client.runs.list(organization: "acme")
            _ = try await list.collected()
          }
        }
        try await group.waitForAll()
      }
      let before = tfe.clock.now
      _ = try await client.runs.read("run-1")
      #expect(before.duration(to: tfe.clock.now) <= .seconds(1), "other calls do not wait a minute")
    }
    #expect(tfe.calls.count == 61)
    #expect(arrivals.most(in: .seconds(60)) <= 30)
    #expect(arrivals.last >= .seconds(150))
  }

  @Test func aRefusalStopsTheOthersTooAndTheRetryIsPaid() async throws {
    tfe.server.on("GET /api/v2/runs/run-1", .status(429, headers: [TFE.rateLimitReset: "4.5"]), TFE.run())
    tfe.server.on("GET /api/v2/runs/run-2", TFE.run())
    let budget = RateBudget(clock: tfe.clock)
    try await tfe.serve({
      $0.budget = budget
      $0.retryPolicy = .never
    }) { client in
      await #expect(throws: TFEError.self) { _ = try await client.runs.read("run-1") }
      _ = try await client.runs.read("run-2")
      #expect(tfe.clock.slept == [.seconds(4.5)])
    }
    try await tfe.serve({ $0.budget = budget }) { _ = try await $0.runs.read("run-1") }
    #expect(budget.reading.refused == [.general: 1])
    #expect(budget.reading.made.values.reduce(0, +) == 5, "three calls, and two discoveries")
  }

  @Test func everyAttemptIsPaid() async throws {
    tfe.server.on("GET /api/v2/runs/run-1", .status(502), .brokenOff, TFE.run())
    let budget = RateBudget(callsPerSecond: 1000, clock: tfe.clock)
    _ = try await tfe.serve({ $0.budget = budget }) { try await $0.with(priority: .poll).runs.read("run-1") }
    #expect(budget.reading.made == [.poll: 4], "three attempts, and the discovery")
  }

  @Test func theLimitIsTheOneThatAnswersSay() async throws {
    var answer = TFE.run()
    answer.headers[Self.rateLimit] = "90"
    tfe.server.on("GET /api/v2/runs/run-1", answer)
    let budget = RateBudget(clock: tfe.clock)
    _ = try await tfe.serve({ $0.budget = budget }) { try await $0.runs.read("run-1") }
    #expect(budget.reading.limits[.general] == 90)
  }

  @Test func signedAddressesDoNotCount() async throws {
    let store = ScriptedServer()
    for server in [store, tfe.server] { server.always("GET /log") { _ in .status(200, body: [3]) } }
    let budget = RateBudget(clock: tfe.clock)
    try await store.serve { away in
      try await tfe.serve({ $0.budget = budget }) { client in
        for address in ["\(away)/log", "\(tfe.server.url)/log", "/log"] {
          _ = try await client.logs.read(SignedURL(address))
        }
        #expect(budget.reading.made.values.reduce(0, +) <= 1, "the discovery, if it was asked")
        #expect(store.calls.count + tfe.server.calls.filter { $0 == "GET /log" }.count == 3)
      }
    }
  }

  @Test func theApplyIsTheNextCallWhereManyWait() async throws {
    tfe.server.always("GET /api/v2/runs/run-1") { _ in TFE.run() }
    tfe.server.on("POST /api/v2/runs/run-1/actions/apply", .status(202))
    let clock = HeldClock()
    let budget = RateBudget(callsPerSecond: 1, clock: clock)
    try await tfe.serve({ $0.budget = budget }) { client in
      _ = try await client.discovery.apiPath()
      let polls = client.with(priority: .poll)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 { group.addTask { _ = try await polls.runs.read("run-1") } }
        while budget.reading.waiting[.poll] != 8 { await Task.yield() }
        group.addTask { try await client.with(priority: .apply).runs.apply("run-1") }
        while budget.reading.waiting[.apply] != 1 { await Task.yield() }
        clock.release()
        try await group.waitForAll()
      }
    }
    #expect(tfe.calls.first == "POST /api/v2/runs/run-1/actions/apply")
    #expect(tfe.calls.count == 9)
  }
}
