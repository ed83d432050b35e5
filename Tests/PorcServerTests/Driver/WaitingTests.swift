import Foundation
import HCL
import PorcCore
import PorcStore
import TerraformEnterprise
import Testing

@testable import PorcServer

/// What is learned of why a run does not get on, and what it costs to learn it.
struct WaitingTests {
  private static let workspaceCall = "GET workspaces/ws-web"

  /// A plan whose TFE run has this status and keeps it.
  private func planning(_ bench: DriverBench, _ status: String) async throws -> PorcCore.Run.ID {
    bench.tfe.change { $0.planned = status }
    let id = try await bench.submit()
    try await bench.plan(id)
    while bench.tfe.runs.filter({ $0.message.hasPrefix(id.rawValue) }).isEmpty { try await bench.step() }
    return id
  }

  private func wait(_ id: PorcCore.Run.ID, _ bench: DriverBench) async throws -> Wait? {
    let located = try #require(try await bench.store.locate(id.rawValue))
    return located.situation.waiting(located.run)?.wait
  }

  /// Steps until it waits for this.
  private func untilWaiting(
    _ id: PorcCore.Run.ID, for wait: Wait?, _ bench: DriverBench, _ place: SourceLocation = #_sourceLocation
  ) async throws {
    for _ in 0..<60 {
      if try await self.wait(id, bench) == wait { return }
      try await bench.step()
    }
    Issue.record("it waits for \(String(describing: try await self.wait(id, bench)))", sourceLocation: place)
  }

  /// What was recorded about waiting.
  private func told(_ id: PorcCore.Run.ID, _ bench: DriverBench) async throws -> [String] {
    try await bench.store.events(after: 0, of: .run(id), limit: 100).map(\.name).filter {
      $0.hasPrefix("waiting")
    }
  }

  private func set(_ status: String, of run: Int = 0, _ bench: DriverBench) {
    bench.tfe.change { $0.runs[run].status = status }
  }

  // MARK: In TFE

  @Test func aLockedWorkspaceIsToldWithItsReasonAndReadOnce() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.locks["ws-web"] = ("ann", "an audit\nuntil noon") }
      let id = try await planning(bench, "pending")
      let start = try await bench.run(id).updatedAt
      try await untilWaiting(
        id, for: .workspaceLocked(workspace: "porc-web", by: "ann", reason: "an audit until noon"), bench)
      let since = try #require(try await bench.run(id).waitsSince)
      #expect(since.timeIntervalSince(start) >= 3, "what passes in a moment is no waiting")
      for _ in 0..<20 { try await bench.step() }
      #expect(bench.tfe.calls.count { $0 == Self.workspaceCall } == 1)
      #expect(try await told(id, bench) == ["waiting"])

      bench.tfe.change { $0.locks["ws-web"] = ("bob", "another audit") }
      try await untilWaiting(
        id, for: .workspaceLocked(workspace: "porc-web", by: "bob", reason: "another audit"), bench)
      #expect(bench.tfe.calls.count { $0 == Self.workspaceCall } == 2)

      bench.tfe.change { $0.locks = [:] }
      set("planning", bench)
      try await untilWaiting(id, for: nil, bench)
      #expect(try await told(id, bench) == ["waiting", "waiting", "waiting_ended"])
    }
  }

  @Test func aRunOfSomebodyElseAheadInTheWorkspaceIsNamed() async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed()
      bench.tfe.change { state in
        state.runs.append(.foreign("run-9", in: "ws-web", "planned"))
        state.currentRuns["ws-web"] = "run-9"
      }
      let id = try await planning(bench, "pending")
      try await untilWaiting(id, for: .tfeRunAhead(tfeRunID: "run-9", runID: nil), bench)
      for _ in 0..<20 { try await bench.step() }
      #expect(bench.tfe.calls.count { $0 == Self.workspaceCall } == 1)

      // Another one came between; then it is this one's turn.
      bench.tfe.change { state in
        state.runs.append(.foreign("run-8", in: "ws-web"))
        state.currentRuns["ws-web"] = "run-8"
      }
      try await untilWaiting(id, for: .tfeRunAhead(tfeRunID: "run-8", runID: nil), bench)
      bench.tfe.change { state in
        state.currentRuns = [:]
        for index in state.runs.indices { state.runs[index].status = "planned" }
      }
      try await bench.work(id, until: .planned)
      #expect(try await told(id, bench) == ["waiting", "waiting"], "its end is told by the plan's own")
    }
  }

  @Test func anOlderRunOfPORCsAheadIsNamedAsItsOwn() async throws {
    try await DriverBench.run { bench in
      let first = try await bench.deployed()
      bench.tfe.change { state in
        state.currentRuns["ws-web"] = "run-1"
        state.runs[0].status = "planned"
      }
      let id = try await planning(bench, "pending")
      try await untilWaiting(id, for: .tfeRunAhead(tfeRunID: "run-1", runID: first), bench)
    }
  }

  /// Nothing is ahead of it, and nobody has locked anything.
  @Test func aRunThatTFEHasNotBegunWithSaysSo() async throws {
    try await DriverBench.run { bench in
      let id = try await planning(bench, "pending")
      try await untilWaiting(id, for: .tfeQueue, bench)
      for _ in 0..<20 { try await bench.step() }
      #expect(bench.tfe.calls.count { $0 == Self.workspaceCall } == 1)
    }
  }

  @Test(arguments: [
    ("plan_queued", Wait.tfeCapacity), ("queuing", .tfeCapacity), ("pre_plan_running", .runTasks(stage: "pre_plan")),
    ("post_plan_running", .runTasks(stage: "post_plan")),
  ])
  func whatARunsOwnStatusSaysCostsNothing(status: String, wait: Wait) async throws {
    try await DriverBench.run { bench in
      let id = try await planning(bench, status)
      try await bench.step()
      #expect(try await self.wait(id, bench) == nil, "it may have taken it in this very moment")
      try await untilWaiting(id, for: wait, bench)
      for _ in 0..<20 { try await bench.step() }
      set("planning", bench)
      try await untilWaiting(id, for: nil, bench)
      #expect(try await told(id, bench) == ["waiting", "waiting_ended"])
      #expect(!bench.tfe.calls.contains(Self.workspaceCall))
    }
  }

  @Test(arguments: [
    ("apply_queued", Wait.tfeCapacity), ("queuing_apply", .tfeCapacity),
    ("pre_apply_running", .runTasks(stage: "pre_apply")),
  ])
  func anApplyWaitsInTFEToo(status: String, wait: Wait) async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.confirmed = status }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      try await untilWaiting(id, for: wait, bench)
      set("applying", bench)
      try await untilWaiting(id, for: nil, bench)
      set("applied", bench)
      try await bench.work(id, until: .applied)
    }
  }

  /// As a sweep over all workspaces does, which costs one call for a hundred of them.
  @Test func whoReadsManyWorkspacesAtOnceTellsTheSame() async throws {
    try await DriverBench.run { bench in
      let id = try await planning(bench, "pending")
      func sweep() async throws {
        let workspace = try await bench.driver.client.workspaces.read("ws-web", include: [.currentRun])
        try await bench.driver.reportWaiting(in: workspace, try #require(try await bench.store.locate(id.rawValue)))
      }
      bench.tfe.change { $0.locks["ws-web"] = ("ann", "audit") }
      try await sweep()
      #expect(try await wait(id, bench) == nil)
      bench.pass(4)
      try await sweep()
      #expect(try await wait(id, bench) == .workspaceLocked(workspace: "porc-web", by: "ann", reason: "audit"))
      bench.tfe.change { state in
        state.locks = [:]
        state.runs.append(.foreign("run-9", in: "ws-web"))
        state.currentRuns["ws-web"] = "run-9"
      }
      try await sweep()
      #expect(try await wait(id, bench) == .tfeRunAhead(tfeRunID: "run-9", runID: nil))
      bench.tfe.change { state in
        state.currentRuns["ws-web"] = "run-1"
        state.runs[0].status = "plan_queued"
      }
      try await sweep()
      #expect(try await wait(id, bench) == nil)
      bench.pass(4)
      try await sweep()
      #expect(try await wait(id, bench) == .tfeCapacity)
      set("planning", bench)
      try await sweep()
      #expect(try await wait(id, bench) == nil)
      try await sweep()
      #expect(
        try await told(id, bench) == ["waiting", "waiting", "waiting_ended", "waiting", "waiting_ended"])
    }
  }

  // MARK: The workspace itself

  @Test func aWorkspaceThatIsRenamedKeepsItsRunsAndLinks() async throws {
    try await DriverBench.run { bench in
      let id = try await planning(bench, "planning")
      bench.tfe.change { $0.newNames["ws-web"] = "web-of-ann" }
      try await bench.step()
      let workspace = try await bench.store.locate(id.rawValue)?.situation.instance.workspace
      #expect(workspace == PorcCore.Workspace(id: "ws-web", name: "web-of-ann"))
      set("planned", bench)
      try await bench.work(id, until: .planned)
      try await bench.apply(id)
      try await bench.work(id, until: .applied)
      #expect(!bench.tfe.calls.contains(Self.workspaceCall))
      bench.tfe.change { $0.planned = "planned" }
      _ = try await bench.deployed("web", ["region": "us"])
      #expect(bench.tfe.calls.count { $0 == "POST organizations/acme/workspaces" } == 1)
    }
  }

  @Test(arguments: [RunState.planned, .applying])
  func aWorkspaceThatIsDeletedUnderARunIsToldAsSuch(state: RunState) async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.confirmed = "applying" }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      if state == .applying {
        try await bench.apply(id)
        for _ in 0..<3 { try await bench.step() }
      }
      deleteWorkspace(bench)
      try await bench.work(id, until: state == .applying ? .applyFailed : .planFailed)
      let failure = try #require(try await bench.run(id).failure)
      #expect(failure.summary == "The workspace 'porc-web' is not there any more in Terraform Enterprise")
      #expect(try await bench.run(id).isPartial == (state == .applying))

      bench.tfe.change { $0.confirmed = "applied" }
      _ = try await bench.deployed()
      #expect(bench.tfe.calls.count { $0 == "POST organizations/acme/workspaces" } == 2)
    }
  }

  @Test func anApplyInADeletedWorkspaceIsToldAsSuch() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      deleteWorkspace(bench)
      try await bench.apply(id)
      try await bench.work(id, until: .applyFailed)
      #expect(try await bench.run(id).failure?.summary.contains("is not there any more") == true)
      #expect(try await !bench.run(id).isPartial)
    }
  }

  /// With all that belongs to it.
  private func deleteWorkspace(_ bench: DriverBench) {
    bench.tfe.change { state in
      state.delete("porc-web")
      state.runs[0].id = "gone"
    }
  }

  // MARK: PORC's own

  @Test func moreRunsThanTFEIsToHaveAtOnceWaitForTheirTurn() async throws {
    try await DriverBench.run(maximumRuns: 1) { bench in
      let first = try await planning(bench, "planning")
      let second = try await bench.submit("db")
      try await bench.plan(second)
      try await untilWaiting(second, for: .maximumRuns(limit: 1), bench)
      for _ in 0..<20 { try await bench.step() }
      #expect(try await told(second, bench) == ["waiting"])
      bench.tfe.change { $0.planned = "planned" }
      set("planned", bench)
      try await bench.work(first, until: .planned)
      try await bench.work(second, until: .planned)
      #expect(try await wait(second, bench) == .decision)
    }
  }

  @Test func aRunThatNoWorkerTakesSaysSo() async throws {
    try await DriverBench.run { bench in
      let sweeper = Sweeper(
        store: bench.store, driver: bench.driver, retention: 3600, idle: 60, logger: CollectedLog().logger)
      let id = try await bench.submit()
      try await bench.plan(id)
      try await sweeper.sweep()
      #expect(try await wait(id, bench) == nil)
      bench.pass(11)
      for _ in 0..<2 { try await sweeper.sweep() }
      #expect(try await wait(id, bench) == .workers)
      #expect(try await told(id, bench) == ["waiting"])
      try await bench.step()
      #expect(try await bench.run(id).state == .planning)
      #expect(try await wait(id, bench) == nil)
    }
  }

  // MARK: Trouble

  private static let troubles: [(status: Int?, wait: Wait)] = [
    (nil, .tfeUnreachable), (503, .tfeFailing(status: 503)), (500, .tfeFailing(status: 500)), (401, .tokenRefused),
    (403, .tfeRefused),
  ]

  @Test(arguments: troubles)
  func aPlanThatCannotBeFollowedSaysWhySince(status: Int?, wait: Wait) async throws {
    try await DriverBench.run { bench in
      let id = try await planning(bench, "planning")
      bench.tfe.change { state in (state.isAway, state.errorStatus) = (true, status) }
      try await untilWaiting(id, for: wait, bench)
      let since = try #require(try await bench.run(id).waitsSince)
      for _ in 0..<10 { try await bench.step() }
      #expect(try await bench.run(id).waitsSince == since, "it is as old as its first failure")
      #expect(try await told(id, bench) == ["waiting"])
      bench.tfe.change { $0.isAway = false }
      try await untilWaiting(id, for: nil, bench)
      set("planned", bench)
      try await bench.work(id, until: .planned)
      #expect(try await told(id, bench) == ["waiting", "waiting_ended"])
    }
  }

  @Test func aPlanThatCannotBeMadeSaysWhy() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { state in (state.isAway, state.errorStatus) = (true, nil) }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await untilWaiting(id, for: .tfeUnreachable, bench)
      bench.tfe.change { $0.isAway = false }
      try await bench.work(id, until: .planned)
      #expect(try await told(id, bench) == ["waiting"], "the TFE run itself says that it is over")
    }
  }

  /// Nobody has to know that TFE is away while a person thinks.
  @Test func aPlanThatAwaitsADecisionWaitsForThatAlone() async throws {
    try await DriverBench.run { bench in
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planned)
      bench.tfe.change { state in (state.isAway, state.errorStatus) = (true, nil) }
      for _ in 0..<5 { try await bench.step() }
      #expect(try await wait(id, bench) == .decision)
      try await bench.apply(id)
      try await untilWaiting(id, for: .tfeUnreachable, bench)
      bench.tfe.change { $0.isAway = false }
      try await bench.work(id, until: .applied)
    }
  }

  @Test func aRateLimitIsToldWithItsEnd() async throws {
    try await DriverBench.run { bench in
      let id = try await planning(bench, "planning")
      bench.tfe.change { state in (state.isAway, state.errorStatus) = (true, 429) }
      try await bench.step()
      let located = try #require(try await bench.store.locate(id.rawValue))
      guard case .rateLimited(let until) = located.run.wait, let since = located.run.waitsSince else {
        Issue.record("it waits for \(String(describing: located.run.wait))")
        return
      }
      #expect(abs(until.timeIntervalSince(since) - 20) < 0.1)
      bench.tfe.change { $0.isAway = false }
      try await untilWaiting(id, for: nil, bench)
    }
  }

  /// Calls that are kept back are none that fail.
  @Test func aRateLimitThatIsKnownIsToldBeforeTheCall() async throws {
    try await DriverBench.run { bench in
      let id = try await planning(bench, "planning")
      var driver = bench.driver
      driver.delay = { _ in .seconds(60) }
      let lease = try #require(try await bench.claim())
      _ = try await driver.perform(lease)
      #expect(try await told(id, bench) == ["waiting", "waiting_ended"])
    }
  }
}
