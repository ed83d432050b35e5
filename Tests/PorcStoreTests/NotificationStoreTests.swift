import Foundation
import PorcCore
import PorcStore
import Testing

@Suite struct NotificationStoreTests {
  private let record = NotificationRecord(
    owner: "ws-1", configuration: "nc-1", url: "https://porc/webhooks/tfe/ws-1", keyID: "12345678",
    writtenAt: Bench.start)

  @Test(arguments: StoreKind.all)
  func whatIsKnownOfAnOwnerIsReplacedAndWhenItWasHeardStays(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let store = bench.store
    #expect(try await store.notification(of: "ws-1") == nil)
    try await store.putNotification(record)
    #expect(try await store.notification(of: "ws-1") == record)
    bench.clock.advance(by: 5)
    try await store.noteDelivery(of: "ws-1")
    try await store.noteDelivery(of: "ws-unknown")
    var failing = record
    (failing.configuration, failing.problem) = (nil, "It cannot be reached.")
    try await store.putNotification(failing)
    failing.heardAt = Bench.start.addingTimeInterval(5)
    #expect(try await store.notification(of: "ws-1") == failing)
    var project = record
    (project.owner, project.isProject) = ("prj-1", true)
    try await store.putNotification(project)
    try await store.putNotification(
      NotificationRecord(owner: "ws-2", project: "prj-1", url: "u", keyID: "k", writtenAt: Bench.start))
    #expect(
      try await store.notificationReport(sentTo: nil, keyID: nil)
        == NotificationReport(
          working: 1, failing: 1, failedAt: Bench.start, heardAt: failing.heardAt, problem: "It cannot be reached."))
    let report = try await store.notificationReport(sentTo: "https://porc/webhooks/tfe/", keyID: "12345678")
    #expect(report.working == 0 && report.outdated == 1, "the project's sends to ws-1")
    #expect(try await store.notificationReport(sentTo: nil, keyID: "87654321").outdated == 1)
    #expect(try await store.failedNotifications(until: Bench.start.addingTimeInterval(-1), limit: 5) == [])
    #expect(try await store.failedNotifications(until: Bench.start, limit: 5) == [failing])
    try await store.forgetNotification(of: "ws-1")
    #expect(try await store.notification(of: "ws-1") == nil)
  }

  @Test(arguments: StoreKind.all)
  func aDeliveryWakesWhoFollowsOnce(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let store = bench.store
    try await bench.submit("vm", as: "porc-1")
    try await bench.plan("porc-1", tfeRunID: "run-1")
    #expect(
      try await store.followedPlans()
        == [FollowedPlan(run: Run.ID("porc-1"), plan: 1, tfeRunID: "run-1")])
    let follow = try #require(try await bench.claimOnly(.follow))
    try await store.snooze(follow, for: 300)
    #expect(try await store.noteDelivery("d-1", of: "ws-1", about: "run-1"))
    #expect(try await store.untilNextDue() == 0)
    let again = try #require(try await bench.claim())
    try await store.snooze(again, for: 300)
    #expect(try await !store.noteDelivery("d-1", of: "ws-1", about: "run-1"))
    #expect(try await store.untilNextDue() == 300)
    #expect(try await !store.takeEarlyNotice(of: "run-1"))
  }

  @Test(arguments: StoreKind.all)
  func aDeliveryBeforeAnybodyFollowsIsKeptForTheFirst(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let store = bench.store
    #expect(try await store.noteDelivery("d-1", of: "ws-1", about: "run-1"))
    #expect(try await store.takeEarlyNotice(of: "run-1"))
    #expect(try await !store.takeEarlyNotice(of: "run-1"))

    try await bench.submit("vm", as: "porc-1")
    try await bench.plan("porc-1", tfeRunID: "run-1")
    try await store.noteDelivery("d-2", of: "ws-1", about: "run-1")  // nobody has claimed the job yet
    #expect(try await store.takeEarlyNotice(of: "run-1"))

    // What never becomes a run of PORC's goes.
    try await store.noteDelivery("d-3", of: "ws-1", about: "run-2")
    bench.clock.advance(by: 601)
    try await store.noteDelivery("d-4", of: "ws-1", about: "run-3")
    #expect(try await !store.takeEarlyNotice(of: "run-2"))
    #expect(try await store.takeEarlyNotice(of: "run-3"))
  }
}
