import Foundation
import HCL
import Logging
import PorcCore
import PorcStore
import Testing

@testable import PorcServer

/// What was left lying is found, and TFE's answer settles it.
struct SweeperTests {
  private func sweeper(_ bench: DriverBench, _ log: CollectedLog = CollectedLog()) -> Sweeper {
    Sweeper(
      store: bench.store, driver: bench.driver, retention: 3600, idle: 60, logger: log.logger, now: { bench.now })
  }

  /// A TFE run with PORC's kind of message that awaits a decision.
  private func remote(_ id: String, _ message: String, in workspace: String = "ws-web") -> FakeTFE.RemoteRun {
    FakeTFE.RemoteRun(
      id: id, workspace: workspace, status: "planned", hasChanges: true, message: message, version: "cv-1",
      isDestroy: false, autoApply: false, variables: [])
  }

  private func status(_ id: String, _ bench: DriverBench) -> String? { bench.tfe.runs.first { $0.id == id }?.status }

  @Test(arguments: [RunJob.Kind.build, .startPlan, .follow, .confirm])
  func aJobThatIsGoneIsPutBackOnceNothingMoves(kind: RunJob.Kind) async throws {
    try await DriverBench.run { bench in
      let log = CollectedLog()
      let sweeper = sweeper(bench, log)
      let id = try await bench.submit()
      try await bench.plan(id)
      var isLost = false
      while try await bench.run(id).state != .applied {
        if try await bench.run(id).state == .planned { try await bench.apply(id) }
        guard let lease = try await bench.claim() else { break }
        if lease.kind == kind, !isLost {
          try await bench.store.finish(lease)
          isLost = true
          break
        }
        try await bench.perform(lease)
      }
      #expect(isLost)
      try await sweeper.sweep()
      #expect(log.lines.isEmpty, "what has just moved is left alone")
      bench.pass(61)
      try await sweeper.sweep()
      #expect(log.lines.contains { $0.contains("a job was missing and is there again") })
      if try await bench.run(id).state.rawValue != "applying" {
        try await bench.work(id, until: .planned)
        try await bench.apply(id)
      }
      try await bench.work(id, until: .applied)
      #expect(bench.tfe.runs.count == 1)
      #expect(bench.tfe.calls.count { $0 == "POST runs/run-1/actions/apply" } == 1)
    }
  }

  @Test func anInstanceWhoseRemovalWasLostIsRemoved() async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed()
      let destroy = try await bench.submissions.destroy(
        Instance.ID("web"), request: PlanRequest(by: DriverBench.caller)
      ).run
      try await bench.work(destroy, until: .planned)
      try await bench.apply(destroy)
      try await bench.work(destroy, until: .applied)
      while let lease = try await bench.claim() { try await bench.store.finish(lease) }
      bench.pass(3700)
      try await sweeper(bench).sweep()
      while try await bench.step() {}
      #expect(try await bench.store.situation(of: Instance.ID("web")) == nil)
    }
  }

  @Test func aPlanThatAwaitsItsDecisionIsLeftAlone() async throws {
    try await DriverBench.run { bench in
      let log = CollectedLog()
      let sweeper = sweeper(bench, log)
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      for _ in 0..<4 {
        bench.pass(3600)
        try await sweeper.sweep()
        try await sweeper.look()
      }
      #expect(status("run-1", bench) == "planned")
      #expect(log.lines.isEmpty)
    }
  }

  @Test func aSecondTFERunOfAPlanIsDiscarded() async throws {
    try await DriverBench.run { bench in
      let sweeper = sweeper(bench)
      let id = try await bench.deployed()
      bench.tfe.change { $0.runs.append(remote("run-2", "\(id)/1")) }
      try await sweeper.look()
      #expect(status("run-2", bench) == "planned", "it may be about to end")
      try await sweeper.look()
      #expect(status("run-2", bench) == "discarded")
      #expect(try await bench.run(id).state == .applied)
    }
  }

  /// TFE made the run after PORC had given its plan up.
  @Test func aTFERunThatTurnsUpForACanceledPlanIsRecordedAndDiscarded() async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed()
      let id = try await bench.submit()
      try await bench.plan(id)
      while try await bench.run(id).state != .planning { try await bench.step() }
      try await bench.command(id, .cancel(by: DriverBench.caller))
      try await bench.work(id, until: .canceled)
      bench.tfe.change { $0.runs.append(remote("run-2", "\(id)/1")) }
      try await sweeper(bench).look()
      #expect(try await bench.run(id).currentPlan?.tfeRunID == "run-2")
      for _ in 0..<10 { try await bench.step() }
      #expect(status("run-2", bench) == "discarded")
      #expect(try await bench.run(id).state == .canceled)
    }
  }

  @Test func aTFERunThatThisDatabaseDoesNotKnowIsDiscardedInItsOwnWorkspaces() async throws {
    try await DriverBench.run { bench in
      let sweeper = sweeper(bench)
      _ = try await bench.deployed()
      let unknown = "porc-01k00000000000000000000000/1"
      bench.tfe.change { state in
        state.workspaces["porc-db"] = ["porc-installation": "porc", "porc-instance": "db"]
        state.runs += [remote("run-2", unknown), remote("run-3", unknown, in: "ws-db")]
      }
      for _ in 0..<3 {
        try await sweeper.look()
        bench.pass(30)
      }
      #expect(status("run-2", bench) == "discarded")
      #expect(status("run-3", bench) == "planned", "the workspace is not one of an instance of this PORC")
    }
  }

  /// What may turn up in TFE turns up soon after something happened, or not for a long time.
  @Test(arguments: [false, true])
  func whereNothingHappensTFEIsHardlyAskedAnything(isTold: Bool) async throws {
    try await DriverBench.run(isTold: isTold) { bench in
      let sweeper = sweeper(bench)
      _ = try await bench.deployed()
      let before = bench.tfe.calls.count
      for _ in 0..<360 {
        bench.pass(10)
        try await sweeper.sweep()
        try await sweeper.look()
      }
      // An hour: every 30 s for two minutes, then every ten minutes.
      let calls = bench.tfe.calls.dropFirst(before)
      #expect(Set(calls) == ["GET organizations/acme/workspaces"])
      #expect((8...12).contains(calls.count), "\(calls.count)")
    }
  }

  @Test(arguments: ["by hand", "porc-1", "porc-1/x", "porc-1/0", "porc-1/1/1", "other-1/1", ""])
  func aTFERunOfSomebodyElseIsLeftAlone(message: String) async throws {
    try await DriverBench.run { bench in
      let sweeper = sweeper(bench)
      _ = try await bench.deployed()
      bench.tfe.change { $0.runs.append(remote("run-2", message)) }
      for _ in 0..<3 {
        try await sweeper.look()
        bench.pass(30)
      }
      #expect(status("run-2", bench) == "planned")
    }
  }
}
