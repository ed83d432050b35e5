import Foundation
import Logging
import PorcCore
import PorcStore
import PortPortal
import TestKit
import Testing

@testable import PorcServer

/// The telling of presses, against a small Port with all its troubles.
@Suite(.timeLimit(.minutes(1)))
struct ActionReporterTests {
  private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private static let pages = TFELinks(address: "https://tfe", organization: "acme")

  /// - Parameter startedAt: what was pressed before it may have been told by another process.
  private func reporter(_ bench: PortalBench, startedAt: Date = .distantPast) -> ActionReporter {
    ActionReporter(
      store: bench.store, client: bench.client, names: PortNames(), links: Self.pages,
      doorbell: Doorbell(store: bench.store),
      logger: Self.silent, startedAt: startedAt)
  }

  /// Somebody presses a button for a run.
  private func press(
    _ bench: PortalBench, _ id: String, _ verb: String, _ run: PorcCore.Run.ID, _ command: RunCommand
  ) async throws {
    let instance = try await bench.store.locate(run.rawValue)?.run.instance.rawValue
    bench.port.press(id) { $0.entity = instance }
    let press = Press(id: id, verb: verb, subject: .run(run.rawValue), actor: Press.user("alice"))
    try await bench.command(
      run, command,
      recording: Record(actionRun: .init(id: id) { press.taken(for: run, in: $0, at: $1) }))
  }

  private func pressPlan(_ bench: PortalBench, _ id: String = "r_1", _ name: String = "web") async throws
    -> PorcCore.Run.ID
  {
    let run = try await bench.submit(name)
    try await press(bench, id, "plan", run, .plan(PlanRequest(by: Press.user("alice"))))
    return run
  }

  private func startPlan(_ bench: PortalBench, _ run: PorcCore.Run.ID) async throws {
    try await bench.hear(run, .built(bundle: "b"))
    try await bench.hear(run, .workspaceReady(Workspace(id: "ws-1", name: "porc-web")))
    try await bench.hear(run, .tfeRunCreated(plan: 1, tfeRunID: "run-\(run)", configurationVersionID: "cv-1"))
  }

  private func finishPlan(_ bench: PortalBench, _ run: PorcCore.Run.ID) async throws {
    try await bench.hear(run, .planFinished(plan: 1, hasChanges: true, summary: PlanSummary(additions: 1)))
  }

  private func expectAway(_ reporter: ActionReporter, _ place: SourceLocation = #_sourceLocation) async throws {
    let pass = try await reporter.pass()
    if case .away = pass { return }
    Issue.record("Port is not taken for away: \(pass)", sourceLocation: place)
  }

  /// Whoever has a token can name any action run of Port's.
  @Test(arguments: ["another", nil, "web"])
  func anActionRunOfSomethingElseIsLeftAlone(entity: String?) async throws {
    try await PortalBench.run { bench in
      _ = try await pressPlan(bench)
      // On another entity, on none, or on this one, but it waits for an approval.
      bench.port.change("r_1") {
        $0.entity = entity
        $0.status = entity == "web" ? "WAITING_FOR_APPROVAL" : "IN_PROGRESS"
      }
      let reporter = reporter(bench)
      try await tell(reporter)
      if entity == "web" {
        // It may be approved yet, for a while.
        #expect(try await !isClosed(bench))
        for _ in 0..<ActionReporter.looks {
          bench.pass(61)
          try await tell(reporter)
        }
      }
      let run = bench.port.actionRun("r_1")
      #expect(run.log == [] && run.label == nil && !run.isEnded)
      #expect(bench.port.tellings == [])
      #expect(try await bench.store.actionRun("r_1")?.closedAt != nil)
    }
  }

  /// Tells until nothing is due.
  private func tell(_ reporter: ActionReporter) async throws {
    while try await reporter.pass() == .worked {}
  }

  private func isClosed(_ bench: PortalBench, _ id: String = "r_1") async throws -> Bool {
    try await bench.store.actionRun(id)?.closedAt != nil
  }

  private static let log = [
    "alice asked for a plan for 'web'", "The configuration is being built.", "Terraform Enterprise plans it as",
    "The plan: 1 to add",
  ]

  private func expectWholeLog(_ bench: PortalBench, _ id: String = "r_1", _ place: SourceLocation = #_sourceLocation) {
    let log = bench.port.actionRun(id).log
    #expect(
      log.count == Self.log.count && zip(log, Self.log).allSatisfy { $0.hasPrefix($1) }, "\(log)", sourceLocation: place
    )
  }

  @Test func onlyWhatHasChangedIsToldAndTheEndAfterTheEntity() async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      #expect(try await reporter.pass() == .nothing)
      let run = try await pressPlan(bench)
      try await tell(reporter)
      #expect(bench.port.tellings == ["PATCH r_1", "POST r_1/logs", "POST r_1/logs"])
      #expect(bench.port.actionRun("r_1").label == "Building")

      try await startPlan(bench, run)
      try await tell(reporter)
      #expect(bench.port.tellings.suffix(2) == ["PATCH r_1", "POST r_1/logs"])
      let planning = bench.port.actionRun("r_1")
      #expect(planning.label == "Planning" && planning.externalID == "run-\(run)")
      #expect(planning.links == ["https://tfe/app/acme/workspaces/porc-web/runs/run-\(run)"])

      try await finishPlan(bench, run)
      try await tell(reporter)
      expectWholeLog(bench)
      #expect(bench.port.actionRun("r_1").status == "IN_PROGRESS", "the entity shows something older")
      #expect(try await reporter.pass() == .nothing)
      try await bench.write()
      try await tell(reporter)
      let end = bench.port.actionRun("r_1")
      #expect(end.status == "SUCCESS" && end.label == "Planned" && end.summary == end.log.last)
      #expect(try await isClosed(bench))
      #expect(bench.port.tellings.count == 7)
      #expect(bench.port.tellings.allSatisfy { !$0.hasPrefix("GET") })

      // What comes later is no matter of this press.
      try await bench.command(run, .discard(tfeRunID: nil, by: PortalBench.caller))
      try await bench.write()
      #expect(try await reporter.pass() == .nothing)
    }
  }

  @Test func anEntityThatIsNotTakenKeepsNoActionRunOpen() async throws {
    try await PortalBench.run { bench in
      bench.port.change { $0.refused = ["web"] }
      let reporter = reporter(bench)
      let run = try await pressPlan(bench)
      try await startPlan(bench, run)
      try await finishPlan(bench, run)
      try await bench.write()
      try await tell(reporter)
      #expect(try await !isClosed(bench))
      bench.pass(ActionReporter.patience)
      try await tell(reporter)
      #expect(bench.port.actionRun("r_1").status == "SUCCESS")
    }
  }

  @Test func whilePortIsAwayNothingIsLostAndNothingSaidTwice() async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      let run = try await pressPlan(bench)
      _ = try await pressPlan(bench, "r_2", "db")
      bench.port.change { $0.isAway = true }
      try await expectAway(reporter)
      try await startPlan(bench, run)
      try await expectAway(reporter)
      try await finishPlan(bench, run)
      bench.port.change { $0.isAway = false }
      try await bench.write()
      try await tell(reporter)
      expectWholeLog(bench)
      #expect(bench.port.actionRun("r_1").status == "SUCCESS")
      #expect(bench.port.actionRun("r_2").log.count == 2)
      #expect(try await bench.store.actionRun("r_1")?.attempts == 0)
    }
  }

  /// Port did it, and its answer was lost on the way.
  @Test func aLineWhoseAnswerWasLostIsLookedFor() async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      let run = try await pressPlan(bench)
      try await startPlan(bench, run)
      bench.port.change("r_1") { $0.lostAnswers = [.status(502)] }
      try await expectAway(reporter)
      // The label, whose repetition does no harm; then a line.
      try await tell(reporter)
      bench.port.change("r_1") { $0.lostAnswers = [.status(502)] }
      try await finishPlan(bench, run)
      try await expectAway(reporter)
      #expect(bench.port.actionRun("r_1").log.count == 4)
      try await bench.write()
      try await tell(reporter)
      expectWholeLog(bench)
      #expect(bench.port.actionRun("r_1").status == "SUCCESS")
      #expect(bench.port.tellings.contains("GET r_1/logs"))
    }
  }

  @Test(arguments: 0...4)
  func afterACrashBetweenALineAndItsNoteTheLogIsLookedAt(said: Int) async throws {
    try await PortalBench.run { bench in
      let run = try await pressPlan(bench)
      try await startPlan(bench, run)
      try await finishPlan(bench, run)
      // Another process has said as much, and died.
      let press = try #require(try await bench.store.actionRun("r_1"))
      let events = try await bench.store.events(after: 0, of: .run(run), limit: 100)
      let happened = events.compactMap { event in event.fact.map { (event.position, $0.event) } }
      let report = ActionReport(press, happened, try await bench.store.locate(run.rawValue), links: Self.pages)
      bench.port.change("r_1") { $0.log = Array(report.lines.prefix(said)) }
      let reporter = reporter(bench, startedAt: .distantFuture)
      try await bench.write()
      try await tell(reporter)
      expectWholeLog(bench)
      #expect(bench.port.actionRun("r_1").status == "SUCCESS")
      #expect(bench.port.tellings.count { $0 == "GET r_1/logs" } == 1)
      #expect(try await isClosed(bench))
    }
  }

  @Test func afterACrashBetweenTheEndAndItsNoteItIsClosed() async throws {
    try await PortalBench.run { bench in
      let first = reporter(bench)
      let run = try await pressPlan(bench)
      try await startPlan(bench, run)
      try await finishPlan(bench, run)
      try await tell(first)
      try await bench.write()
      bench.port.change("r_1") { $0.status = "SUCCESS" }  // told by a process that then died
      try await tell(reporter(bench, startedAt: .distantFuture))
      #expect(try await isClosed(bench))
    }
  }

  /// Somebody closed it by hand, or deleted it: there is nobody to tell, and nobody else waits for that.
  @Test(arguments: [400, 403, 404, 409, 422])
  func whatEndedInPortHoldsUpNoOther(status: Int) async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      _ = try await pressPlan(bench)
      let other = try await pressPlan(bench, "r_2", "db")
      if status == 404 {
        bench.port.change { $0.actionRuns["r_1"] = nil }
      } else {
        bench.port.change("r_1") { ($0.status, $0.refusal) = ("FAILURE", status) }
      }
      try await startPlan(bench, other)
      try await tell(reporter)
      #expect(bench.port.actionRun("r_2").label == "Planning")
      // What is not there may be there yet, for a while.
      for _ in 0..<ActionReporter.looks where try await !isClosed(bench) {
        #expect(status == 404)
        bench.pass(61)
        try await tell(reporter)
      }
      #expect(try await isClosed(bench))
      #expect(bench.port.actionRun("r_1").log == [])
    }
  }

  /// Port does not promise that what it has just made can be read.
  @Test(arguments: [404, 200])
  func anActionRunThatIsNotThereYetIsLookedForAgain(status: Int) async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      let run = try await pressPlan(bench)
      bench.port.change("r_1") {
        if status == 404 {
          $0.failures = [.json(#"{"ok":false,"error":"not_found","message":"No."}"#, status: 404)]
        } else {
          $0.status = "TRIGGERED"
        }
      }
      try await tell(reporter)
      #expect(try await !isClosed(bench))
      bench.port.change("r_1") { $0.status = "IN_PROGRESS" }
      bench.pass(2)
      try await startPlan(bench, run)
      try await tell(reporter)
      #expect(bench.port.actionRun("r_1").label == "Planning")
    }
  }

  /// What refuses may stand before Port: an address that is not allowed for a while, a proxy's own page.
  @Test(arguments: [403, 404])
  func whatOthersThanPortRefuseIsToldLater(status: Int) async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      let run = try await pressPlan(bench)
      try await startPlan(bench, run)
      try await finishPlan(bench, run)
      try await bench.write()
      for _ in 0..<4 {
        bench.port.change("r_1") { $0.failures = Array(repeating: .status(status), count: 3) }
        try await tell(reporter)
        #expect(try await !isClosed(bench))
        bench.pass(61)
      }
      bench.port.change("r_1") { $0.failures = [] }
      try await tell(reporter)
      bench.pass(61)
      try await tell(reporter)
      #expect(bench.port.actionRun("r_1").status == "SUCCESS")
      #expect(try await isClosed(bench))
    }
  }

  @Test func whatBreaksPortHoldsUpNoOtherAndIsTriedAgain() async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      let run = try await pressPlan(bench)
      let other = try await pressPlan(bench, "r_2", "db")
      for id in [run, other] {
        try await startPlan(bench, id)
        try await finishPlan(bench, id)
      }
      try await bench.write()
      // At the first thing it is told, at a line, and at the end.
      bench.port.change("r_1") { $0.failures = [.status(500)] }
      try await tell(reporter)
      #expect(bench.port.actionRun("r_2").status == "SUCCESS")
      bench.pass(2)
      bench.port.change("r_1") {
        $0.lostAnswers = [.json(#"{"ok":true,"run":{"id":"r_1","status":"x"}}"#), .status(500)]
      }
      try await tell(reporter)
      #expect(bench.port.actionRun("r_1").status == "IN_PROGRESS")
      bench.pass(2)
      #expect(try await reporter.pass() == .worked)
      bench.port.change("r_1") { $0.failures = [.status(500)] }
      try await tell(reporter)
      #expect(bench.port.actionRun("r_1").status == "IN_PROGRESS")
      #expect(try await !isClosed(bench))
      bench.pass(2)
      try await tell(reporter)
      expectWholeLog(bench)
      #expect(bench.port.actionRun("r_1").status == "SUCCESS")
      #expect(try await isClosed(bench))
    }
  }

  @Test func whatPortDoesNotTakeIsPassedOverAndTheEndComesAllTheSame() async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      let run = try await pressPlan(bench)
      bench.port.change("r_1") { $0.isTerse = true }
      try await tell(reporter)
      #expect(bench.port.actionRun("r_1").log.count == 2, "the label alone is left out")
      try await startPlan(bench, run)
      try await finishPlan(bench, run)
      try await bench.write()
      try await tell(reporter)
      expectWholeLog(bench)
      let end = bench.port.actionRun("r_1")
      #expect(end.status == "SUCCESS" && end.label == nil)
      #expect(try await isClosed(bench))
    }
  }

  @Test func aPressForSomethingThatIsSoAlreadyIsClosedAtOnce() async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      let run = try await bench.submit()
      try await bench.command(run, .plan(PlanRequest(by: PortalBench.caller)))
      try await startPlan(bench, run)
      try await finishPlan(bench, run)
      try await bench.command(run, .apply(tfeRunID: nil, by: PortalBench.caller))
      try await bench.hear(run, .applyFinished(plan: 1, outputs: [:]))
      try await press(bench, "r_1", "apply", run, .apply(tfeRunID: nil, by: Press.user("alice")))
      try await bench.write()
      try await tell(reporter)
      let end = bench.port.actionRun("r_1")
      #expect(end.status == "SUCCESS" && end.log.count == 2 && end.log.last == "Applied.")
      #expect(end.externalID == "run-\(run)")
    }
  }

  @Test func whatWaitsForAnotherRunSaysSo() async throws {
    try await PortalBench.run { bench in
      let reporter = reporter(bench)
      let holder = try await bench.submit()
      try await bench.command(holder, .plan(PlanRequest(by: PortalBench.caller)))
      let run = try await pressPlan(bench)
      try await tell(reporter)
      let waiting = bench.port.actionRun("r_1")
      #expect(waiting.label == "Waiting for the run \(holder)")
      #expect(waiting.log.last?.hasPrefix("It waits for the run \(holder), which holds 'web'") == true)
      try await bench.command(holder, .cancel(by: PortalBench.caller))
      try await tell(reporter)
      #expect(bench.port.actionRun("r_1").label == "Building")
      #expect(bench.port.actionRun("r_1").log.suffix(2) == ["Its turn has come.", "The configuration is being built."])
      try await bench.command(run, .cancel(by: PortalBench.caller))
      try await bench.write()
      try await tell(reporter)
      #expect(bench.port.actionRun("r_1").status == "FAILURE")
    }
  }
}
