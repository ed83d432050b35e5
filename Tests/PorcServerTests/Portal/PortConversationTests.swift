import AsyncHTTPClient
import Foundation
import HCL
import HTTPExchange
import Logging
import PorcCore
import PorcStore
import PortPortal
import TestKit
import Testing

@testable import PorcServer

/// All that is said between PORC and Port, from the set-up to the last removal, is held against what Port publishes.
@Suite(.timeLimit(.minutes(2))) struct PortConversationTests {
  @Test func everyRequestAndEveryAnswerIsAsPortPublishesIt() async throws {
    try await FaultyPort.run(seed: 1) { port, url in
      let change: @Sendable (inout ServerSettings) -> Void = { settings in
        settings.portal = PortalSettings(
          // It is a loopback address with a port.
          baseURL: URL(string: url)!,
          credentials: .clientCredentials(id: FaultyPort.clientID, secret: FaultyPort.clientSecret), setsUp: true)
        settings.publicURL = .listening
        settings.followInterval = 1
      }
      try await TestServer.run(change) { test in
        try await test.server.ready()
        try await Self.live(test, port)
        try await Self.mend(test, port, url)
        try await Self.remove(test, port)
      }
      let contract = try PortContract()
      var seen: Set<String> = []
      for exchange in port.exchanges {
        seen.insert("\(exchange.method) \(exchange.target.prefix { $0 != "?" })")
        #expect(contract.problems(ofRequest: exchange.method, exchange.target, body: exchange.body) == [])
        #expect(
          contract.problems(ofAnswer: exchange.status, to: exchange.method, exchange.target, body: exchange.answer)
            == [],
          "\(String(decoding: exchange.answer, as: UTF8.self).prefix(500))")
      }
      let instances = "/v1/blueprints/blueprint_instance"
      for call in [
        "POST /v1/auth/access_token", "GET \(instances)", "POST /v1/blueprints", "POST /v1/actions",
        "POST /v1/organization/secrets", "POST \(instances)/entities/bulk",
        "PATCH \(instances)/entities/web", "POST \(instances)/entities/search",
        "DELETE /v1/blueprints/blueprint_template/entities/extra-1-0-0",
      ] {
        #expect(seen.contains(call), "\(call)")
      }
      #expect(port.exchanges.contains { $0.target.contains("run_id=r_") }, "what a press caused")
      #expect(seen.contains { $0.hasPrefix("PATCH /v1/actions/runs/") })
      #expect(seen.contains { $0.hasPrefix("POST /v1/actions/runs/") && $0.hasSuffix("/logs") })
    }
  }

  /// A run whose plan is applied with the button.
  private static func live(_ test: TestServer, _ port: FaultyPort) async throws {
    let run = try await test.submit()
    #expect(try await test.post("/runs/\(run)/plan").status == 202)
    try await test.wait(run, for: "planned")
    try await test.server.ready()
    let pressed = try await port.person("POST", "/v1/actions/porc_apply/runs", ["properties": [:], "entity": "web"])
    let id = try #require(pressed["run"]?["id"]?.stringValue, "\(pressed.json())")
    try await test.wait(run, for: "applied")
    var status: Value?
    repeat {
      status = try await port.person("GET", "/v1/actions/runs/\(id)")["run"]?["status"]
    } while status == "IN_PROGRESS"
    #expect(status == "SUCCESS")
    // What it shows no value for any more is cleared.
    let next = try await test.submit()
    #expect(try await test.post("/runs/\(next)/build").status == 202)
    try await test.wait(next, for: "built")
    try await test.server.ready()
  }

  /// What a person edited and deleted comes back.
  private static func mend(_ test: TestServer, _ port: FaultyPort, _ url: String) async throws {
    let entities = "/v1/blueprints/blueprint_instance/entities"
    _ = try await test.submit(Samples.blueprint("db"))
    try await test.server.ready()
    try await port.person("PATCH", entities + "/web", ["properties": ["last_error": "made up"]])
    try await port.person("DELETE", entities + "/db")
    let settings = PortalSettings(
      baseURL: try #require(URL(string: url)),
      credentials: .clientCredentials(id: FaultyPort.clientID, secret: FaultyPort.clientSecret))
    let client = PorcServer.portalClient(settings, HTTPClient.shared, test.log.logger)
    try await PortalReconciler(
      store: test.server.store, client: client, names: PortNames(), logger: test.log.logger
    ).reconcile()
    try await test.server.ready()
    #expect(try await port.person("GET", entities + "/db")["ok"] == true)
    #expect(try await port.person("GET", entities + "/web")["entity"]?["properties"]?["last_error"] == nil)
  }

  private static func remove(_ test: TestServer, _ port: FaultyPort) async throws {
    try test.templates.write(Samples.main, to: "extra/1.0.0/main.tf")
    _ = try await test.post("/templates/sync")
    try await test.server.ready()
    try FileManager.default.removeItem(atPath: test.templates.file("extra").path)
    _ = try await test.post("/templates/sync")
    try await test.server.ready()
    let gone = try await port.person("GET", "/v1/blueprints/blueprint_template/entities/extra-1-0-0")
    #expect(gone["error"] == "not_found")
  }
}
