import PorcCore
import PorcStore

/// The templates in memory; of a catalog that has changed only what has changed is read again.
actor CatalogCache {
  private let store: any Store
  private var version: Int64?
  private var known: [Template.ID: Template] = [:]
  private var cached: [Template] = []

  init(store: any Store) {
    self.store = store
  }

  /// By name and then by version, newest first.
  func templates() async throws -> [Template] {
    if try await store.catalogVersion() == version { return cached }
    let changes = try await store.catalogChanges(since: version ?? -1)
    // Another call may have come before with something newer.
    if let version, changes.version <= version { return cached }
    known = known.filter { changes.ids.contains($0.key) }
    for template in changes.changed { known[template.id] = template }
    cached = known.values.sorted { ($0.name, $1.version, $0.id) < ($1.name, $0.version, $1.id) }
    version = changes.version
    return cached
  }
}
