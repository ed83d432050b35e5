import Foundation
import Sandbox
import TestKit
import Testing

/// The answers of the sandbox, held against the OpenAPI document that Port publishes.
@Suite(.timeLimit(.minutes(1)))
struct PortContractTests {
  @Test func everyAnswerHasTheShapeThatPortPublishes() async throws {
    let contract = try PortContract()
    let good: JSONValue = [
      "identifier": "i", "title": "I", "icon": "X", "team": "a", "properties": ["status": "planned", "code": "abc"],
      "relations": ["template": "t"],
    ]
    let query: JSONValue = ["combinator": "and", "rules": []]
    let instances = "/v1/blueprints/instance/entities"
    let calls: [(method: String, target: String, body: JSONValue?, status: Int)] = [
      (
        "POST", "/v1/auth/access_token",
        ["clientId": .string(Port.clientID), "clientSecret": .string(Port.clientSecret)], 200
      ),
      ("POST", "/v1/auth/access_token", ["clientId": "x", "clientSecret": "y"], 401),
      ("POST", "/v1/blueprints", Port.template, 201), ("POST", "/v1/blueprints", Port.instance, 201),
      ("POST", "/v1/blueprints", ["identifier": "x"], 422), ("GET", "/v1/blueprints", nil, 200),
      ("GET", "/v1/blueprints/instance", nil, 200), ("GET", "/v1/blueprints/none", nil, 404),
      ("PUT", "/v1/blueprints/template", Port.template, 200), ("PATCH", "/v1/blueprints/template", ["title": "T"], 200),
      ("POST", "/v1/blueprints/template/entities?upsert=true", ["identifier": "t"], 201),
      ("POST", instances + "?upsert=true&merge=true&create_missing_related_entities=false", good, 201),
      ("POST", instances + "?upsert=true", good, 200), ("POST", instances + "?upsert=false", good, 409),
      ("POST", instances + "?upsert=true", ["identifier": "j"], 422), ("GET", instances, nil, 200),
      ("GET", "/v1/blueprints/instance/entities-count", nil, 200),
      ("GET", instances + "/i?exclude_calculated_properties=true&include=title", nil, 200),
      ("PATCH", instances + "/i", ["title": "J", "properties": ["code": nil]], 200),
      ("PUT", instances + "/i", good, 200),
      ("POST", instances + "/bulk?upsert=true", ["entities": [good]], 200),
      ("POST", instances + "/bulk?upsert=true", ["entities": [good, ["identifier": "k"]]], 207),
      ("POST", instances + "/search", ["query": query, "limit": 1], 200), ("POST", "/v1/entities/search", query, 200),
      ("POST", "/v1/organization/secrets", ["secretName": "TOKEN", "secretValue": "s", "description": "d"], 201),
      ("POST", "/v1/organization/secrets", ["secretName": "TOKEN", "secretValue": "s"], 409),
      ("GET", "/v1/organization/secrets", nil, 200), ("GET", "/v1/organization/secrets/TOKEN", nil, 200),
      ("PATCH", "/v1/organization/secrets/TOKEN", ["secretValue": "t"], 200),
      ("GET", "/v1/organization/secrets/NONE", nil, 404),
      ("POST", "/v1/actions", Port.action("asks", ["requiredApproval": ["type": "ANY"]]), 201),
      ("POST", "/v1/actions", Port.action("apply", url: "{{ .inputs.reason }}", ["requiredApproval": true]), 201),
      ("POST", "/v1/actions", ["identifier": "x"], 422), ("PUT", "/v1/actions/apply", Port.action(), 200),
      ("GET", "/v1/actions?version=v2&action_identifier[]=apply&published=true", nil, 200),
      ("GET", "/v1/actions/apply", nil, 200), ("GET", "/v1/actions/none", nil, 404),
      ("POST", "/v1/actions/apply/runs", ["properties": [:], "entity": "none"], 404),
      ("POST", "/v1/actions/apply/runs", ["properties": ["x": 1], "entity": "i"], 422),
      ("POST", "/v1/actions/asks/runs?run_as=a@b.example", ["properties": ["reason": "r"], "entity": "i"], 202),
      ("GET", "/v1/actions/runs?active=true&entity=i&limit=10&version=v2", nil, 200),
      ("GET", "/v1/actions/runs/RUN?version=v2", nil, 200), ("GET", "/v1/actions/runs/r_none", nil, 404),
      ("PATCH", "/v1/actions/runs/RUN/approval", ["status": "APPROVE", "description": "d"], 201),
      ("GET", "/v1/actions/runs/RUN/approvers", nil, 200),
      ("PATCH", instances + "/i?run_id=RUN", ["properties": ["status": "planned"]], 200),
      (
        "PATCH", "/v1/actions/runs/RUN",
        ["statusLabel": "l", "link": ["https://x"], "externalRunId": "e", "summary": "s"], 200
      ),
      ("POST", "/v1/actions/runs/RUN/logs", ["message": "m"], 201),
      ("GET", "/v1/actions/runs?external_run_id=e&version=v2", nil, 200),
      ("POST", "/v1/actions/runs/RUN/logs", ["message": "m", "terminationStatus": "SUCCESS", "statusLabel": "l"], 201),
      ("PATCH", "/v1/actions/runs/RUN", ["status": "FAILURE"], 409),
      ("GET", "/v1/actions/runs/RUN/logs?limit=50&offset=0", nil, 200), ("GET", "/v1/actions/runs/RUN", nil, 200),
      ("DELETE", "/v1/actions/apply", nil, 200), ("DELETE", "/v1/actions/asks", nil, 200),
      ("DELETE", "/v1/organization/secrets/TOKEN", nil, 200),
      ("GET", "/v1/organization", nil, 200),
      ("PATCH", "/v1/organization", ["settings": ["portAgentStreamerName": "POLLING"]], 200),
      ("GET", "/v1/integration?actionsProcessingEnabled=true", nil, 200),
      ("GET", "/v1/integration/none?isPolling=false&oceanCoreVersion=1", nil, 404),
      ("POST", "/v1/blueprints/instance/bulk/entities/delete?delete_dependents=false", ["entities": ["i"]], 200),
      ("DELETE", "/v1/blueprints/template/entities/t?delete_dependents=false", nil, 200),
      ("DELETE", "/v1/blueprints/template/entities/t", nil, 404), ("DELETE", "/v1/blueprints/instance", nil, 200),
    ]
    try await Port.run { port in
      var run = ""
      for call in calls {
        let target = call.target.replacing("RUN", with: run)
        let name = "\(call.method) \(target) -> \(call.status)"
        let answer = try await port.call(call.method, target, call.body)
        #expect(answer.status == call.status, "\(name): \(answer.body.text)")
        let problems = contract.problems(ofAnswer: answer.status, to: call.method, target, body: answer.body.bytes)
        #expect(problems == [], "\(answer.body.text)")
        if (200..<300).contains(call.status) {
          #expect(contract.problems(ofRequest: call.method, target, body: call.body?.bytes ?? []) == [])
        }
        run = answer.body["run"]["id"].string ?? run
      }
    }
  }

  /// An integration is made by a route that the document does not have; the others it has.
  @Test func anIntegrationIsAsPortPublishesIt() async throws {
    let contract = try PortContract()
    let path = PortIntegrationTests.path
    try await Port.run { port in
      #expect(!contract.isDeclared("POST", "/v1/integration"))
      try await port.expect(201, "POST", "/v1/integration", PortIntegrationTests.integration)
      for (method, target, body) in [
        ("GET", path, nil), ("GET", "/v1/integration", nil), ("PATCH", path, nil),
        ("PATCH", path, ["version": "2", "changelogDestination": [:], "arePortResourcesInitialized": true]),
        ("PATCH", path + "/config", ["config": ["resources": []]]), ("DELETE", path, nil),
      ] as [(String, String, JSONValue?)] {
        let answer = try await port.call(method, target, body)
        #expect(answer.status == 200, "\(method) \(target): \(answer.body.text)")
        #expect(contract.problems(ofAnswer: 200, to: method, target, body: answer.body.bytes) == [])
        #expect(contract.problems(ofRequest: method, target, body: body?.bytes ?? []) == [])
      }
    }
  }

  /// What the document forbids, the sandbox forbids too: a client that gets through here gets through there.
  @Test(
    arguments: [
      ("POST", "/v1/actions/apply/runs", ["properties": [:], "entity": "i", "x": 1]),
      ("PATCH", "/v1/actions/runs/RUN", ["status": "DONE"]), ("PATCH", "/v1/actions/runs/RUN", ["x": 1]),
      ("POST", "/v1/actions/runs/RUN/logs", ["terminationStatus": "SUCCESS"]),
      ("POST", "/v1/organization/secrets", ["secretName": "a b", "secretValue": "x"]),
      ("POST", "/v1/organization/secrets", ["secretName": "a", "secretValue": "x", "x": 1]),
      ("POST", "/v1/actions", Port.action("x", ["nonsense": 1])), ("POST", "/v1/actions", Port.action("a b")),
      ("POST", "/v1/actions", Port.action("x", ["trigger.nonsense": 1])),
      ("POST", "/v1/actions", Port.action("x", ["webhook.nonsense": 1])),
      ("PATCH", "/v1/blueprints/instance/entities/i", ["blueprint": "instance"]),
      ("PATCH", "/v1/organization", ["settings": ["portAgentStreamerName": "PIGEON"]]),
      ("PATCH", "/v1/organization", ["nonsense": 1]),
    ] as [(String, String, JSONValue)])
  func whatTheDocumentForbidsIsRefused(method: String, target: String, body: JSONValue) async throws {
    let contract = try PortContract()
    try await Port.run { port in
      try await port.setUpAction(Port.action("apply", ["requiredApproval": true]))
      let target = target.replacing("RUN", with: try await port.press())
      #expect(contract.problems(ofRequest: method, target, body: body.bytes) != [])
      #expect(try await port.call(method, target, body).status == 422)
    }
  }
}
