import AsyncHTTPClient
import Foundation
import HCL
import HTTPExchange
import Logging
import PorcCore
import PorcStore
import Retry
import Synchronization
import TerraformEnterprise
import TestKit
import Testing

@testable import PorcServer

/// The driver of runs with a database and a small TFE, and a clock that moves only when there is nothing to do: a test
/// takes the steps of a worker one by one.
final class DriverBench: Sendable {
  let tfe: FakeTFE
  let store: SQLiteStore
  let driver: RunDriver
  let submissions: Submissions
  private let time = Time()
  let address = Address()
  /// What notifications log.
  let log = CollectedLog()
  private let folder: TemporaryFolder

  private static let http = HTTPClient(configuration: .plain)
  private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  static func run(
    instances: [String] = ["web", "db"], installation: String = "porc", maximumRuns: Int = 50, isTold: Bool = false,
    project: String? = nil, configure: (inout TFESettings) -> Void = { _ in },
    _ body: (DriverBench) async throws -> Void
  ) async throws {
    let tfe = FakeTFE(instances: instances)
    try await tfe.server.serve { url in
      let bench = try await DriverBench(
        tfe, at: url, installation: installation, maximumRuns: maximumRuns, isTold: isTold, project: project,
        configure)
      try await body(bench)
      try await bench.store.close()
    }
  }

  /// - Parameter isTold: whether TFE reaches this PORC, to tell it about runs.
  private init(
    _ tfe: FakeTFE, at url: String, installation: String, maximumRuns: Int, isTold: Bool, project: String?,
    _ configure: (inout TFESettings) -> Void
  ) async throws {
    self.tfe = tfe
    folder = try TemporaryFolder()
    let time = time
    store = try SQLiteStore.open(
      path: folder.file("porc.sqlite").path, settings: SQLiteStore.Settings(retention: 3600, now: { time.now }))
    let address = try #require(URL(string: url))
    var configuration = Client.Configuration(address: address, token: BearerToken(FakeTFE.token))
    configuration.retryPolicy = .never
    let vault = try InputVault(key: Data(repeating: 7, count: 32))
    var settings = TFESettings(
      address: address, token: FakeTFE.token, organization: FakeTFE.organization, project: project,
      installation: installation)
    settings.maximumRuns = maximumRuns
    configure(&settings)
    let client = Client(configuration, httpClient: Self.http, logger: Self.silent)
    let porc = self.address
    let notifications = Notifications(
      store: store, client: client, settings: settings, vault: vault, publicURL: { porc.url.withLock(\.self) },
      logger: log.logger, now: { time.now })
    driver = RunDriver(
      store: store, client: client, settings: settings, vault: vault, logger: Self.silent,
      notifications: isTold ? notifications : nil,
      now: { time.now })
    submissions = Submissions(store: store, catalog: CatalogCache(store: store), vault: vault, approvalRequired: false)
    try await offer(try Samples.templates())
  }

  /// Makes the catalog what is in a folder.
  func offer(_ templates: TemporaryFolder) async throws {
    let reading = try await FolderSource(folder: templates.path).read()
    try await store.replaceTemplates(of: "test", with: reading.templates, archives: reading.archives)
  }

  /// Where TFE reaches PORC.
  final class Address: Sendable {
    let url = Mutex("https://porc.test")
  }

  /// Wall time that passes when told.
  private final class Time: Sendable {
    private let date = Mutex(Date(timeIntervalSince1970: 1_800_000_000))
    var now: Date { date.withLock(\.self) }
    func pass(_ seconds: TimeInterval) { date.withLock { $0 += seconds } }
  }

  func pass(_ seconds: TimeInterval) { time.pass(seconds) }
  var now: Date { time.now }

  /// TFE tells something about a run.
  func deliver(_ tfeRunID: String, of owner: String = "ws-web", as delivery: String = UUID().uuidString) async throws {
    try await store.noteDelivery(delivery, of: owner, about: tfeRunID)
  }

  // MARK: People

  static let caller = Caller(id: "token-1", name: "alice")

  func submit(_ name: String = "web", _ inputs: [String: Value] = ["region": "eu"]) async throws -> PorcCore.Run.ID {
    try await submissions.submit(Array(Samples.blueprint(name, inputs).utf8), as: .json, by: Self.caller).run
  }

  func command(_ run: PorcCore.Run.ID, _ command: RunCommand) async throws {
    try await store.decide(about: .run(run.rawValue), recording: Record()) { situation, now in
      try RunMachine.decide(command, for: run, in: try #require(situation), at: now)
    }
  }

  func plan(_ run: PorcCore.Run.ID, applies: Bool = false) async throws {
    try await command(run, .plan(PlanRequest(by: Self.caller, appliesAutomatically: applies)))
  }

  func apply(_ run: PorcCore.Run.ID) async throws { try await command(run, .apply(tfeRunID: nil, by: Self.caller)) }

  func run(_ id: PorcCore.Run.ID) async throws -> PorcCore.Run {
    try #require(try await store.locate(id.rawValue)).run
  }

  /// Submits, plans and applies.
  func deployed(_ name: String = "web", _ inputs: [String: Value] = ["region": "eu"]) async throws -> PorcCore.Run.ID {
    let id = try await submit(name, inputs)
    try await plan(id)
    try await work(id, until: .planned)
    try await apply(id)
    try await work(id, until: .applied)
    return id
  }

  // MARK: The worker

  /// Takes steps, letting time pass between them, until the run is in the state.
  func work(_ run: PorcCore.Run.ID, until state: RunState, _ place: SourceLocation = #_sourceLocation) async throws {
    for _ in 0..<60 {
      if try await self.run(run).state == state { return }
      guard try await step() else { break }
    }
    let end = try await self.run(run)
    Issue.record("it is \(end.state): \(end.failure?.text ?? "")", sourceLocation: place)
  }

  /// Does the next job, as a worker would.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  func step() async throws -> Bool {
    guard let lease = try await claim() else { return false }
    try await perform(lease)
    return true
  }

  func perform(_ lease: Lease) async throws {
    do {
      switch try await driver.perform(lease) {
      case .reported: break
      case .done: try await store.finish(lease)
      case .later(let delay): try await store.snooze(lease, for: delay)
      case .notYet(let delay): try await store.snooze(lease, for: delay, isBegun: false)
      }
    } catch {
      try await store.retry(lease, after: 1, because: "\(error)")
    }
  }

  /// The next job, when its time has come.
  func claim() async throws -> Lease? {
    guard let due = try await store.untilNextDue() else { return nil }
    pass(due + 0.001)
    return try await store.claim(worker: "worker", for: 30, limit: 1).first
  }
}
