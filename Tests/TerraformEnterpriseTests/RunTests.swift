import Foundation
import TerraformEnterprise
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RunTests {
  let tfe = TFE()

  static let whole = TFE.document(
    "runs", "run-1",
    """
    {"status": "planned", "has-changes": true, "message": "porc-1/1", "is-destroy": false, "auto-apply": false,
     "plan-only": false, "created-at": "2026-11-23T10:15:00.250Z", "source": "tfe-api", "some-new-field": [1, {"a": 2}],
     "actions": {"is-confirmable": true, "is-discardable": true, "is-cancelable": false, "is-new": true},
     "permissions": {"can-apply": true}, "status-timestamps": {"planned-at": "2026-11-23T10:16:00+00:00"}}
    """,
    relationships: """
      {"workspace": {"data": {"id": "ws-1", "type": "workspaces"}},
       "configuration-version": {"data": {"id": "cv-1", "type": "configuration-versions"}},
       "plan": {"data": {"id": "plan-1", "type": "plans"}}, "apply": {"data": {"id": "apply-1", "type": "applies"}},
       "comments": {"data": []}, "created-by": {"links": {}},
       "task-stages": {"data": [{"id": "ts-1", "type": "task-stages"}]}}
      """,
    included: """
      [{"id": "plan-1", "type": "plans", "attributes": {"status": "finished", "has-changes": true,
          "resource-additions": 3, "resource-changes": 2, "resource-destructions": 1, "resource-imports": 0,
          "log-read-url": "https://archivist/secret"}},
       {"id": "apply-1", "type": "applies", "attributes": {"status": "pending"}},
       {"id": "ws-1", "type": "workspaces", "attributes": {"name": "porc-x"}},
       {"id": "x-1", "type": "things-nobody-knows", "attributes": null}]
      """)

  @Test func aRunIsReadWithWhatItIncludes() async throws {
    tfe.server.on("GET /api/v2/runs/run-1", Self.whole)
    let run = try await tfe.serve { try await $0.runs.read("run-1", include: [.plan, .apply, .workspace]) }
    #expect(run.status == .planned)
    #expect(run.hasChanges)
    #expect(run.message == "porc-1/1")
    #expect(run.actions.isConfirmable && run.actions.isDiscardable)
    #expect(!run.actions.isCancelable)
    #expect(run.canApply == true)
    #expect(run.workspaceID == "ws-1")
    #expect(run.workspace?.name == "porc-x")
    #expect(run.configurationVersionID == "cv-1")
    #expect(run.configurationVersion == nil)
    #expect(run.taskStageIDs == ["ts-1"])
    #expect(run.policyCheckIDs == [])
    #expect(run.plan?.additions == 3)
    #expect(run.plan?.logReadURL == SignedURL("https://archivist/secret"))
    #expect(run.apply?.status == .pending)
    #expect(run.createdAt == Date(timeIntervalSince1970: 1_795_428_900.25))
    #expect(run.statusTimestamps == ["planned-at": Date(timeIntervalSince1970: 1_795_428_960)])
    #expect(tfe.requests[0].query == "include=plan%2Capply%2Cworkspace")
  }

  @Test func aRunIsCreatedWithWhatIsSetAndNothingElse() async throws {
    tfe.server.on("POST /api/v2/runs", TFE.run(httpStatus: 201))
    var options = RunOptions(workspaceID: "ws-1", configurationVersionID: "cv-1", message: "porc-1/1")
    options.autoApply = false
    options.isDestroy = true
    options.variables = [.init(key: "region", hclValue: #""us-west1""#)]
    options.targetAddresses = ["a.b"]
    let final = options
    _ = try await tfe.serve { try await $0.runs.create(final) }
    let sent = try #require(try JSONSerialization.jsonObject(with: Data(tfe.requests[0].body)) as? NSDictionary)
    let expected = """
      {"data": {"type": "runs",
        "attributes": {"message": "porc-1/1", "auto-apply": false, "is-destroy": true, "target-addrs": ["a.b"],
          "variables": [{"key": "region", "value": "\\"us-west1\\""}]},
        "relationships": {"workspace": {"data": {"type": "workspaces", "id": "ws-1"}},
          "configuration-version": {"data": {"type": "configuration-versions", "id": "cv-1"}}}}}
      """
    #expect(sent == (try JSONSerialization.jsonObject(with: Data(expected.utf8)) as? NSDictionary))
  }

  @Test func actionsCarryAnOptionalComment() async throws {
    for action in ["apply", "discard", "cancel", "force-cancel"] {
      tfe.server.on("POST /api/v2/runs/run-1/actions/\(action)", .status(202))
    }
    try await tfe.serve { client in
      try await client.runs.apply("run-1", comment: "seen")
      try await client.runs.discard("run-1")
      try await client.runs.cancel("run-1")
      try await client.runs.forceCancel("run-1")
    }
    #expect(tfe.requests.map(\.text) == [#"{"comment":"seen"}"#, "", "", ""])
  }

  @Test func anActionThatComesTooLateIsAConflict() async throws {
    tfe.server.on("POST /api/v2/runs/run-1/actions/apply", .status(409))
    let error = try await tfe.error { try await $0.runs.apply("run-1") }
    #expect(error?.kind == .conflict)
  }

  @Test func runsAreFoundByTheirMessage() async throws {
    tfe.server.on(
      "GET /api/v2/organizations/acme/runs",
      .json(
        """
        {"data": [{"id": "run-1", "type": "runs", "attributes": {"status": "planned"}}],
         "meta": {"pagination": {"current-page": 1, "next-page": null}}}
        """))
    let runs = try await tfe.serve {
      try await $0.runs.list(organization: "acme", RunFilter(search: "porc-1/1", statusGroup: .nonFinal)).collected()
    }
    #expect(runs.map(\.id) == ["run-1"])
    #expect(
      tfe.requests[0].query.removingPercentEncoding
        == "search[basic]=porc-1/1&filter[status_group]=non_final&page[number]=1&page[size]=100")
  }

  @Test func anUnknownStatusIsKeptAndNotFinal() async throws {
    tfe.server.on("GET /api/v2/runs/run-1", TFE.run("tf_policy_checked"))
    let run = try await tfe.serve { try await $0.runs.read("run-1") }
    #expect(run.status == RunStatus(rawValue: "tf_policy_checked"))
    #expect(!run.status.isFinal)
  }

  @Test(arguments: [
    "applied", "canceled", "discarded", "errored", "force_canceled", "planned_and_finished", "policy_soft_failed",
  ])
  func endsAreFinal(status: String) {
    #expect(RunStatus(rawValue: status).isFinal)
  }

  @Test(arguments: [
    "pending", "planning", "planned", "planned_and_saved", "cost_estimated", "policy_checked", "policy_override",
    "post_plan_completed", "post_plan_awaiting_decision", "confirmed", "applying", "post_apply_running",
  ])
  func whatComesBeforeTheEndIsNotFinal(status: String) {
    #expect(!RunStatus(rawValue: status).isFinal)
  }
}
