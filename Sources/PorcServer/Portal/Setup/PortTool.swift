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
    try await with { store, client in
      try await PortSetup(settings.portal, client: client, store: store, publicURL: settings.publicURL?.named)
        .run(isRehearsal: isRehearsal, rotatesToken: rotatesToken)
    }
  }

  /// Lends the database, beside a server that may use it, and a client of Port.
  func with<Value: Sendable>(_ work: (any Store, PortClient) async throws -> Value) async throws -> Value {
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .plain)
    do {
      let store = try SQLiteStore.open(path: settings.databasePath, exclusively: false)
      do {
        let value = try await work(store, PorcServer.portalClient(settings.portal, http, logger))
        try await store.close()
        try await http.shutdown()
        return value
      } catch {
        try? await store.close()  // the first error is the one that counts
        throw error
      }
    } catch {
      try? await http.shutdown()  // so here
      guard let error = error as? PortError else { throw error }
      throw Fault(
        .upstreamFailed, "Port did not do it: \(error)", fix: "Look at what it needs: porc doctor.", cause: error)
    }
  }
}

extension PublicURL {
  /// The URL, where the settings name it.
  var named: String? {
    if case .named(let url) = self { url } else { nil }
  }
}
