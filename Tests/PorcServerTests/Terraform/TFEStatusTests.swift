import Foundation
import HCL
import PorcCore
import Testing

@testable import PorcServer
@testable import TerraformEnterprise

/// Every status of a TFE run, and what comes of PORC's run: the client, the reading and the machine agree.
/// `docs/architecture.md` shows it; `UPDATE_GOLDEN=1` writes it anew.
struct TFEStatusTests {
  private typealias Status = TerraformEnterprise.RunStatus

  /// TFE's statuses as its documents list them, to be compared with what the client knows. The last is of next year.
  private static let finals: Set = [
    "applied", "planned_and_finished", "discarded", "errored", "canceled", "force_canceled", "policy_soft_failed",
  ]
  private static let unknown = Status(rawValue: "a_status_of_next_year")

  /// What TFE may say beside the status.
  private struct Flags: Sendable {
    var isConfirmable = false
    var isDiscardable = false
    var isCancelable = false
    var plan = "finished"
    var apply = "pending"
    var isGated = false
    var applyBegan = false

    /// Everything that can be.
    static let all: [Flags] = {
      var all: [Flags] = []
      for bits in 0..<32 {
        func bit(_ place: Int) -> Bool { bits & (1 << place) != 0 }
        for plan in ["running", "finished", "errored"] {
          all.append(
            Flags(
              isConfirmable: bit(0), isDiscardable: bit(1), isCancelable: bit(2), plan: plan,
              apply: bit(4) ? "running" : "pending", isGated: bit(3), applyBegan: bit(4)))
        }
      }
      return all
    }()
  }

  private static func read(_ status: Status, _ flags: Flags) throws -> TFEReading {
    let document: Value = [
      "data": [
        "type": "runs", "id": "run-1",
        "attributes": [
          "status": .string(status.rawValue), "has-changes": .bool(status != .plannedAndFinished),
          "actions": [
            "is-confirmable": .bool(flags.isConfirmable), "is-discardable": .bool(flags.isDiscardable),
            "is-cancelable": .bool(flags.isCancelable),
          ],
          "status-timestamps": flags.applyBegan ? ["applying-at": "2026-01-01T00:00:00+00:00"] : [:],
        ],
        "relationships": [
          "plan": ["data": ["type": "plans", "id": "plan-1"]], "apply": ["data": ["type": "applies", "id": "apply-1"]],
          "policy-checks": ["data": flags.isGated ? [["type": "policy-checks", "id": "polchk-1"]] : []],
        ],
      ],
      "included": [
        ["type": "plans", "id": "plan-1", "attributes": ["status": .string(flags.plan), "resource-additions": 3]],
        ["type": "applies", "id": "apply-1", "attributes": ["status": .string(flags.apply)]],
      ],
    ]
    let run = try JSONDecoder().decode(SingleDocument<TerraformEnterprise.Run>.self, from: Data(document.json().utf8))
    return TFEReading(run: run.resource, plan: 1)
  }

  // MARK: The machine

  private static let now = Date(timeIntervalSince1970: 1_800_000_000)
  private static let id = PorcCore.Run.ID("porc-1")
  private static let caller = Caller(id: "token-1", name: "alice")

  /// A situation whose run has a plan in TFE.
  private static func situation(_ state: RunState) throws -> Situation {
    let submission = Submission(
      operation: .apply,
      template: TemplateReference(
        id: Template.ID("web-1-0-0"), name: "web", version: "1.0.0", repoURL: nil, commit: nil, archive: "a1"),
      submitter: caller,
      metadata: BlueprintMetadata(name: "web", title: nil, environment: nil, owner: nil, repoURL: nil),
      inputs: [:], sensitiveInputs: [], region: nil, requiresApproval: false, blueprintDigest: "b1",
      sensitiveDigest: nil)
    var decision = try RunMachine.submit(submission, as: id, for: Instance.ID("web"), in: nil, at: now)
    func tell(_ command: RunCommand) throws {
      decision = try RunMachine.decide(command, for: id, in: try #require(decision.situation), at: now)
    }
    func hear(_ report: RunReport) throws {
      decision = RunMachine.hear(report, about: id, in: try #require(decision.situation), at: now)
    }
    try tell(.plan(PlanRequest(by: caller)))
    try hear(.built(bundle: "digest"))
    try hear(.tfeRunCreated(plan: 1, tfeRunID: "run-1", configurationVersionID: "cv-1"))
    switch state {
    case .planned, .applying: try hear(.planFinished(plan: 1, hasChanges: true, summary: PlanSummary(additions: 3)))
    case .policyOverride: try hear(.policyOverrideNeeded(plan: 1, "A policy failed."))
    default: break
    }
    if state == .applying { try tell(.apply(tfeRunID: nil, by: caller)) }
    let situation = try #require(decision.situation)
    #expect(situation.runs[id]?.state == state)
    return situation
  }

  /// The run once it has heard what TFE says.
  private static func run(_ reading: TFEReading, in situation: Situation) throws -> PorcCore.Run {
    let before = try #require(situation.runs[id])
    let reports = reading.reports(
      resources: [], outputs: nil, failure: nil, knowsPlan: before.currentPlan?.hasChanges != nil)
    var situation = situation
    for report in reports {
      situation = try #require(RunMachine.hear(report, about: id, in: situation, at: now).situation)
    }
    return try #require(situation.runs[id])
  }

  private static let states: [RunState] = [.planning, .planned, .policyOverride, .applying]

  // MARK: Tests

  @Test func theClientKnowsWhatIsFinal() {
    #expect(Set(Status.all).count == Status.all.count)
    #expect(Set(Status.all.filter(\.isFinal).map(\.rawValue)) == Self.finals)
    #expect(!Self.unknown.isFinal)
  }

  /// Whatever TFE says beside it: a final status ends the plan, and no other does.
  @Test(arguments: Status.all + [unknown])
  private func aPlanEndsWithItsTFERunAndNotBefore(status: Status) throws {
    for state in Self.states {
      let situation = try Self.situation(state)
      for flags in Flags.all {
        let after = try Self.run(try Self.read(status, flags), in: situation)
        // An apply that PORC knows to be under way is not planned again by a run that TFE calls unchanged.
        let isImpossible = status == .plannedAndFinished && state != .planning && state != .policyOverride
        if !isImpossible {
          #expect(after.currentPlan?.isSettled == status.isFinal, "\(status), \(flags), from \(state)")
        }
        if !status.isFinal { #expect(!after.state.isFinal, "\(status), \(flags), from \(state)") }
      }
    }
  }

  /// A plan awaits somebody's word only where TFE offers to confirm it, whatever its status is called.
  @Test(arguments: Status.all.filter { !$0.isFinal } + [unknown])
  private func aPlanIsFinishedWhereTFEOffersToConfirmIt(status: Status) throws {
    let situation = try Self.situation(.planning)
    for flags in Flags.all where !flags.applyBegan {
      let after = try Self.run(try Self.read(status, flags), in: situation).state
      let isDecided = [.policyOverride, .postPlanAwaitingDecision, .terraformPolicyOverride].contains(status)
      let isApplying = [.applying, .postApplyRunning, .postApplyCompleted].contains(status)
      let expected: RunState =
        isDecided ? .policyOverride : isApplying ? .applying : flags.isConfirmable ? .planned : .planning
      #expect(after == expected, "\(status), \(flags)")
    }
  }

  // MARK: The document

  private static let begin = "<!-- Written by TFEStatusTests: UPDATE_GOLDEN=1 -->"
  private static let end = "<!-- End of what is written by TFEStatusTests -->"

  /// What a run that is being planned can become, over everything TFE may say beside the status.
  private static func outcomes(_ status: Status, _ isIncluded: (Flags) -> Bool) throws -> String {
    let situation = try situation(.planning)
    var states: Set<RunState> = []
    for flags in Flags.all where isIncluded(flags) {
      states.insert(try run(try read(status, flags), in: situation).state)
    }
    return RunState.allCases.filter(states.contains).map { "`\($0.rawValue)`" }.joined(separator: ", ")
  }

  private static func table() throws -> String {
    var lines = ["| TFE's status | | PORC's run | where TFE offers to confirm it |", "|---|---|---|---|"]
    for status in Status.all + [unknown] {
      let name = status == unknown ? "any other" : "`\(status)`"
      // Only of a run that has ended does it matter how far it came.
      let plain = try outcomes(status) { flags in
        !flags.isConfirmable && (status.isFinal || (!flags.applyBegan && flags.plan == "finished"))
      }
      let confirmable =
        status.isFinal ? "" : try outcomes(status) { $0.isConfirmable && !$0.applyBegan && $0.plan == "finished" }
      lines.append(
        "| \(name) | \(status.isFinal ? "final" : "") | \(plain) | \(confirmable == plain ? "" : confirmable) |")
    }
    return lines.joined(separator: "\n")
  }

  @Test func theDocumentShowsWhatComesOfEveryStatus() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/architecture.md")
      .standardized
    let text = try String(contentsOf: file, encoding: .utf8)
    let start = try #require(text.range(of: Self.begin)).upperBound
    let finish = try #require(text.range(of: Self.end, range: start..<text.endIndex)).lowerBound
    let expected = "\n" + (try Self.table()) + "\n"
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try text.replacingCharacters(in: start..<finish, with: expected).write(
        to: file, atomically: true, encoding: .utf8)
    } else {
      #expect(text[start..<finish] == expected)
    }
  }
}
