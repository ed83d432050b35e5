import Foundation
import HCL
import PorcCore
import PorcStore
import TestKit
import Testing

/// Another PORC, or other settings, show more of what was there before.
struct PortalRedrawTests {
  private static func settings(adding key: String? = nil) -> SQLiteStore.Settings {
    let adding: @Sendable (PortalEntity) -> PortalEntity = { entity in
      var entity = entity
      if let key { entity.properties[key] = "gcp" }
      return entity
    }
    return SQLiteStore.Settings(
      entity: { PortalEntity($0, waitingFor: nil, tfeLink: { "\($0.name)/\($1)" }).map(adding) },
      templateEntity: { adding(PortalEntity($0)) })
  }

  private func open(_ folder: TemporaryFolder, adding key: String? = nil) throws -> SQLiteStore {
    try SQLiteStore.open(path: folder.file("porc.sqlite").path, settings: Self.settings(adding: key))
  }

  private func acknowledgeAll(_ store: any Store) async throws {
    for kind in PortalEntity.Kind.allCases {
      try await store.acknowledge(try await store.differences(kind, limit: 1000))
    }
  }

  @Test func whatIsShownOtherwiseIsADifferenceAndNothingElse() async throws {
    let folder = try TemporaryFolder()
    var store = try open(folder)
    let version = try #require(Version("1.0.0"))
    try await store.replaceTemplates(
      of: "s", with: [.sample("bucket", version, source: "s")], archives: ["archive-bucket": Data("a".utf8)])
    // More than are drawn at once.
    for number in 0..<120 { try await store.submit("web-\(number)", as: "porc-\(number)") }
    try await acknowledgeAll(store)
    try await store.redrawPortal()
    #expect(try await store.portalBacklog().count == 0)
    try await store.close()

    store = try open(folder, adding: "platform")
    try await store.redrawPortal()
    #expect(try await store.portalBacklog().count == 121)
    for kind in PortalEntity.Kind.allCases {
      let entities = try await store.desiredEntities(kind)
      #expect(!entities.isEmpty && entities.allSatisfy { $0.properties["platform"] == "gcp" })
    }
    try await acknowledgeAll(store)
    try await store.redrawPortal()
    #expect(try await store.portalBacklog().count == 0)
    try await store.close()
  }
}
