import PorcCore
import PorcStore

/// The templates in memory, read again only when the catalog has changed.
actor CatalogCache {
  private let store: any Store
  private var version: Int64?
  private var cached: [Template] = []

  init(store: any Store) {
    self.store = store
  }

  func templates() async throws -> [Template] {
    let current = try await store.catalogVersion()
    if current == version { return cached }
    let templates = try await store.templates()
    cached = templates
    version = current
    return templates
  }
}
