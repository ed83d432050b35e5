import Foundation
import HCL
import PorcCore
import PorcStore
import Testing

@testable import PorcServer

/// What is asked of a TFE that tells by itself how its runs get on, and what becomes of a run about which it told nothing.
struct FollowTests {
  private func sweeper(_ bench: DriverBench, _ log: CollectedLog = CollectedLog()) -> Sweeper {
    Sweeper(
      store: bench.store, driver: bench.driver, retention: 3600, idle: 60, logger: log.logger, now: { bench.now })
  }

  /// Plans a run until TFE has it and nobody looks at it any more, and answers PORC's id and TFE's.
  private func made(
    _ bench: DriverBench, _ planned: String = "planning", applies: Bool = false
  ) async throws -> (id: PorcCore.Run.ID, tfe: String) {
    bench.tfe.change { $0.planned = planned }
    let count = bench.tfe.runs.count
    let id = try await bench.submit()
    try await bench.plan(id, applies: applies)
    while bench.tfe.runs.count == count { try await bench.step() }
    try await bench.step()
    return (id, "run-\(count + 1)")
  }

  /// How long until there is something to do, in seconds.
  private func rest(_ bench: DriverBench) async throws -> TimeInterval {
    try await bench.store.untilNextDue() ?? .infinity
  }

  private func reads(of run: String, _ bench: DriverBench) -> Int { bench.tfe.calls.count { $0 == "GET runs/\(run)" } }

  // MARK: The fewest calls

  @Test func aRunIsReadOnlyWhenTFETellsThatItGotOn() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      let before = bench.tfe.calls.count
      let (id, tfe) = try await made(bench)
      #expect(try await rest(bench) > 200, "nobody looks")
      bench.tfe.change { $0.runs[1].status = "planned" }
      try await bench.deliver(tfe)
      #expect(try await rest(bench) == 0, "it is read at once")
      try await bench.work(id, until: .planned)

      bench.tfe.change { $0.confirmed = "applying" }
      try await bench.apply(id)
      try await bench.step()
      #expect(try await rest(bench) > 200, "nobody looks")
      bench.tfe.change { $0.runs[1].status = "applied" }
      try await bench.deliver(tfe)
      try await bench.work(id, until: .applied)
      #expect(
        Array(bench.tfe.calls.dropFirst(before)) == [
          "POST workspaces/ws-web/configuration-versions", "POST runs", "GET runs/run-2",
          "GET plans/plan-run-2/json-output-redacted", "POST runs/run-2/actions/apply", "GET runs/run-2",
          "GET workspaces/ws-web/current-state-version-outputs",
        ])
    }
  }

  /// However long the apply takes.
  @Test func planAndApplyInOneCommandTakeFiveCallsAndTheSweepsThatFindTheApply() async throws {
    try await DriverBench.run(isTold: true) { bench in
      let sweeper = sweeper(bench)
      _ = try await bench.deployed()
      try await sweeper.look()
      let before = bench.tfe.calls.count
      let (id, tfe) = try await made(bench, applies: true)
      for status in ["planning", "apply_queued", "applying", "applying"] {
        bench.tfe.change { $0.runs[1].status = status }
        bench.pass(10)
        try await sweeper.look()
        #expect(try await bench.run(id).state == (status == "applying" ? .applying : .planning))
      }
      bench.tfe.change { $0.runs[1].status = "applied" }
      try await bench.deliver(tfe)
      try await bench.work(id, until: .applied)
      #expect(
        bench.tfe.calls.dropFirst(before).filter { $0 != "GET organizations/acme/workspaces" } == [
          "POST workspaces/ws-web/configuration-versions", "POST runs", "GET plans/plan-run-2/json-output-redacted",
          "GET runs/run-2", "GET workspaces/ws-web/current-state-version-outputs",
        ])
      #expect(try await bench.run(id).currentPlan?.summary?.resources.count == 2)
    }
  }

  /// A TFE that is away tells nothing, and so nobody would hear that it is away.
  @Test(arguments: [503, nil]) func aTFEThatIsAwayIsToldByTheRunsThatNobodyReads(status: Int?) async throws {
    try await DriverBench.run(isTold: true) { bench in
      let sweeper = sweeper(bench)
      _ = try await bench.deployed()
      let (id, tfe) = try await made(bench)
      try await sweeper.look()
      bench.tfe.change { ($0.isAway, $0.errorStatus) = (true, status) }
      var since: Set<Date?> = []
      for _ in 0..<2 {
        bench.pass(10)
        await #expect(throws: (any Error).self) { try await sweeper.look() }
        #expect(try await bench.run(id).wait == (status.map { .tfeFailing(status: $0) } ?? .tfeUnreachable))
        since.insert(try await bench.run(id).waitsSince)
      }
      #expect(since.count == 1, "it is one outage")

      bench.tfe.change { $0.isAway = false }
      bench.pass(10)
      try await sweeper.look()
      while try await bench.run(id).wait != nil { try await bench.step() }
      #expect(reads(of: tfe, bench) == 0, "the look tells enough")
      #expect(try await rest(bench) > 200, "nobody looks")
    }
  }

  // MARK: Deliveries and their order

  /// TFE may tell of a run before it answers the call that makes it.
  @Test func whatIsToldBeforeTheRunIsKnownIsNotLost() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      bench.tfe.change { $0.planned = "planned" }
      let id = try await bench.submit()
      try await bench.plan(id)
      while try await bench.run(id).state != .planning { try await bench.step() }
      try await bench.deliver("run-2")
      #expect(try await bench.store.locate("run-2") == nil)
      let start = bench.now
      try await bench.work(id, until: .planned)
      #expect(bench.now.timeIntervalSince(start) < 1)
      #expect(reads(of: "run-2", bench) == 1)
    }
  }

  /// As above, and the job is there, but nobody has claimed it yet.
  @Test func whatIsToldBeforeAnybodyFollowsIsNotLost() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      let id = try await bench.submit()
      try await bench.plan(id)
      while bench.tfe.runs.count < 2 { try await bench.step() }
      try await bench.deliver("run-2")
      let start = bench.now
      try await bench.work(id, until: .planned)
      #expect(bench.now.timeIntervalSince(start) < 1)
    }
  }

  /// It is told while the job that found nothing to do is being given back.
  @Test func whatIsToldWhileSomebodyLooksIsLookedAtAgain() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      let id = try await bench.submit()
      try await bench.plan(id)
      while bench.tfe.runs.count < 2 { try await bench.step() }
      let lease = try #require(try await bench.claim())
      #expect(lease.kind == .follow)
      try await bench.deliver("run-2")
      try await bench.perform(lease)
      #expect(try await rest(bench) == 0)
      try await bench.work(id, until: .planned)
    }
  }

  @Test func deliveriesInTheWrongOrderOrTwiceChangeNothing() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      let (id, tfe) = try await made(bench, applies: true)
      bench.tfe.change { $0.runs[1].status = "applied" }
      try await bench.deliver(tfe, as: "completed")
      try await bench.work(id, until: .applied)
      let calls = bench.tfe.calls.count
      for delivery in ["needs attention", "completed", "needs attention"] { try await bench.deliver(tfe, as: delivery) }
      while try await rest(bench) < 200, try await bench.step() {}
      #expect(bench.tfe.calls.count == calls)
      #expect(try await bench.run(id).state == .applied)
    }
  }

  @Test func theSameDeliveryIsReadForOnce() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      let (_, tfe) = try await made(bench)
      for _ in 0..<3 {
        try await bench.deliver(tfe, as: "again and again")
        while try await rest(bench) < 200, try await bench.step() {}
      }
      #expect(reads(of: tfe, bench) == 1)
    }
  }

  @Test func aRunThatIsBeingCanceledIsFollowedToItsEnd() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      let (id, _) = try await made(bench)
      try await bench.command(id, .cancel(by: DriverBench.caller))
      let start = bench.now
      try await bench.work(id, until: .canceled)
      #expect(bench.now.timeIntervalSince(start) < 5)
    }
  }

  @Test func anApplyThatSomebodyElseConfirmedIsReadAtOnce() async throws {
    try await DriverBench.run(isTold: true) { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      bench.tfe.change { $0.runs[0].status = "applied" }  // so confirming it is a conflict
      let start = bench.now
      try await bench.work(id, until: .applied)
      #expect(bench.now.timeIntervalSince(start) < 5)
    }
  }

  // MARK: Deliveries that are lost

  @Test(arguments: [("planned", RunState.planned), ("policy_override", .policyOverride), ("canceled", .canceled)])
  func whatTFEDoesNotTellIsFoundByTheSweepAndTheNotificationsAreMended(status: String, state: RunState) async throws {
    try await DriverBench.run(isTold: true) { bench in
      let log = CollectedLog()
      let sweeper = sweeper(bench, log)
      _ = try await bench.deployed()
      bench.pass(3600)
      let (id, tfe) = try await made(bench)
      try await sweeper.look()
      bench.pass(10)
      try await sweeper.look()
      #expect(reads(of: tfe, bench) == 0)

      bench.tfe.change { $0.runs[1].status = status }
      bench.pass(10)
      try await sweeper.look()
      let start = bench.now
      try await bench.work(id, until: state)
      #expect(bench.now.timeIntervalSince(start) < 1)
      #expect(reads(of: tfe, bench) == 1)

      let patches = { bench.tfe.calls.count { $0.hasPrefix("PATCH notification-configurations") } }
      for _ in 0..<20 {
        bench.pass(10)
        try await sweeper.look()
      }
      #expect(patches() == 1, "once")
      #expect(bench.log.lines.count { $0.contains("TFE did not tell that a run got on, and was asked anew") } == 1)
      #expect(reads(of: tfe, bench) == 1, "a run that stays as it is is not read again")
    }
  }

  @Test func whatTFEDidTellIsNotMended() async throws {
    try await DriverBench.run(isTold: true) { bench in
      let sweeper = sweeper(bench)
      _ = try await bench.deployed()
      bench.pass(3600)
      let (id, tfe) = try await made(bench)
      try await sweeper.look()
      bench.tfe.change { $0.runs[1].status = "planned" }
      bench.pass(10)
      try await sweeper.look()  // a moment before the delivery
      try await bench.deliver(tfe)
      try await bench.work(id, until: .planned)
      for _ in 0..<5 {
        bench.pass(10)
        try await sweeper.look()
      }
      #expect(!bench.tfe.calls.contains { $0.hasPrefix("PATCH") })
    }
  }

  /// Confirmed in TFE's own pages.
  @Test func anApplyThatBeganIsSeenWithoutReadingTheRun() async throws {
    try await DriverBench.run(isTold: true) { bench in
      let sweeper = sweeper(bench)
      let (id, tfe) = try await made(bench, "planned")
      try await bench.deliver(tfe)
      try await bench.work(id, until: .planned)
      try await sweeper.look()
      let calls = bench.tfe.calls.count
      bench.tfe.change { $0.runs[0].status = "applying" }
      bench.pass(30)
      try await sweeper.look()
      #expect(try await bench.run(id).state == .applying)
      #expect(bench.tfe.calls.dropFirst(calls) == ["GET organizations/acme/workspaces"])
    }
  }

  /// TFE took the confirmation, somebody was faster after all, and of a discard TFE tells nothing.
  @Test func aConfirmedPlanThatIsDiscardedIsFoundByTheSweep() async throws {
    try await DriverBench.run(isTold: true) { bench in
      let sweeper = sweeper(bench)
      let (id, tfe) = try await made(bench, "planned")
      try await bench.deliver(tfe)
      try await bench.work(id, until: .planned)
      try await sweeper.look()
      bench.tfe.change { $0.confirmed = "discarded" }
      try await bench.apply(id)
      try await bench.step()
      #expect(try await bench.run(id).state == .applying)
      bench.pass(10)
      try await sweeper.look()
      try await bench.work(id, until: .discarded)
      bench.pass(400)
      try await sweeper.look()
      #expect(!bench.tfe.calls.contains { $0.hasPrefix("PATCH") }, "nothing was to be told")
    }
  }

  /// What happened while nobody looked is found with the first look.
  @Test func whatHappenedWhilePORCWasAwayIsFoundWhenItStarts() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      let (id, _) = try await made(bench, applies: true)
      bench.tfe.change { $0.runs[1].status = "applied" }
      let sweeper = sweeper(bench)
      try await sweeper.look()
      let start = bench.now
      try await bench.work(id, until: .applied)
      #expect(bench.now.timeIntervalSince(start) < 1)
      bench.pass(400)
      try await sweeper.look()
      #expect(!bench.tfe.calls.contains { $0.hasPrefix("PATCH") }, "nothing could have been told")
    }
  }

  /// It is no workspace's current run, so no sweep sees it; and it is not read with each.
  @Test func aRunThatWaitsBehindAnotherIsReadOnceByTheSweep() async throws {
    try await DriverBench.run(isTold: true) { bench in
      let sweeper = sweeper(bench)
      _ = try await bench.deployed()
      try await sweeper.look()
      let (_, tfe) = try await made(bench, "pending")
      bench.tfe.change { state in
        var other = state.runs[1]
        (other.id, other.message, other.status) = ("run-3", "by hand", "planning")
        state.runs.append(other)
      }
      for _ in 0..<10 {
        bench.pass(10)
        try await sweeper.look()
        while try await rest(bench) <= 0, try await bench.step() {}
      }
      #expect(reads(of: tfe, bench) == 1)
      #expect(!bench.tfe.calls.contains { $0.hasPrefix("PATCH") })
    }
  }

  @Test func aRunOfAWorkspaceThatTFETellsNothingAboutIsPolled() async throws {
    try await DriverBench.run(isTold: true) { bench in
      bench.tfe.change { $0.refusesNotifications = 404 }
      let (id, tfe) = try await made(bench)
      for _ in 0..<5 { try await bench.step() }
      #expect(reads(of: tfe, bench) > 3)
      bench.tfe.change { $0.runs[0].status = "planned" }
      try await bench.work(id, until: .planned)
    }
  }
}
