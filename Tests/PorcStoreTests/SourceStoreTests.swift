import Foundation
import PorcCore
import PorcStore
import Testing

@Suite struct SourceStoreTests {
  private static let platform = TemplateSource(
    name: "platform", place: .git("https://git.example.com/modules.git"), branch: "main", path: "terraform")

  @Test(arguments: StoreKind.all)
  func aSourceIsAddedOnceAndRemoved(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let store = bench.store
    #expect(try await store.addSource(Self.platform, secret: Data("sealed".utf8)))
    #expect(
      try await store.sources() == [SourceRecord(name: "platform", source: Self.platform, secret: Data("sealed".utf8))])
    #expect(try await !store.addSource(Self.platform, secret: nil))
    #expect(try await store.removeSource("platform"))
    #expect(try await !store.removeSource("platform"))
    #expect(try await store.sources() == [])
  }

  @Test(arguments: StoreKind.all)
  func howASourceDidIsKept(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let store = bench.store
    let report = SourceReport(
      templates: 3, findings: [Finding(at: "", "web/1.0.0: is broken.", fix: "Mend it.")], syncedAt: Bench.start)
    try await store.noteSource("folder:/a", fingerprint: "1", report: report)
    #expect(try await store.addSource(Self.platform, secret: nil))
    try await store.noteSource("platform", fingerprint: "2", report: report)
    // A look that failed leaves the fingerprint of what was read last.
    var failed = report
    failed.error = "It is away."
    try await store.noteSource("platform", fingerprint: nil, report: failed)
    #expect(
      try await store.sources() == [
        SourceRecord(name: "folder:/a", fingerprint: "1", report: report),
        SourceRecord(name: "platform", source: Self.platform, fingerprint: "2", report: failed),
      ])
    #expect(try await !store.removeSource("folder:/a"), "the configuration names it")
    // What one source left says nothing of another of its name.
    #expect(try await store.removeSource("platform"))
    #expect(try await store.addSource(Self.platform, secret: nil))
    #expect(try await store.sources().last == SourceRecord(name: "platform", source: Self.platform))
    // A source that the configuration names no more is forgotten; one that was added is not.
    try await store.giveUpSources(except: [])
    #expect(try await store.sources() == [SourceRecord(name: "platform", source: Self.platform)])
  }

  @Test(arguments: StoreKind.all)
  func aDeliveryIsTakenOnceAndForgottenAfterAMonth(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    #expect(try await bench.store.takeDelivery("a", from: "github"))
    #expect(try await !bench.store.takeDelivery("a", from: "github"))
    #expect(try await bench.store.takeDelivery("a", from: "another"))
    bench.clock.advance(by: 29 * 86_400)
    #expect(try await !bench.store.takeDelivery("a", from: "github"))
    bench.clock.advance(by: 2 * 86_400)
    #expect(try await bench.store.takeDelivery("a", from: "github"))
  }

  @Test(arguments: StoreKind.all)
  func aReaderOfTheCatalogGetsWhatHasChanged(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let store = bench.store
    let archives = Template.archive(of: "a")
    try await store.replaceTemplates(
      of: "s", with: [.sample("a", .one, source: "s"), .sample("a", .two, source: "s")], archives: archives)
    let all = try await store.catalogChanges(since: -1)
    #expect(all.changed.count == 2 && all.ids == [Template.ID("a-1-0-0"), Template.ID("a-2-0-0")])
    #expect(try await store.catalogChanges(since: all.version).changed == [])
    try await store.replaceTemplates(
      of: "s", with: [.sample("a", .two, source: "s", title: "A")], archives: archives)
    let later = try await store.catalogChanges(since: all.version)
    #expect(later.changed.map(\.title) == ["A"] && later.ids == [Template.ID("a-2-0-0")])
    #expect(later.version == (try await store.catalogVersion()))
  }
}
