import Logging
import PorcCore
import PorcStore
import PortPortal

/// Compares what the portal should show with what it really has, and marks what differs: an entity that was edited or
/// deleted there comes back. It removes nothing: that something is there, or not in an answer, is evidence of nothing.
struct PortalReconciler: Sendable {
  let store: any Store
  let client: PortClient
  let names: PortNames
  let logger: Logger

  func reconcile() async throws {
    for kind in PortalEntity.Kind.writingOrder {
      let comparison = PortalComparison(store: store, client: client, names: names)
      try await comparison.run(kind) { findings in
        for finding in findings {
          logger.info(
            "the portal shows something else",
            metadata: [
              "entity": "\(kind.rawValue)/\(finding.desired.identifier)",
              "properties": "\(finding.keys.joined(separator: ", "))",
            ])
        }
        try await store.markDifferent(findings.map(\.sight))
      }
    }
  }
}

/// What the portal shows, beside what it should show: page by page, so that neither is ever held as a whole.
struct PortalComparison: Sendable {
  let store: any Store
  let client: PortClient
  let names: PortNames

  /// An entity that the portal does not show as it should.
  struct Finding: Sendable {
    let desired: PortalEntity
    /// What it shows instead; `nil` where the entity is not there.
    let remote: Entity?
    /// The properties and relations in which it differs, and `title`; none where it is not there.
    let keys: [String]
    /// How far it had come before the portal was asked.
    let version: PortalVersion

    var sight: PortalSight {
      PortalSight(
        kind: desired.kind, identifier: desired.identifier, shown: remote.map { desired.shown(by: $0) },
        version: version)
    }
  }

  /// Compares all entities of a kind.
  ///
  /// - Parameter report: gets what was found, some at a time.
  /// - Returns: how many entities are there that are not PORC's.
  /// - Throws: what kept the portal from being read to its end; nothing is said of what was not read.
  @discardableResult
  func run(_ kind: PortalEntity.Kind, _ report: ([Finding]) async throws -> Void) async throws -> Int {
    let versions = try await store.portalVersions(kind)
    var missing = Set(versions.keys)
    var others = 0
    var page: [Entity] = []
    func compare() async throws {
      let desired = try await store.desiredEntities(kind, among: page.map(\.identifier))
      others += page.count - desired.count
      let remote = Dictionary(page.map { ($0.identifier, $0) }) { first, _ in first }
      try await report(
        desired.compactMap { entity in
          // One that is new since then is written anyhow.
          guard let shown = remote[entity.identifier], let version = versions[entity.identifier] else { return nil }
          let keys = entity.keysShownOtherwise(by: shown)
          return keys.isEmpty ? nil : Finding(desired: entity, remote: shown, keys: keys, version: version)
        })
      page = []
    }
    if !missing.isEmpty {
      for try await entity in client.entities.search(in: names.blueprint(kind)) {
        missing.remove(entity.identifier)
        page.append(entity)
        if page.count == 200 { try await compare() }
      }
    }
    if !page.isEmpty { try await compare() }
    let gone = missing.sorted()
    for start in stride(from: 0, to: gone.count, by: 200) {
      let part = Array(gone[start..<min(start + 200, gone.count)])
      try await report(
        try await store.desiredEntities(kind, among: part).compactMap { entity in
          versions[entity.identifier].map { Finding(desired: entity, remote: nil, keys: [], version: $0) }
        })
    }
    return others
  }
}
