import Foundation
import HCL
import PorcCore
import PorcStore
import TerraformEnterprise
import Testing

@testable import PorcServer

/// A process may die at any instant, and TFE may be away for an hour: nothing is lost, and nothing is done twice.
struct RecoveryTests {
  @Test func aRunWhoseAnswerWasLostIsFoundAgainNotMadeTwice() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.losesAnswer = true }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      #expect(bench.tfe.runs.count == 1)
      #expect(try await bench.run(id).currentPlan?.tfeRunID == "run-1")
      #expect(bench.tfe.calls.count { $0 == "POST runs" } == 1)
      #expect(bench.tfe.calls.contains("GET workspaces/ws-web"))
    }
  }

  /// It is asked for twice, since its configuration was not processed the first time.
  @Test func aRunWhoseSecondAnswerWasLostIsNotMadeTwiceEither() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { ($0.losesAnswer, $0.pendingReads) = (true, 1) }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      #expect(bench.tfe.runs.count == 1)
      #expect(bench.tfe.calls.count { $0 == "POST runs" } == 2)
    }
  }

  /// Somebody started a run of his own in TFE meanwhile: the workspace's current one is another.
  @Test func aLostRunIsFoundAmongOthers() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.losesAnswer = true }
      let id = try await bench.submit()
      try await bench.plan(id)
      while bench.tfe.runs.isEmpty { try await bench.step() }
      bench.tfe.change { state in
        var other = state.runs[0]
        (other.id, other.message) = ("run-2", "by hand")
        state.runs.append(other)
      }
      try await bench.work(id, until: .planned)
      #expect(try await bench.run(id).currentPlan?.tfeRunID == "run-1")
      #expect(bench.tfe.runs.count == 2)
    }
  }

  @Test func aWorkerThatDiedBeforeItAskedLeavesTheWorkToTheNext() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      while try await bench.run(id).state != .planning { try await bench.step() }
      let lost = try #require(try await bench.claim())
      #expect(lost.kind == .startPlan)
      bench.pass(31)
      try await bench.work(id, until: .planned)
      #expect(bench.tfe.runs.count == 1)
      // The dead one comes back to life: its lease is gone.
      await #expect(throws: StoreError.leaseLost) { try await bench.store.finish(lost) }
    }
  }

  /// It died after TFE had made the run, before that was recorded.
  @Test func aWorkerThatDiedAfterItAskedIsNotRepeated() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      while try await bench.run(id).state != .planning { try await bench.step() }
      _ = try #require(try await bench.claim())
      bench.tfe.change { state in
        state.workspaces["porc-web"] = ["porc-installation": "porc", "porc-instance": "web"]
        state.runs.append(
          FakeTFE.RemoteRun(
            id: "run-1", workspace: "ws-web", status: "planned", hasChanges: true, message: "\(id)/1", version: "cv-1",
            isDestroy: false, autoApply: false, variables: []))
      }
      bench.pass(31)
      try await bench.work(id, until: .planned)
      #expect(!bench.tfe.calls.contains("POST runs"))
      #expect(try await bench.run(id).currentPlan?.configurationVersionID == "cv-1")
    }
  }

  /// In whichever step TFE goes away, the run goes on where it was when TFE is back.
  @Test(arguments: 1...12, [false, true])
  func nothingIsLostWhileTFEIsAway(step: Int, isTold: Bool) async throws {
    try await DriverBench.run(isTold: isTold) { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      for _ in 0..<step { try await bench.step() }
      bench.tfe.change { $0.isAway = true }
      for _ in 0..<5 { try await bench.step() }
      let before = try await bench.run(id).state
      #expect(!before.isFinal, "\(before)")
      bench.tfe.change { $0.isAway = false }
      try await bench.work(id, until: .planned)

      bench.tfe.change { $0.isAway = true }
      try await bench.apply(id)
      for _ in 0..<step { try await bench.step() }
      bench.tfe.change { $0.isAway = false }
      try await bench.work(id, until: .applied)
      #expect(bench.tfe.runs.count == 1)
    }
  }

  @Test func aTokenThatTFERefusesFailsNothingAndIsToldUntilItIsMended() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.knowsToken = false }
      let id = try await bench.submit()
      try await bench.plan(id)
      while try await bench.run(id).wait != .tokenRefused { try await bench.step() }
      #expect(try await bench.run(id).state == .planning)
      bench.tfe.change { $0.knowsToken = true }
      try await bench.work(id, until: .planned)
      #expect(try await bench.run(id).wait == nil)
      #expect(bench.tfe.runs.count == 1)
    }
  }

  /// The run may be there: to say that the plan failed would leave it there unseen.
  @Test func aTokenThatIsRefusedWhileARunIsInDoubtFailsNothing() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.losesAnswer = true }
      let id = try await bench.submit()
      try await bench.plan(id)
      while bench.tfe.runs.isEmpty { try await bench.step() }
      bench.tfe.change { $0.knowsToken = false }
      for _ in 0..<5 { try await bench.step() }
      #expect(try await bench.run(id).state == .planning)
      bench.tfe.change { $0.knowsToken = true }
      try await bench.work(id, until: .planned)
      #expect(bench.tfe.runs.count == 1)
    }
  }

  @Test func aRunThatTFEHasForgottenFailsWithThatReason() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      bench.tfe.change { $0.runs = [] }
      try await bench.work(id, until: .planFailed)
      #expect(try await bench.run(id).failure?.summary.contains("does not know the run run-1 any more") == true)
    }
  }

  @Test func aCancelThatComesBeforeTheAnswerEndsTheRunInTFEToo() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { state in (state.losesAnswer, state.planned) = (true, "planning") }
      let id = try await bench.submit()
      try await bench.plan(id)
      while bench.tfe.runs.isEmpty { try await bench.step() }
      try await bench.command(id, .cancel(by: DriverBench.caller))
      try await bench.work(id, until: .canceled)
      #expect(bench.tfe.runs.map(\.status) == ["canceled"])
    }
  }
}
