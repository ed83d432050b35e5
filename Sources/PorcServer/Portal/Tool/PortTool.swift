import AsyncHTTPClient
import Foundation
import HTTPExchange
public import Logging
import PorcCore
import PorcStore
import PortPortal

/// What `porc port` does beside a server, or without one.
public struct PortTool: Sendable {
  let settings: ServerSettings
  let logger: Logger

  public init(_ settings: ServerSettings, logger: Logger) {
    self.settings = settings
    self.logger = logger
  }

  /// Brings Port to what PORC needs there; see ``PortSetup``.
  ///
  /// - Parameters:
  ///   - isRehearsal: whether nothing is written, and the report says what would be.
  ///   - rotatesToken: whether the token is made anew, although there is one.
  public func setUp(isRehearsal: Bool = false, rotatesToken: Bool = false) async throws -> PortSetup.Report {
    func run(_ settings: ServerSettings) async throws -> PortSetup.Report {
      let tool = PortTool(settings, logger: logger)
      return try await tool.with { store, client, _ in
        try await tool.setUp(store, client).run(isRehearsal: isRehearsal, rotatesToken: rotatesToken)
      }
    }
    return try await Self.explaining { isRehearsal ? try await settings.looking(run) : try await run(settings) }
  }

  func setUp(_ store: any Store, _ client: PortClient) -> PortSetup {
    PortSetup(settings.portal, client: client, store: store, publicURL: settings.publicURL?.named)
  }

  /// What PORC wants Port to show, beside what Port shows.
  ///
  /// - Throws: a fault in the plain dialect, which cannot be read.
  public func differences() async throws -> PortDifferences {
    guard settings.portal.dialect == .api else {
      throw Fault(
        .wrongState, "The plain dialect (port.api: entities) can only be written to, so nothing can be compared.",
        fix: "Write everything again: porc port sync --rebuild.")
    }
    try requireDatabase()
    return try await Self.explaining {
      try await with { store, client, _ in
        try await PortComparing(settings: settings.portal, store: store, client: client).differences()
      }
    }
  }

  /// Compares, writes what differs, and waits until Port shows everything, or refuses what it does not. Where a server has
  /// the database, that one writes.
  ///
  /// - Parameters:
  ///   - isRebuild: whether Port is set up first, and everything is written again, whatever it has.
  ///   - confirmsRemovals: whether all that should go may go, however much it is.
  ///   - limit: how long to wait.
  ///   - progress: hears how far it has come, again and again.
  public func sync(
    isRebuild: Bool = false, confirmsRemovals: Bool = false, limit: Duration = .seconds(600),
    progress: @escaping @Sendable (PortSyncProgress) -> Void = { _ in }
  ) async throws -> PortSyncReport {
    try requireDatabase()
    // Without its blueprints Port would refuse every entity.
    let setUp = isRebuild ? try await setUp() : nil
    return try await Self.explaining {
      try await with(alone: true) { store, client, isAlone in
        if isRebuild, isAlone { try await store.redrawPortal() }
        let writing = PortWriting(
          settings: settings.portal, store: store, client: client, own: isAlone ? sync(store, client) : nil,
          limit: limit, progress: progress)
        var report = try await writing.run(isRebuild: isRebuild, confirmsRemovals: confirmsRemovals)
        report.setUp = setUp
        return report
      }
    }
  }

  /// Opening it would make it, and an empty one has nothing to say of Port.
  private func requireDatabase() throws {
    guard !FileManager.default.fileExists(atPath: settings.databasePath) else { return }
    throw Fault(
      .notFound, "There is no database '\(settings.databasePath)', so there is nothing to compare Port with.",
      fix: "Name the one that the server uses: porc.database_url (PORC_DATABASE_URL).")
  }

  private func sync(_ store: any Store, _ client: PortClient) -> PortalSync {
    let health = PortalHealth()
    let writer = PortalWriter(
      store: store, client: client, names: settings.portal.names, isPlain: settings.portal.dialect == .entities,
      health: health, logger: logger)
    return PortalSync(
      store: store, writer: writer, setUp: nil, health: health, removalLimit: settings.portal.removalLimit,
      doorbell: Doorbell(store: store), logger: logger)
  }

  /// Lends the database, and a client of Port.
  ///
  /// - Parameter alone: whether to keep a server from starting meanwhile, unless one has the database already.
  func with<Value: Sendable>(
    alone: Bool = false, _ work: (_ store: any Store, _ client: PortClient, _ isAlone: Bool) async throws -> Value
  ) async throws -> Value {
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .plain)
    do {
      let value = try await withStore(alone: alone) { store, isAlone in
        try await work(store, PorcServer.portalClient(settings.portal, http, logger), isAlone)
      }
      try await http.shutdown()
      return value
    } catch {
      try? await http.shutdown()  // the first error is the one that counts
      throw error
    }
  }

  /// What Port answered, for people.
  private static func explaining<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
    do {
      return try await work()
    } catch let error as PortError where error.kind == .notFound {
      throw Fault(
        .upstreamFailed, "Port does not have what PORC writes to: \(error)",
        fix: "Set it up and fill it: porc port sync --rebuild.", cause: error)
    } catch let error as PortError {
      throw Fault(
        .upstreamFailed, "Port did not do it: \(error)", fix: "Look at what it needs: porc doctor.", cause: error)
    }
  }

  func withStore<Value: Sendable>(
    alone: Bool, _ work: (_ store: any Store, _ isAlone: Bool) async throws -> Value
  ) async throws -> Value {
    let own = alone ? try? open(exclusively: true) : nil
    // Whatever else is wrong with it is said here.
    let store = try own ?? open(exclusively: false)
    do {
      let value = try await work(store, own != nil)
      try await store.close()
      return value
    } catch {
      try? await store.close()  // the first error is the one that counts
      throw error
    }
  }

  private func open(exclusively: Bool) throws -> SQLiteStore {
    try SQLiteStore.open(
      path: settings.databasePath, exclusively: exclusively, settings: PorcServer.storeSettings(settings))
  }
}

extension PublicURL {
  /// The URL, where the settings name it.
  var named: String? {
    if case .named(let url) = self { url } else { nil }
  }
}
