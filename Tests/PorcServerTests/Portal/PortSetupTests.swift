import AsyncHTTPClient
import Foundation
import HTTPExchange
import Logging
import PorcCore
import PorcStore
import PortPortal
import Retry
import TestKit
import Testing

@testable import PorcServer

/// What `porc port setup` makes in Port.
@Suite(.timeLimit(.minutes(1)))
struct PortSetupTests {
  private let port = SetupPort()
  private static let http = HTTPClient(configuration: .plain)
  private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private struct Bench: Sendable {
    let port: SetupPort
    let store: SQLiteStore
    let client: PortClient
    var settings = PortalSettings.sample
    var publicURL: String? = "https://porc.example.com"

    @discardableResult
    func run(isRehearsal: Bool = false, rotatesToken: Bool = false) async throws -> PortSetup.Report {
      try await PortSetup(settings, client: client, store: store, publicURL: publicURL)
        .run(isRehearsal: isRehearsal, rotatesToken: rotatesToken)
    }

    /// The token that a secret holds, if PORC knows it.
    func token(_ secret: String = "PORC_TOKEN") async throws -> TokenRecord? {
      guard let value = port.now.secrets[secret] else { return nil }
      return try await store.token(hash: AccessToken.hash(value))
    }

    var tokens: [TokenRecord] {
      get async throws { try await store.tokens().filter { $0.revokedAt == nil } }
    }
  }

  private func bench(_ body: (inout Bench) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    try await port.server.serve { url in
      let store = try SQLiteStore.open(path: folder.file("porc.sqlite").path)
      let client = PortClient(
        baseURL: try #require(URL(string: url)), credentials: .clientCredentials(id: "client", secret: "s"),
        http: Self.http, retries: .never, logger: Self.silent)
      var bench = Bench(port: port, store: store, client: client)
      try await body(&bench)
      try await store.close()
    }
    let contract = try PortContract()
    let problems = port.writes.flatMap { write in
      contract.problems(
        ofRequest: write.method, write.path + (write.query.isEmpty ? "" : "?\(write.query)"), body: write.body)
    }
    #expect(problems == [], "what was sent is what Port's document allows")
  }

  private static let everything =
    ["blueprint blueprint_template", "blueprint blueprint_instance", "secret PORC_TOKEN"]
    + ["plan", "apply", "approve", "discard", "cancel", "destroy", "confirm_destroy"].map { "action porc_\($0)" }

  @Test func anEmptyPortGetsEverythingOnce() async throws {
    try await bench { bench in
      let first = try await bench.run()
      #expect(first.items.map(\.subject) == Self.everything)
      #expect(first.items.allSatisfy { $0.outcome == .made } && first.notes.isEmpty)
      #expect(try await bench.token()?.scopes == [.plan, .apply, .approve, .destroy, .impersonate])
      let blueprint = port.now.blueprints["blueprint_instance"]
      #expect(blueprint?["relations"]?["blueprint"]?["target"] == "blueprint_template")
      #expect(blueprint?["relations"]?["blueprint"]?["required"] == false)
      let written = port.writes.count
      let second = try await bench.run()
      #expect(
        second.changes == 0 && second.items.count == first.items.count && second.notes.isEmpty
          && second.warnings.isEmpty)
      #expect(port.writes.count == written)
      #expect(try await bench.tokens.count == 1)
    }
  }

  @Test func aRehearsalSaysWhatWouldBeAndDoesNothing() async throws {
    try await bench { bench in
      let report = try await bench.run(isRehearsal: true)
      #expect(report.items.map(\.subject) == Self.everything && report.changes == 10)
      #expect(port.writes.isEmpty)
      #expect(try await bench.tokens.isEmpty)
    }
  }

  @Test func whatPeopleMadeOfItStays() async throws {
    try await bench { bench in
      try await bench.run()
      port.change { state in
        state.actions["porc_apply"] = Self.edited(state.actions["porc_apply"]) {
          $0["title"] = "Ship it"
          // Port may leave out what goes without saying.
          $0["invocationMethod"] = Self.edited($0["invocationMethod"]) {
            for key in ["agent", "synchronized", "method"] { $0[key] = nil }
          }
          $0["requiredApproval"] = true
          $0["trigger"] = Self.edited($0["trigger"]) {
            $0["userInputs"] = ["properties": ["ticket": ["type": "string"]]]
            $0["condition"] = ["type": "SEARCH", "combinator": "and", "rules": []]
          }
        }
        state.blueprints["blueprint_instance"] = Self.edited(state.blueprints["blueprint_instance"]) {
          $0["title"] = "Deployments"
          $0["schema"] = Self.edited($0["schema"]) {
            $0["properties"] = Self.edited($0["properties"]) {
              $0["cost"] = ["type": "number"]
              $0["region"] = nil
            }
          }
        }
      }
      let report = try await bench.run()
      let changed = report.items.filter { $0.outcome == .changed }
      #expect(changed.map(\.subject) == ["blueprint blueprint_instance", "action porc_apply"])
      #expect(changed.map(\.details) == [["adds 'region'"], ["when it is shown"]])
      let action = port.now.actions["porc_apply"]
      #expect(action?["title"] == "Ship it" && action?["requiredApproval"] == true)
      #expect(action?["trigger"]?["userInputs"]?["properties"]?["ticket"] != nil)
      #expect(action?["trigger"]?["condition"] == PortButton.apply.condition)
      let blueprint = port.now.blueprints["blueprint_instance"]
      #expect(blueprint?["title"] == "Deployments" && blueprint?["schema"]?["properties"]?["cost"] != nil)
      #expect(try await bench.run().changes == 0)
    }
  }

  private static func edited(_ value: JSON?, _ edit: (inout [String: JSON]) -> Void) -> JSON {
    var members = value?.object ?? [:]
    edit(&members)
    return .object(members)
  }

  @Test func everyConflictIsNamedBeforeAnythingIsWritten() async throws {
    port.change { state in
      state.blueprints["blueprint_instance"] = [
        "identifier": "blueprint_instance", "title": "Mine",
        "schema": ["properties": ["region": ["type": "number"], "run_id": ["type": "boolean"]]],
      ]
      state.actions["porc_plan"] = [
        "identifier": "porc_plan", "trigger": ["type": "automation", "event": [:]],
        "invocationMethod": ["type": "KAFKA"],
      ]
    }
    try await bench { bench in
      let fault = try await #require(throws: Fault.self) { try await bench.run() }
      for text in ["'region' has the type number", "'run_id' has the type boolean", "action porc_plan: "] {
        #expect(fault.message.contains(text))
      }
      #expect(fault.fix?.contains("port.action_prefix") == true)
      #expect(port.writes.isEmpty)
    }
  }

  @Test func whatWillKeepPortFromTakingEntitiesIsSaid() async throws {
    try await bench { bench in
      try await bench.run()
      port.change { state in
        state.blueprints["blueprint_instance"] = Self.edited(state.blueprints["blueprint_instance"]) {
          $0["schema"] = Self.edited($0["schema"]) {
            $0["properties"] = Self.edited($0["properties"]) { $0["cost"] = ["type": "number"] }
            $0["required"] = ["terraform_status", "cost"]
          }
        }
      }
      let report = try await bench.run()
      #expect(report.changes == 0)
      #expect(
        report.warnings == ["blueprint_instance: Port takes no new entity without 'cost', which PORC does not write."])
    }
  }

  @Test func withoutAPublicAddressThereAreBlueprintsOnly() async throws {
    try await bench { bench in
      bench.publicURL = nil
      let report = try await bench.run()
      #expect(report.items.count == 2 && report.notes.first?.contains("PORC_PUBLIC_URL") == true)
      #expect(port.now.actions.isEmpty && port.now.secrets.isEmpty)
    }
  }

  @Test func thePlainDialectHasNothingToSetUp() async throws {
    try await bench { bench in
      bench.settings.dialect = .entities
      let report = try await bench.run()
      #expect(report.items.isEmpty && report.notes.count == 1)
      #expect(port.server.calls.isEmpty)
    }
  }

  @Test func otherNamesAndPropertiesAreUsedEverywhere() async throws {
    try await bench { bench in
      bench.settings.names.templateBlueprint = "module"
      bench.settings.names.instanceBlueprint = "deployment"
      bench.settings.names.actionPrefix = "tf_"
      bench.settings.names.secretName = "TF_TOKEN"
      bench.settings.extras.instance = [
        ExtraProperty("cost_center", .input("cost_center"), title: "Cost Center"),
        ExtraProperty("endpoint", .output("endpoint"), format: .url),
      ]
      try await bench.run()
      #expect(Set(port.now.blueprints.keys) == ["module", "deployment"])
      let properties = port.now.blueprints["deployment"]?["schema"]?["properties"]
      #expect(properties?["cost_center"] == ["type": "string", "title": "Cost Center"])
      #expect(properties?["endpoint"] == ["type": "string", "title": "endpoint", "format": "url"])
      #expect(port.now.blueprints["deployment"]?["relations"]?["blueprint"]?["target"] == "module")
      #expect(port.now.actions.keys.allSatisfy { $0.hasPrefix("tf_") } && port.now.actions.count == 7)
      #expect(try await bench.token("TF_TOKEN") != nil)
      #expect(try await bench.run().changes == 0)
    }
  }

  @Test func aMovedServerIsSaid() async throws {
    try await bench { bench in
      try await bench.run()
      bench.publicURL = "https://new.example.com"
      let report = try await bench.run()
      #expect(report.changes == 7)
      #expect(report.items.last?.details.first?.contains("https://porc.example.com/") == true)
      let url = port.now.actions["porc_cancel"]?["invocationMethod"]?["url"]?.string
      #expect(url?.hasPrefix("https://new.example.com/runs/") == true)
    }
  }

  // MARK: The token

  @Test func aRotationRevokesTheOldTokenAfterPortHasTheNew() async throws {
    try await bench { bench in
      try await bench.run()
      let old = try await bench.token()
      let report = try await bench.run(rotatesToken: true)
      #expect(report.items.first { $0.subject == "secret PORC_TOKEN" }?.outcome == .changed)
      let new = try await bench.token()
      #expect(new != nil && new?.id != old?.id)
      #expect(try await bench.tokens == [new].compactMap(\.self))
    }
  }

  @Test func aRotationThatPortDidNotHearOfLeavesTheOldTokenGood() async throws {
    try await bench { bench in
      try await bench.run()
      port.change { $0.failures = ["PATCH /v1/organization/secrets/PORC_TOKEN"] }
      await #expect(throws: PortError.self) { try await bench.run(rotatesToken: true) }
      #expect(try await bench.token() != nil, "the one that Port has")
      // Both are good, since nobody knows which one Port has; the next one clears up.
      port.change { $0.failures = [] }
      try await bench.run(rotatesToken: true)
      #expect(try await bench.tokens.count == 1)
      #expect(try await bench.token() != nil)
    }
  }

  @Test(arguments: [false, true])
  func aTokenThatPortMayHaveIsGood(isRotated: Bool) async throws {
    try await bench { bench in
      if isRotated { try await bench.run() }
      port.change { $0.garbled = ["POST /v1/organization/secrets", "PATCH /v1/organization/secrets/PORC_TOKEN"] }
      await #expect(throws: PortError.self) { try await bench.run(rotatesToken: isRotated) }
      #expect(try await bench.token() != nil)
    }
  }

  @Test func aSecretThatPortLostIsMadeAnew() async throws {
    try await bench { bench in
      try await bench.run()
      port.change { $0.secrets = [:] }
      let report = try await bench.run()
      #expect(
        report.items.first { $0.outcome == .made }?.details == ["with a new token of PORC; the old one is revoked"])
      #expect(try await bench.token() != nil)
      #expect(try await bench.tokens.count == 1)
    }
  }

  @Test func aSecretOfAnUnknownTokenIsLeftAloneAndSaid() async throws {
    port.change { $0.secrets["PORC_TOKEN"] = "somebody's" }
    try await bench { bench in
      let report = try await bench.run()
      #expect(report.warnings.count == 1 && report.warnings[0].contains("--rotate-token"))
      #expect(port.now.secrets["PORC_TOKEN"] == "somebody's")
      #expect(try await bench.tokens.isEmpty)
    }
  }

  @Test func whereTheTokenCountsAsTheActorItCannotNameAnother() async throws {
    try await bench { bench in
      bench.settings.impersonates = false
      try await bench.run()
      #expect(try await bench.token()?.scopes == [.plan, .apply, .approve, .destroy])
    }
  }

  @Test func aTokenThatLacksAScopeIsSaid() async throws {
    try await bench { bench in
      _ = try await Tokens(store: bench.store).create(named: "port", scopes: [.plan])
      port.change { $0.secrets["PORC_TOKEN"] = "x" }
      let report = try await bench.run()
      #expect(report.warnings.count == 1 && report.warnings[0].contains("apply, approve, destroy, impersonate"))
    }
  }

  @Test func aPortThatHidesItsSecretsGetsTheRest() async throws {
    port.change { $0.hidesSecrets = true }
    try await bench { bench in
      let report = try await bench.run()
      #expect(report.isBlocked && report.changes == 9)
      #expect(try await bench.tokens.isEmpty)
    }
  }

  @Test func twoAtTheSameTimeDoNotBreakEachOther() async throws {
    try await bench { bench in
      let bench = bench
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 { group.addTask { _ = try await bench.run() } }
        try await group.waitForAll()
      }
      #expect(port.now.blueprints.count == 2 && port.now.actions.count == 7)
      #expect(try await bench.tokens.count == 1)
      #expect(try await bench.token() != nil)
      #expect(try await bench.run().changes == 0)
    }
  }

  @Test func noSecretIsInAReport() async throws {
    try await bench { bench in
      let report = try await bench.run()
      let value = try #require(port.now.secrets["PORC_TOKEN"])
      #expect(!"\(report)".contains(value))
    }
  }
}
