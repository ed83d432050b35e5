import Sandbox
import TestKit
import Testing

/// The routes that Ocean, Port's framework for integrations, calls beyond blueprints and entities.
@Suite(.timeLimit(.minutes(1)))
struct PortIntegrationTests {
  static let path = "/v1/integration/my-fleet"
  /// As Ocean's client sends it.
  static let integration: JSONValue = [
    "installationId": "my-fleet", "installationAppType": "fleet", "version": "0.1.0", "changelogDestination": [:],
    "config": ["resources": []], "actionsProcessingEnabled": false, "incrementalSyncEnabled": false,
    "createPortResourcesOrigin": "Default",
  ]

  @Test func anIntegrationIsMadeOnce() async throws {
    try await Port.run { port in
      #expect(try await port.expect(404, "GET", Self.path)["error"] == "not_found")
      let made = try await port.expect(201, "POST", "/v1/integration", Self.integration)["integration"]
      for (name, value) in Self.integration.object ?? [:] { #expect(made[name] == value) }
      #expect(made["identifier"] == "my-fleet")
      #expect(made["installationType"] == "OnPrem")
      #expect(made["createdBy"] == "api-token")
      #expect(made["updatedAt"] == "2026-11-23T10:15:00.000Z")
      let read = try await port.expect(200, "GET", Self.path + "?oceanCoreVersion=0.55.4&isPolling=false")
      #expect(read["integration"] == made)
      #expect(try await port.call("POST", "/v1/integration", Self.integration).status == 409)
    }
  }

  @Test func aChangeLeavesTheRest() async throws {
    try await Port.run { port in
      try await port.expect(201, "POST", "/v1/integration", Self.integration)
      port.time.advance(by: 60)
      let changes: JSONValue = [
        "version": "0.2.0", "arePortResourcesInitialized": true, "processingMode": "dsp", "installationId": "other",
      ]
      let changed = try await port.expect(200, "PATCH", Self.path, changes)["integration"]
      #expect(changed["version"] == "0.2.0")
      #expect(changed["arePortResourcesInitialized"] == true)
      #expect(changed["processingMode"] == "dsp")
      #expect(changed["installationId"] == "my-fleet")
      #expect(changed["config"] == ["resources": []])
      #expect(changed["createdAt"] == "2026-11-23T10:15:00.000Z")
      #expect(changed["updatedAt"] == "2026-11-23T10:16:00.000Z")
      let mapped = try await port.expect(200, "PATCH", Self.path + "/config", ["config": ["x": 1]])["integration"]
      #expect(mapped["config"] == ["x": 1])
      #expect(mapped["version"] == "0.2.0")
    }
  }

  @Test(
    arguments: [
      ("installationId", 1), ("installationId", "a b"), ("installationId", ""), ("config", []), ("version", 1),
      ("actionsProcessingEnabled", "yes"), ("changelogDestination", ["type": "KAFKA"]),
      ("createPortResourcesOrigin", "Port"),
    ] as [(String, JSONValue)])
  func whatCannotBeIsRefused(name: String, value: JSONValue) async throws {
    try await Port.run { port in
      var integration = Self.integration
      integration[name] = value
      try await port.expect(422, "POST", "/v1/integration", integration)
      #expect(try await port.expect(200, "GET", "/v1/integration")["integrations"] == [])
    }
  }

  @Test func anUnknownIntegrationIsNotFound() async throws {
    try await Port.run { port in
      for (method, path, body) in [
        ("PATCH", "", ["version": "1"]), ("PATCH", "/config", ["config": [:]]),
        ("PATCH", "/resync-state", ["status": "running"]), ("GET", "/resync-request", nil),
        ("POST", "/kinds/ship/examples", ["examples": []]), ("DELETE", "", nil),
      ] as [(String, String, JSONValue?)] {
        let answer = try await port.call(method, Self.path + path, body)
        #expect(answer.status == 404, "\(method) \(path)")
        #expect(answer.body["error"] == "not_found")
      }
    }
  }

  @Test func theStateOfAResyncIsKept() async throws {
    try await Port.run { port in
      try await port.expect(201, "POST", "/v1/integration", Self.integration)
      try await port.expect(
        200, "PATCH", Self.path + "/resync-state",
        ["status": "running", "lastResyncStart": "2026-11-23T10:15:00+00:00", "lastResyncEnd": nil])
      port.time.advance(by: 1)
      let ended = try await port.expect(
        200, "PATCH", Self.path + "/resync-state",
        ["status": "completed", "lastResyncEnd": "2026-11-23T10:15:01+00:00"])
      let integration = ended["integration"]
      #expect(
        integration["resyncState"] == [
          "status": "completed", "lastResyncStart": "2026-11-23T10:15:00+00:00",
          "lastResyncEnd": "2026-11-23T10:15:01+00:00", "updatedAt": "2026-11-23T10:15:01.000Z",
        ])
      // Otherwise an Ocean that polls would take its own report for a new mapping, and resync without end.
      #expect(integration["updatedAt"] == integration["resyncState"]["updatedAt"])
    }
  }

  @Test func anEmptyChangeOrANewMappingAsksForAResync() async throws {
    try await Port.run { port in
      try await port.expect(201, "POST", "/v1/integration", Self.integration)
      func request() async throws -> JSONValue {
        try await port.expect(200, "GET", Self.path + "/resync-request")["request"]
      }
      try await port.expect(200, "PATCH", Self.path, ["version": "0.2.0"])
      #expect(try await request() == [:])
      port.time.advance(by: 60)
      try await port.expect(200, "PATCH", Self.path)
      #expect(try await request() == ["updatedAt": "2026-11-23T10:16:00.000Z"])
      port.time.advance(by: 60)
      try await port.expect(200, "PATCH", Self.path + "/config", ["config": ["x": 1]])
      #expect(try await request() == ["updatedAt": "2026-11-23T10:17:00.000Z"])
      port.time.advance(by: 60)
      try await port.expect(200, "PATCH", Self.path + "/resync-state", ["status": "running"])
      #expect(try await request() == ["updatedAt": "2026-11-23T10:17:00.000Z"])
      #expect(try await port.call("PATCH", Self.path + "/config", [:]).status == 422)
    }
  }

  @Test func nothingIsProvisionedAndNoFeatureIsOn() async throws {
    try await Port.run { port in
      let enabled = try await port.expect(200, "GET", "/v1/integration/provision-enabled")
      #expect(enabled == ["ok": true, "integrations": []])
      let organization = try await port.expect(200, "GET", "/v1/organization")["organization"]
      #expect(organization["id"] == "org_sandbox")
      #expect(organization["featureFlags"] == [])
    }
  }

  @Test func logsMetricsAndExamplesAreTaken() async throws {
    try await Port.run { port in
      let integration = try await port.expect(201, "POST", "/v1/integration", Self.integration)["integration"]
      for (name, method, path) in [
        ("logAttributes", "POST", ""), ("metricAttributes", "POST", "/syncMetrics"),
        ("metricAttributes", "PUT", "/syncMetrics/resync/e/kind/ship-0"),
      ] {
        let address = try #require(integration[name]["ingestUrl"].string)
        #expect(address.hasPrefix(port.url))
        let target = String(address.dropFirst(port.url.count)) + path
        try await port.expect(200, method, target, ["x": [1]])
        #expect(port.sandbox.requests.records().last?.path == target)
        #expect(try await port.call(method, target, ["x": [1]], token: nil).status == 401)
      }
      try await port.expect(200, "POST", Self.path + "/kinds/ship/examples", ["examples": [["id": "s1"]]])
      #expect(try await port.call("POST", Self.path + "/kinds/ship/examples", [:]).status == 422)
    }
  }

  @Test func integrationsAreListedAndDeleted() async throws {
    try await Port.run { port in
      for (identifier, isActing) in [("b", true), ("a", false)] {
        var integration = Self.integration
        integration["installationId"] = .string(identifier)
        integration["actionsProcessingEnabled"] = .bool(isActing)
        try await port.expect(201, "POST", "/v1/integration", integration)
      }
      func listed(_ query: String = "") async throws -> [String] {
        let integrations = try await port.expect(200, "GET", "/v1/integration\(query)")["integrations"].array ?? []
        return integrations.compactMap { $0["installationId"].string }
      }
      #expect(try await listed() == ["a", "b"])
      #expect(try await listed("?actionsProcessingEnabled=true") == ["b"])
      try await port.expect(200, "DELETE", "/v1/integration/b")
      #expect(try await listed() == ["a"])
    }
  }

  @Test func integrationsSurviveARestart() async throws {
    let folder = try TemporaryFolder()
    let before = try await Port.run(in: folder) { port in
      for identifier in ["my-fleet", "gone"] {
        var integration = Self.integration
        integration["installationId"] = .string(identifier)
        try await port.expect(201, "POST", "/v1/integration", integration)
      }
      try await port.expect(200, "DELETE", "/v1/integration/gone")
      try await port.expect(200, "PATCH", Self.path)
      return try await port.expect(200, "PATCH", Self.path + "/resync-state", ["status": "completed"])["integration"]
    }
    try await Port.run(in: folder) { port in
      var after = try await port.expect(200, "GET", Self.path)["integration"]
      for name in ["logAttributes", "metricAttributes"] { after[name] = before[name] }
      #expect(after == before)
      let request = try await port.expect(200, "GET", Self.path + "/resync-request")["request"]
      #expect(request == ["updatedAt": "2026-11-23T10:15:00.000Z"])
      #expect(try await port.call("GET", "/v1/integration/gone").status == 404)
    }
  }
}
