import Foundation
import HCL
import PorcCore
import PorcStore
import Testing

@Suite struct PortalStateTests {
  private func difference(_ bench: Bench) async throws -> PortalDifference {
    try #require(try await bench.differences(limit: 1).first)
  }

  private func sight(_ bench: Bench, showing shown: PortalEntity?) async throws -> PortalSight {
    PortalSight(
      kind: .instance, identifier: "vm", shown: shown,
      version: try #require(try await bench.store.portalVersions(.instance)["vm"]))
  }

  @Test(arguments: StoreKind.all)
  func whatIsWantedIsADifferenceUntilItIsAcknowledged(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    #expect(try await bench.store.portalStatus(.instance, "vm") == nil)
    #expect(try await bench.store.untilNextDifference() == nil)
    #expect(try await bench.store.portalBacklog() == PortalBacklog(count: 0, behindSince: nil))
    try await bench.submit("vm", as: "porc-1")
    let difference = try await difference(bench)
    #expect((difference.kind, difference.identifier) == (.instance, "vm"))
    #expect(difference.desired?.properties["porc_run_id"] == "porc-1")
    #expect(difference.acknowledged == nil)
    #expect((difference.attempts, difference.behindSince) == (0, Bench.start))
    #expect(try await bench.store.untilNextDifference() == 0)
    #expect(
      try await bench.store.portalStatus(.instance, "vm") == PortalStatus(behindSince: Bench.start, rejection: nil))
    #expect(try await bench.store.portalBacklog() == PortalBacklog(count: 1, behindSince: Bench.start))

    try await bench.store.acknowledge([difference])
    #expect(try await bench.differences(limit: 10).isEmpty)
    #expect(try await bench.store.portalStatus(.instance, "vm") == PortalStatus(behindSince: nil, rejection: nil))
    #expect(try await bench.store.untilNextDifference() == nil)
    #expect(try await bench.store.portalBacklog() == PortalBacklog(count: 0, behindSince: nil))
  }

  @Test(arguments: StoreKind.all)
  func aNewerDesiredStateStaysADifference(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    let older = try await difference(bench)
    bench.clock.advance(by: 7)
    try await bench.submit("vm", as: "porc-2")
    #expect(try await difference(bench).behindSince == Bench.start, "nothing was acknowledged since")
    try await bench.store.acknowledge([older])
    let newer = try await difference(bench)
    #expect(newer.version > older.version)
    #expect(newer.acknowledged == older.desired)
    #expect(newer.desired?.properties["porc_run_id"] == "porc-2")
    #expect(newer.behindSince == Bench.start + 7, "that long the portal lacks this one")

    try await bench.store.acknowledge([newer])
    try await bench.store.acknowledge([older])  // its answer came late
    #expect(try await bench.store.portalStatus(.instance, "vm")?.behindSince == nil)
  }

  @Test(arguments: StoreKind.all)
  func aStateThatIsWantedAgainIsSentAgain(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    func sync(_ templates: [Template]) async throws {
      try await bench.store.replaceTemplates(of: "s", with: templates, archives: Template.archive(of: "a"))
    }
    let (one, two) = (
      Template.sample("a", .one, source: "s", title: "One"), Template.sample("a", .one, source: "s", title: "Two")
    )
    try await sync([one])
    try await bench.store.acknowledge([try await difference(bench)])
    try await sync([two])
    try await sync([one])
    #expect(try await difference(bench).desired?.title == "One", "Two may be on its way to the portal")
    let version = try await difference(bench).version
    try await sync([one])
    #expect(try await difference(bench).version == version, "nothing changed")
  }

  @Test(arguments: StoreKind.all)
  func whatThePortalDidNotTakeIsTriedLater(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    let first = try await difference(bench)
    try await bench.store.postpone(first, for: 30, rejection: "no such blueprint")
    #expect(try await bench.differences(limit: 10).isEmpty)
    #expect(try await bench.store.untilNextDifference() == 30)
    #expect(
      try await bench.store.portalStatus(.instance, "vm")
        == PortalStatus(behindSince: Bench.start, rejection: "no such blueprint"))

    bench.clock.advance(by: 31)
    #expect(try await bench.store.untilNextDifference() == 0)
    let second = try await difference(bench)
    #expect(second.attempts == 1)
    try await bench.store.postpone(second, for: 30, rejection: nil)
    #expect(
      try await bench.store.portalStatus(.instance, "vm")?.rejection == "no such blueprint", "it is away, no more")

    try await bench.submit("vm", as: "porc-2")
    let newer = try await difference(bench)
    #expect(newer.attempts == 0)
    #expect(try await bench.store.portalStatus(.instance, "vm")?.rejection == nil)
    try await bench.store.postpone(second, for: 30, rejection: "late")
    #expect(try await difference(bench) == newer, "what is said of an older state says nothing of this one")
  }

  @Test(arguments: StoreKind.all)
  func templatesComeBeforeInstancesAndLongestBehindFirst(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    for name in ["b", "a"] {
      try await bench.submit(name, as: "porc-\(name)")
      bench.clock.advance(by: 1)
    }
    try await bench.store.replaceTemplates(
      of: "s", with: [.sample("t", .one, source: "s")], archives: Template.archive(of: "t"))
    #expect(try await bench.differences(limit: 10).map(\.identifier) == ["t-1-0-0", "b", "a"])
    #expect(try await bench.differences(limit: 2).map(\.identifier) == ["t-1-0-0", "b"])
    #expect(try await bench.store.portalBacklog() == PortalBacklog(count: 3, behindSince: Bench.start))
    #expect(try await bench.store.desiredEntities(.instance).map(\.identifier) == ["a", "b"])
    #expect(try await bench.store.desiredEntities(.template).map(\.identifier) == ["t-1-0-0"])
  }

  @Test(arguments: StoreKind.all)
  func aDeletionIsADifferenceUntilItIsAcknowledged(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.store.replaceTemplates(
      of: "s", with: [.sample("t", .one, source: "s")], archives: Template.archive(of: "t"))
    let shown = try await difference(bench)
    try await bench.store.acknowledge([shown])
    try await bench.store.replaceTemplates(of: "s", with: [], archives: [:])
    let deletion = try await difference(bench)
    #expect(deletion.desired == nil)
    #expect(deletion.acknowledged == shown.desired)
    #expect(try await bench.store.desiredEntities(.template).isEmpty)
    try await bench.store.markDifferent([
      PortalSight(
        kind: .template, identifier: "t-1-0-0", shown: nil,
        version: PortalVersion(desired: deletion.version, acknowledged: shown.version))
    ])
    #expect(try await difference(bench) == deletion, "it is known to be different")

    try await bench.store.acknowledge([deletion])
    #expect(try await bench.differences(limit: 10).isEmpty)
    #expect(try await bench.store.portalStatus(.template, "t-1-0-0") == nil)
  }

  @Test(arguments: StoreKind.all)
  func anEntityThatTurnedOutDifferentIsSentAnew(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    let first = try await difference(bench)
    try await bench.store.acknowledge([first])
    bench.clock.advance(by: 9)
    let version = try #require(try await bench.store.portalVersions(.instance)["vm"])
    try await bench.store.markDifferent(
      ["vm", "unknown"].map { PortalSight(kind: .instance, identifier: $0, shown: nil, version: version) })
    let again = try await difference(bench)
    #expect(again.desired == first.desired)
    #expect(again.acknowledged == nil)
    #expect(again.behindSince == Bench.start + 9)
    try await bench.store.acknowledge([first])
    #expect(try await bench.differences(limit: 10).count == 1, "that answer was from before")

    // One that is tried and refused does not become due sooner by being found absent.
    try await bench.store.postpone(again, for: 60, rejection: "no")
    try await bench.store.markDifferent([try await sight(bench, showing: nil)])
    #expect(try await bench.store.untilNextDifference() == 60)
    #expect(try await bench.store.portalStatus(.instance, "vm")?.rejection == "no")
  }

  /// What the portal was seen to show is what it acknowledged, so that only what differs from it needs clearing.
  @Test(arguments: StoreKind.all)
  func whatThePortalWasSeenToShowCountsAsAcknowledged(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    let first = try await difference(bench)
    try await bench.store.acknowledge([first])
    var shown = try #require(first.desired)
    shown.properties["region"] = "made up"
    try await bench.store.markDifferent([try await sight(bench, showing: shown)])
    let again = try await difference(bench)
    #expect(again.acknowledged == shown && again.desired == first.desired)
    #expect(again.version > first.version)
    try await bench.store.acknowledge([again])
    #expect(try await bench.store.portalBacklog().count == 0)
  }

  /// What was seen before an answer came says less than the answer.
  @Test(arguments: StoreKind.all)
  func aSightFromBeforeAWriteChangesNothing(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    let first = try await difference(bench)
    var shown = try #require(first.desired)
    shown.properties["region"] = "made up"
    let unwritten = try await sight(bench, showing: shown)
    try await bench.store.acknowledge([first])
    try await bench.store.markDifferent([unwritten])
    #expect(try await bench.store.portalBacklog().count == 0, "it was written meanwhile")

    let earlier = try await sight(bench, showing: shown)
    try await bench.submit("vm", as: "porc-2")
    let second = try await difference(bench)
    try await bench.store.markDifferent([earlier])
    #expect(try await difference(bench) == second, "it has changed meanwhile")

    // Seen while it is on its way: its answer comes after the next change, and still counts.
    let during = try await sight(bench, showing: shown)
    try await bench.store.markDifferent([during])
    #expect(try await difference(bench).acknowledged == shown)
    try await bench.submit("vm", as: "porc-3")
    try await bench.store.acknowledge([second])
    #expect(try await difference(bench).acknowledged == second.desired)
  }

  @Test(arguments: StoreKind.all)
  func aSightOfWhatWasNeverAcknowledgedCounts(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    let first = try await difference(bench)
    try await bench.store.markDifferent([try await sight(bench, showing: first.desired)])
    #expect(try await difference(bench).acknowledged == first.desired)
    try await bench.submit("vm", as: "porc-2")
    try await bench.store.acknowledge([first])
    #expect(try await difference(bench).acknowledged == first.desired)
  }

  @Test(arguments: StoreKind.all)
  func everythingCanBeSentAnew(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    for name in ["a", "b", "c"] { try await bench.submit(name, as: "porc-\(name)") }
    let first = try await bench.differences(limit: 10)
    try await bench.store.acknowledge(Array(first.prefix(2)))
    try await bench.store.postpone(first[2], for: 60, rejection: "no")
    #expect(
      try await bench.store.parkedEntities(limit: 10) == [
        ParkedEntity(kind: .instance, identifier: "c", reason: "no", behindSince: Bench.start)
      ])
    #expect(try await bench.store.portalBacklog() == PortalBacklog(count: 1, behindSince: Bench.start, parked: 1))
    #expect(try await bench.differences(limit: 10).isEmpty)
    try await bench.store.retryPostponed()
    #expect(try await bench.differences(limit: 10).map(\.identifier) == ["c"])

    try await bench.store.postpone(try await difference(bench), for: 60, rejection: "no")
    try await bench.store.markAllDifferent()
    let all = try await bench.differences(limit: 10)
    #expect(all.map(\.identifier).sorted() == ["a", "b", "c"])
    #expect(all.allSatisfy { $0.acknowledged == nil })
    try await bench.store.acknowledge(all)
    #expect(try await bench.store.portalBacklog() == PortalBacklog(count: 0, behindSince: nil))
  }

  @Test(arguments: StoreKind.all)
  func aRemovalIsCountedUntilItIsConfirmedOrNotWantedAnyMore(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    func sync(_ names: [String]) async throws {
      try await bench.store.replaceTemplates(
        of: "s", with: names.map { .sample($0, .one, source: "s") },
        archives: names.reduce(into: [:]) { $0.merge(Template.archive(of: $1)) { $1 } })
    }
    func removals(confirmed: Bool) async throws -> [String] {
      try await bench.store.removals(.template, confirmed: confirmed, limit: 10).map(\.identifier)
    }
    try await sync(["a", "b", "c"])
    try await bench.store.acknowledge(try await bench.differences(limit: 10))
    #expect(try await bench.store.removalShare(.template) == RemovalShare(removals: 0, shown: 0), "nothing should go")
    try await sync(["a"])
    #expect(try await bench.store.removalShare(.template) == RemovalShare(removals: 2, shown: 3))
    #expect(try await bench.store.removalShare(.instance) == RemovalShare(removals: 0, shown: 0))
    #expect(try await removals(confirmed: true) == [])
    #expect(try await bench.store.untilNextDifference() == nil, "removals do not count")

    #expect(try await bench.store.confirmRemovals() == 2)
    #expect(try await bench.store.confirmRemovals() == 0)
    #expect(try await bench.store.removalShare(.template) == RemovalShare(removals: 0, shown: 0))
    #expect(try await removals(confirmed: true) == ["b-1-0-0", "c-1-0-0"])

    try await sync(["a", "b"])
    #expect(try await bench.differences(limit: 10).map(\.identifier) == ["b-1-0-0", "c-1-0-0"])
    try await sync(["a"])
    #expect(try await removals(confirmed: true) == ["c-1-0-0"], "the word was for another removal")
    #expect(try await removals(confirmed: false) == ["b-1-0-0", "c-1-0-0"])

    let gone = try await bench.store.removals(.template, confirmed: false, limit: 1)
    try await bench.store.postpone(gone[0], for: 60, rejection: nil)
    #expect(try await removals(confirmed: false) == ["c-1-0-0"])
    let all = try await bench.store.outstandingRemovals(.template, limit: 10)
    #expect(all.map(\.identifier).sorted() == ["b-1-0-0", "c-1-0-0"])
  }

  @Test(arguments: StoreKind.all)
  func whatIsWantedCanBeReadInParts(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    for name in ["a", "b", "c"] { try await bench.submit(name, as: "porc-\(name)") }
    #expect(try await bench.store.portalVersions(.instance).keys.sorted() == ["a", "b", "c"])
    #expect(try await bench.store.portalVersions(.template) == [:])
    let some = try await bench.store.desiredEntities(.instance, among: ["c", "a", "x", "'; DROP TABLE run; --"])
    #expect(some.map(\.identifier).sorted() == ["a", "c"])
    #expect(try await bench.store.desiredEntities(.instance, among: []).isEmpty)
  }
}
