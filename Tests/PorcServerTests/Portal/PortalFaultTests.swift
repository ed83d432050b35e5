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

/// A whole server, the embedded Port, and between them everything that can go wrong, while a person works in Port too.
@Suite(.timeLimit(.minutes(3))) struct PortalFaultTests {
  private static let instances = (0..<30).map { "app-\($0)" }
  private static let path = "/v1/blueprints/blueprint_instance"

  @Test(arguments: [20_261_127])
  func atTheEndPortIsRightAndWhatOthersWroteIsUntouched(seed: Int) async throws {
    try await FaultyPort.run(seed: UInt64(seed)) { port, url in
      let change: @Sendable (inout ServerSettings) -> Void = { settings in
        settings.portal = PortalSettings(
          // It is a loopback address with a port.
          baseURL: URL(string: url)!,
          credentials: .clientCredentials(id: FaultyPort.clientID, secret: FaultyPort.clientSecret),
          setsUp: true)
        settings.portal.removalLimit = 1
      }
      try await TestServer.run(instances: Self.instances, change) { test in
        try await test.server.ready()
        var person = Person(port, seed: UInt64(seed + 1))
        try await person.prepare()
        port.isCalm = false

        var random = SplitMix(seed: UInt64(seed + 2))
        var changes = 0
        while changes < 1000 {
          let name = Self.instances.randomElement(using: &random) ?? ""
          let region = ["eu", "us", "ap"].randomElement(using: &random) ?? ""
          let run = try await test.submit(Samples.blueprint(name, ["region": .string(region)]))
          // To be built, and what comes after it: submitted, building, built, canceled.
          for verb in ["build", "cancel"].prefix(Int.random(in: 0...2, using: &random)) {
            changes += try await test.post("/runs/\(run)/\(verb)").status == 202 ? 1 : 0
          }
          changes += 1
          if Int.random(in: 0..<3, using: &random) == 0 { try await person.act() }
          if changes % 100 < 3 {
            try test.templates.write(Samples.main + "# \(changes)\n", to: "extra/1.\(changes / 100 % 3).0/main.tf")
            _ = try await test.post("/templates/sync")
          }
        }
        // A comparison in the middle of it may fail, and then says nothing.
        let client = try Self.client(url)
        let reconciler = PortalReconciler(
          store: test.server.store, client: client, names: PortNames(), logger: test.log.logger)
        for _ in 0..<5 { try? await reconciler.reconcile() }
        port.isCalm = true
        try await test.server.store.retryPostponed()
        try await test.server.ready()
        try await reconciler.reconcile()
        try await test.server.ready()

        for fault in FaultyPort.Fault.allCases { #expect(port.made[fault] ?? 0 > 0, "\(fault) was not made") }
        for kind in PortalEntity.Kind.allCases {
          let shown = try await client.entities.search(in: kind.rawValue).collect(atMost: 10_000)
          let desired = try await test.server.store.desiredEntities(kind)
          #expect(desired.count >= (kind == .instance ? 30 : 2))
          let mine = Dictionary(uniqueKeysWithValues: shown.map { ($0.identifier, $0) })
          for entity in desired {
            let remote = try #require(mine[entity.identifier], "\(entity.identifier) is missing")
            #expect(entity.keysShownOtherwise(by: remote) == [], "\(entity.identifier)")
          }
          let others = Set(mine.keys).subtracting(desired.map(\.identifier))
          #expect(others == (kind == .instance ? person.own : []), "of \(kind)")
        }
        try await person.checkUntouched()
      }
    }
  }

  private static func client(_ url: String) throws -> PortClient {
    PortClient(
      baseURL: try #require(URL(string: url)),
      credentials: .clientCredentials(id: FaultyPort.clientID, secret: FaultyPort.clientSecret), http: http,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private static let http = HTTPClient(configuration: .plain)

  /// Somebody who edits and deletes PORC's entities in Port, adds to them, and has entities of their own.
  private struct Person {
    private let port: FaultyPort
    private var random: SplitMix
    /// The costs that were noted last, by entity.
    private var costs: [String: Int] = [:]
    private var ownEntities: [String: Value] = [:]

    var own: Set<String> { Set(ownEntities.keys) }

    init(_ port: FaultyPort, seed: UInt64) {
      self.port = port
      random = SplitMix(seed: seed)
    }

    /// A property of their own, and entities.
    mutating func prepare() async throws {
      let blueprint = try await port.person("GET", path)["blueprint"] ?? .null
      var schema = blueprint["schema"]?.objectValue ?? [:]
      var properties = schema["properties"]?.objectValue ?? [:]
      properties["cost"] = ["type": "number", "title": "Cost"]
      schema["properties"] = .object(properties)
      try await port.person("PATCH", path, ["schema": .object(schema)])
      for number in 0..<5 {
        let made = try await port.person(
          "POST", path + "/entities",
          ["identifier": .string("theirs-\(number)"), "properties": ["terraform_status": "planned", "cost": 1]])
        ownEntities["theirs-\(number)"] = made["entity"]
      }
    }

    mutating func act() async throws {
      let name = PortalFaultTests.instances.randomElement(using: &random) ?? ""
      let entity = path + "/entities/\(name)"
      switch Int.random(in: 0..<5, using: &random) {
      case 0:
        if try await port.person("DELETE", entity)["ok"] == true { costs[name] = nil }
      case 1, 2:
        let cost = Int.random(in: 0..<1000, using: &random)
        let answer = try await port.person("PATCH", entity, ["properties": ["cost": .number(Number(cost))]])
        if answer["ok"] == true { costs[name] = cost }
      case 3:
        try await port.person(
          "PATCH", entity, ["title": "Mine", "properties": ["terraform_status": "applied", "region": .null]])
      default:
        try await port.person("PATCH", entity, ["properties": ["last_error": "made up", "owner": "me"]])
      }
    }

    func checkUntouched() async throws {
      for (name, entity) in ownEntities {
        #expect(try await port.person("GET", path + "/entities/\(name)")["entity"] == entity, "\(name)")
      }
      #expect(!costs.isEmpty)
      for (name, cost) in costs {
        let shown = try await port.person("GET", path + "/entities/\(name)")["entity"]
        #expect(shown?["properties"]?["cost"] == .number(Number(cost)), "\(name)")
      }
    }

    private var path: String { PortalFaultTests.path }
  }
}
