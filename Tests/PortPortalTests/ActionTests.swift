import Foundation
import PortPortal
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ActionTests {
  private let port = PortScript()
  private let stored = #"""
    {"id": "action_1", "identifier": "restart", "title": "Restart", "icon": "Microservice", "createdBy": "auth0|1",
     "trigger": {"type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "service",
                 "userInputs": {"properties": {}, "required": [], "order": []}},
     "invocationMethod": {"type": "WEBHOOK", "url": "https://example.com/{{ .entity.identifier }}", "synchronized": false},
     "requiredApproval": {"type": "ANY"}, "publish": true}
    """#
  private let restart = Portal.Action(
    identifier: "restart", title: "Restart", icon: "Microservice",
    trigger: [
      "type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "service",
      "userInputs": ["properties": [:], "required": [], "order": []],
    ],
    invocationMethod: [
      "type": "WEBHOOK", "url": "https://example.com/{{ .entity.identifier }}", "synchronized": false,
    ], requiredApproval: ["type": "ANY"], publish: true)

  @Test func actionsAreReadInTheirSecondVersion() async throws {
    port.server.on("GET /v1/actions", .json(#"{"ok":true,"actions":[\#(stored)]}"#))
    port.server.on("GET /v1/actions/restart", .json(#"{"ok":true,"action":\#(stored)}"#))
    port.server.on("GET /v1/actions/none", .refusal(404, "not_found"))
    try await port.run { client async throws in
      #expect(try await client.actions.list() == [restart])
      #expect(try await client.actions.get("restart") == restart)
      #expect(try await client.actions.get("none") == nil)
    }
    #expect(port.requests.map(\.query) == Array(repeating: "version=v2", count: 3))
  }

  @Test func anActionIsSentAsPortTakesIt() async throws {
    port.server.on("POST /v1/actions", .json(#"{"ok":true,"action":\#(stored)}"#, status: 201))
    port.server.on("PUT /v1/actions/restart", .json(#"{"ok":true}"#))
    try await port.run { client in
      try await client.actions.create(restart)
      try await client.actions.replace(restart)
    }
    // Port refuses members that it does not know, such as those that it adds itself.
    let known: Set = ["identifier", "title", "icon", "trigger", "invocationMethod", "requiredApproval", "publish"]
    #expect(port.requests.map { Set($0.json?.object.map { Array($0.keys) } ?? []) } == [known, known])
    #expect(port.requests.first?.json?["trigger"] == restart.trigger)
    #expect(port.requests.last?.json?["invocationMethod"] == restart.invocationMethod)
  }

  @Test func aCreationIsRepeatedOnlyWhenPortHasSurelyDoneNothingAndAReplacementAlways() async throws {
    port.server.on("POST /v1/actions", .refusal(429), .refusal(503))
    port.server.on("PUT /v1/actions/restart", .refusal(503), .json(#"{"ok":true}"#))
    try await port.run { client in
      #expect(try await portError { try await client.actions.create(restart) }?.status == 503)
      try await client.actions.replace(restart)
    }
    #expect(port.calls.count == 4)
  }

  @Test func aDeletionSaysWhetherAnythingWasThere() async throws {
    port.server.on("DELETE /v1/actions/restart", .json(#"{"ok":true}"#), .refusal(404, "not_found"))
    try await port.run { client async throws in
      #expect(try await client.actions.delete("restart"))
      #expect(try await !client.actions.delete("restart"))
    }
  }
}
