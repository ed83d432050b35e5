import ArgumentParser
import PorcCore

extension Pine {
  struct Watch: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tells what happens to a run until it has ended or somebody has to decide.",
      discussion: "Example: pine watch --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9")

    @OptionGroup var run: RunArgument
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let porc = try session.porc()
      session.remember(.underWay(run.id))
      // An unknown run is an error at once, an absent PORC too; only later absences are waited out.
      let first = try await porc.status(run.id)
      let end = try await session.output.moving { try await tell(first, session, porc) }
      session.remember(nil)
      if session.output.form == .ids { session.output.line(Prose(end.runID)) }
      guard end.status.isFailure else { return .done }
      let summary = try await porc.summary(end.runID).decode(RunSummary.self)
      throw Complaint.runFailed(end, summary.error)
    }

    private func tell(_ first: Answer, _ session: Session, _ porc: PorcClient) async throws -> RunStatus {
      var status = try first.decode(RunStatus.self)
      var bytes = first.bytes
      var feed = StatusFeed(session, porc, run: status.runID)
      var last = ""
      while true {
        let isOver = status.isFinal || status.status.awaitsDecision
        let plan = isOver && status.hasChanges == true ? try await summary(status, session, porc).plan : nil
        let line = Narrator.line(status, plan)
        let text = line.pieces.map(\.text).joined()
        session.output.progress(text)
        if session.output.form == .json {
          session.output.json(bytes)
        } else if text != last, session.output.form == .people {
          session.output.line(line)
        }
        if isOver { return status }
        last = text
        (status, bytes) = try await feed.next(after: status)
      }
    }

    private func summary(_ status: RunStatus, _ session: Session, _ porc: PorcClient) async throws -> RunSummary {
      try await session.patiently { try await porc.summary(status.runID).decode(RunSummary.self) }
    }
  }
}
