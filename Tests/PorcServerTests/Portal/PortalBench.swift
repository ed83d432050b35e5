import AsyncHTTPClient
import Foundation
import HCL
import HTTPExchange
import Logging
import PorcCore
import PorcStore
import PortPortal
import Retry
import Synchronization
import TerraformEnterprise
import TestKit
import Testing

@testable import PorcServer

/// The portal's sync with a database, a small Port, and a clock that moves when told.
final class PortalBench: Sendable {
  let port: FakePort
  let store: SQLiteStore
  let sync: PortalSync
  let health: PortalHealth
  let reconciler: PortalReconciler
  let client: PortClient
  private let folder: TemporaryFolder
  private let clock = Clock()

  private static let http = HTTPClient(configuration: .plain)
  private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  static func run(
    _ dialect: PortClient.Dialect = .api, _ body: (PortalBench) async throws -> Void
  ) async throws {
    let port = FakePort()
    try await port.server.serve { url in
      let bench = try PortalBench(port, at: url, dialect)
      try await body(bench)
      try await bench.store.close()
    }
  }

  private init(_ port: FakePort, at url: String, _ dialect: PortClient.Dialect) throws {
    self.port = port
    folder = try TemporaryFolder()
    let clock = clock
    store = try SQLiteStore.open(
      path: folder.file("porc.sqlite").path,
      settings: SQLiteStore.Settings(
        retention: 0, entity: { PortalEntity($0, waitingFor: nil, tfeLink: { "https://tfe/\($0.name)/\($1)" }) },
        now: { clock.now }))
    let credentials: PortClient.Credentials =
      dialect == .api ? .clientCredentials(id: "client", secret: FakePort.secret) : .staticToken(FakePort.token)
    client = PortClient(
      baseURL: try #require(URL(string: url)), credentials: credentials, dialect: dialect, http: Self.http,
      retries: .never, logger: Self.silent)
    health = PortalHealth()
    let writer = PortalWriter(
      store: store, client: client, names: PortNames(), isPlain: dialect == .entities, health: health,
      logger: Self.silent)
    sync = PortalSync(
      store: store, writer: writer, setUp: nil, health: health, removalLimit: 0.25, doorbell: Doorbell(store: store),
      logger: Self.silent)
    reconciler = PortalReconciler(store: store, client: client, names: PortNames(), logger: Self.silent)
  }

  private final class Clock: Sendable {
    private let date = Mutex(Date(timeIntervalSince1970: 1_800_000_000))
    var now: Date { date.withLock(\.self) }
    func pass(_ seconds: TimeInterval) { date.withLock { $0 += seconds } }
  }

  func pass(_ seconds: TimeInterval) { clock.pass(seconds) }

  /// Writes until nothing is due.
  func write() async throws {
    while [.more, .short].contains(try await sync.pass()) {}
  }

  /// Makes so many passes, whatever comes of them.
  func persist(_ passes: Int) async throws {
    for _ in 0..<passes { _ = try await sync.pass() }
  }

  /// How many entities the portal does not show as it should.
  var behind: Int { get async throws { try await store.portalBacklog().count } }

  // MARK: What should be shown

  static let template: Template = {
    var template = Template(
      name: "web", version: Version(major: 1, minor: 0, patch: 0), inputs: [], archive: "digest", source: "test")
    template.owner = "platform"
    template.description = "A web server"
    return template
  }()

  func offer(_ templates: [Template]) async throws {
    try await store.replaceTemplates(of: "test", with: templates, archives: ["digest": Data("archive".utf8)])
  }

  static let caller = Caller(id: "token-1", name: "alice")

  @discardableResult
  func submit(_ name: String = "web", region: String? = "eu", inputs: [String: Value] = [:]) async throws
    -> PorcCore.Run.ID
  {
    let id = PorcCore.Run.ID("porc-\(UUID().uuidString.lowercased())")
    let submission = Submission(
      operation: .apply, template: Self.template.reference, submitter: Self.caller,
      metadata: BlueprintMetadata(name: name),
      inputs: (region.map { ["region": .string($0)] } ?? [:]).merging(inputs) { $1 },
      sensitiveInputs: [], region: region, requiresApproval: false, blueprintDigest: "d", sensitiveDigest: nil)
    try await store.decide(about: .instance(Instance.ID(name)), recording: Record()) { situation, now in
      try RunMachine.submit(submission, as: id, for: Instance.ID(name), in: situation, at: now)
    }
    return id
  }

  func command(_ run: PorcCore.Run.ID, _ command: RunCommand, recording record: Record = Record()) async throws {
    try await store.decide(about: .run(run.rawValue), recording: record) { situation, now in
      try RunMachine.decide(command, for: run, in: try #require(situation), at: now)
    }
  }

  func hear(_ run: PorcCore.Run.ID, _ report: RunReport) async throws {
    try await store.decide(about: .run(run.rawValue), recording: Record()) { situation, now in
      RunMachine.hear(report, about: run, in: try #require(situation), at: now)
    }
  }

  /// A property as Port has it.
  func shown(_ property: String, _ identifier: String = "web") -> Value? {
    port.entity(identifier)?["properties"]?[property]
  }
}

extension PortalSync {
  /// The same with a set-up before it.
  func setting(up setUp: @escaping @Sendable () async throws -> Void) -> PortalSync {
    PortalSync(
      store: store, writer: writer, setUp: setUp, health: health, removalLimit: removalLimit, doorbell: doorbell,
      logger: logger)
  }
}
