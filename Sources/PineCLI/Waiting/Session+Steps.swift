import PorcCore
import Synchronization

extension Session {
  /// Asks a run for a step and, but with `--no-wait`, stays until it has ended and the portal shows it.
  ///
  /// - Returns: how it ended; whether that is good says ``Step/complaint(about:_:wasUnderWay:)``.
  func perform(
    _ step: Step, on run: String, sending body: some Encodable & Sendable = DecisionBody(), with porc: PorcClient
  ) async throws -> Outcome {
    let answer = try await output.moving { try await porc.command(step.verb, run, sending: body) }
    let status = try answer.decode(RunStatus.self)
    guard options.waits else { return Outcome(status: status, bytes: answer.bytes) }
    return try await finish(step, from: status, with: porc)
  }

  /// Stays until a step that was asked for has ended and the portal shows it.
  func finish(_ step: Step, from first: RunStatus, with porc: PorcClient) async throws -> Outcome {
    remember(.underWay(first.runID))
    let (end, hasShownLog) = try await output.moving { try await self.follow(step, from: first, with: porc) }
    var outcome = try await settle(end, with: porc)
    outcome.wasUnderWay = !step.isOver(first)
    outcome.hasShownLog = hasShownLog
    remember(end.status.awaitsDecision ? .awaitsDecision(end.runID) : nil)
    return outcome
  }

  /// Gives the answer of a step, and fails if it did not end as it was asked to.
  func conclude(_ step: Step, _ outcome: Outcome) throws {
    output.answer(outcome.bytes, ids: [outcome.status.runID]) { [] }
    if options.waits { return try check(step, outcome) }
    output.note(Narrator.line(outcome.status, nil))
    output.note("Come back with: pine watch --run-id \(outcome.status.runID)")
  }

  /// Goes on only if a step ended as it was asked to; else its answer is the command's.
  func require(_ step: Step, _ outcome: Outcome) throws {
    do {
      try check(step, outcome)
    } catch {
      output.answer(outcome.bytes, ids: [outcome.status.runID]) { [] }
      throw error
    }
  }

  /// Fails if a step did not end as it was asked to.
  private func check(_ step: Step, _ outcome: Outcome) throws {
    let complaint = step.complaint(
      about: outcome.status, outcome.summary?.error, wasUnderWay: outcome.wasUnderWay)
    if let complaint { throw complaint }
  }

  // MARK: On the way

  private enum Part: Sendable {
    case ended(RunStatus)
    case logIsOver(shown: Bool)
    case graceIsOver
  }

  /// How long the output may go on after the end of what it tells of.
  private static let logGrace = Duration.seconds(10)

  /// The status and Terraform's output side by side, until both have ended.
  private func follow(
    _ step: Step, from first: RunStatus, with porc: PorcClient
  ) async throws -> (end: RunStatus, hasShownLog: Bool) {
    let isOver = Latch()
    let (starts, start) = AsyncStream.makeStream(of: Void.self)
    let phase = output.form == .people ? step.logPhase : nil
    return try await withThrowingTaskGroup(of: Part.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        let end = try await self.untilOver(step, from: first, with: porc) { status in
          if phase?.hasBegun(status) == true { start.yield() }
        }
        isOver.set()
        start.finish()
        return .ended(end)
      }
      group.addTask {
        guard let phase, await starts.first(where: { true }) != nil else { return .logIsOver(shown: false) }
        return .logIsOver(shown: try await self.showLog(phase, of: first.runID, with: porc) { isOver.isSet })
      }
      var end: RunStatus?
      var log: Bool?
      for try await part in group {
        switch part {
        case .ended(let status):
          end = status
          if log == nil {
            group.addTask {
              try await Task.sleep(for: Self.logGrace)
              return .graceIsOver
            }
          }
        case .logIsOver(let shown): log = shown
        case .graceIsOver:
          output.warn("Terraform's output is not complete.", fix: "pine logs --run-id \(first.runID)")
          log = true
        }
        if let end, let log { return (end, log) }
      }
      throw CancellationError()
    }
  }

  private func untilOver(
    _ step: Step, from first: RunStatus, with porc: PorcClient, _ look: (RunStatus) -> Void
  ) async throws -> RunStatus {
    var feed = StatusFeed(self, porc, run: first.runID)
    var narrator = Narrator(self)
    var status = first
    var hasWaited = false
    while true {
      look(status)
      if step.isOver(status) { return status }
      // Somebody took the wish for a plan back before its turn came: nothing will happen any more.
      if hasWaited, status.waitingFor == nil, [.submitted, .built].contains(status.status) {
        throw Complaint(
          .refused, "The \(step.rawValue) of \(status.runID) was withdrawn before its turn came.",
          fix: "pine why --run-id \(status.runID)")
      }
      hasWaited = hasWaited || status.waitingFor != nil
      narrator.tell(status)
      status = try await feed.next(after: status).status
    }
  }

  /// Output that cannot be had is no reason to give up the step.
  private func showLog(
    _ phase: LogPhase, of run: String, with porc: PorcClient, isOver: @escaping @Sendable () -> Bool
  ) async throws -> Bool {
    do {
      return try await LogFollower(session: self, porc: porc, run: run, phase: phase, isQuiet: true)
        .follow(isOver: isOver)
    } catch let fault as Fault {
      output.warn("Terraform's output cannot be shown: \(fault.message)", fix: "pine logs --run-id \(run)")
      return false
    }
  }

  // MARK: The end

  /// How long the portal may take to show the end of a step.
  private static let portalGrace = Duration.seconds(5)

  /// Tells the end, then waits for the portal to show it: not for long, since the run itself has ended.
  func settle(_ end: RunStatus, with porc: PorcClient) async throws -> Outcome {
    var waited = Duration.zero
    while true {
      let answer = try await patiently { try await porc.send(.get("run", end.runID, "summary"), attempts: 1) }
      let summary = try answer.decode(RunSummary.self)
      if waited == .zero { output.note(Narrator.line(end, summary.plan)) }
      if summary.portal.inSync { return Outcome(status: end, summary: summary, bytes: answer.bytes) }
      if waited >= Self.portalGrace {
        let reason = summary.portal.rejection.map { " It refused the entity: \($0)" } ?? ""
        output.warn("The portal is behind: it may not show '\(end.terraformStatus)' yet.\(reason)")
        return Outcome(status: end, summary: summary, bytes: answer.bytes)
      }
      let pause = Duration.milliseconds(250)
      try await clock.sleep(for: pause)
      waited += pause
    }
  }
}

/// Something that has happened, once it has.
final class Latch: Sendable {
  private let state = Mutex(false)
  var isSet: Bool { state.withLock(\.self) }

  /// - Returns: whether it was set before.
  @discardableResult
  func set() -> Bool {
    state.withLock { state in
      defer { state = true }
      return state
    }
  }
}
