import Foundation
import Sandbox
import TestKit
import Testing

/// Port's agent, which asks for the runs that go through it.
@Suite(.timeLimit(.minutes(1)))
struct PortAgentTests {
  static let claim: JSONValue = ["installationId": "_PORT_EXEC_AGENT", "limit": 100, "invocationMethod": "WEBHOOK"]

  /// A press of a button whose webhook goes through an agent that polls.
  func pressForAgent(_ port: Port, url: String = "http://127.0.0.1:1/x") async throws -> String {
    try await poll(port)
    try await port.setUpAction(Port.action(url: url, ["webhook.agent": true]))
    let id = try await port.press()
    _ = try await port.run(id) { !$0["payload"].isNull }
    return id
  }

  func poll(_ port: Port, _ streamer: JSONValue = "POLLING") async throws {
    try await port.expect(200, "PATCH", "/v1/organization", ["settings": ["portAgentStreamerName": streamer]])
  }

  func claimed(_ port: Port, _ changes: [String: JSONValue] = [:]) async throws -> [JSONValue] {
    var body = Self.claim
    for (name, value) in changes { body[name] = value }
    return try await port.expect(200, "POST", "/v1/actions/runs/claim-pending", body)["runs"].array ?? []
  }

  @Test func anAgentGetsWhatItIsToSend() async throws {
    try await Port.run { port in
      let id = try await pressForAgent(port)
      let runs = try await claimed(port)
      #expect(runs.map { $0["id"] } == [.string(id)])
      #expect(runs[0]["status"] == "IN_PROGRESS")
      #expect(
        runs[0]["payload"] == [
          "type": "WEBHOOK", "url": "http://127.0.0.1:1/x", "agent": true, "synchronized": false, "method": "POST",
          "headers": ["Authorization": "Bearer s3cret"],
          "body": [
            "run_id": "abc", "count": 3, "reason": "because of nothing",
            "port_context": ["runId": .string(id), "actor": "api-token@port-sandbox.local"],
          ],
        ])
      // Others who read the run see no secret.
      #expect(try await port.run(id)["payload"]["headers"] == ["Authorization": "Bearer •••"])
    }
  }

  @Test func aClaimedRunIsFreeAgainAfterItsTime() async throws {
    try await Port.run { port in
      let id = try await pressForAgent(port)
      let first = try await claimed(port)
      #expect(first.map { $0["claimedUntil"] } == ["2026-11-23T10:16:00.000Z"])
      #expect(try await claimed(port).isEmpty)
      port.time.advance(by: 60)
      #expect(try await claimed(port, ["visibilityTimeoutMs": 5000]).map { $0["id"] } == [.string(id)])
      port.time.advance(by: 4)
      #expect(try await claimed(port).isEmpty)
      port.time.advance(by: 1)
      #expect(try await claimed(port).count == 1)
    }
  }

  @Test func anAcknowledgedRunIsTheAgents() async throws {
    try await Port.run { port in
      let id = try await pressForAgent(port)
      let path = "/v1/actions/runs/ack"
      _ = try await claimed(port)
      let unknown: JSONValue = ["runIds": [.string(id), "r_none"]]
      #expect(try await port.expect(200, "PATCH", path, unknown)["ackedCount"] == 1)
      #expect(try await port.expect(200, "PATCH", path, ["runIds": [.string(id)]])["ackedCount"] == 0)
      try await port.expect(409, "PATCH", path, ["runId": .string(id)])
      try await port.expect(404, "PATCH", path, ["runId": "r_none"])
      try await port.expect(422, "PATCH", path, [:])
      port.time.advance(by: 3600)
      #expect(try await claimed(port).isEmpty)
      let run = try await port.run(id)
      #expect(run["pendingExecution"] == false)
      #expect(run["status"] == "IN_PROGRESS")
      try await port.expect(200, "PATCH", "/v1/actions/runs/\(id)", ["status": "SUCCESS"])
    }
  }

  @Test func onlyTheAgentGetsRuns() async throws {
    try await Port.run { port in
      _ = try await pressForAgent(port)
      for changes in [
        ["installationId": "my-fleet"], ["invocationMethod": "KAFKA"], ["exclude": ["apply"]],
      ] as [[String: JSONValue]] {
        #expect(try await claimed(port, changes).isEmpty)
      }
      for changes in [["installationId": nil], ["limit": 0], ["visibilityTimeoutMs": 0]] as [[String: JSONValue]] {
        var body = Self.claim
        for (name, value) in changes { body[name] = value }
        try await port.expect(422, "POST", "/v1/actions/runs/claim-pending", body)
      }
      #expect(try await claimed(port).count == 1)
    }
  }

  @Test func thereAreNoRunsOfWorkflows() async throws {
    try await Port.run { port in
      let answer = try await port.expect(200, "POST", "/v1/workflows/runs/claim-pending", Self.claim)
      #expect(answer["nodeRuns"] == [])
    }
  }

  @Test func aRunThatEndedIsNotClaimed() async throws {
    try await Port.run { port in
      let id = try await pressForAgent(port)
      try await port.expect(200, "PATCH", "/v1/actions/runs/\(id)", ["status": "FAILURE"])
      #expect(try await claimed(port).isEmpty)
    }
  }

  @Test func whereNoAgentPollsTheSandboxSends() async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json("{}"))
    try await backend.serve { url in
      try await Port.run { port in
        let id = try await pressForAgent(port, url: url + "/x")
        #expect(backend.calls == [])
        try await poll(port, "KAFKA")
        #expect(try await claimed(port).isEmpty)
        _ = try await port.run(id) { $0["pendingExecution"] == false }
        #expect(backend.calls == ["POST /x"])
      }
    }
  }

  @Test func aRunWaitsForItsAgentAcrossARestart() async throws {
    let folder = try TemporaryFolder()
    let id = try await Port.run(in: folder) { port in
      let id = try await pressForAgent(port)
      _ = try await claimed(port)
      return id
    }
    try await Port.run(in: folder) { port in
      #expect(try await claimed(port).isEmpty)
      port.time.advance(by: 60)
      #expect(try await claimed(port).map { $0["id"] } == [.string(id)])
      let settings = try await port.expect(200, "GET", "/v1/organization")["organization"]["settings"]
      #expect(settings == ["portAgentStreamerName": "POLLING"])
    }
  }
}
