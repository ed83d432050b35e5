import Foundation
import HCL
import PorcCore
import Testing

@testable import PorcServer
@testable import TerraformEnterprise

/// TFE's words in ours, over every status that a TFE run can have.
struct TFEReadingTests {
  /// A TFE run as it was read, with its plan and its apply.
  private struct Case: Sendable, CustomTestStringConvertible {
    var status: String
    var plan: String? = "finished"
    var apply: String? = "pending"
    var hasChanges = true
    var isConfirmable = false
    var times: [String] = []
    var applyTimes: [String] = []
    var isGated = false
    var knowsPlan = false

    var testDescription: String {
      "\(status), plan \(plan ?? "-"), apply \(apply ?? "-")\(times.isEmpty ? "" : ", \(times.joined(separator: " "))")"
    }

    func reading() throws -> TFEReading {
      func stamps(_ names: [String]) -> Value {
        .object(Dictionary(uniqueKeysWithValues: names.map { ($0, "2026-01-01T00:00:00+00:00") }))
      }
      var included: [Value] = []
      if let plan {
        included.append([
          "type": "plans", "id": "plan-1",
          "attributes": ["status": .string(plan), "has-changes": .bool(hasChanges), "resource-additions": 3],
        ])
      }
      if let apply {
        included.append([
          "type": "applies", "id": "apply-1",
          "attributes": ["status": .string(apply), "status-timestamps": stamps(applyTimes)],
        ])
      }
      let checks: Value = isGated ? [["type": "policy-checks", "id": "polchk-1"]] : []
      let document: Value = [
        "data": [
          "type": "runs", "id": "run-1",
          "attributes": [
            "status": .string(status), "has-changes": .bool(hasChanges),
            "actions": ["is-confirmable": .bool(isConfirmable)], "status-timestamps": stamps(times),
          ],
          "relationships": [
            "plan": ["data": ["type": "plans", "id": "plan-1"]],
            "apply": ["data": ["type": "applies", "id": "apply-1"]], "policy-checks": ["data": checks],
          ],
        ],
        "included": .array(included),
      ]
      let run = try JSONDecoder().decode(SingleDocument<TerraformEnterprise.Run>.self, from: Data(document.json().utf8))
      return TFEReading(run: run.resource, plan: 1)
    }

    func reports(_ failure: Failure? = nil) throws -> [RunReport] {
      try reading().reports(resources: [], outputs: nil, failure: failure, knowsPlan: knowsPlan)
    }
  }

  private static let summary = PlanSummary(additions: 3)
  private static let planned = RunReport.planFinished(plan: 1, hasChanges: true, summary: summary)

  /// Every status of the vendor's list that says by itself that nothing has come of the run yet.
  @Test(arguments: [
    "pending", "fetching", "fetching_completed", "pre_plan_running", "pre_plan_completed", "queuing", "plan_queued",
    "planning", "planned", "planned_and_saved", "cost_estimating", "cost_estimated", "policy_checking",
    "policy_checked", "post_plan_running", "post_plan_completed", "confirmed", "queuing_apply", "apply_queued",
    "pre_apply_running", "pre_apply_completed", "tf_policy_checked", "a_status_of_next_year",
  ])
  func aStatusAloneDecidesNothing(status: String) throws {
    for plan in ["pending", "running", "finished"] {
      for knowsPlan in [false, true] {
        let read = Case(status: status, plan: plan, knowsPlan: knowsPlan)
        #expect(try read.reports() == [], "plan \(plan)")
        #expect(try !read.reading().run.status.isFinal)
        #expect(try !read.reading().applyBegan)
        #expect(try read.reading().needs(knowsPlan: knowsPlan) == [])
      }
    }
  }

  /// Whatever the status is called: TFE offers to confirm it.
  @Test(arguments: [
    "planned", "planned_and_saved", "cost_estimated", "policy_checked", "post_plan_completed", "tf_policy_checked",
    "a_status_of_next_year",
  ])
  func whatCanBeConfirmedIsPlanned(status: String) throws {
    var read = Case(status: status, isConfirmable: true)
    #expect(try read.reports() == [Self.planned])
    #expect(try read.reading().needs(knowsPlan: false) == [.planResources])
    // Once it is known, there is nothing more to say, nor to ask.
    read.knowsPlan = true
    #expect(try read.reports() == [])
    #expect(try read.reading().needs(knowsPlan: true) == [])
  }

  @Test(arguments: ["policy_override", "post_plan_awaiting_decision", "tf_policy_override"])
  func whatWaitsForAnOverrideSaysSo(status: String) throws {
    let read = Case(status: status, isGated: true)
    #expect(try read.reports(Failure("2 policies failed")) == [.policyOverrideNeeded(plan: 1, "2 policies failed")])
    #expect(try read.reading().needs(knowsPlan: true) == [.gates])
    // Read once.
    #expect(try read.reading().needs(knowsPlan: true, gates: Gates(tfeStatus: status)) == [])
    #expect(try !read.reading().run.status.isFinal)
  }

  /// What the gates say comes before what follows from it, and with what the plan would do where nothing else tells that.
  @Test func whatTheGatesSayIsReportedWithThePlan() throws {
    var gates = Gates(tfeStatus: "policy_override")
    gates.policies = PolicyResults(
      passed: 0, failed: 1, failures: [PolicyFailure("x", enforcementLevel: "soft-mandatory")])
    func reports(_ read: Case) throws -> [RunReport] {
      try read.reading().reports(
        resources: [], outputs: nil, failure: gates.failure, gates: gates, knowsPlan: read.knowsPlan)
    }
    #expect(
      try reports(Case(status: "policy_override", isGated: true)) == [
        .planEvaluated(plan: 1, summary: Self.summary, gates),
        .policyOverrideNeeded(plan: 1, "The policy 'x' (soft-mandatory) failed"),
      ])
    #expect(
      try reports(Case(status: "policy_checked", isConfirmable: true, isGated: true)) == [
        .planEvaluated(plan: 1, summary: nil, gates), Self.planned,
      ])
    // After an override they are read once more, since they say something else then.
    let after = try Case(status: "policy_checked", isConfirmable: true, isGated: true).reading()
    #expect(after.needs(knowsPlan: false, knowsResources: true, gates: gates) == [.gates])
    #expect(after.needs(knowsPlan: true, gates: Gates(tfeStatus: "policy_checked")) == [])
    // A hard failure says what the plan would have done.
    let hard = Case(status: "errored", apply: "unreachable", isGated: true)
    #expect(try hard.reading().needs(knowsPlan: false) == [.gates, .planResources])
    #expect(try reports(hard).first == .planEvaluated(plan: 1, summary: Self.summary, gates))
  }

  @Test func anApplyIsReportedFromItsBeginning() throws {
    let running = Case(status: "applying", apply: "running", times: ["applying-at"])
    #expect(try running.reports() == [Self.planned, .applyStarted(plan: 1)])
    #expect(try running.reading().needs(knowsPlan: false) == [.planResources])
    var known = running
    known.knowsPlan = true
    #expect(try known.reports() == [.applyStarted(plan: 1)])
    for status in ["post_apply_running", "post_apply_completed"] {
      let after = Case(status: status, apply: "finished", times: ["applying-at"], knowsPlan: true)
      #expect(try after.reports() == [.applyStarted(plan: 1)])
    }
    // Even a server that tells no times and includes no apply.
    let bare = Case(status: "applying", apply: nil)
    #expect(try bare.reading().applyBegan)
    #expect(try bare.reading().needs(knowsPlan: false) == [.planResources])
  }

  @Test func anAppliedRunIsReportedWhole() throws {
    let read = Case(status: "applied", apply: "finished", times: ["applying-at"])
    #expect(try read.reports() == [Self.planned, .applyStarted(plan: 1), .applyFinished(plan: 1, outputs: [:])])
    #expect(try read.reading().needs(knowsPlan: false) == [.planResources, .outputs])
    #expect(try read.reading().needs(knowsPlan: true) == [.outputs])
  }

  @Test func aPlanWithoutChangesIsFinishedAtOnce() throws {
    let read = Case(status: "planned_and_finished", apply: "unreachable", hasChanges: false)
    #expect(try read.reports() == [.planFinished(plan: 1, hasChanges: false, summary: Self.summary)])
    #expect(try read.reading().needs(knowsPlan: false) == [])
  }

  @Test func aDiscardedRunIsDiscarded() throws {
    #expect(try Case(status: "discarded").reports() == [.remoteDiscarded(plan: 1)])
  }

  @Test(arguments: [
    (Case(status: "canceled", plan: "canceled", apply: "unreachable"), false),
    (Case(status: "canceled", plan: "finished", apply: "pending"), false),
    // Confirmed, and canceled while it waited for a worker.
    (Case(status: "canceled", apply: "canceled", times: ["confirmed-at", "apply-queued-at"]), false),
    (Case(status: "canceled", apply: "canceled", times: ["confirmed-at", "applying-at"]), true),
    (Case(status: "canceled", apply: "canceled", applyTimes: ["started-at"]), true),
    (Case(status: "force_canceled", apply: "canceled", times: ["applying-at"]), true),
    (Case(status: "force_canceled", plan: "canceled", apply: "unreachable"), false),
  ])
  private func aCanceledRunTellsWhetherItsApplyHadBegun(read: Case, began: Bool) throws {
    #expect(try read.reports() == [.remoteCanceled(plan: 1, applyBegan: began)])
    #expect(try read.reading().run.status.isFinal)
  }

  private static let why = Failure("Terraform's words")

  @Test(
    arguments: [
      // The plan failed, or never came to be one.
      (Case(status: "errored", plan: "errored", apply: "unreachable"), [.planFailed(plan: 1, why)], .planError),
      (Case(status: "errored", plan: "unreachable", apply: "unreachable"), [.planFailed(plan: 1, why)], .planError),
      (Case(status: "errored", plan: nil, apply: nil), [.planFailed(plan: 1, why)], .planError),
      (Case(status: "errored", plan: "errored", isGated: true), [.planFailed(plan: 1, why)], .planError),
      // The apply failed.
      (
        Case(status: "errored", apply: "errored", times: ["applying-at"], knowsPlan: true),
        [.applyFailed(plan: 1, why, began: true)], .applyError
      ),
      (
        Case(status: "errored", apply: "errored", times: ["applying-at"]),
        [planned, .applyFailed(plan: 1, why, began: true)], .applyError
      ),
      (
        Case(status: "errored", apply: "errored", times: ["applying-at"], isGated: true, knowsPlan: true),
        [.applyFailed(plan: 1, why, began: true)], .applyError
      ),
      (
        Case(status: "errored", apply: "errored", applyTimes: ["started-at"], isGated: true, knowsPlan: true),
        [.applyFailed(plan: 1, why, began: true)], .applyError
      ),
      // No time tells, and no policy stood in between.
      (
        Case(status: "errored", apply: "errored", knowsPlan: true), [.applyFailed(plan: 1, why, began: true)],
        .applyError
      ),
      // A mandatory policy or run task failed, before the plan, after it, or before the apply.
      (Case(status: "errored", plan: "pending", isGated: true), [.policyFailed(plan: 1, why)], .gates),
      (Case(status: "errored", apply: "unreachable", isGated: true), [.policyFailed(plan: 1, why)], .gates),
      (
        Case(status: "errored", apply: "errored", times: ["confirmed-at"], isGated: true, knowsPlan: true),
        [.policyFailed(plan: 1, why)], .gates
      ),
      (Case(status: "policy_soft_failed", isGated: true), [.policyFailed(plan: 1, why)], .gates),
      // TFE gave up on it: after it was confirmed, and before.
      (
        Case(status: "errored", apply: "unreachable", times: ["confirmed-at"], knowsPlan: true),
        [.applyFailed(plan: 1, why, began: false)], nil
      ),
      (Case(status: "errored", apply: "unreachable"), [.planFailed(plan: 1, why)], nil),
    ] as [(Case, [RunReport], TFEReading.Need?)])
  private func anErrorIsPutDownToWhatFailed(read: Case, reports: [RunReport], need: TFEReading.Need?) throws {
    #expect(try read.reports(Self.why) == reports)
    let known = need == .applyError ? Gates(tfeStatus: "planned") : nil
    #expect(try read.reading().needs(knowsPlan: true, gates: known) == Set([need].compactMap(\.self)))
    #expect(try read.reading().run.status.isFinal)
    // Something is said even where Terraform's words are not to be had.
    #expect(try read.reports(nil).count == reports.count)
  }

  @Test(arguments: [
    (["create"], "create"), (["delete"], "delete"), (["update"], "update"), (["delete", "create"], "replace"),
    (["create", "delete"], "replace"), (["read"], "read"), (["forget"], "forget"), (["no-op"], nil), ([], nil),
    (["create", "forget"], "create, forget"),
  ])
  func aChangeIsSaidInOneWord(actions: [String], word: String?) throws {
    let json: Value = [
      "resource_changes": [["address": "a.b", "change": ["actions": .array(actions.map(Value.string))]]]
    ]
    let plan = try JSONDecoder().decode(PlanJSON.self, from: Data(json.json().utf8))
    #expect(
      plan.resourceChanges.compactMap(ResourceChange.init) == (word.map { [.init(address: "a.b", action: $0)] } ?? []))
  }
}
