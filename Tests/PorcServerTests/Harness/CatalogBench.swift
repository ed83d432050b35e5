import Foundation
import PorcCore
import PorcStore
import TestKit

@testable import PorcServer

/// A catalog of some sources, without a server around it.
struct CatalogBench {
  let store: SQLiteStore
  let catalog: CatalogSync
  let log: CollectedLog
  /// Where the sources' repositories are.
  let server: GitHTTPServer

  static func run(
    _ sources: [SourceDescription], server: GitHTTPServer, allowingLocal: Bool = false,
    _ body: (CatalogBench) async throws -> Void
  ) async throws {
    let (data, log) = (try TemporaryFolder(), CollectedLog())
    let store = try SQLiteStore.open(path: data.file("porc.sqlite").path)
    var settings = CatalogSettings()
    settings.sources = sources
    settings.allowsLocalPaths = allowingLocal
    settings.cacheFolder = data.file("cache").path
    try await SourceBench.with(settings, log.logger) { factory in
      let catalog = CatalogSync(store: store, factory: factory, logger: log.logger)
      try await body(CatalogBench(store: store, catalog: catalog, log: log, server: server))
    }
    try await store.close()
  }

  func sync() async throws { try await catalog.sync() }

  /// The findings of the first source.
  func findings() async throws -> [String] {
    try await catalog.report().first?.report.findings.map(\.message) ?? []
  }
}
