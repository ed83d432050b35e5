import Foundation
import HTTPTypes
import Sandbox
import Synchronization
import TestKit

extension Port {
  /// A button of instances as a platform has it.
  static func action(
    _ identifier: String = "apply", url: String = "http://127.0.0.1:1/x", _ changes: [String: JSONValue] = [:]
  ) -> JSONValue {
    var webhook: JSONValue = [
      "type": "WEBHOOK", "url": .string(url), "method": "POST", "synchronized": false, "agent": false,
      "headers": ["Authorization": "Bearer {{ .secrets.TOKEN }}", "X-None": "{{ .inputs.none }}"],
      "body": [
        "run_id": "{{ .entity.properties.code }}", "count": "{{ .entity.properties.count }}",
        "reason": "because {{ .inputs.reason // \"of nothing\" }}", "{{ .inputs.none }}": 1,
        "port_context": ["runId": "{{ .run.id }}", "actor": "{{ .trigger.by.user.email }}"],
      ],
    ]
    var trigger: JSONValue = [
      "type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "instance",
      "userInputs": [
        "properties": ["reason": ["type": "string", "maxLength": 20], "times": ["type": "number"]], "required": [],
      ],
      "condition": [
        "type": "SEARCH", "combinator": "and",
        "rules": [["property": "status", "operator": "=", "value": "planned"]],
      ],
    ]
    var action: JSONValue = ["identifier": .string(identifier), "title": "Apply now"]
    for (path, value) in changes {
      let parts = path.split(separator: ".").map(String.init)
      switch parts[0] {
      case "webhook": webhook[parts[1]] = value
      case "trigger": trigger[parts[1]] = value
      default: action[path] = value
      }
    }
    action["trigger"] = trigger
    action["invocationMethod"] = webhook
    return action
  }

  /// Blueprints, a secret, the action, and an instance `i` that is planned.
  func setUpAction(_ action: JSONValue) async throws {
    try await setUp()
    try await expect(201, "POST", "/v1/organization/secrets", ["secretName": "TOKEN", "secretValue": "s3cret"])
    try await expect(201, "POST", "/v1/actions", action)
    try await create(
      "instance",
      [
        "identifier": "i", "title": "I", "properties": ["status": "planned", "code": "abc", "count": 3],
      ])
  }

  /// Sends a request and fails the test where the answer has another status.
  @discardableResult
  func expect(_ status: Int, _ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
    let answer = try await call(method, path, body)
    guard answer.status == status else { throw Refused(answer: answer) }
    return answer.body
  }

  /// Presses a button and says which run that made.
  func press(
    _ action: String = "apply", on entity: String? = "i", _ properties: JSONValue = [:], query: String = ""
  ) async throws -> String {
    var body: JSONValue = ["properties": properties]
    if let entity { body["entity"] = .string(entity) }
    let run = try await expect(202, "POST", "/v1/actions/\(action)/runs\(query)", body)["run"]
    return run["id"].string ?? ""
  }

  func run(_ id: String) async throws -> JSONValue {
    try await expect(200, "GET", "/v1/actions/runs/\(id)")["run"]
  }

  /// The messages of a run's log.
  func log(_ id: String) async throws -> [String] {
    let logs = try await expect(200, "GET", "/v1/actions/runs/\(id)/logs")["runLogs"].array ?? []
    return logs.compactMap { $0["message"].string }
  }

  /// Reads a run until it is as wanted. The test's time limit ends a wait in vain.
  func run(_ id: String, until isWanted: (JSONValue) -> Bool) async throws -> JSONValue {
    while true {
      let run = try await run(id)
      if isWanted(run) { return run }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}
