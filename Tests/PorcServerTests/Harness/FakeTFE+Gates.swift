import Foundation
import HCL
import TestKit

extension FakeTFE {
  /// What stands between a run's plan and its apply.
  struct Gates: Sendable {
    /// By how much the plan costs more.
    var cost: String?
    /// Sentinel policies that fail, in the older mode: names with levels.
    var checked: [(name: String, level: String)] = []
    /// How the policy check stands.
    var checkStatus = "soft_failed"
    /// OPA policies that fail, at a task stage: names with levels.
    var evaluated: [(name: String, level: String)] = []
    /// How the task stage stands.
    var stageStatus = "awaiting_override"
    /// A run task's status at that stage.
    var task: String?
    /// Whether the token may override.
    var mayOverride = true
    /// What an override is answered with.
    var overrideStatus = 202
    /// Whether the cool-off after a cancel has passed.
    var offersForce = false

    var hasCheck: Bool { !checked.isEmpty || ["passed", "unreachable"].contains(checkStatus) }
    var hasStage: Bool { !evaluated.isEmpty || task != nil }

    func lists(of run: String) -> [String: (type: String, ids: [String])] {
      var lists: [String: (type: String, ids: [String])] = [:]
      if hasCheck { lists["policy-checks"] = ("policy-checks", ["polchk-\(run)"]) }
      if hasStage { lists["task-stages"] = ("task-stages", ["ts-\(run)"]) }
      return lists
    }

    func costEstimate(of run: String) -> [Value] {
      guard let cost else { return [] }
      return [
        FakeTFE.resource(
          "cost-estimates", "ce-\(run)",
          [
            "status": "finished", "prior-monthly-cost": "10.0", "proposed-monthly-cost": "400.5",
            "delta-monthly-cost": .string(cost), "matched-resources-count": 3, "unmatched-resources-count": 1,
          ])
      ]
    }

    func check(of run: String) -> Value {
      func count(_ level: String) -> Value { .number(Number(checked.count { $0.level == level })) }
      return FakeTFE.resource(
        "policy-checks", "polchk-\(run)",
        [
          "status": .string(checkStatus), "scope": "organization",
          "result": [
            "passed": checkStatus == "unreachable" ? 0 : 2, "hard-failed": count("hard-mandatory"),
            "soft-failed": count("soft-mandatory"),
            "advisory-failed": count("advisory"),
          ],
          "actions": ["is-overridable": .bool(checked.contains { $0.level == "soft-mandatory" })],
          "permissions": ["can-override": .bool(mayOverride)],
        ])
    }

    /// As Sentinel writes it for people.
    var output: String {
      checked.enumerated().map { index, policy in
        """
        ## Policy \(index + 1): finance/\(policy.name) (\(policy.level))

        Result: false

        Description:
          What \(policy.name)
          is about.

        finance/\(policy.name).sentinel:1:1 - Rule "main"
          Value: false

        """
      }.joined(separator: "\n") + "## Policy 9: finance/fine (soft-mandatory)\n\nResult: true\n"
    }

    func stage(of run: String) -> Value {
      FakeTFE.resource(
        "task-stages", "ts-\(run)",
        [
          "stage": "post_plan", "status": .string(stageStatus),
          "actions": ["is-overridable": .bool(stageStatus == "awaiting_override")],
          "permissions": ["can-override": .bool(mayOverride)],
        ],
        lists: [
          "policy-evaluations": ("policy-evaluations", evaluated.isEmpty ? [] : ["poleval-\(run)"]),
          "task-results": ("task-results", task == nil ? [] : ["taskrs-\(run)"]),
        ])
    }

    func included(of run: String) -> [Value] {
      var included: [Value] = []
      if !evaluated.isEmpty {
        included.append(
          FakeTFE.resource(
            "policy-evaluations", "poleval-\(run)",
            [
              "status": .string(stageStatus == "passed" ? "overridden" : "failed"), "policy-kind": "opa",
              "result-count": [
                "passed": 1, "errored": 0,
                "advisory-failed": .number(Number(evaluated.count { $0.level == "advisory" })),
                "mandatory-failed": .number(Number(evaluated.count { $0.level == "mandatory" })),
              ],
            ]))
      }
      if let task {
        included.append(
          FakeTFE.resource(
            "task-results", "taskrs-\(run)",
            [
              "status": .string(task), "task-name": "scan", "message": "2 findings", "url": "https://scan.example/1",
              "workspace-task-enforcement-level": "mandatory",
            ]))
      }
      return included
    }

    func outcomes(of run: String) -> Value {
      FakeTFE.resource(
        "policy-set-outcomes", "psout-\(run)",
        [
          "policy-set-name": "guards", "overridable": true, "error": "",
          "outcomes": .array(
            evaluated.map {
              [
                "policy_name": .string($0.name), "enforcement_level": .string($0.level), "status": "failed",
                "query": "data.x", "description": .string("What \($0.name) is about."),
              ]
            } + [["policy_name": "fine", "enforcement_level": "mandatory", "status": "passed", "description": ""]]),
        ])
    }
  }

  func scriptGates(_ id: String) {
    func answer(_ call: String, _ make: @escaping @Sendable (Gates) -> ScriptedServer.Answer) {
      on(call) { _, state in
        guard let run = state.runs.first(where: { $0.id == id }) else { return Self.notFound }
        return make(run.gates)
      }
    }
    answer("GET /api/v2/runs/\(id)/policy-checks") { Self.list([$0.check(of: id)]) }
    answer("GET /api/v2/policy-checks/polchk-\(id)") { .json(#"{"data": \#($0.check(of: id).json())}"#) }
    answer("GET /api/v2/policy-checks/polchk-\(id)/output") { .status(200, body: Array($0.output.utf8)) }
    answer("GET /api/v2/runs/\(id)/task-stages") { Self.list([$0.stage(of: id)]) }
    answer("GET /api/v2/task-stages/ts-\(id)") { gates in
      .json(
        #"{"data": \#(gates.stage(of: id).json()), "included": \#(Value.array(gates.included(of: id)).json())}"#)
    }
    answer("GET /api/v2/policy-evaluations/poleval-\(id)/policy-set-outcomes") { Self.list([$0.outcomes(of: id)]) }
    for path in ["policy-checks/polchk-\(id)", "task-stages/ts-\(id)"] {
      on("POST /api/v2/\(path)/actions/override") { _, state in
        guard let index = state.runs.firstIndex(where: { $0.id == id }) else { return Self.notFound }
        guard state.runs[index].gates.overrideStatus == 202 else {
          return .status(state.runs[index].gates.overrideStatus)
        }
        state.runs[index].override()
        return .json("{}")
      }
    }
  }
}

extension FakeTFE.RemoteRun {
  /// What comes of an override, by whomever.
  mutating func override() {
    gates.checkStatus = "overridden"
    gates.stageStatus = "passed"
    status = "planned"
  }
}
