import Foundation
import HCL
import PorcCore
import PorcStore
import Synchronization
import TestKit
import Testing

@testable import PorcServer

/// What the driver asks of TFE on a run's way, call by call.
struct RunDriverTests {
  private static let second = [
    "POST workspaces/ws-web/configuration-versions", "POST runs",
    "GET runs/run-2", "GET plans/plan-run-2/json-output-redacted", "POST runs/run-2/actions/apply", "GET runs/run-2",
    "GET workspaces/ws-web/current-state-version-outputs",
  ]

  @Test func aFirstRunMakesItsWorkspaceAndAsksForNothingTwice() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.outputs = [("endpoint", "https://eu", false), ("key", "never", true)] }
      let id = try await bench.deployed()
      #expect(
        bench.tfe.calls == [
          "GET organizations/acme/workspaces/porc-web", "POST organizations/acme/workspaces",
          "POST workspaces/ws-web/configuration-versions", "POST runs",
          "GET runs/run-1", "GET plans/plan-run-1/json-output-redacted", "POST runs/run-1/actions/apply",
          "GET runs/run-1", "GET workspaces/ws-web/current-state-version-outputs",
        ])
      let made = try #require(bench.tfe.runs.first)
      #expect(made.message == "\(id)/1" && made.version == "cv-1")
      #expect(!made.autoApply && !made.isDestroy)
      #expect(made.variables == [["key": "region", "value": "\"eu\""]])
      let tags = bench.tfe.state.withLock { $0.workspaces["porc-web"] }
      #expect(tags == ["porc-installation": "porc", "porc-instance": "web"])

      let located = try #require(try await bench.store.locate(id.rawValue))
      #expect(located.run.currentPlan?.summary?.additions == 2)
      #expect(located.run.currentPlan?.summary?.resources.map(\.address) == ["random_pet.a", "random_pet.b"])
      let outputs = located.situation.instance.deployed?.outputs
      #expect(outputs?["endpoint"] == PorcCore.Output(value: "https://eu", isSensitive: false))
      #expect(outputs?["key"] == PorcCore.Output(value: nil, isSensitive: true))
    }
  }

  @Test func aRunOfAnExistingWorkspaceTakesSevenCalls() async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed()
      let before = bench.tfe.calls.count
      _ = try await bench.deployed("web", ["region": "us"])
      #expect(Array(bench.tfe.calls.dropFirst(before)) == Self.second)
      #expect(Self.second.count == 7)
    }
  }

  // MARK: A configuration that TFE has not processed yet

  /// However often it is asked, there is one run.
  @Test(arguments: [0, 1, 3])
  func aRunThatComesBeforeItsConfigurationIsProcessedIsMadeAfterIt(reads: Int) async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed()
      let before = bench.tfe.calls.count
      // With 0 it is refused once, though a moment later the version is processed.
      bench.tfe.change { $0.pendingReads = reads }
      if reads == 0 { bench.tfe.server.on("POST /api/v2/runs", .status(422)) }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      let looks = Array(repeating: "GET configuration-versions/cv-2", count: reads + 1)
      #expect(
        Array(bench.tfe.calls.dropFirst(before).prefix(reads + 4)) == [
          "POST workspaces/ws-web/configuration-versions", "POST runs",
        ] + looks + ["POST runs"])
      #expect(bench.tfe.runs.count == 2)
    }
  }

  @Test func aConfigurationThatTFECannotReadFailsThePlanWithItsReason() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.uploadError = "no root module" }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planFailed)
      #expect(
        try await bench.run(id).failure
          == Failure("Terraform Enterprise could not read the configuration", detail: "no root module"))
      #expect(bench.tfe.calls.count { $0 == "POST runs" } == 1)
    }
  }

  @Test func aRefusalThatIsMeantIsBelievedTheSecondTime() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.refusesRuns = true }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planFailed)
      #expect(try await bench.run(id).failure?.detail?.contains("not now") == true)
      #expect(
        bench.tfe.calls.suffix(3) == ["POST runs", "GET configuration-versions/cv-1", "POST runs"])
    }
  }

  @Test func noMorePlansBeginThanTFEIsToHaveAtOnce() async throws {
    try await DriverBench.run(maximumRuns: 1) { bench in
      var ids: [PorcCore.Run.ID] = []
      for name in ["web", "db"] {
        ids.append(try await bench.submit(name))
        try await bench.plan(ids[ids.count - 1])
      }
      var mostAtOnce = 0
      for _ in 0..<60 where try await bench.step() {
        var underWay = 0
        var states: [RunState] = []
        for id in ids {
          let run = try await bench.run(id)
          states.append(run.state)
          if run.state == .planning, run.currentPlan?.tfeRunID != nil { underWay += 1 }
        }
        mostAtOnce = max(mostAtOnce, underWay)
        if states == [.planned, .planned] { break }
      }
      #expect(mostAtOnce == 1)
      for id in ids { #expect(try await bench.run(id).state == .planned) }
    }
  }

  @Test func planAndApplyInOneCommandNeedsNoConfirmation() async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed()
      let before = bench.tfe.calls.count
      let id = try await bench.submit()
      try await bench.plan(id, applies: true)
      try await bench.work(id, until: .applied)
      #expect(
        Array(bench.tfe.calls.dropFirst(before)) == [
          "POST workspaces/ws-web/configuration-versions", "POST runs",
          "GET runs/run-2", "GET plans/plan-run-2/json-output-redacted",
          "GET workspaces/ws-web/current-state-version-outputs",
        ])
      #expect(bench.tfe.runs.last?.autoApply == true)
    }
  }

  @Test func aPlanWithoutChangesIsAppliedWithoutAnotherCall() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.hasChanges = false }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      let before = bench.tfe.calls.count
      try await bench.apply(id)
      #expect(try await bench.run(id).state == .applied)
      while try await bench.step() {}
      #expect(bench.tfe.calls.count == before)
    }
  }

  /// TFE died after Terraform had made everything and before it knew: the next plan finds nothing to change.
  @Test func whatAnApplyLeftThatDidNotFinishIsReadWithTheNextPlan() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { state in
        state.confirmed = "errored"
        state.outputs = [("endpoint", "https://eu", false)]
      }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      try await bench.work(id, until: .applyFailed)
      #expect(try await bench.run(id).isPartial)
      bench.tfe.change { $0.hasChanges = false }
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      let deployed = try await bench.store.situation(of: Instance.ID("web"))?.instance.deployed
      #expect(deployed?.run == id)
      #expect(deployed?.outputs == ["endpoint": PorcCore.Output(value: "https://eu", isSensitive: false)])
    }
  }

  @Test func aDestroyGoesByWhatWasApplied() async throws {
    try await DriverBench.run { bench in
      let deployed = try await bench.deployed("web", ["region": "eu", "size": 3])
      _ = try await bench.submit("web", ["region": "never applied"])
      let before = bench.tfe.calls.count
      let destroy = try await bench.submissions.destroy(
        Instance.ID("web"), request: PlanRequest(by: DriverBench.caller)
      ).run
      try await bench.work(destroy, until: .planned)
      #expect(bench.tfe.calls.dropFirst(before).first == "POST runs")  // no new configuration
      let made = try #require(bench.tfe.runs.last)
      #expect(made.isDestroy && made.version == "cv-1")
      #expect(made.variables == [["key": "region", "value": "\"eu\""], ["key": "size", "value": "3"]])
      try await bench.apply(destroy)
      try await bench.work(destroy, until: .applied)
      #expect(try await bench.run(deployed).state == .applied)

      // When its time is over, the workspace goes and the instance with it.
      bench.pass(3601)
      while try await bench.step() {}
      #expect(bench.tfe.calls.last == "POST workspaces/ws-web/actions/safe-delete")
      #expect(try await bench.store.situation(of: Instance.ID("web")) == nil)
    }
  }

  @Test func whatIsUploadedIsTheTemplateAndTheInputsAndTheSameEveryTime() async throws {
    try await DriverBench.run { bench in
      for _ in 0..<2 {
        let id = try await bench.submit()
        try await bench.plan(id)
        try await bench.work(id, until: .planned)
        try await bench.command(id, .discard(tfeRunID: nil, by: DriverBench.caller))
        try await bench.work(id, until: .discarded)
      }
      let uploads = bench.tfe.state.withLock(\.uploads)
      #expect(uploads["cv-1"] != nil && uploads["cv-1"] == uploads["cv-2"])
    }
  }

  // MARK: What is not PORC's

  @Test(arguments: [
    [:], ["porc-installation": "another", "porc-instance": "web"],
    ["porc-installation": "porc", "porc-instance": "another"], ["porc-instance": "web"],
  ])
  func aWorkspaceThatIsNotPORCsIsRefusedAndUntouched(tags: [String: String]) async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.workspaces["porc-web"] = tags }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planFailed)
      #expect(
        try await bench.run(id).failure?.summary.contains("exists in Terraform Enterprise and is not PORC's") == true)
      #expect(
        bench.tfe.calls == [
          "GET organizations/acme/workspaces/porc-web", "GET workspaces/ws-web/tag-bindings",
        ])
      #expect(bench.tfe.state.withLock { $0.workspaces["porc-web"] } == tags)
    }
  }

  @Test func aWorkspaceOfItsOwnIsFoundAgain() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.workspaces["porc-web"] = ["porc-installation": "porc", "porc-instance": "web"] }
      _ = try await bench.deployed()
      #expect(!bench.tfe.calls.contains("POST organizations/acme/workspaces"))
    }
  }

  /// Deleted in TFE behind PORC's back.
  @Test func aWorkspaceThatIsGoneIsMadeAnew() async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed()
      bench.tfe.change { $0.delete("porc-web") }
      _ = try await bench.deployed()
      #expect(bench.tfe.calls.count { $0 == "POST organizations/acme/workspaces" } == 2)
    }
  }

  /// Something went wrong, and Terraform's words are not to be had: that is said.
  @Test(arguments: [
    ("", "Its log is empty."), ("\u{2}\u{3}", "Its log is empty."),
    ("\u{2}Terraform v1.11.4\n\u{3}", "Its log names no error."),
  ])
  func aFailureWithoutWordsSaysSo(log: String, why: String) async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { state in
        state.confirmed = "errored"
        state.logs["run-1/apply"] = log
      }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      try await bench.work(id, until: .applyFailed)
      let failure = try await bench.run(id).failure
      #expect(failure?.summary == "The apply failed." && failure?.detail?.hasPrefix(why) == true)
    }
  }

  // MARK: Decisions that TFE does not take

  @Test func anApplyThatSomebodyElseConfirmedIsNoError() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      bench.tfe.change { $0.runs[0].status = "applied" }  // so confirming it is a conflict
      try await bench.work(id, until: .applied)
      #expect(bench.tfe.calls.count { $0.hasSuffix("actions/apply") } == 1)
    }
  }

  @Test func anApplyOfAPlanThatSomebodyDiscardedEndsDiscarded() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      bench.tfe.change { $0.runs[0].status = "discarded" }
      try await bench.work(id, until: .discarded)
    }
  }

  /// TFE took the confirmation, and somebody was faster after all.
  @Test func anApplyThatTFETookAndThenDiscardedEndsDiscarded() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.confirmed = "discarded" }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      try await bench.work(id, until: .discarded)
      #expect(bench.tfe.calls.count { $0.hasSuffix("actions/apply") } == 1)
      #expect(try await !bench.run(id).isPartial)
    }
  }

  /// Nobody asked for half an apply.
  @Test func aDiscardThatComesTooLateStopsNoApply() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.command(id, .discard(tfeRunID: nil, by: DriverBench.caller))
      bench.tfe.change { $0.runs[0].status = "applying" }  // confirmed in TFE's own pages
      try await bench.work(id, until: .applying)
      #expect(!bench.tfe.calls.contains { $0.hasSuffix("actions/cancel") || $0.hasSuffix("actions/discard") })
      bench.tfe.change { $0.runs[0].status = "applied" }
      try await bench.work(id, until: .applied)
    }
  }

  @Test func aNewPlanStopsNoApplyEither() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.plan(id)
      bench.tfe.change { $0.runs[0].status = "applying" }
      try await bench.work(id, until: .applying)
      bench.tfe.change { $0.runs[0].status = "applied" }
      try await bench.work(id, until: .applied)
      #expect(!bench.tfe.calls.contains { $0.hasSuffix("actions/cancel") })
      #expect(bench.tfe.runs.count == 1)
      #expect(try await bench.run(id).plans.last?.withdrawal != nil)
    }
  }

  /// Between two of its states TFE offers nothing: it is asked again until it takes the discard.
  @Test func aDiscardIsSentAsSoonAsTFETakesIt() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.command(id, .discard(tfeRunID: nil, by: DriverBench.caller))
      bench.tfe.change { $0.runs[0].status = "cost_estimating" }
      for _ in 0..<4 { try await bench.step() }
      #expect(try await bench.run(id).state == .planned)
      bench.tfe.change { $0.runs[0].status = "planned" }
      try await bench.work(id, until: .discarded)
      #expect(bench.tfe.runs[0].status == "discarded")
    }
  }

  @Test func aCancelOfAnApplyDoesStopIt() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.confirmed = "applying" }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      for _ in 0..<3 { try await bench.step() }
      try await bench.command(id, .cancel(by: DriverBench.caller))
      try await bench.work(id, until: .applyFailed)
      #expect(try await bench.run(id).isPartial)
    }
  }
}
