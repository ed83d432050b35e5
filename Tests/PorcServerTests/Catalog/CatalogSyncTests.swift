import Archive
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
    var settings = CatalogSettings()
    settings.folders = folders.map(\.path)
    settings.cacheFolder = data.file("cache").path
    try await SourceBench.with(settings, log.logger) { factory in
      try await body(CatalogSync(store: store, factory: factory, logger: log.logger), store, log)
    }
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
      #expect(try await sync.report().first?.report.templates == 2)
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
      #expect(try await sync.report().first?.report.error?.contains("is empty") == true)
      try await sync.sync()
      #expect(log.lines.count { $0.contains("a template source failed") } == 1, "said once")
      try folder.write(Self.module, to: "web/1.0.0/main.tf")
      try await sync.sync()
      #expect(try await names(store) == ["web/1.0.0"])
      #expect(try await sync.report().first?.report.error == nil)
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
      #expect(try await sync.report().map { $0.report.error != nil }.count { $0 } == 1)
    }
  }

  @Test func anIdentifierBelongsToTheSourceThatHadItFirst() async throws {
    let (first, second) = (try folder("web/1.0.0"), try folder("web/1.0.0", "db/1.0.0"))
    try await withSync(of: first, second) { sync, store, _ in
      try await sync.sync()
      #expect(try await store.template(Template.ID("web-1-0-0"))?.source == "folder:\(first.path)")
      let report = try #require(try await sync.report().first { $0.source.name == "folder:\(second.path)" })
      #expect(report.report.templates == 1 && report.report.findings.first?.message.contains("'web-1-0-0'") == true)
    }
  }

  @Test func aFindingIsSaidOnce() async throws {
    let folder = try folder("web/1.0.0")
    try folder.write("variable {", to: "broken/1.0.0/main.tf")
    try await withSync(of: folder) { sync, store, log in
      for _ in 0..<3 { try await sync.sync() }
      #expect(try await names(store) == ["web/1.0.0"])
      #expect(try await sync.report().first?.report.findings.count == log.lines.count { $0.contains("broken/1.0.0") })
    }
  }

  @Test func twoModulesCannotHaveOneIdentifier() async throws {
    try await withSync(of: try folder("my-web/1.0.0", "my.web/1.0.0")) { sync, store, _ in
      try await sync.sync()
      #expect(try await names(store) == ["my-web/1.0.0"])
      let findings = try #require(try await sync.report().first).report.findings
      #expect(findings.map(\.message) == ["my.web/1.0.0: has the same identifier 'my-web-1-0-0' as my-web/1.0.0."])
    }
  }

  @Test func whatHasNotChangedIsNotReadAgain() async throws {
    let folder = try folder("web/1.0.0", "db/1.0.0")
    try await withSync(of: folder) { sync, store, log in
      try await sync.sync()
      let before = try await store.template(Template.ID("web-1-0-0"))
      try folder.write("# another\n" + Self.module, to: "db/1.0.0/main.tf")
      try await sync.sync()
      #expect(try await store.template(Template.ID("web-1-0-0")) == before)
      let findings = try #require(try await sync.report().first).report.findings
      #expect(findings.map(\.message) == ["db/1.0.0: has changed although it was published."])
      #expect(findings.map(\.severity) == [.warning])
    }
  }

  /// A folder that is named no more gives its templates up, and another may have them at once.
  @Test func aSourceThatIsNoMoreGivesItsTemplatesUp() async throws {
    let (data, log) = (try TemporaryFolder(), CollectedLog())
    let (old, new) = (try folder("web/1.0.0", "db/1.0.0"), try folder("web/1.0.0"))
    let store = try SQLiteStore.open(path: data.file("porc.sqlite").path)
    for folder in [old, new] {
      var settings = CatalogSettings()
      settings.folders = [folder.path]
      settings.cacheFolder = data.file("cache").path
      try await SourceBench.with(settings, log.logger) { factory in
        try await CatalogSync(store: store, factory: factory, logger: log.logger).sync()
      }
    }
    #expect(try await store.templates().map { "\($0.modulePath) \($0.source)" } == ["web/1.0.0 folder:\(new.path)"])
    #expect(try await store.desiredEntities(.template).map(\.identifier) == ["web-1-0-0"])
    try await store.close()
  }

  /// That nothing has changed in a source says nothing of what became of its templates here.
  @Test func aSourceThatComesBackBringsItsTemplatesBack() async throws {
    let (data, log) = (try TemporaryFolder(), CollectedLog())
    let folder = try folder("web/1.0.0", "db/1.0.0")
    let store = try SQLiteStore.open(path: data.file("porc.sqlite").path)
    for (folders, count) in [([folder.path], 2), ([], 0), ([folder.path], 2)] {
      var settings = CatalogSettings()
      settings.folders = folders
      settings.cacheFolder = data.file("cache").path
      try await SourceBench.with(settings, log.logger) { factory in
        try await CatalogSync(store: store, factory: factory, logger: log.logger).sync()
      }
      #expect(try await store.templates().count == count)
    }
    try await store.close()
  }

  @Test(arguments: ["/etc", "file:///etc", "FILE:/etc", "git::file:///etc", "git::/etc", "git::../other"])
  func aModuleOfTheMachineIsOutsideOfTheTemplate(source: String) async throws {
    let folder = try folder("web/1.0.0")
    try folder.write("module \"m\" { source = \"\(source)\" }", to: "web/1.0.0/m.tf")
    try await withSync(of: folder) { sync, store, _ in
      try await sync.sync()
      #expect(try await names(store) == [])
      let message = try await sync.report().first?.report.findings.first?.message ?? ""
      #expect(message.contains("m.tf: the module 'm' is outside"), "\(message)")
    }
  }

  @Test func whatPortRefusesIsAFindingOfItsSource() async throws {
    let folder = try folder("web/1.0.0")
    try await withSync(of: folder) { sync, store, _ in
      try await sync.sync()
      let difference = try #require(try await store.differences(.template, limit: 1).first)
      try await store.postpone(difference, for: 60, rejection: "It is too large.")
      let finding = try #require(try await sync.report().first?.report.findings.first)
      #expect(finding.message == "web-1-0-0: is not shown in Port as it is, since Port refuses it: It is too large.")
      try await store.acknowledge([difference])
      #expect(try await sync.report().first?.report.findings == [])
    }
  }

  /// A source that is removed waits for no module that is being read.
  @Test func whoIsCanceledReadsNoModuleToItsEnd() async throws {
    let text = String(repeating: "variable \"a\" { type = string }\n", count: 10)
    let files = (0..<3).map { ArchiveEntry(path: "\($0).tf", text: text) }
    let module = ReadModule(module: ListedModule(path: "web/1.0.0", content: "x"), files: .success(files))
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try TemplateReader.read(module, in: ModuleListing(), of: "s")
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func aRemovalIsEndedByNobody() async throws {
    let turn = AsyncTurn()
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let (open, opening) = AsyncStream.makeStream(of: Void.self)
    let first = Task {
      try await turn.clear {
        begin.yield()
        for await _ in open { break }
        try Task.checkCancellation()
      }
    }
    for await _ in begun { break }
    let look = Task { try await turn.share {} }
    let second = Task { try await turn.clear {} }
    first.cancel()
    opening.yield()
    try await first.value
    try await second.value
    // It came before the second or after it.
    _ = await look.result
    try await turn.share {}
  }
}
