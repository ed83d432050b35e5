import Foundation
import Processes
import Sandbox
import Testing

@Suite(.timeLimit(.minutes(3))) struct PolicyTests {
  @Test func aPassedCheckIsConfirmedAndApplied() async throws {
    try await TFE.run { tfe in
      try tfe.writePolicies(
        """
        {"policies": [
          {"name": "fine", "enforcement": "hard-mandatory", "result": "pass"},
          {"name": "hint", "enforcement": "advisory", "result": "fail"},
          {"name": "elsewhere", "enforcement": "hard-mandatory", "result": "fail", "workspaces": ["prod-*", "live"]}
        ]}
        """)
      let workspace = try await tfe.createWorkspace("demo")
      let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one))
      let checked = try await tfe.wait(for: run, ["policy_checked"])
      #expect(checked.attributes["actions"]["is-confirmable"] == true)
      #expect(checked.attributes["actions"]["is-discardable"] == true)
      for name in ["planned-at", "policy-checking-at", "policy-checked-at"] {
        #expect(checked.attributes["status-timestamps"][name].string != nil, "\(name)")
      }
      #expect(try await tfe.get("/workspaces/\(workspace)").attributes["locked"] == true)
      let check = try await tfe.get("/runs/\(run)/policy-checks").data[0]
      #expect(checked.data["relationships"]["policy-checks"]["data"][0]["id"] == check["id"])
      #expect(check["attributes"]["status"] == "passed" && check["attributes"]["scope"] == "organization")
      #expect(check["attributes"]["result"]["passed"] == 1 && check["attributes"]["result"]["advisory-failed"] == 1)
      #expect(check["attributes"]["result"]["result"] == true)
      #expect(check["attributes"]["actions"]["is-overridable"] == false)
      let output = try await tfe.get("/policy-checks/\(check["id"].string ?? "")/output").text
      #expect(output.contains("fine (hard-mandatory)") && !output.contains("elsewhere"))
      let override = try await tfe.post("/policy-checks/\(check["id"].string ?? "")/actions/override")
      #expect(override.status == 409)
      #expect(try await tfe.post("/runs/\(run)/actions/apply").status == 202)
      try await tfe.wait(for: run, ["applied"])

      // The file is read again for each run, and without it there are no checks.
      try FileManager.default.removeItem(atPath: tfe.folder + "/data/policies.json")
      let next = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.two))
      let planned = try await tfe.wait(for: next, ["planned"])
      #expect(planned.data["relationships"]["policy-checks"]["data"].array?.isEmpty == true)
      #expect(try await tfe.get("/runs/\(next)/policy-checks").data.array?.isEmpty == true)
    }
  }

  @Test func aSoftFailureWaitsForAnOverride() async throws {
    try await TFE.run { tfe in
      try tfe.writePolicies(Policies.soft)
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      let run = try await tfe.startRun(workspace, version)
      let waiting = try await tfe.wait(for: run, ["policy_override"])
      #expect(waiting.attributes["actions"]["is-confirmable"] == false)
      #expect(waiting.attributes["actions"]["is-discardable"] == true)
      #expect(waiting.attributes["permissions"]["can-override-policy-check"] == true)
      #expect(try await tfe.post("/runs/\(run)/actions/apply").status == 409)
      let check = try await tfe.get("/runs/\(run)/policy-checks?include=run.workspace")
      let id = check.data[0]["id"].string ?? ""
      #expect(check.data[0]["attributes"]["status"] == "soft_failed")
      #expect(check.data[0]["attributes"]["result"]["soft-failed"] == 1)
      #expect(check.data[0]["attributes"]["actions"]["is-overridable"] == true)
      #expect(check.json["included"].array?.count == 2)
      let discardable = try await tfe.get("/organizations/acme/runs?filter[status_group]=discardable")
      #expect(discardable.data[0]["id"].string == run)
      let overridden = try await tfe.post("/policy-checks/\(id)/actions/override")
      #expect(overridden.status == 200 && overridden.attributes["status"] == "overridden")
      let checked = try await tfe.get("/runs/\(run)")
      #expect(checked.attributes["status"] == "policy_checked")
      #expect(checked.attributes["actions"]["is-confirmable"] == true)
      #expect(try await tfe.post("/policy-checks/\(id)/actions/override").status == 409)
      #expect(try await tfe.post("/runs/\(run)/actions/apply").status == 202)
      try await tfe.wait(for: run, ["applied"])

      // With auto-apply the override is the last word.
      let automatic = try await tfe.startRun(
        workspace, tfe.upload(workspace, Configuration.two), ["auto-apply": true])
      try await tfe.wait(for: automatic, ["policy_override"])
      let second = try await tfe.get("/runs/\(automatic)/policy-checks").data[0]["id"].string ?? ""
      #expect(try await tfe.post("/policy-checks/\(second)/actions/override").status == 200)
      try await tfe.wait(for: automatic, ["applied"])

      let discarded = try await tfe.startRun(workspace, version)
      try await tfe.wait(for: discarded, ["policy_override"])
      #expect(try await tfe.post("/runs/\(discarded)/actions/discard").status == 202)
      #expect(try await tfe.status(discarded) == "discarded")
      let third = try await tfe.get("/runs/\(discarded)/policy-checks").data[0]["id"].string ?? ""
      #expect(try await tfe.post("/policy-checks/\(third)/actions/override").status == 409)
    }
  }

  @Test func aPlanOnlyRunEndsSoftFailed() async throws {
    try await TFE.run { tfe in
      for policies in [Policies.soft, Policies.softOPA] {
        try tfe.writePolicies(policies)
        let workspace = try await tfe.createWorkspace("demo-\(policies.count)")
        let run = try await tfe.startRun(
          workspace, tfe.upload(workspace, Configuration.one), ["plan-only": true])
        let failed = try await tfe.wait(for: run, ["policy_soft_failed"])
        #expect(failed.attributes["actions"]["is-discardable"] == false)
        let final = try await tfe.get("/organizations/acme/runs?filter[status_group]=final")
        #expect(final.data[0]["id"].string == run)
        let stage = try await tfe.get("/runs/\(run)/task-stages").data[0]["attributes"]
        #expect(stage.isNull || (stage["status"] == "failed" && stage["actions"]["is-overridable"] == false))
      }
    }
  }

  @Test func aHardFailureEndsTheRun() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      try tfe.writePolicies(
        """
        {"cost": {"monthly": 3}, "policies": [{"name": "no", "enforcement": "hard-mandatory", "result": "fail"}]}
        """)
      let run = try await tfe.startRun(workspace, version, ["auto-apply": true])
      let errored = try await tfe.wait(for: run, ["errored"])
      let plan = errored.json["included"].array?.first { $0["type"] == "plans" } ?? .null
      let apply = errored.json["included"].array?.first { $0["type"] == "applies" } ?? .null
      #expect(plan["attributes"]["status"] == "finished" && apply["attributes"]["status"] == "unreachable")
      let check = try await tfe.get("/runs/\(run)/policy-checks").data[0]
      #expect(check["attributes"]["status"] == "hard_failed" && check["attributes"]["result"]["hard-failed"] == 1)
      #expect(try await tfe.post("/policy-checks/\(check["id"].string ?? "")/actions/override").status == 409)
      #expect(try await tfe.get("/workspaces/\(workspace)").attributes["locked"] == false)

      // What comes before a failure stays, what comes after it is never reached.
      try tfe.writePolicies(
        """
        {"cost": {"monthly": 3}, "policies": [
          {"name": "no", "kind": "opa", "enforcement": "hard-mandatory", "result": "fail"},
          {"name": "late", "enforcement": "hard-mandatory", "result": "pass"}
        ]}
        """)
      let opa = try await tfe.startRun(workspace, version)
      let failed = try await tfe.wait(for: opa, ["errored"])
      let stage = try await tfe.get("/runs/\(opa)/task-stages").data[0]
      #expect(stage["attributes"]["status"] == "failed")
      #expect(try await tfe.post("/task-stages/\(stage["id"].string ?? "")/actions/override").status == 409)
      #expect(try await tfe.get("/runs/\(opa)/policy-checks").data[0]["attributes"]["status"] == "unreachable")
      let estimate = failed.data["relationships"]["cost-estimate"]["data"]["id"].string ?? ""
      #expect(try await tfe.get("/cost-estimates/\(estimate)").attributes["status"] == "canceled")

      // A plan that fails reaches none of them.
      let bad = try await tfe.startRun(workspace, tfe.upload(workspace, ["main.tf": "}{"]))
      try await tfe.wait(for: bad, ["errored"])
      #expect(try await tfe.get("/runs/\(bad)/task-stages").data[0]["attributes"]["status"] == "unreachable")
    }
  }

  @Test func opaPoliciesAreATaskStage() async throws {
    try await TFE.run { tfe in
      try tfe.writePolicies(Policies.softOPA)
      let workspace = try await tfe.createWorkspace("demo")
      let created = try await tfe.createRun(workspace, tfe.upload(workspace, Configuration.one))
      // The CLI reads the stages once, when the run is made.
      #expect(created.data["relationships"]["task-stages"]["data"].array?.count == 1)
      let run = created.id
      let waiting = try await tfe.wait(for: run, ["post_plan_awaiting_decision"])
      #expect(waiting.attributes["actions"]["is-confirmable"] == false)
      let read = try await tfe.get("/runs/\(run)?include=task_stages")
      let stage = try #require(read.json["included"].array?.first)
      #expect(stage["type"] == "task-stages" && stage["attributes"]["status"] == "awaiting_override")
      #expect(stage["attributes"]["stage"] == "post_plan" && stage["attributes"]["actions"]["is-overridable"] == true)
      let path = "/task-stages/\(stage["id"].string ?? "")"
      let full = try await tfe.get("\(path)?include=task_results,policy_evaluations")
      let evaluation = try #require(full.json["included"].array?.first)
      #expect(evaluation["attributes"]["policy-kind"] == "opa" && evaluation["attributes"]["status"] == "failed")
      #expect(
        evaluation["attributes"]["result-count"]
          == ["passed": 1, "advisory-failed": 0, "mandatory-failed": 1, "errored": 0])
      let listed = try await tfe.get("\(path)/policy-evaluations")
      #expect(listed.data[0]["id"] == evaluation["id"])
      let outcomes = try await tfe.get(
        "/policy-evaluations/\(evaluation["id"].string ?? "")/policy-set-outcomes")
      let outcome = outcomes.data[0]
      #expect(outcome["attributes"]["overridable"] == true)
      #expect(outcome["attributes"]["outcomes"][0]["policy_name"] == "no-cake")
      #expect(outcome["attributes"]["outcomes"][0]["status"] == "failed")
      #expect(outcome["attributes"]["outcomes"][0]["enforcement_level"] == "mandatory")
      #expect(try await tfe.get("/policy-set-outcomes/\(outcome["id"].string ?? "")").data == outcome)
      let overridden = try await tfe.post("\(path)/actions/override", ["comment": "yes"])
      #expect(overridden.status == 200 && overridden.attributes["status"] == "passed")
      #expect(try await tfe.get("/runs/\(run)").attributes["status"] == "post_plan_completed")
      #expect(try await tfe.post("\(path)/actions/override").status == 409)
      #expect(try await tfe.post("/runs/\(run)/actions/apply").status == 202)
      try await tfe.wait(for: run, ["applied"])
    }
  }

  @Test func whoMayNotOverrideIsToldNothing() async throws {
    try await TFE.run(features: .init(policyOverrides: false)) { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      try tfe.writePolicies(Policies.soft)
      let run = try await tfe.startRun(workspace, version)
      let waiting = try await tfe.wait(for: run, ["policy_override"])
      #expect(waiting.attributes["permissions"]["can-override-policy-check"] == false)
      let check = try await tfe.get("/runs/\(run)/policy-checks").data[0]
      #expect(check["attributes"]["actions"]["is-overridable"] == true)
      #expect(check["attributes"]["permissions"]["can-override"] == false)
      #expect(try await tfe.post("/policy-checks/\(check["id"].string ?? "")/actions/override").status == 404)
      #expect(try await tfe.post("/runs/\(run)/actions/discard").status == 202)
      try tfe.writePolicies(Policies.softOPA)
      let opa = try await tfe.startRun(workspace, version)
      try await tfe.wait(for: opa, ["post_plan_awaiting_decision"])
      let stage = try await tfe.get("/runs/\(opa)/task-stages").data[0]
      #expect(stage["attributes"]["permissions"]["can-override"] == false)
      #expect(try await tfe.post("/task-stages/\(stage["id"].string ?? "")/actions/override").status == 404)
    }
  }

  @Test func aCostIsEstimated() async throws {
    try await TFE.run { tfe in
      try tfe.writePolicies(#"{"cost": {"monthly": "25.50", "prior": "30.25", "workspaces": "demo*"}}"#)
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      let run = try await tfe.startRun(workspace, version)
      let estimated = try await tfe.wait(for: run, ["cost_estimated"])
      #expect(estimated.attributes["actions"]["is-confirmable"] == true)
      let id = estimated.data["relationships"]["cost-estimate"]["data"]["id"].string ?? ""
      let estimate = try await tfe.get("/cost-estimates/\(id)").attributes
      #expect(estimate["status"] == "finished" && estimate["proposed-monthly-cost"] == "25.50")
      #expect(estimate["prior-monthly-cost"] == "30.25" && estimate["delta-monthly-cost"] == "-4.75")
      #expect(try await tfe.get("/runs/\(run)?include=cost_estimate").json["included"][0]["id"].string == id)
      #expect(try await tfe.post("/runs/\(run)/actions/apply").status == 202)
      try await tfe.wait(for: run, ["applied"])
      // Nothing to apply: nothing to wait for.
      let same = try await tfe.startRun(workspace, version)
      try await tfe.wait(for: same, ["planned_and_finished"])
      let other = try await tfe.createWorkspace("other")
      let planned = try await tfe.startRun(other, tfe.upload(other, Configuration.one))
      try await tfe.wait(for: planned, ["planned"])
    }
  }

  @Test func aFileThatCannotBeReadFailsTheRunAndSaysWhy() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      for (file, reason) in [
        ("{", "policies.json"), (#"{"policy": []}"#, "unknown member 'policy'"),
        (#"{"policies": [{"name": "a", "enforcement": "soft", "result": "fail"}]}"#, "'enforcement' of policy 1"),
        (#"{"policies": [{"name": "a", "enforcement": "advisory"}]}"#, "'result' of policy 1"),
        (#"{"cost": {"monthly": "much"}}"#, "'monthly' of 'cost'"), (#"{"seconds": -1}"#, "'seconds'"),
      ] {
        try tfe.writePolicies(file)
        let run = try await tfe.startRun(workspace, version)
        try await tfe.wait(for: run, ["errored"])
        let check = try await tfe.get("/runs/\(run)/policy-checks").data[0]
        #expect(check["attributes"]["status"] == "errored")
        let output = try await tfe.get("/policy-checks/\(check["id"].string ?? "")/output").text
        #expect(output.contains(reason), "\(output)")
      }
    }
  }

  @Test func stepsThatTakeTimeAreSeenCanceledAndResumed() async throws {
    try await withTemporaryFolder { folder in
      let run = try await TFE.value(in: folder) { tfe in
        let workspace = try await tfe.createWorkspace("demo")
        let version = try await tfe.upload(workspace, Configuration.one)
        try tfe.writePolicies(
          """
          {"seconds": 600, "cost": {"monthly": 1},
           "policies": [{"name": "a", "enforcement": "advisory", "result": "pass"}]}
          """)
        let canceled = try await tfe.startRun(workspace, version)
        let estimating = try await tfe.wait(for: canceled, ["cost_estimating"])
        #expect(estimating.attributes["actions"]["is-confirmable"] == false)
        #expect(estimating.attributes["actions"]["is-cancelable"] == true)
        let check = try await tfe.get("/runs/\(canceled)/policy-checks").data[0]
        #expect(check["attributes"]["status"] == "pending")
        #expect(try await tfe.post("/runs/\(canceled)/actions/cancel").status == 202)
        #expect(try await tfe.status(canceled) == "canceled")
        let gone = try await tfe.get("/runs/\(canceled)/policy-checks").data[0]
        #expect(gone["attributes"]["status"] == "unreachable")

        try tfe.writePolicies(
          #"{"seconds": 0.5, "policies": [{"name": "a", "enforcement": "soft-mandatory", "result": "fail"}]}"#)
        let run = try await tfe.startRun(workspace, version)
        try await tfe.wait(for: run, ["policy_checking", "policy_override"])
        return run
      }
      try await TFE.run(in: folder) { tfe in
        try await tfe.wait(for: run, ["policy_override"])
        let check = try await tfe.get("/runs/\(run)/policy-checks").data[0]["id"].string ?? ""
        #expect(try await tfe.post("/policy-checks/\(check)/actions/override").status == 200)
        #expect(try await tfe.status(run) == "policy_checked")
      }
    }
  }
}

/// What the real CLI shows of policies, and how it overrides them.
@Suite(.timeLimit(.minutes(5))) struct PolicyCLITests {
  @Test func policiesAreShownAndOverridden() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(tfe)
      _ = try await terraform("init", "-input=false")
      try tfe.writePolicies(
        """
        {"seconds": 0.3, "cost": {"monthly": "25.50"}, "policies": [
          {"name": "no-cake", "enforcement": "soft-mandatory", "result": "fail", "description": "No cake."}
        ]}
        """)
      let plan = try await terraform("plan", "-input=false")
      #expect(plan.status == .exited(1) && plan.text.contains("soft failed"), "\(plan.text)")
      #expect(plan.text.contains("terraform_data.x will be created"), "\(plan.text)")
      #expect(plan.text.contains("no-cake (soft-mandatory)") && plan.text.contains("$25.50/mo +$25.5"), "\(plan.text)")
      let apply = try await tfe.overriding(terraform, until: "policy_checked")
      #expect(apply.text.contains("Do you want to override the soft failed policy check?"), "\(apply.text)")
      #expect(apply.isSuccess && apply.text.contains("Apply complete! Resources: 1 added"), "\(apply.text)")
      let replace = try await terraform("apply", "-input=false", "-auto-approve", "-replace=terraform_data.x")
      #expect(replace.status.isSuccess && replace.text.contains("Apply complete!"), "\(replace.text)")
    }
  }

  @Test func aHardFailureIsShown() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(tfe)
      _ = try await terraform("init", "-input=false")
      try tfe.writePolicies(
        #"{"seconds": 1, "policies": [{"name": "no", "enforcement": "hard-mandatory", "result": "fail"}]}"#)
      let apply = try await terraform("apply", "-input=false", "-auto-approve")
      #expect(apply.status == .exited(1) && apply.text.contains("hard failed"), "\(apply.text)")
      try tfe.writePolicies(#"{"policies": [{"name": "ok", "enforcement": "hard-mandatory", "result": "pass"}]}"#)
      let passed = try await terraform("apply", "-input=false", "-auto-approve")
      #expect(passed.status.isSuccess && passed.text.contains("Apply complete!"), "\(passed.text)")
    }
  }

  @Test func opaPoliciesAreShownAndOverridden() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(tfe)
      _ = try await terraform("init", "-input=false")
      try tfe.writePolicies(Policies.softOPA)
      let apply = try await tfe.overriding(terraform, until: "post_plan_completed")
      #expect(apply.text.contains("OPA Policy Evaluation") && apply.text.contains("no-cake"), "\(apply.text)")
      #expect(apply.isSuccess && apply.text.contains("Apply complete! Resources: 1 added"), "\(apply.text)")
    }
  }
}

extension Configuration {
  /// Another value for the resource of `one`.
  static let two = one.mapValues { $0.replacing("default = \"a\"", with: "default = \"b\"") }
}

enum Policies {
  static let soft = """
    {"policies": [{"name": "no-cake", "enforcement": "soft-mandatory", "result": "fail"}]}
    """
  static let softOPA = """
    {"policies": [
      {"name": "no-cake", "kind": "opa", "enforcement": "soft-mandatory", "result": "fail", "description": "No cake."},
      {"name": "tea", "kind": "opa", "enforcement": "hard-mandatory", "result": "pass"}
    ]}
    """
}

extension TFE {
  func writePolicies(_ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/data/policies.json"))
  }

  /// `terraform apply` with somebody at the terminal who overrides the policies, and confirms once the run has this
  /// status.
  func overriding(_ terraform: CLI, until status: String) async throws -> (isSuccess: Bool, text: String) {
    let flag = folder + "/overridden"
    // The program takes all that is there as one answer: the second must not come before it has taken the first.
    let script = """
      { echo override; while [ ! -e '\(flag)' ]; do sleep 0.05; done; sleep 1; echo yes; } |
        terraform apply -no-color 2>&1
      """
    let command = Command(
      "sh", ["-c", script],
      environment: [
        "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", "HOME": folder,
        "TF_CLI_CONFIG_FILE": terraform.folder + ".tfrc", "CHECKPOINT_DISABLE": "1",
      ], workingDirectory: terraform.folder)
    async let output = command.capture()
    while try await get("/organizations/acme/runs?filter[status]=\(status)").data.array?.isEmpty ?? true {
      try await Task.sleep(for: .milliseconds(50))
    }
    try Data().write(to: URL(fileURLWithPath: flag))
    let said = try await output
    return (said.status.isSuccess, String(decoding: said.standardOutput, as: UTF8.self))
  }

  /// Runs a sandbox and hands on what `body` returns.
  static func value<Value: Sendable>(
    in folder: String, body: (TFE) async throws -> Value
  ) async throws -> Value {
    var value: Value?
    try await run(in: folder) { tfe in value = try await body(tfe) }
    guard let value else { throw CancellationError() }
    return value
  }
}
