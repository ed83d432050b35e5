import Foundation
import HCL
import PorcCore
import PorcStore
import Testing

@Suite struct CatalogStoreTests {
  private let a = Template.archive(of: "a")

  private func ids(_ bench: Bench) async throws -> [String] {
    try await bench.store.templates().map { "\($0.modulePath) \($0.status) of \($0.source)" }
  }

  @Test(arguments: StoreKind.all)
  func templatesAreListedByNameAndNewestFirst(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let archives = a.merging(Template.archive(of: "b")) { one, _ in one }
    try await bench.store.replaceTemplates(
      of: "s",
      with: [
        .sample("b", .one, source: "s"), .sample("a", .two, source: "s"), .sample("a", .ten, source: "s"),
        .sample("a", .one, source: "s"),
      ], archives: archives)
    #expect(try await bench.store.templates().map(\.modulePath) == ["a/10.0.0", "a/2.0.0", "a/1.0.0", "b/1.0.0"])
    #expect(try await bench.store.template(Template.ID("a-2-0-0")) == .sample("a", .two, source: "s"))
    #expect(try await bench.store.template(Template.ID("a-3-0-0")) == nil)
    #expect(try await bench.store.blob("archive-b") == Data("b".utf8))
  }

  @Test(arguments: StoreKind.all)
  func theVersionOfTheCatalogChangesExactlyWithIt(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    var versions = [try await bench.store.catalogVersion()]
    func sync(_ templates: [Template]) async throws {
      try await bench.store.replaceTemplates(of: "s", with: templates, archives: a)
      versions.append(try await bench.store.catalogVersion())
    }
    try await sync([.sample("a", .one, source: "s")])
    try await sync([.sample("a", .one, source: "s")])
    try await sync([.sample("a", .one, source: "s", title: "A")])
    try await sync([])
    try await sync([])
    #expect(versions == [0, 1, 1, 2, 3, 3])
  }

  @Test(arguments: StoreKind.all)
  func aSourceReplacesItsOwnTemplatesOnly(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.store.replaceTemplates(of: "s", with: [.sample("a", .one, source: "s")], archives: a)
    try await bench.store.replaceTemplates(of: "r", with: [.sample("a", .two, source: "r")], archives: [:])
    try await bench.store.replaceTemplates(of: "s", with: [], archives: [:])
    #expect(try await ids(bench) == ["a/2.0.0 active of r"])
    #expect(try await bench.store.desiredEntities(.template).map(\.identifier) == ["a-2-0-0"])
  }

  @Test(arguments: StoreKind.all)
  func anIDThatIsTakenIsLeftOutAndReturned(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.store.replaceTemplates(of: "s", with: [.sample("a", .one, source: "s")], archives: a)
    let left = try await bench.store.replaceTemplates(
      of: "r",
      with: [.sample("a", .one, source: "r"), .sample("a", .two, source: "r"), .sample("A", .two, source: "r")],
      archives: Template.archive(of: "A"))
    #expect(left == [Template.ID("a-1-0-0"), Template.ID("a-2-0-0")])
    #expect(try await ids(bench) == ["a/2.0.0 active of r", "a/1.0.0 active of s"])
  }

  @Test(arguments: StoreKind.all)
  func aTemplateThatIsGoneButInUseIsRetired(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    func sync(_ source: String, _ templates: [Template]) async throws -> [Template.ID] {
      try await bench.store.replaceTemplates(of: source, with: templates, archives: a)
    }
    _ = try await sync("s", [.sample("a", .one, source: "s"), .sample("a", .two, source: "s")])
    try await bench.submit("vm", as: "porc-1", template: "a")
    try await bench.apply("porc-1", tfeRunID: "run-1")
    _ = try await sync("s", [])
    #expect(try await ids(bench) == ["a/1.0.0 retired of s"])
    #expect(try await bench.store.desiredEntities(.template).map { $0.properties["status"] } == ["retired"])
    let version = try await bench.store.catalogVersion()
    _ = try await sync("s", [])
    #expect(try await bench.store.catalogVersion() == version)

    // Still deployed, though a newer run uses another.
    try await bench.submit("vm", as: "porc-2", template: "a", version: "2.0.0")
    _ = try await sync("s", [])
    #expect(try await ids(bench) == ["a/1.0.0 retired of s"])

    // What its source has given up, another may take; and it comes back as it was.
    #expect(try await sync("r", [.sample("a", .one, source: "r")]).isEmpty)
    #expect(try await ids(bench) == ["a/1.0.0 active of r"])
    _ = try await sync("r", [])

    try await bench.apply("porc-2", tfeRunID: "run-2")
    _ = try await sync("r", [])
    #expect(try await ids(bench).isEmpty)
  }

  @Test(arguments: StoreKind.all)
  func aTemplateOfARemovedInstanceGoes(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.store.replaceTemplates(of: "s", with: [.sample("a", .one, source: "s")], archives: a)
    try await bench.submit("vm", as: "porc-1", template: "a")
    try await bench.apply("porc-1", tfeRunID: "run-1")
    try await bench.destroy("vm", as: "porc-2", tfeRunID: "run-2")
    try await bench.store.replaceTemplates(of: "s", with: [], archives: [:])
    #expect(try await ids(bench) == ["a/1.0.0 retired of s"], "the portal still shows the instance")
    try await bench.store.remove(Instance.ID("vm"), finishing: nil)
    try await bench.store.replaceTemplates(of: "s", with: [], archives: [:])
    #expect(try await ids(bench).isEmpty)
  }

  @Test(arguments: StoreKind.all)
  func aTemplateWithoutItsArchiveIsRefused(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let error = await #expect(throws: StoreError.self) {
      try await bench.store.replaceTemplates(of: "s", with: [.sample("a", .one, source: "s")], archives: [:])
    }
    guard case .unusable(let message, _) = error else { return #expect(Bool(false), "\(String(describing: error))") }
    #expect(message.contains("'a-1-0-0'"))
    #expect(try await bench.store.templates().isEmpty)
  }
}
