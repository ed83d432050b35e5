import Foundation
import HTTPTypes
import TerraformEnterprise
import TestKit
import Testing

/// What is sent for each resource, and what is understood of the answer.
@Suite(.timeLimit(.minutes(1)))
struct ResourceTests {
  let tfe = TFE()

  func sent(_ index: Int = 0) throws -> NSDictionary {
    try #require(try JSONSerialization.jsonObject(with: Data(tfe.requests[index].body)) as? NSDictionary)
  }

  func json(_ text: String) throws -> NSDictionary {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
  }

  @Test func namesArePercentEncodedAsOneSegment() async throws {
    tfe.server.on(
      "GET /api/v2/organizations/a%2Fb/workspaces/w%20%C3%BC", TFE.document("workspaces", "ws-1", #"{"name": "w ü"}"#))
    let workspace = try await tfe.serve { try await $0.workspaces.read(named: "w ü", organization: "a/b") }
    #expect(workspace.name == "w ü")
  }

  /// By people, by a run as long as it goes on, or by nobody; a run's own document says it too, without the name.
  @Test func whoLockedAWorkspaceIsTold() async throws {
    func workspace(_ lockedBy: String) -> String {
      #"""
      {"id": "ws-1", "type": "workspaces",
       "attributes": {"name": "porc-x", "locked": true, "locked-reason": "audit"},
       "relationships": {"locked-by": {"data": \#(lockedBy)}, "current-run": {"data": {"id": "run-1", "type": "runs"}}}}
      """#
    }
    let (user, run) = (#"{"id": "user-1", "type": "users"}"#, #"{"id": "run-1", "type": "runs"}"#)
    let ann = #"{"id": "user-1", "type": "users", "attributes": {"username": "ann"}}"#
    let about =
      #"{"id": "run-1", "type": "runs", "attributes": {"status": "pending"}, "relationships": {"workspace": {"data": {"id": "ws-1", "type": "workspaces"}}}}"#
    tfe.server.on(
      "GET /api/v2/workspaces/ws-1", .json(#"{"data": \#(workspace(user)), "included": [\#(ann)]}"#),
      .json(#"{"data": \#(workspace(run))}"#), .json(#"{"data": \#(workspace("null"))}"#))
    tfe.server.on(
      "GET /api/v2/runs/run-1", .json(#"{"data": \#(about), "included": [\#(workspace(user))]}"#),
      .json(#"{"data": \#(about), "included": [{"id": "ws-1", "type": "workspaces"}]}"#))
    try await tfe.serve { client in
      let locked = try await client.workspaces.read("ws-1", include: [.currentRun, .lockedBy])
      #expect(locked.lockedBy?.name == "ann" && locked.lockedBy?.isRun == false && locked.lockedReason == "audit")
      #expect(try await client.workspaces.read("ws-1").lockedBy?.isRun == true)
      #expect(try await client.workspaces.read("ws-1").lockedBy == nil)
      let glance = try #require(try await client.runs.read("run-1", include: [.workspace]).workspace)
      #expect(glance.isLocked && glance.lockedReason == "audit" && glance.currentRunID == "run-1")
      #expect(glance.lockedBy?.id == "user-1" && glance.lockedBy?.name == nil)
      #expect(try await client.runs.read("run-1", include: [.workspace]).workspace == nil, "it says nothing of it")
    }
    #expect(tfe.requests.map(\.query).contains("include=current_run%2Clocked_by"))
  }

  @Test func aWorkspaceIsCreatedWithWhatIsSetAndNothingElse() async throws {
    tfe.server.on(
      "POST /api/v2/organizations/acme/workspaces",
      TFE.document("workspaces", "ws-1", #"{"name": "porc-x"}"#, status: 201))
    var settings = WorkspaceSettings(name: "porc-x")
    settings.executionMode = .remote
    settings.autoApply = false
    settings.projectID = "prj-1"
    settings.tagBindings = [TagBinding(key: "k", value: "v")]
    let final = settings
    let workspace = try await tfe.serve { try await $0.workspaces.create(organization: "acme", final) }
    #expect(workspace.id == "ws-1")
    #expect(
      try sent()
        == json(
          """
          {"data": {"type": "workspaces",
            "attributes": {"name": "porc-x", "execution-mode": "remote", "auto-apply": false},
            "relationships": {"project": {"data": {"type": "projects", "id": "prj-1"}},
              "tag-bindings": {"data": [{"type": "tag-bindings", "attributes": {"key": "k", "value": "v"}}]}}}}
          """))
    #expect(tfe.requests[0].headers[.contentType] == "application/vnd.api+json")
  }

  @Test func aListOfWorkspacesReadsAllPagesWithTheirRuns() async throws {
    func page(_ number: Int, next: String) -> ScriptedServer.Answer {
      .json(
        """
        {"data": [{"id": "ws-\(number)", "type": "workspaces", "attributes": {"name": "w\(number)", "locked": true},
           "relationships": {"current-run": {"data": {"id": "run-\(number)", "type": "runs"}},
                             "project": {"data": null}}}],
         "included": [
           {"id": "run-\(number)", "type": "runs", "attributes": {"status": "planned"},
            "relationships": {"plan": {"data": {"id": "plan-\(number)", "type": "plans"}}}},
           {"id": "plan-\(number)", "type": "plans", "attributes": {"status": "finished", "resource-additions": 3}}],
         "meta": {"pagination": {"current-page": \(number), "next-page": \(next)}}}
        """)
    }
    tfe.server.on("GET /api/v2/organizations/acme/workspaces", page(1, next: "2"), page(2, next: "null"))
    var filter = WorkspaceFilter()
    filter.projectID = "prj-1"
    filter.tags = [TagBinding(key: "porc-installation", value: "i1"), TagBinding(key: "any", value: "")]
    filter.currentRunStatuses = [.planned, .policyOverride]
    let final = filter
    let workspaces = try await tfe.serve {
      try await $0.workspaces.list(organization: "acme", final, include: [.currentRunPlan], pageSize: 500).collected()
    }
    #expect(workspaces.map(\.id) == ["ws-1", "ws-2"])
    #expect(workspaces[0].isLocked)
    #expect(workspaces[0].projectID == nil)
    #expect(workspaces[1].currentRun?.status == .planned)
    #expect(workspaces[1].currentRun?.plan?.additions == 3)
    let query = tfe.requests.map { $0.query.removingPercentEncoding ?? "" }
    #expect(
      query[0] == "filter[project][id]=prj-1&filter[tagged][0][key]=porc-installation&filter[tagged][0][value]=i1"
        + "&filter[tagged][1][key]=any&filter[current-run][status]=planned,policy_override"
        + "&include=current_run.plan&page[number]=1&page[size]=100")
    #expect(query[1].hasSuffix("page[number]=2&page[size]=100"))
  }

  @Test func aServerThatRepeatsAPageDoesNotKeepUsReading() async throws {
    tfe.server.always("GET /api/v2/organizations/acme/projects") { _ in
      .json(#"{"data": [], "meta": {"pagination": {"next-page": 1}}}"#)
    }
    let projects = try await tfe.serve { try await $0.projects.list(organization: "acme", names: ["A"]).collected() }
    #expect(projects.isEmpty)
    #expect(tfe.calls.count == 1)
  }

  @Test func tagsAreAddedByPatch() async throws {
    let answer = #"{"data": [{"id": "tb-1", "type": "tag-bindings", "attributes": {"key": "k", "value": "v"}}]}"#
    tfe.server.on("PATCH /api/v2/workspaces/ws-1/tag-bindings", .status(500), .json(answer))
    let tags = try await tfe.serve {
      try await $0.workspaces.addTagBindings("ws-1", [TagBinding(key: "k", value: "v")])
    }
    #expect(tags == [TagBinding(key: "k", value: "v")])
    #expect(
      try sent() == json(#"{"data": [{"type": "tag-bindings", "attributes": {"key": "k", "value": "v"}}]}"#))
  }

  @Test func aSensitiveVariableHasNoValue() async throws {
    tfe.server.on(
      "GET /api/v2/workspaces/ws-1/vars",
      .json(
        """
        {"data": [
          {"id": "var-1", "type": "vars", "attributes": {"key": "a", "value": "1", "category": "terraform", "hcl": true}},
          {"id": "var-2", "type": "vars", "attributes": {"key": "b", "value": null, "category": "env", "sensitive": true}}
        ]}
        """))
    let variables = try await tfe.serve { try await $0.variables.list(workspace: "ws-1") }
    #expect(variables.map(\.value) == ["1", nil])
    #expect(variables.map(\.category) == [.terraform, .env])
    #expect(variables.map(\.isSensitive) == [false, true])
    #expect(variables.map(\.isHCL) == [true, false])
  }

  @Test func variablesAreWrittenAndDeleted() async throws {
    let answer = TFE.document("vars", "var-1", #"{"key": "a", "category": "terraform", "sensitive": true}"#)
    tfe.server.on("POST /api/v2/workspaces/ws-1/vars", answer)
    tfe.server.on("PATCH /api/v2/workspaces/ws-1/vars/var-1", answer)
    tfe.server.on("DELETE /api/v2/workspaces/ws-1/vars/var-1", .status(204))
    try await tfe.serve { client in
      let settings = VariableSettings(key: "a", value: "x", category: .terraform, isSensitive: true, note: "n")
      let variable = try await client.variables.create(workspace: "ws-1", settings)
      _ = try await client.variables.update(workspace: "ws-1", variable: variable.id, VariableSettings(value: "y"))
      try await client.variables.delete(workspace: "ws-1", variable: variable.id)
    }
    #expect(
      try sent(0)
        == json(
          """
          {"data": {"type": "vars", "attributes":
            {"key": "a", "value": "x", "category": "terraform", "sensitive": true, "description": "n"}}}
          """))
    #expect(try sent(1) == json(#"{"data": {"type": "vars", "id": "var-1", "attributes": {"value": "y"}}}"#))
  }

  @Test func aConfigurationVersionNeverStartsARunByItself() async throws {
    tfe.server.on(
      "POST /api/v2/workspaces/ws-1/configuration-versions",
      TFE.document(
        "configuration-versions", "cv-1", #"{"status": "pending", "upload-url": "https://up/x"}"#, status: 201))
    let version = try await tfe.serve { try await $0.configurationVersions.create(workspace: "ws-1") }
    #expect(version.uploadURL == SignedURL("https://up/x"))
    #expect(version.status == .pending)
    #expect(
      try sent()
        == json(
          """
          {"data": {"type": "configuration-versions",
            "attributes": {"auto-queue-runs": false, "speculative": false, "provisional": false}}}
          """))
  }

  @Test func theStateIsReadWithItsOutputs() async throws {
    tfe.server.on(
      "GET /api/v2/workspaces/ws-1/current-state-version",
      TFE.document(
        "state-versions", "sv-1",
        """
        {"serial": 4, "resources-processed": true,
         "resources": [{"name": "a", "type": "terraform_data", "count": 2, "module": "root", "provider": "p"}]}
        """,
        relationships: """
          {"outputs": {"data": [{"id": "wsout-1", "type": "state-version-outputs"},
                                {"id": "wsout-2", "type": "state-version-outputs"}]}}
          """,
        included: """
          [{"id": "wsout-1", "type": "state-version-outputs", "attributes":
             {"name": "endpoint", "sensitive": false, "type": "object", "value": {"n": 1, "f": 1.5, "l": [true, null]}}},
           {"id": "wsout-2", "type": "state-version-outputs", "attributes":
             {"name": "password", "sensitive": true, "type": "string", "value": null}}]
          """))
    let state = try await tfe.serve { try await $0.stateVersions.current(workspace: "ws-1", includeOutputs: true) }
    #expect(state.resources.first?.count == 2)
    #expect(state.areResourcesProcessed)
    #expect(state.outputs.map(\.name) == ["endpoint", "password"])
    #expect(state.outputs[0].value == ["n": 1, "f": .number(1.5), "l": [true, nil]])
    #expect(state.outputs[1].value == .null)
    #expect(tfe.requests[0].query == "include=outputs")
  }

  @Test func outputsThatAreNotReadyAreAskedAgain() async throws {
    tfe.server.on(
      "GET /api/v2/workspaces/ws-1/current-state-version-outputs", .status(503), .json(#"{"data": []}"#))
    #expect(try await tfe.serve { try await $0.stateVersions.currentOutputs(workspace: "ws-1") }.isEmpty)
  }

  @Test func policiesAreReadAndOverridden() async throws {
    tfe.server.on(
      "GET /api/v2/runs/run-1/policy-checks",
      .json(
        """
        {"data": [{"id": "polchk-1", "type": "policy-checks", "attributes":
          {"status": "soft_failed", "scope": "organization", "actions": {"is-overridable": true},
           "permissions": {"can-override": false}, "result": {"passed": 1, "soft-failed": 2, "hard-failed": 0}}}]}
        """))
    tfe.server.on(
      "GET /api/v2/runs/run-1/task-stages",
      .json(
        """
        {"data": [{"id": "ts-1", "type": "task-stages", "attributes":
          {"stage": "post_plan", "status": "awaiting_override", "actions": {"is-overridable": true}},
          "relationships": {"policy-evaluations": {"data": [{"id": "poleval-1", "type": "policy-evaluations"}]}}}]}
        """))
    tfe.server.on("POST /api/v2/policy-checks/polchk-1/actions/override", .status(200))
    tfe.server.on("POST /api/v2/task-stages/ts-1/actions/override", .status(200))
    try await tfe.serve { client in
      let checks = try await client.policyChecks.list(run: "run-1").collected()
      #expect(checks.first?.status == .softFailed)
      #expect(checks.first?.softFailed == 2)
      #expect(checks.first?.isOverridable == true)
      #expect(checks.first?.canOverride == false)
      let stages = try await client.taskStages.list(run: "run-1").collected()
      #expect(stages.first?.status == .awaitingOverride)
      #expect(stages.first?.policyEvaluationIDs == ["poleval-1"])
      try await client.policyChecks.override("polchk-1")
      try await client.taskStages.override("ts-1", comment: "approved by X")
    }
    #expect(try sent(3) == json(#"{"comment": "approved by X"}"#))
  }

  @Test func entitlementsAreFlagsByName() async throws {
    tfe.server.on(
      "GET /api/v2/organizations/acme/entitlement-set",
      TFE.document("entitlement-sets", "org-1", #"{"operations": true, "run-tasks": false, "user-limit": 5}"#))
    let set = try await tfe.serve { try await $0.organizations.entitlements(of: "acme") }
    #expect(set.operations)
    #expect(!set.runTasks)
    #expect(set.flags == ["operations": true, "run-tasks": false])
  }
}
