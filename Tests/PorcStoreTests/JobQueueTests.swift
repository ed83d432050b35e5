import Foundation
import PorcCore
import PorcStore
import Testing

@Suite struct JobQueueTests {
  /// A store in which each of these instances has a build to do.
  private func bench(_ kind: StoreKind, building instances: String...) async throws -> Bench {
    let bench = try await Bench(kind)
    for instance in instances {
      try await bench.submit(instance, as: "porc-\(instance)")
      try await bench.command("porc-\(instance)", .build)
      bench.clock.advance(by: 1)
    }
    return bench
  }

  @Test(arguments: StoreKind.all)
  func jobsAreLeasedLongestDueFirstAndOnceOnly(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a", "b", "c")
    let two = try await bench.store.claim(worker: "w", for: 60, limit: 2)
    #expect(two.map(\.instance.rawValue) == ["a", "b"])
    #expect(
      two.allSatisfy { $0.kind == .build && $0.plan == 0 && $0.worker == "w" && $0.claims == 1 && $0.failures == 0 })
    #expect(two.first?.since == Bench.start)
    #expect(try await bench.store.claim(worker: "v", for: 60, limit: 5).map(\.instance.rawValue) == ["c"])
    #expect(try await bench.store.claim(worker: "v", for: 60, limit: 5).isEmpty)
    #expect(try await bench.store.claim(worker: "v", for: 60, limit: 0).isEmpty)
  }

  @Test(arguments: StoreKind.all)
  func theJobsOfOneInstanceAreDoneOneAtATimeByPriority(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.plan("porc-1", tfeRunID: "run-1")
    let follow = try #require(try await bench.claimOnly(.follow))
    try await bench.store.snooze(follow, for: 0)
    bench.clock.advance(by: 1)
    try await bench.command("porc-1", .cancel(by: .anna))
    bench.clock.advance(by: 1)

    let leases = try await bench.store.claim(worker: "w", for: 60, limit: 10)
    #expect(leases.map(\.kind) == [.cancel], "it is due later, and goes first")
    #expect(try await bench.claim() == nil)
    try await bench.store.finish(try #require(leases.first))
    let next = try #require(try await bench.claim())
    #expect(next.kind == .follow)
    #expect(next.plan == 1)
  }

  @Test(.timeLimit(.minutes(1)), arguments: StoreKind.all)
  func manyWorkersDoEachJobOnce(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    for number in 0..<100 {
      try await bench.submit("vm-\(number)", as: "porc-\(number)")
      try await bench.command("porc-\(number)", .build)
    }
    let done = try await withThrowingTaskGroup(of: [Run.ID].self) { group in
      for worker in 0..<8 {
        group.addTask {
          var done: [Run.ID] = []
          while case let leases = try await bench.store.claim(worker: "w\(worker)", for: 60, limit: 3), !leases.isEmpty
          {
            for lease in leases {
              try await bench.store.finish(lease)
              done.append(lease.run)
            }
          }
          return done
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(done.count == 100)
    #expect(Set(done).count == 100)
  }

  @Test(arguments: StoreKind.all)
  func aLostLeaseCanDoNothingMore(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a")
    let lost = try #require(try await bench.claim("one", for: 10))
    bench.clock.advance(by: 10)
    let held = try #require(try await bench.claim("two", for: 10))
    #expect(held.jobID == lost.jobID)
    #expect(held.token != lost.token)
    #expect(held.claims == 2)
    await #expect(throws: StoreError.leaseLost) { try await bench.store.renew(lost, for: 10) }
    await #expect(throws: StoreError.leaseLost) { try await bench.store.finish(lost) }
    await #expect(throws: StoreError.leaseLost) { try await bench.store.snooze(lost, for: 10) }
    await #expect(throws: StoreError.leaseLost) { try await bench.store.retry(lost, after: 10, because: "x") }
    try await bench.store.finish(held)
    await #expect(throws: StoreError.leaseLost) { try await bench.store.finish(held) }
    await #expect(throws: StoreError.leaseLost) { try await bench.store.renew(held, for: 10) }
  }

  @Test(arguments: StoreKind.all)
  func aRenewedLeaseHolds(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a")
    let lease = try #require(try await bench.claim("one", for: 10))
    bench.clock.advance(by: 8)
    try await bench.store.renew(lease, for: 10)
    bench.clock.advance(by: 8)
    #expect(try await bench.claim("two") == nil)
    bench.clock.advance(by: 2)
    try await bench.store.renew(lease, for: 10)  // ran out, but nobody came
    #expect(try await bench.claim("two") == nil)
    try await bench.store.finish(lease)
  }

  @Test(arguments: StoreKind.all)
  func aLeaseThatRanOutIsNotRenewedBesideAnotherOfItsInstance(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.plan("porc-1", tfeRunID: "run-1")
    let follow = try #require(try await bench.claimOnly(.follow, for: 10))
    try await bench.command("porc-1", .cancel(by: .anna))
    bench.clock.advance(by: 10)
    #expect(try await bench.claim("two")?.kind == .cancel)
    await #expect(throws: StoreError.leaseLost) { try await bench.store.renew(follow, for: 10) }
  }

  @Test(arguments: StoreKind.all)
  func waitingIsNoFailureAndFailuresAreCounted(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a")
    try await bench.store.snooze(try #require(try await bench.claim()), for: 30)
    #expect(try await bench.claim() == nil)
    #expect(try await bench.store.untilNextDue() == 30)
    bench.clock.advance(by: 30)
    let second = try #require(try await bench.claim())
    #expect((second.claims, second.failures) == (2, 0))
    try await bench.store.retry(second, after: 5, because: "TFE is away")
    #expect(try await bench.claim() == nil)
    bench.clock.advance(by: 5)
    let third = try #require(try await bench.claim())
    #expect((third.claims, third.failures) == (3, 1))
    #expect(third.since == Bench.start)
  }

  @Test(arguments: StoreKind.all)
  func aClaimThatBeganNothingDoesNotCount(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a")
    for delay in [30.0, 60] {
      let lease = try #require(try await bench.claim())
      #expect(lease.claims == 1)
      try await bench.store.snooze(lease, for: delay, isBegun: false)
      #expect(try await bench.store.untilNextDue() == delay)
      bench.clock.advance(by: delay)
    }
    try await bench.store.snooze(try #require(try await bench.claim()), for: 0)
    #expect(try await bench.claim()?.claims == 2)
  }

  @Test(arguments: StoreKind.all)
  func jobsAreClaimedInShares(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    var follows: [Lease] = []
    for number in 1...3 {
      try await bench.submit("followed-\(number)", as: "porc-\(number)")
      try await bench.plan("porc-\(number)", tfeRunID: "run-\(number)")
      follows.append(try #require(try await bench.claimOnly(.follow)))
    }
    for (delay, follow) in follows.enumerated() { try await bench.store.snooze(follow, for: Double(delay)) }
    bench.clock.advance(by: 3)
    try await bench.submit("built", as: "porc-4")
    try await bench.command("porc-4", .build)
    bench.clock.advance(by: 1)
    try await bench.command("porc-3", .cancel(by: .anna))
    bench.clock.advance(by: 1)

    let decisions = JobShare(of: [.cancel, .confirm, .discard, .override], limit: 5)
    let plans = JobShare(of: [.build, .clearPlan, .startPlan], limit: 1)
    let polls = JobShare(of: [.follow, .removeInstance], limit: 1)
    func claim(_ shares: JobShare...) async throws -> [String] {
      try await bench.store.claim(worker: "w", for: 60, shares).map { "\($0.kind.rawValue) \($0.run)" }
    }
    #expect(try await claim(JobShare(of: [.follow], limit: 0)).isEmpty)
    #expect(try await claim(decisions, plans, polls) == ["cancel porc-3", "build porc-4", "follow porc-1"])
    #expect(try await claim(decisions, plans).isEmpty)
    #expect(try await claim(decisions, plans, polls) == ["follow porc-2"], "porc-3 is worked on")
  }

  @Test(arguments: StoreKind.all)
  func aJobThatIsWokenIsDueAtOnce(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a", "b")
    for _ in 0..<2 { try await bench.store.snooze(try #require(try await bench.claim()), for: 100) }
    try await bench.store.wake([
      RunJob(.build, run: Run.ID("porc-b")), RunJob(.follow, run: Run.ID("porc-b"), plan: 1),
      RunJob(.build, run: Run.ID("porc-none")),
    ])
    #expect(try await bench.claim()?.instance.rawValue == "b")
    #expect(try await bench.claim() == nil)
  }

  @Test(arguments: StoreKind.all)
  func aJobThatIsWokenWhileItIsDoneIsDueAgainAtOnce(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a")
    let lease = try #require(try await bench.claim())
    try await bench.store.wake([RunJob(.build, run: Run.ID("porc-a"))])
    #expect(try await bench.claim("other") == nil, "the lease holds")
    try await bench.store.snooze(lease, for: 100)
    let again = try #require(try await bench.claim())
    try await bench.store.snooze(again, for: 100)
    #expect(try await bench.claim() == nil, "once")
  }

  @Test(arguments: StoreKind.all)
  func aJobThatIsAskedForAgainIsOneJobDueAtTheEarlierTime(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a")
    let first = try #require(try await bench.claim())
    try await bench.store.snooze(first, for: 100)
    try await bench.hear("porc-a", .buildFailed(Failure("no")))
    try await bench.command("porc-a", .build)
    let second = try #require(try await bench.claim())
    #expect(second.jobID == first.jobID)
    try await bench.store.finish(second)
    #expect(try await bench.store.untilNextDue() == nil)
  }

  @Test(arguments: StoreKind.all)
  func aJobThatIsAskedForWhileItIsDoneIsDoneAnew(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a")
    let first = try #require(try await bench.claim())
    try await bench.hear("porc-a", .buildFailed(Failure("no")))
    try await bench.command("porc-a", .build)
    try await bench.store.finish(first)
    let second = try #require(try await bench.claim())
    #expect((second.claims, second.failures) == (1, 0))
    #expect(second.token != first.token)
    await #expect(throws: StoreError.leaseLost) { try await bench.store.finish(first) }
    // In the transaction that asks for it anew, the old one is finished first.
    try await bench.hear("porc-a", .buildFailed(Failure("no")))
    try await bench.command("porc-a", .build, recording: Record(finishing: second))
    #expect(try await bench.claim()?.kind == .build)
  }

  @Test(arguments: StoreKind.all)
  func theNextDueTimeIsThatOfTheNextClaim(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    #expect(try await bench.store.untilNextDue() == nil)
    try await bench.submit("vm", as: "porc-1")
    #expect(try await bench.store.untilNextDue() == nil)
    try await bench.plan("porc-1", tfeRunID: "run-1")
    #expect(try await bench.store.untilNextDue() == 0)
    let follow = try #require(try await bench.claimOnly(.follow, for: 40))
    #expect(try await bench.store.untilNextDue() == 40, "if its worker dies")
    try await bench.command("porc-1", .cancel(by: .anna))
    #expect(try await bench.store.untilNextDue() == 40, "one at a time")
    try await bench.store.snooze(follow, for: 20)
    #expect(try await bench.store.untilNextDue() == 0)
    try await bench.store.finish(try #require(try await bench.claim()))
    #expect(try await bench.store.untilNextDue() == 20)
  }

  @Test(arguments: StoreKind.all)
  func jobsThatNobodyTakesAreOverdue(kind: StoreKind) async throws {
    let bench = try await bench(kind, building: "a", "b")
    #expect(try await bench.store.overdueJobs(by: 10, limit: 9).isEmpty)
    bench.clock.advance(by: 8)
    let overdue = try await bench.store.overdueJobs(by: 10, limit: 9)
    #expect(overdue == [RunJob(.build, run: Run.ID("porc-a"))], "the other is due for nine seconds")
    _ = try await bench.store.claim(worker: "w", for: 60, limit: 1)
    bench.clock.advance(by: 8)
    #expect(try await bench.store.overdueJobs(by: 10, limit: 9) == [RunJob(.build, run: Run.ID("porc-b"))])
    #expect(try await bench.store.overdueJobs(by: 10, limit: 0).isEmpty)
  }

  @Test(arguments: StoreKind.all)
  func factsCallForTheirJobs(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    #expect(try await bench.claim() == nil)
    var kinds: [RunJob.Kind] = []
    func work() async throws {
      while let lease = try await bench.claim() {
        kinds.append(lease.kind)
        try await bench.store.finish(lease)
      }
    }
    try await bench.command("porc-1", .plan(PlanRequest(by: .anna)))
    try await work()
    try await bench.hear("porc-1", .built(bundle: "b"))
    try await work()
    try await bench.hear("porc-1", .tfeRunCreated(plan: 1, tfeRunID: "run-1", configurationVersionID: "cv"))
    try await work()
    try await bench.hear("porc-1", .planFinished(plan: 1, hasChanges: true, summary: PlanSummary(additions: 1)))
    try await bench.command("run-1", .apply(tfeRunID: "run-1", by: .anna))
    try await work()
    #expect(kinds == [.build, .startPlan, .follow, .confirm])
  }
}
