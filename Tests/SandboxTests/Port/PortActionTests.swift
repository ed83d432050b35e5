import Crypto
import Foundation
import HTTPTypes
import Sandbox
import TestKit
import Testing

/// Buttons: what is saved, what pressing one sends, and what becomes of it.
@Suite(.timeLimit(.minutes(1)))
struct PortActionTests {
  @Test func aPressIsDeliveredSignedAndAsItsTemplatesSay() async throws {
    let backend = ScriptedServer()
    backend.on("POST /runs/abc/apply", .json("{}", status: 202))
    try await backend.serve { url in
      try await Port.run { port in
        try await port.setUpAction(Port.action(url: url + "/runs/{{ .entity.properties.code }}/apply"))
        let id = try await port.press(query: "?run_as=ann@example.com")
        let run = try await port.run(id) { $0["pendingExecution"] == false }
        #expect(run["status"] == "IN_PROGRESS")
        #expect(try await port.log(id) == [])

        let request = try #require(backend.requests.first)
        #expect(
          try JSONValue(parsing: request.body) == [
            "run_id": "abc", "count": 3, "reason": "because of nothing",
            "port_context": ["runId": .string(id), "actor": "ann@example.com"],
          ])
        #expect(request.headers[.authorization] == "Bearer s3cret")
        #expect(request.headers[.init("X-None")!] == nil)
        #expect(request.headers[.init("RUN_ID")!] == id)
        #expect(request.headers[.init("x-port-timestamp")!] == "1795428900")
        #expect(request.headers[.init("x-port-signature")!] == Self.signature(of: request.body))
      }
    }
  }

  /// The known answers of the signature, which Port's own client computes too.
  static func signature(of body: [UInt8], timestamp: String = "1795428900") -> String {
    let code = HMAC<SHA256>.authenticationCode(
      for: Data("\(timestamp).".utf8) + Data(body), using: SymmetricKey(data: Data(Port.clientSecret.utf8)))
    return "v1," + Data(code).base64EncodedString()
  }

  @Test func theAgentSignsTheCompactFormAndSendsTheSpacedOne() async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json("{}"))
    try await backend.serve { url in
      try await Port.run { port in
        let body: JSONValue = ["b": ["caf\u{e9} \u{1F600}", 1], "a": ["x": true]]
        try await port.setUpAction(
          Port.action("apply", url: url + "/x", ["webhook.agent": true, "webhook.body": body]))
        let id = try await port.press()
        _ = try await port.run(id) { $0["pendingExecution"] == false }
        let request = try #require(backend.requests.first)
        #expect(request.text == #"{"a": {"x": true}, "b": ["caf\u00e9 \ud83d\ude00", 1]}"#)
        let compact = Array(#"{"a":{"x":true},"b":["caf\u00e9 \ud83d\ude00",1]}"#.utf8)
        #expect(request.headers[.init("x-port-signature")!] == Self.signature(of: compact))
      }
    }
  }

  @Test func whatIsPutIntoAnAddressIsOneSegment() async throws {
    let backend = ScriptedServer()
    backend.on("DELETE /a%2F..%20b%3F/x", .json("{}"))
    try await backend.serve { url in
      try await Port.run { port in
        let action = Port.action(
          url: "{{ .inputs.base }}/{{ .inputs.name }}/x",
          [
            "webhook.method": "DELETE", "webhook.body": nil,
            "trigger.userInputs": ["properties": ["base": ["type": "string"], "name": ["type": "string"]]],
          ])
        try await port.setUpAction(action)
        let id = try await port.press(on: "i", ["base": .string(url), "name": "a/.. b?"])
        _ = try await port.run(id) { $0["pendingExecution"] == false }
        #expect(backend.calls == ["DELETE /a%2F..%20b%3F/x"])
        #expect(backend.requests.first?.body == [])

        let missing = try await port.press(on: "i", ["base": .string(url)])
        let run = try await port.run(missing) { $0["pendingExecution"] == false }
        #expect(run["status"] == "FAILURE")
        #expect(try await port.log(missing).first?.hasSuffix("needs a value that is not there.") == true)
        #expect(backend.calls.count == 1)
      }
    }
  }

  @Test(
    arguments: [
      (".entity.properties.code", "abc"), (".entity.properties.count", 3), (".nothing.at.all", nil),
      (".nothing // \"x\"", "x"), ("false // 1", 1),
      (".entity | {identifier, n: .properties.count}", ["identifier": "i", "n": 3]),
      (".entity.identifier[(\"\" | length):]", "i"), (".entity.properties[\"code\"][1:]", "bc"),
      ("\"<\\(.entity.title)>\"", "<I>"),
      ("if .entity == {} then null else .entity.title end", "I"), (".entity.properties.count + 1 == 4 and true", true),
      ("[.entity.properties.count, 2] | add * 2 - 1", 9),
      (".entity.properties.code | ascii_upcase | split(\"\")", ["A", "B", "C"]),
      ("[1, 2, 3] | map(select(. > 1)) | join(\"-\")", "2-3"), ("{a: 1} | to_entries", [["key": "a", "value": 1]]),
      (".entity.properties | has(\"code\")", true), ("\"a/b\" | @uri", "a%2Fb"), ("\"{{\" + \"}}\"", "{{}}"),
      (".entity.properties.code | startswith(\"ab\") | not", false), ("[[1, 2], [3]] | .[0][-1]", 2),
      (".a? // {b: {c: 1}}.b", ["c": 1]),
      ("\"7\" | tonumber / 2", 3.5), ("[3, 1, 3] | unique", [1, 3]), ("{\"a b\": 1}[\"a b\"]", 1),
    ] as [(String, JSONValue)])
  func jqGivesWhatItGivesInPort(expression: String, value: JSONValue) async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json("{}"))
    try await backend.serve { url in
      try await Port.run { port in
        let body: JSONValue = ["value": .string("{{ \(expression) }}"), "text": .string("<{{\(expression)}}>")]
        try await port.setUpAction(Port.action("apply", url: url + "/x", ["webhook.body": body]))
        _ = try await port.run(port.press()) { $0["pendingExecution"] == false }
        let sent = try JSONValue(parsing: try #require(backend.requests.first).body)
        #expect(sent["value"] == value)
        #expect(sent["text"].string == "<" + (value.isNull ? "" : value.string ?? value.text) + ">")
      }
    }
  }

  @Test func inputsAreSpreadWhereTheActionSaysSo() async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json("{}"))
    try await backend.serve { url in
      try await Port.run { port in
        let body: JSONValue = ["{{ spreadValue() }}": "{{ .inputs }}", "own": 1]
        try await port.setUpAction(Port.action("apply", url: url + "/x", ["webhook.body": body]))
        _ = try await port.run(port.press(on: "i", ["reason": "r", "times": 2])) { $0["pendingExecution"] == false }
        #expect(
          try JSONValue(parsing: try #require(backend.requests.first).body) == ["own": 1, "reason": "r", "times": 2])
      }
    }
  }

  @Test(
    arguments: [
      ["identifier": "a b"], ["nonsense": 1], ["webhook.type": "KAFKA"], ["webhook.url": "ftp://x"],
      ["webhook.body": "text"],
      ["webhook.method": "TRACE"], ["webhook.nonsense": 1], ["webhook.body": ["x": "{{ .a | gsub(\"a\"; \"b\") }}"]],
      ["webhook.body": ["x": "{{ .a"]], ["webhook.headers": ["X": "{{ $a }}"]], ["trigger.type": "automation"],
      ["trigger.operation": "UPDATE"], ["trigger.userInputs": [:]], ["trigger.blueprintIdentifier": nil],
      ["trigger.userInputs": ["properties": ["a": ["type": "text"]]]],
      ["trigger.userInputs": ["properties": ["a": ["type": "string", "visible": ["jqQuery": "true"]]]]],
      ["trigger.userInputs": ["properties": [:], "required": ["a"]]], ["trigger.operation": "CREATE"],
      ["trigger.condition": ["type": "JQ", "combinator": "and", "rules": []]], ["requiredApproval": "yes"],
      [
        "trigger.condition": [
          "type": "SEARCH", "combinator": "and", "rules": [["property": "x", "operator": "like", "value": 1]],
        ]
      ],
      ["trigger.actionCardButtonText": "much too long a text"],
    ] as [[String: JSONValue]])
  func whatCannotRunCannotBeSaved(changes: [String: JSONValue]) async throws {
    try await Port.run { port in
      try await port.setUp()
      let answer = try await port.call("POST", "/v1/actions", Port.action("apply", changes))
      #expect(answer.status == 422, "\(answer.body.text)")
      #expect(try await port.expect(200, "GET", "/v1/actions")["actions"] == [])
    }
  }

  @Test func anActionIsSavedChangedAndRemoved() async throws {
    try await Port.run { port in
      try await port.setUp()
      let saved = try await port.expect(201, "POST", "/v1/actions", Port.action())["action"]
      try await port.expect(409, "POST", "/v1/actions", Port.action())
      try await port.expect(404, "PUT", "/v1/actions/none", Port.action("none"))
      try await port.expect(404, "POST", "/v1/actions", Port.action("b", ["trigger.blueprintIdentifier": "none"]))
      var changed = Port.action("apply", ["title": "Apply it"])
      changed["createdAt"] = saved["createdAt"]
      let put = try await port.expect(200, "PUT", "/v1/actions/apply", changed)["action"]
      #expect(put["title"] == "Apply it")
      #expect(put["id"] == saved["id"])
      #expect(try await port.expect(200, "GET", "/v1/actions/apply")["action"] == put)
      try await port.expect(201, "POST", "/v1/actions", Port.action("other", ["publish": false]))
      let lists = [
        "": ["apply", "other"], "?published=true": ["apply"], "?action_identifier[]=other": ["other"],
        "?operation=CREATE": [],
      ]
      for (query, found) in lists {
        let list = try await port.expect(200, "GET", "/v1/actions\(query)")["actions"].array ?? []
        #expect(list.map { $0["identifier"].string } == found, "\(query)")
      }
      try await port.expect(409, "DELETE", "/v1/blueprints/instance")
      try await port.expect(200, "DELETE", "/v1/actions/apply")
      try await port.expect(404, "GET", "/v1/actions/apply")
    }
  }

  @Test func anActionRunsOnlyWhereItApplies() async throws {
    try await Port.run { port in
      try await port.setUpAction(
        Port.action(
          "apply", ["trigger.userInputs": ["properties": ["n": ["type": "number", "default": 4]], "required": ["n"]]]))
      let runs = "/v1/actions/apply/runs"
      try await port.create("instance", ["identifier": "done", "properties": ["status": "applied"]])
      let refused: [(Int, JSONValue)] = [
        (422, [:]), (422, ["properties": [:]]), (422, ["properties": [:], "entity": "done"]),
        (404, ["properties": [:], "entity": "none"]), (422, ["properties": ["n": "four"], "entity": "i"]),
        (422, ["properties": ["other": 1], "entity": "i"]), (422, ["properties": ["n": nil], "entity": "i"]),
        (422, ["properties": [:], "entity": "i", "more": 1]),
      ]
      for (status, body) in refused {
        let answer = try await port.call("POST", runs, body)
        #expect(answer.status == status, "\(body.text): \(answer.body.text)")
      }
      try await port.expect(404, "POST", "/v1/actions/none/runs", ["properties": [:]])
      #expect(try await port.expect(200, "GET", "/v1/actions/runs")["runs"] == [])
      #expect(try await port.run(port.press())["properties"] == ["n": 4])
    }
  }

  @Test func secretsAreUsedAndNeverShown() async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json("{}"))
    try await backend.serve { url in
      try await Port.run { port in
        try await port.setUpAction(Port.action(url: url + "/x"))
        let path = "/v1/organization/secrets"
        try await port.expect(409, "POST", path, ["secretName": "TOKEN", "secretValue": "x"])
        try await port.expect(422, "POST", path, ["secretName": "no good", "secretValue": "x"])
        try await port.expect(422, "POST", path, ["secretName": "A"])
        try await port.expect(200, "PATCH", path + "/TOKEN", ["secretValue": "rotated", "description": "PORC's"])
        let secret = try await port.expect(200, "GET", path + "/TOKEN")["secret"]
        #expect(Set(secret.object?.keys ?? [:].keys) == ["secretName", "description", "createdAt", "updatedAt"])
        #expect(try await port.expect(200, "GET", path)["secrets"] == [secret])

        let id = try await port.press()
        let run = try await port.run(id) { $0["pendingExecution"] == false }
        #expect(backend.requests.first?.headers[.authorization] == "Bearer rotated")
        #expect(run["payload"]["headers"]["Authorization"] == "Bearer •••")
        #expect(!run.text.contains("rotated"))
        let asked = try await port.expect(200, "GET", "/_sandbox/requests")
        #expect(!asked.text.contains("s3cret") && !asked.text.contains("rotated"))
        try await port.expect(200, "DELETE", path + "/TOKEN")
        try await port.expect(404, "GET", path + "/TOKEN")
      }
    }
  }
}
