import Foundation
import HCL
import PorcCore
import PorcStore
import TestKit
import Testing

@testable import PorcServer

/// What stands in TFE between a plan and its apply, over the wire: cost estimates, policies of both kinds, run tasks,
/// overrides.
struct GateTests {
  private typealias Gates = FakeTFE.Gates

  /// A planned run, or one that waits at a gate.
  private static func planned(
    _ bench: DriverBench, _ gates: Gates, in status: String = "planned", until state: RunState = .planned
  ) async throws -> PorcCore.Run.ID {
    bench.tfe.change {
      $0.planned = status; $0.gates = gates
    }
    let id = try await bench.submit()
    try await bench.plan(id)
    try await bench.work(id, until: state)
    return id
  }

  private static func summary(_ bench: DriverBench, _ id: PorcCore.Run.ID) async throws -> RunSummary {
    let links = TFELinks(address: "https://tfe.example", organization: "acme")
    let views = RunViews(store: bench.store, rules: RunMachine.Rules(), links: links)
    return try await views.summary(try #require(try await bench.store.locate(id.rawValue)))
  }

  private static func waitingFor(_ bench: DriverBench, _ id: PorcCore.Run.ID) async throws -> String {
    try await summary(bench, id).status.waitingFor ?? ""
  }

  /// The calls about gates.
  private static func gateCalls(_ bench: DriverBench) -> [String] {
    let words = ["policy", "task-stages", "cost-estimates", "polchk", "poleval"]
    return bench.tfe.calls.filter { call in words.contains { call.contains($0) } }
  }

  /// Some polls while nothing changes.
  private static func idle(_ bench: DriverBench) async throws { for _ in 0..<4 { try await bench.step() } }

  // MARK: What is shown

  @Test func aCostEstimateComesWithTheRunAndCostsNoCall() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      gates.cost = "390.5"
      let id = try await Self.planned(bench, gates)
      try await bench.apply(id)
      try await bench.work(id, until: .applied)
      #expect(Self.gateCalls(bench) == [])
      let plan = try await Self.summary(bench, id).plan
      #expect(
        plan?.costEstimate
          == CostEstimate(
            status: "finished", priorMonthlyCost: "10.0", proposedMonthlyCost: "400.5", deltaMonthlyCost: "390.5",
            matchedResources: 3, unmatchedResources: 1))
      #expect(plan?.policies == nil && plan?.tasks == [])
    }
  }

  @Test func policiesThatPassedCostOneCall() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      gates.checkStatus = "passed"
      let id = try await Self.planned(bench, gates)
      try await Self.idle(bench)
      try await bench.apply(id)
      try await bench.work(id, until: .applied)
      #expect(Self.gateCalls(bench) == ["GET runs/run-1/policy-checks"])
      #expect(try await Self.summary(bench, id).plan?.policies == PolicyResults(passed: 2, failed: 0, failures: []))
    }
  }

  @Test func advisoryPoliciesAreShownAndBlockNothing() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      (gates.checked, gates.checkStatus) = ([("tags", "advisory")], "passed")
      let id = try await Self.planned(bench, gates)
      let policies = try #require(try await Self.summary(bench, id).plan?.policies)
      #expect(
        policies.failures == [
          PolicyFailure("finance/tags", enforcementLevel: "advisory", description: "What tags is about.")
        ])
      #expect(policies.blocking == [])
      try await bench.apply(id)
      try await bench.work(id, until: .applied)
    }
  }

  /// What the plan would have done is shown too.
  @Test func aHardPolicyEndsTheRunAndSaysItsName() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      (gates.checked, gates.checkStatus) = ([("costs", "hard-mandatory"), ("tags", "advisory")], "hard_failed")
      let id = try await Self.planned(bench, gates, in: "errored", until: .policyFailed)
      let summary = try await Self.summary(bench, id)
      #expect(
        summary.error == Failure("The policy 'finance/costs' (hard-mandatory) failed", detail: "What costs is about."))
      #expect(summary.plan?.policies?.failures.map(\.name) == ["finance/costs", "finance/tags"])
      #expect(summary.plan?.additions == 2 && summary.plan?.tfeStatus == "errored")
      #expect(
        Self.gateCalls(bench) == ["GET runs/run-1/policy-checks", "GET policy-checks/polchk-run-1/output"])
    }
  }

  @Test func aMandatoryRunTaskThatFailedSaysItsMessageAndWhereItSaysMore() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      (gates.task, gates.stageStatus) = ("failed", "failed")
      let id = try await Self.planned(bench, gates, in: "errored", until: .policyFailed)
      let summary = try await Self.summary(bench, id)
      #expect(
        summary.error == Failure("The run task 'scan' (mandatory) failed", detail: "2 findings https://scan.example/1"))
      #expect(summary.plan?.tasks.first?.stage == "post_plan")
      #expect(Self.gateCalls(bench) == ["GET task-stages/ts-run-1"])
    }
  }

  /// A policy's or a task's words are somebody else's, and may quote a secret.
  @Test func whatGatesSayShowsNoSecret() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      (gates.task, gates.stageStatus) = ("failed", "failed")
      bench.tfe.change {
        $0.planned = "errored"; $0.gates = gates
      }
      let id = try await bench.submit("web", ["region": "eu", "password": "2 findings"])
      try await bench.plan(id)
      try await bench.work(id, until: .policyFailed)
      let summary = try await Self.summary(bench, id)
      #expect(summary.plan?.tasks.first?.message == "(sensitive value)")
      #expect(summary.error?.detail == "(sensitive value) https://scan.example/1")
    }
  }

  /// TFE ended the run before Sentinel had its turn: the policies that were asked are the reason, and the only ones counted.
  @Test func aCheckThatWasNeverMadeIsNoFailure() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      (gates.evaluated, gates.stageStatus, gates.checkStatus) = ([("guard", "mandatory")], "failed", "unreachable")
      let id = try await Self.planned(bench, gates, in: "errored", until: .policyFailed)
      let summary = try await Self.summary(bench, id)
      #expect(summary.error == Failure("The policy 'guard' (mandatory) failed", detail: "What guard is about."))
      #expect(summary.plan?.policies?.passed == 1 && summary.plan?.policies?.failed == 1)
    }
  }

  // MARK: Overrides

  @Test(arguments: ["policy_override", "post_plan_awaiting_decision"])
  func anOverrideLetsThePlanPassAndIsKeptWithItsReason(status: String) async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      if status == "policy_override" {
        gates.checked = [("costs", "soft-mandatory")]
      } else {
        gates.evaluated = [("costs", "mandatory"), ("tags", "advisory")]
      }
      let id = try await Self.planned(bench, gates, in: status, until: .policyOverride)
      let read = Self.gateCalls(bench)
      try await Self.idle(bench)
      #expect(Self.gateCalls(bench) == read)  // once, and not with every look
      #expect(read.count == 2)
      let waiting = try await Self.summary(bench, id)
      #expect(waiting.error?.summary.contains("costs") == true && waiting.error?.summary.contains("is about") == true)
      #expect(waiting.plan?.policies?.blocking.first?.description == "What costs is about.")
      #expect(waiting.plan?.additions == 2 && waiting.plan?.tfeStatus == status)
      #expect(waiting.status.nextActions.contains("override"))

      try await bench.command(id, .override(tfeRunID: "run-1", by: DriverBench.caller, reason: "agreed"))
      #expect(try await Self.waitingFor(bench, id) == "TFE to take the override")
      #expect(try await !Self.summary(bench, id).status.nextActions.contains("override"))
      try await bench.work(id, until: .planned)
      let passed = try await Self.summary(bench, id)
      #expect(passed.overrides.map(\.by.name) == ["alice"] && passed.overrides.map(\.reason) == ["agreed"])
      #expect(passed.error == nil && passed.overrides.first?.refusal == nil)
      #expect(passed.plan?.policies?.failures.first { $0.enforcementLevel != "advisory" }?.isOverridden == true)
      #expect(bench.tfe.calls.count { $0.hasSuffix("actions/override") } == 1)
      if status != "policy_override" {
        let request = bench.tfe.server.requests.first { $0.call.hasSuffix("actions/override") }
        #expect(request?.text == #"{"comment":"Overridden by alice through PORC: agreed"}"#)
      }
      try await bench.apply(id)
      try await bench.work(id, until: .applied)
    }
  }

  /// Said from the beginning, with the place where somebody else may do it; and PORC notices when that is done.
  @Test(arguments: ["planned", "discarded"])
  func anOverrideThatTheTokenMayNotMakeIsLeftToTFE(outcome: String) async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      (gates.checked, gates.mayOverride, gates.overrideStatus) = ([("costs", "soft-mandatory")], false, 404)
      let id = try await Self.planned(bench, gates, in: "policy_override", until: .policyOverride)
      let link = "/app/acme/workspaces/porc-web/runs/run-1"
      let before = try await Self.waitingFor(bench, id)
      #expect(before.contains("since PORC's token may not") && before.hasSuffix(link))

      try await bench.command(id, .override(tfeRunID: nil, by: DriverBench.caller, reason: "agreed"))
      for _ in 0..<6 { try await bench.step() }
      let summary = try await Self.summary(bench, id)
      #expect(summary.status.status == .policyOverride)
      #expect(summary.overrides.first?.refusal?.summary.contains("did not take the override") == true)
      #expect(summary.status.waitingFor == before)
      #expect(summary.status.wait?.clearedBy.contains("in Terraform Enterprise") == true)
      #expect(!summary.status.nextActions.contains("override"))
      // It is not tried again and again.
      #expect(bench.tfe.calls.count { $0.hasSuffix("actions/override") } == 1)

      bench.tfe.change { if outcome == "planned" { $0.runs[0].override() } else { $0.runs[0].status = outcome } }
      try await bench.work(id, until: outcome == "planned" ? .planned : .discarded)
      #expect(try await Self.summary(bench, id).decidedInTFE == (outcome == "planned" ? nil : true))
    }
  }

  /// TFE did not say so before.
  @Test func anOverrideThatIsRefusedForLackOfRightIsLeftToTFE() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      (gates.checked, gates.overrideStatus) = ([("costs", "soft-mandatory")], 404)
      let id = try await Self.planned(bench, gates, in: "policy_override", until: .policyOverride)
      #expect(try await Self.summary(bench, id).status.nextActions.contains("override"))
      try await bench.command(id, .override(tfeRunID: nil, by: DriverBench.caller, reason: "agreed"))
      for _ in 0..<6 { try await bench.step() }
      let summary = try await Self.summary(bench, id)
      #expect(summary.overrides.first?.refusal != nil)
      #expect(summary.status.waitingFor?.contains("since PORC's token may not") == true)
      #expect(summary.status.nextActions == ["plan", "discard"])
    }
  }

  @Test func anOverrideThatSomebodyElseMadeIsNoError() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      gates.checked = [("costs", "soft-mandatory")]
      let id = try await Self.planned(bench, gates, in: "policy_override", until: .policyOverride)
      try await bench.command(id, .override(tfeRunID: nil, by: DriverBench.caller, reason: "agreed"))
      bench.tfe.change { $0.runs[0].override() }
      try await bench.work(id, until: .planned)
      #expect(bench.tfe.calls.allSatisfy { !$0.hasSuffix("actions/override") })
      #expect(try await Self.summary(bench, id).overrides.first?.refusal == nil)
    }
  }

  /// TFE goes on saying that the check can be overridden: then a conflict is a refusal, and said.
  @Test func aConflictThatStaysIsARefusal() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      (gates.checked, gates.overrideStatus) = ([("costs", "soft-mandatory")], 409)
      let id = try await Self.planned(bench, gates, in: "policy_override", until: .policyOverride)
      try await bench.command(id, .override(tfeRunID: nil, by: DriverBench.caller, reason: "agreed"))
      for _ in 0..<6 { try await bench.step() }
      #expect(try await Self.summary(bench, id).overrides.first?.refusal != nil)
      #expect(try await bench.run(id).state == .policyOverride)
      #expect(try await Self.summary(bench, id).status.nextActions.contains("override"))
      #expect(
        try await Self.waitingFor(bench, id).hasPrefix(
          "somebody to override the policy or discard the plan. Terraform Enterprise did not take the override: Its"))
      #expect(try await !Self.waitingFor(bench, id).contains(".:"))
    }
  }

  /// Two gates one after the other, each with an override of its own.
  @Test func theNextGateWaitsForAnotherOverride() async throws {
    try await DriverBench.run { bench in
      var gates = Gates()
      (gates.checked, gates.evaluated) = ([("costs", "soft-mandatory")], [("guard", "mandatory")])
      let id = try await Self.planned(bench, gates, in: "post_plan_awaiting_decision", until: .policyOverride)
      try await bench.command(id, .override(tfeRunID: nil, by: DriverBench.caller, reason: "first"))
      bench.tfe.change { state in
        state.runs[0].gates.stageStatus = "passed"
        state.runs[0].status = "policy_override"
        state.runs[0].gates.overrideStatus = 500
      }
      for _ in 0..<4 { try await bench.step() }
      let second = try await Self.summary(bench, id)
      #expect(second.status.status == .policyOverride && second.plan?.tfeStatus == "policy_override")
      #expect(second.error?.summary.contains("finance/costs") == true)
    }
  }

  // MARK: A cancel by force

  @Test(arguments: [202, 404])
  func aForcedCancelEndsWhatACancelDidNot(status: Int) async throws {
    try await DriverBench.run { bench in
      bench.tfe.change {
        $0.confirmed = "applying"; $0.cancelsSlowly = true; $0.forceStatus = status
      }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      for _ in 0..<3 { try await bench.step() }
      await #expect(throws: Refusal.self) { try await bench.command(id, .forceCancel(by: DriverBench.caller)) }
      try await bench.command(id, .cancel(by: DriverBench.caller))
      await #expect(throws: Refusal.self) { try await bench.command(id, .forceCancel(by: DriverBench.caller)) }
      for _ in 0..<4 { try await bench.step() }
      #expect(try await Self.waitingFor(bench, id).contains("can be forced from 2026-01-01T00:05:00.000Z on"))
      #expect(try await Self.summary(bench, id).status.nextActions == ["force-cancel"])
      #expect(!bench.tfe.calls.contains { $0.hasSuffix("actions/force-cancel") })

      try await bench.command(id, .forceCancel(by: DriverBench.caller))
      // TFE's clock is not ours: it is asked once it offers it.
      for _ in 0..<4 { try await bench.step() }
      #expect(!bench.tfe.calls.contains { $0.hasSuffix("actions/force-cancel") })
      bench.tfe.change { $0.runs[0].gates.offersForce = true }
      if status == 202 {
        try await bench.work(id, until: .applyFailed)
        #expect(try await bench.run(id).isPartial)
        #expect(try await bench.run(id).failure?.summary == "The apply was canceled by force while it ran.")
      } else {
        while try await bench.run(id).currentPlan?.forceCancelRequestedAt != nil { try await bench.step() }
        #expect(try await Self.waitingFor(bench, id).contains("administrator of the workspace"))
        #expect(try await Self.summary(bench, id).status.nextActions == ["force-cancel"])
        bench.tfe.change { $0.runs[0].status = "canceled" }
        try await bench.work(id, until: .applyFailed)
      }
      #expect(bench.tfe.calls.count { $0.hasSuffix("actions/force-cancel") } == 1)
    }
  }
}
