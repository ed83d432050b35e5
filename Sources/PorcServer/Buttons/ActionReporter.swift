import Foundation
import Logging
import PorcCore
import PorcStore
import PortPortal
import Retry
import ServiceLifecycle
import Synchronization

/// Tells the portal what becomes of each press of its buttons, and closes each. What should be told comes of what was
/// recorded (``ActionReport``), what was told is kept with the press: so it goes on where it was, after Port was away and
/// after a crash. One that Port refuses holds up no other.
final class ActionReporter: Service {
  private let store: any Store
  private let client: PortClient
  private let names: PortNames
  private let links: TFELinks
  private let doorbell: Doorbell
  private let logger: Logger
  /// What was pressed before this, another process may have told without noting it.
  private let startedAt: Date
  private let memory = Mutex(Memory())

  private struct Memory {
    /// Those whose log may have a line that was not noted.
    var doubtful: Set<String> = []
    /// Those from before the start whose log was looked at.
    var known: Set<String> = []
    /// How often in a row Port did not answer.
    var failures = 0
  }

  /// What a pass came to.
  enum Pass: Equatable {
    case nothing
    case worked
    /// Port is to be left alone for so long.
    case away(Duration)
  }

  private static let batch = 100
  /// How many are told at once.
  private static let lanes = 8
  /// How often an action run is looked for that cannot be read, or is not under way, within some ten minutes.
  static let looks = 15
  /// How long the portal may take to acknowledge the entity before an action run is closed all the same.
  static let patience: TimeInterval = 10
  private static let awayBackoff = Backoff(base: .milliseconds(200), ceiling: .seconds(2))
  private static let refusedBackoff = Backoff(base: .seconds(1), ceiling: .seconds(60))
  private static let pause = Duration.milliseconds(20)

  init(
    store: any Store, client: PortClient, names: PortNames, links: TFELinks, doorbell: Doorbell, logger: Logger,
    startedAt: Date = Date()
  ) {
    self.store = store
    self.client = client
    self.names = names
    self.links = links
    self.doorbell = doorbell
    self.logger = logger
    self.startedAt = startedAt
  }

  func run() async {
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      let seen = doorbell.count
      do {
        switch try await pass() {
        case .worked: try await Task.sleep(for: Self.pause)
        case .nothing: await doorbell.wait(since: seen, upTo: .seconds(1))
        case .away(let delay): try await cancelWhenGracefulShutdown { try await Task.sleep(for: delay) }
        }
      } catch is CancellationError {
        return
      } catch {
        logger.error("presses cannot be told to the portal", metadata: ["error": "\(error)"])
        await doorbell.wait(since: doorbell.count, upTo: .seconds(1))
      }
    }
  }

  /// One pass over what can be told.
  func pass() async throws -> Pass {
    let due = try await store.dueActionRuns(patience: Self.patience, limit: Self.batch)
    guard !due.isEmpty else { return .nothing }
    let trouble = try await withThrowingTaskGroup(of: PortError?.self) { group in
      var waiting = due[...]
      for _ in 0..<Self.lanes {
        if let press = waiting.popFirst() { group.addTask { try await self.tell(press) } }
      }
      var trouble: PortError?
      while let error = try await group.next() {
        trouble = trouble ?? error
        // If Port is away, it is so for all.
        if trouble == nil, let press = waiting.popFirst() { group.addTask { try await self.tell(press) } }
      }
      return trouble
    }
    guard let trouble else {
      memory.withLock { $0.failures = 0 }
      return .worked
    }
    let failures = memory.withLock { memory in
      memory.failures += 1
      return memory.failures
    }
    var random = SystemRandomNumberGenerator()
    let delay = max(Self.awayBackoff.delay(attempt: failures, using: &random), trouble.retryAfter ?? .zero)
    logger.info(
      "the portal cannot be told of presses", metadata: ["error": "\(trouble)", "delay_ms": "\(delay.milliseconds)"])
    return .away(delay)
  }

  // MARK: One press

  /// - Returns: the error that says that Port is away.
  private func tell(_ press: ActionRun) async throws -> PortError? {
    do {
      // What ends it is told last, when all else is.
      if press.end != nil, !press.isRefused { return try await close(press) }
      return try await report(press)
    } catch let error as PortError where error.isOfPort {
      return error
    } catch let error as PortError {
      try await postpone(press, error)
      return nil
    }
  }

  private func report(_ press: ActionRun) async throws -> PortError? {
    if press.reported == .init(), let objection = try await objection(to: press) {
      if objection.mayPass, press.attempts < Self.looks {
        try await postpone(press, "\(objection.rawValue)")
        return nil
      }
      // Port ends an action run by itself when it hears of a refusal.
      logger.log(
        level: objection == .ended ? .info : .warning, "nothing is told of a press",
        metadata: [
          "port.action_run.id": "\(press.id)", "caller": "\(press.actor.id)", "reason": "\(objection.rawValue)",
        ])
      try await forget(press)
      return nil
    }
    // Before the events: what is noted as seen must not be newer than they are.
    let located = if let run = press.run { try await store.locate(run.rawValue) } else { nil as Located? }
    let report = ActionReport(press, try await events(press), located, links: links)
    var reported = press.reported
    var update = Portal.ActionRun.Update()
    if report.end == nil, report.label != reported.label { update.statusLabel = report.label }
    if report.links != reported.links { update.link = report.links }
    if report.externalID != reported.externalID { update.externalRunID = report.externalID }
    if !update.isEmpty {
      guard try await isTaken(press, { try await self.client.actionRuns.update(press.id, update) }) else { return nil }
      reported.label = update.statusLabel ?? reported.label
      (reported.links, reported.externalID) = (report.links, report.externalID)
    }
    if report.lines.count > reported.lines, isDoubtful(press) {
      let log = try await client.actionRuns.logs(of: press.id).map(\.message)
      reported.lines = max(reported.lines, Self.said(report.lines, in: log))
      memory.withLock { memory in
        memory.doubtful.remove(press.id)
        memory.known.insert(press.id)
      }
    }
    do {
      while reported.lines < report.lines.count {
        let line = report.lines[reported.lines]
        guard try await isTaken(press, { try await self.client.actionRuns.addLog(line, to: press.id) }) else {
          return nil
        }
        reported.lines += 1
      }
    } catch {
      // It may have come through all the same.
      memory.withLock { _ = $0.doubtful.insert(press.id) }
      try await note(reported, of: press, upTo: nil)
      throw error
    }
    try await note(reported, of: press, upTo: located?.version ?? 0, ending: report.end)
    if press.isRefused {
      var told = press
      told.reported = reported
      return try await close(told)
    }
    return nil
  }

  /// The action run that a call names must be a press on the instance that the call is about: whoever has a token can name
  /// any, and PORC must not report on those of others. Whose press nobody vouches for must be one of PORC's own buttons.
  private func objection(to press: ActionRun) async throws -> Objection? {
    guard let run = try await client.actionRuns.get(press.id) else { return .unknown }
    let isOnInstance = run.blueprint == names.blueprint(.instance) && run.entity == press.instance?.rawValue
    let isOfPORC = PortButton.allCases.contains { $0.verb == press.verb && names.action($0) == run.action }
    guard press.isVouched ? isOnInstance || press.instance == nil : isOnInstance && isOfPORC else { return .foreign }
    if run.isEnded { return .ended }
    return run.isUnderWay ? nil : .notBegun
  }

  /// Why an action run is not reported on.
  private enum Objection: String {
    case unknown = "Port has no such action run"
    case foreign = "it is no press on that instance"
    case ended = "it has ended in Port"
    case notBegun = "it is not under way in Port"

    /// Port does not promise that what it has just made can be read.
    var mayPass: Bool { self == .unknown || self == .notBegun }
  }

  private func note(
    _ reported: ActionRun.Reported, of press: ActionRun, upTo version: Int64?, ending end: ActionRun.End? = nil
  ) async throws {
    do {
      try await store.note(reported, of: press.id, upTo: version, ending: end)
    } catch {
      memory.withLock { _ = $0.doubtful.insert(press.id) }
      throw error
    }
  }

  /// Ends the action run in the portal, unless that has ended already.
  private func close(_ press: ActionRun) async throws -> PortError? {
    guard let end = press.end else { return nil }
    let located = if let run = press.run { try await store.locate(run.rawValue) } else { nil as Located? }
    let report = ActionReport(press, try await events(press), located, links: links)
    let status: Portal.ActionRun.Outcome = end.outcome == .success ? .success : .failure
    let update = Portal.ActionRun.Update(status: status, statusLabel: report.label, summary: end.reason)
    do {
      do {
        try await client.actionRuns.update(press.id, update)
      } catch let error as PortError where error.isRefusal && error.kind != .notFound {
        // It was ended before, or Port does not take the words: the end alone it takes.
        try await client.actionRuns.update(press.id, .init(status: status))
      }
    } catch let error as PortError where error.isRefusal {
      // What refuses may stand before Port, and be gone tomorrow.
      if let run = try await client.actionRuns.get(press.id), !run.isEnded { throw error }
      logger.info(
        "the portal does not take the end of an action run",
        metadata: ["port.action_run.id": "\(press.id)", "error": "\(error)"])
    }
    try await forget(press)
    return nil
  }

  /// Tells Port something, unless it wants to hear no more.
  ///
  /// - Returns: whether there is more to tell. What Port refuses of an action run that goes on is passed over.
  private func isTaken(_ press: ActionRun, _ tell: () async throws -> Void) async throws -> Bool {
    do {
      try await tell()
      return true
    } catch let error as PortError where error.isRefusal {
      let metadata: Logger.Metadata = ["port.action_run.id": "\(press.id)", "error": "\(error)"]
      if let run = try await client.actionRuns.get(press.id), !run.isEnded {
        logger.warning("the portal refused what was told of a press", metadata: metadata)
        return true
      }
      logger.info("an action run was ended in the portal", metadata: metadata)
      try await forget(press)
      return false
    }
  }

  private func postpone(_ press: ActionRun, _ error: PortError) async throws {
    // An error within Port may pass in a moment, a refusal mends itself only when somebody changes something.
    try await postpone(press, "\(error)", error.kind == .server ? Self.awayBackoff : Self.refusedBackoff)
  }

  private func postpone(
    _ press: ActionRun, _ reason: String, _ backoff: Backoff = ActionReporter.refusedBackoff
  ) async throws {
    var random = SystemRandomNumberGenerator()
    let delay = backoff.delay(attempt: press.attempts + 1, using: &random)
    logger.warning(
      "the portal did not take what was told of a press",
      metadata: ["port.action_run.id": "\(press.id)", "reason": "\(reason)", "delay_ms": "\(delay.milliseconds)"])
    try await store.postponeActionRun(press.id, for: Double(delay.milliseconds) / 1000)
  }

  /// Everything that happened to its run.
  private func events(_ press: ActionRun) async throws -> [(position: Int64, event: RunEvent)] {
    guard let run = press.run else { return [] }
    var events: [(position: Int64, event: RunEvent)] = []
    while true {
      let page = try await store.events(after: events.last?.position ?? 0, of: .run(run), limit: 500)
      events += page.compactMap { stored in stored.fact.map { (stored.position, $0.event) } }
      if page.count < 500 { return events }
    }
  }

  // MARK: After a crash

  private func isDoubtful(_ press: ActionRun) -> Bool {
    memory.withLock { memory in
      memory.doubtful.contains(press.id) || (press.createdAt < startedAt && !memory.known.contains(press.id))
    }
  }

  /// There is nothing left to tell of it.
  private func forget(_ press: ActionRun) async throws {
    try await store.close(press)
    memory.withLock { memory in
      memory.doubtful.remove(press.id)
      memory.known.remove(press.id)
    }
  }

  /// How many of `lines`, which are told in order, a log has. Port does not say in which order it gives them.
  static func said(_ lines: [String], in log: [String]) -> Int {
    var left = Dictionary(log.map { ($0, 1) }, uniquingKeysWith: +)
    for (index, line) in lines.enumerated() {
      guard let count = left[line], count > 0 else { return index }
      left[line] = count - 1
    }
    return lines.count
  }
}

extension PortError {
  /// Whether it says something of Port, or of PORC's credentials: whatever else is asked now meets it too. Not a 500, since
  /// one action run may be what breaks Port.
  fileprivate var isOfPort: Bool {
    switch kind {
    case .server: status != 500
    case .transport, .rateLimited, .unauthorized, .unexpectedAnswer: true
    case .badRequest, .forbidden, .notFound, .conflict, .tooLarge, .unprocessable: false
    }
  }
}
