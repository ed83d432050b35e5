import Foundation
import HCL
import PorcCore
import PorcStore
import Synchronization
import Testing

@testable import PorcServer

/// How PORC has TFE tell it about runs, and mends that.
struct NotificationsTests {
  private func notifications(_ bench: DriverBench) throws -> Notifications { try #require(bench.driver.notifications) }

  private func calls(_ bench: DriverBench) -> [String] {
    bench.tfe.calls.filter { $0.contains("notification-configurations") }
  }

  @Test func aWorkspaceIsAskedForOnceWithASecretOfItsOwn() async throws {
    try await DriverBench.run(isTold: true) { bench in
      for name in ["web", "web", "db"] { _ = try await bench.deployed(name) }
      #expect(
        calls(bench)
          == ["web", "db"].flatMap {
            [
              "GET workspaces/ws-\($0)/notification-configurations",
              "POST workspaces/ws-\($0)/notification-configurations",
            ]
          })
      let made = bench.tfe.state.withLock(\.notifications)
      #expect(made.map(\.owner) == ["ws-web", "ws-db"])
      let first = try #require(made.first).attributes
      #expect(first["url"] == "https://porc.test/webhooks/tfe/ws-web")
      #expect(first["enabled"] == true && first["destination-type"] == "generic")
      #expect(first["triggers"] == ["run:needs_attention", "run:applying", "run:completed", "run:errored"])
      #expect(made.map(\.token) == ["ws-web", "ws-db"].map { bench.driver.notifications?.secret(of: $0) ?? "" })
      #expect(Set(made.map(\.token)).count == 2 && made.allSatisfy { $0.token.utf8.count == 64 })
      #expect(try await notifications(bench).cover("ws-web"))
    }
  }

  /// An earlier database knew it, say.
  @Test func aConfigurationThatIsThereIsWrittenAnew() async throws {
    try await DriverBench.run(isTold: true) { bench in
      bench.tfe.change {
        $0.notifications = [
          .init(id: "nc-1", owner: "ws-web", attributes: ["name": "somebody's", "url": "https://x"]),
          .init(id: "nc-2", owner: "ws-web", attributes: ["name": "PORC (porc)", "enabled": false, "token": "old"]),
        ]
      }
      _ = try await bench.deployed()
      let made = bench.tfe.state.withLock(\.notifications)
      #expect(made.count == 2 && made[0].attributes.count == 2)
      #expect(
        made[1].attributes["enabled"] == true && made[1].token == bench.driver.notifications?.secret(of: "ws-web"))
    }
  }

  @Test func aProjectIsAskedForInPlaceOfItsWorkspaces() async throws {
    try await DriverBench.run(isTold: true, project: "Platform") { bench in
      bench.tfe.change { ($0.hasProject, $0.hasProjectNotifications) = (true, true) }
      for name in ["web", "db", "web"] { _ = try await bench.deployed(name) }
      #expect(
        calls(bench) == [
          "GET projects/prj-1/notification-configurations", "POST projects/prj-1/notification-configurations",
        ])
      #expect(
        bench.tfe.state.withLock { $0.notifications.first?.attributes["url"] } == "https://porc.test/webhooks/tfe/prj-1"
      )
      for workspace in ["ws-web", "ws-db"] { #expect(try await notifications(bench).cover(workspace)) }
    }
  }

  @Test func aTFEThatDoesNotKnowThatOfProjectsIsAskedForEachWorkspace() async throws {
    try await DriverBench.run(isTold: true, project: "platform") { bench in
      bench.tfe.change { $0.hasProject = true }
      for name in ["web", "db", "web"] { _ = try await bench.deployed(name) }
      #expect(
        calls(bench) == ["GET projects/prj-1/notification-configurations"]
          + ["web", "db"].flatMap {
            [
              "GET workspaces/ws-\($0)/notification-configurations",
              "POST workspaces/ws-\($0)/notification-configurations",
            ]
          })
      #expect(try await bench.store.notificationReport(sentTo: nil, keyID: nil).problem == nil)
    }
  }

  /// Somebody moved it.
  @Test func aWorkspaceOutsideTheProjectIsAskedForItself() async throws {
    try await DriverBench.run(isTold: true, project: "platform") { bench in
      bench.tfe.change { $0.hasProjectNotifications = true }
      _ = try await bench.deployed()
      #expect(bench.tfe.state.withLock { $0.notifications.map(\.owner) } == ["ws-web"])
    }
  }

  /// 404: the token's team is no admin of the workspace. 400: TFE did not reach PORC.
  @Test(arguments: [400, 404, 500])
  func aRefusalFailsNoRunAndIsNotAskedForWithEachPlan(status: Int) async throws {
    try await DriverBench.run(isTold: true) { bench in
      bench.tfe.change { $0.refusesNotifications = status }
      for _ in 0..<3 { _ = try await bench.deployed() }
      #expect(calls(bench).count == 2)
      let report = try await bench.store.notificationReport(sentTo: nil, keyID: nil)
      #expect(report.working == 0 && report.failing == 1 && report.problem?.isEmpty == false)
      bench.pass(Notifications.failureRest)
      bench.tfe.change { $0.refusesNotifications = nil }
      _ = try await bench.deployed()
      #expect(
        try await bench.store.notificationReport(sentTo: nil, keyID: nil)
          == NotificationReport(working: 1, failing: 0, heardAt: nil, problem: nil))
    }
  }

  @Test func anotherAddressIsToldWithTheNextPlan() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      bench.address.url.withLock { $0 = "https://elsewhere.test/porc" }
      #expect(try await !notifications(bench).cover("ws-web"), "runs are polled until then")
      _ = try await bench.deployed()
      let made = bench.tfe.state.withLock(\.notifications)
      #expect(made.map { $0.attributes["url"] } == ["https://elsewhere.test/porc/webhooks/tfe/ws-web"])
      #expect(try await notifications(bench).cover("ws-web"))
    }
  }

  // MARK: Mending

  @Test func oneThatFailsItsSignatureIsWrittenAnewNowAndThen() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      bench.tfe.change { $0.notifications[0].attributes["token"] = "another" }
      bench.pass(3600)
      let notifications = try notifications(bench)
      for _ in 0..<60 {
        for owner in ["ws-web", "ws-nobody", ""] { try await notifications.suspect(owner) }
        try await notifications.mend()
        bench.pass(10)
      }
      #expect(bench.tfe.state.withLock { $0.notifications[0].token } == notifications.secret(of: "ws-web"))
      // In ten minutes.
      #expect(calls(bench).suffix(2) == Array(repeating: "PATCH notification-configurations/nc-1", count: 2))
      #expect(calls(bench).count == 4)
    }
  }

  /// It was written a moment ago, and the repair's time comes.
  @Test func aRepairIsPostponedAndNotForgotten() async throws {
    try await DriverBench.run(isTold: true) { bench in
      let notifications = try notifications(bench)
      await notifications.ensure(for: PorcCore.Workspace(id: "ws-web", name: "porc-web"))
      bench.pass(10)
      for number in 0..<1100 { try await notifications.suspect("ws-\(number)") }
      try await notifications.suspect("ws-web", silentAbout: "run-1")
      try await notifications.mend()
      #expect(!calls(bench).contains { $0.hasPrefix("PATCH") })
      #expect(!bench.log.lines.contains { $0.contains("asked anew") })
      bench.pass(Notifications.repairRest)
      for _ in 0..<2 { try await notifications.mend() }
      #expect(calls(bench).count { $0.hasPrefix("PATCH") } == 1)
      #expect(bench.log.lines.count { $0.contains("TFE did not tell that a run got on, and was asked anew") } == 1)
    }
  }

  @Test func aRepairThatFailsIsTriedAgain() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      bench.pass(3600)
      let notifications = try notifications(bench)
      try await notifications.suspect("ws-web")
      bench.tfe.change { $0.refusesNotifications = 400 }
      try await notifications.mend()
      #expect(try await !notifications.cover("ws-web"))
      bench.tfe.change { $0.refusesNotifications = nil }
      try await notifications.mend()
      #expect(try await !notifications.cover("ws-web"), "not at once")
      bench.pass(Notifications.failureRest)
      try await notifications.mend()
      #expect(try await notifications.cover("ws-web"))
    }
  }

  @Test func whatCouldNotBeMadeIsMadeLaterThoughNothingIsPlanned() async throws {
    let names = (1...3).map { "vm-\($0)" }
    try await DriverBench.run(instances: names, isTold: true) { bench in
      let notifications = try notifications(bench)
      bench.tfe.change { state in
        state.refusesNotifications = 400
        for name in names { state.workspaces["porc-\(name)"] = [:] }
      }
      for name in names { await notifications.ensure(for: PorcCore.Workspace(id: "ws-\(name)", name: "porc-\(name)")) }
      try await notifications.mend()
      #expect(calls(bench).count == 6)
      bench.pass(Notifications.failureRest)
      try await notifications.mend()
      #expect(calls(bench).count == 8, "one is enough to see that it fails still")
      var report = try await notifications.report()
      #expect(report.failing == 3 && report.failedAt == bench.now.addingTimeInterval(-Notifications.failureRest))
      bench.tfe.change { $0.refusesNotifications = nil }
      bench.pass(Notifications.failureRest)
      try await notifications.mend()
      report = try await notifications.report()
      #expect(report == NotificationReport(working: 3, failing: 0, heardAt: nil, problem: nil))
    }
  }

  @Test func ofAWorkspaceThatIsGoneNothingIsSaidAnyMore() async throws {
    try await DriverBench.run(isTold: true) { bench in
      let notifications = try notifications(bench)
      bench.tfe.change { $0.refusesNotifications = 404 }
      await notifications.ensure(for: PorcCore.Workspace(id: "ws-web", name: "porc-web"))
      #expect(try await notifications.report().failing == 1)
      bench.pass(Notifications.failureRest)
      try await notifications.mend()  // FakeTFE has no such workspace
      #expect(try await notifications.report().failing == 0)
      #expect(try await bench.store.notification(of: "ws-web") == nil)
    }
  }

  @Test func whatSendsElsewhereDoesNotCountAsWorking() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      let notifications = try notifications(bench)
      #expect(try await notifications.report().working == 1)
      bench.address.url.withLock { $0 = "https://elsewhere.test" }
      let report = try await notifications.report()
      #expect(report.working == 0 && report.outdated == 1 && report.failing == 0)
    }
  }

  @Test func oneThatWasDeletedInTFEIsMadeAnew() async throws {
    try await DriverBench.run(isTold: true) { bench in
      _ = try await bench.deployed()
      bench.tfe.change { $0.notifications[0].owner = "deleted" }
      bench.tfe.change { $0.notifications[0].id = "nc-10" }
      bench.pass(3600)
      let notifications = try notifications(bench)
      try await notifications.suspect("ws-web")
      try await notifications.mend()
      #expect(bench.tfe.state.withLock { $0.notifications.last?.owner } == "ws-web")
      #expect(try await notifications.cover("ws-web"))
    }
  }

  @Test func onlyAFewAreMendedAtOnce() async throws {
    let names = (1...8).map { "vm-\($0)" }
    try await DriverBench.run(instances: names, isTold: true) { bench in
      let workspaces = names.map { PorcCore.Workspace(id: "ws-\($0)", name: "porc-\($0)") }
      let notifications = try notifications(bench)
      for workspace in workspaces { await notifications.ensure(for: workspace) }
      bench.pass(3600)
      for workspace in workspaces { try await notifications.suspect(workspace.id) }
      try await notifications.mend()
      #expect(calls(bench).count { $0.hasPrefix("PATCH") } == Notifications.repairsAtOnce)
      try await notifications.mend()
      #expect(calls(bench).count { $0.hasPrefix("PATCH") } == 8)
    }
  }

  @Test func manyPlansThatBeginAtOnceMakeOne() async throws {
    try await DriverBench.run(isTold: true, project: "platform") { bench in
      bench.tfe.change { ($0.hasProject, $0.hasProjectNotifications) = (true, true) }
      _ = try await bench.deployed("web")
      bench.tfe.change { $0.workspaces["porc-db"] = [:] }
      let notifications = try notifications(bench)
      await withDiscardingTaskGroup { group in
        for name in ["web", "db", "db", "web"] {
          group.addTask { await notifications.ensure(for: PorcCore.Workspace(id: "ws-\(name)", name: "porc-\(name)")) }
        }
      }
      #expect(bench.tfe.state.withLock { $0.notifications.count } == 1)
      #expect(bench.tfe.calls.count { $0 == "GET workspaces/ws-db" } == 1)
    }
  }
}
