import Foundation
import HCL
import Logging
import PorcCore
import PorcStore
import TestKit
import Testing

@testable import PorcServer

/// The catalog follows its sources.
struct CatalogSyncTests {
  private static let module = #"variable "region" { type = string }"#

  /// A database and a sync of these folders.
  private func withSync(
    of folders: TemporaryFolder..., body: (CatalogSync, SQLiteStore, CollectedLog) async throws -> Void
  ) async throws {
    let (data, log) = (try TemporaryFolder(), CollectedLog())
    let store = try SQLiteStore.open(path: data.file("porc.sqlite").path)
    let sync = CatalogSync(store: store, sources: folders.map { FolderSource(folder: $0.path) }, logger: log.logger)
    try await body(sync, store, log)
    try await store.close()
  }

  private func folder(_ paths: String...) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for path in paths { try folder.write(Self.module, to: "\(path)/main.tf") }
    return folder
  }

  private func remove(_ path: String, from folder: TemporaryFolder) throws {
    try FileManager.default.removeItem(at: folder.file(path))
  }

  private func names(_ store: SQLiteStore) async throws -> [String] { try await store.templates().map(\.modulePath) }

  @Test func whatComesAndGoesInTheFolderComesAndGoes() async throws {
    let folder = try folder("web/1.0.0", "db/1.0.0")
    try await withSync(of: folder) { sync, store, _ in
      try await sync.sync()
      #expect(try await names(store) == ["db/1.0.0", "web/1.0.0"])
      let version = try await store.catalogVersion()
      try await sync.sync()
      #expect(try await store.catalogVersion() == version, "nothing has changed")
      try folder.write(Self.module, to: "web/1.1.0/main.tf")
      try remove("db", from: folder)
      try await sync.sync()
      #expect(try await names(store) == ["web/1.1.0", "web/1.0.0"])
      #expect(sync.report.first?.templates == 2)
    }
  }

  /// Nobody gives a whole catalog up by accident: the disk was not mounted.
  @Test func aFolderThatIsEmptyAllOfASuddenTakesNothingAway() async throws {
    let folder = try folder("web/1.0.0", "db/1.0.0")
    try await withSync(of: folder) { sync, store, log in
      try await sync.sync()
      try remove("web", from: folder)
      try remove("db", from: folder)
      try await sync.sync()
      #expect(try await names(store).count == 2)
      #expect(sync.report.first?.error?.contains("is empty") == true)
      try await sync.sync()
      #expect(log.lines.count { $0.contains("a template source failed") } == 1, "said once")
      try folder.write(Self.module, to: "web/1.0.0/main.tf")
      try await sync.sync()
      #expect(try await names(store) == ["web/1.0.0"])
      #expect(sync.report.first?.error == nil)
      // The last one may go.
      try remove("web", from: folder)
      try await sync.sync()
      #expect(try await names(store) == [])
    }
  }

  @Test func aSourceThatFailsHarmsNoOther() async throws {
    let (first, second) = (try folder("web/1.0.0"), try folder("db/1.0.0"))
    try await withSync(of: first, second) { sync, store, _ in
      try await sync.sync()
      try FileManager.default.removeItem(at: first.url)
      try second.write(Self.module, to: "db/2.0.0/main.tf")
      try await sync.sync()
      #expect(try await names(store) == ["db/2.0.0", "db/1.0.0", "web/1.0.0"])
      #expect(sync.report.map { $0.error != nil }.count { $0 } == 1)
    }
  }

  @Test func anIdentifierBelongsToTheSourceThatHadItFirst() async throws {
    let (first, second) = (try folder("web/1.0.0"), try folder("web/1.0.0", "db/1.0.0"))
    try await withSync(of: first, second) { sync, store, _ in
      try await sync.sync()
      #expect(try await store.template(Template.ID("web-1-0-0"))?.source == "folder:\(first.path)")
      let report = try #require(sync.report.first { $0.name == "folder:\(second.path)" })
      #expect(report.templates == 1 && report.findings.first?.message.contains("'web-1-0-0'") == true)
    }
  }

  @Test func aFindingIsSaidOnce() async throws {
    let folder = try folder("web/1.0.0")
    try folder.write("variable {", to: "broken/1.0.0/main.tf")
    try await withSync(of: folder) { sync, store, log in
      for _ in 0..<3 { try await sync.sync() }
      #expect(try await names(store) == ["web/1.0.0"])
      #expect(log.lines.count { $0.contains("broken/1.0.0") } == sync.report.first?.findings.count)
    }
  }
}
