import ArgumentParser
import PorcCore

extension Pine {
  struct Why: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says why a run stands where it stands, and what moves it on.",
      discussion: "Example: pine why --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9")

    @OptionGroup var run: RunArgument
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let answer = try await session.porc().summary(run.id)
      let summary = try answer.decode(RunSummary.self)
      session.output.answer(answer.bytes, ids: [summary.status.runID]) { lines(summary, session) }
      return .done
    }

    private func lines(_ summary: RunSummary, _ session: Session) -> [Prose] {
      let status = summary.status
      let time = RelativeTime.text(status.lastUpdated, now: session.now())
      var lines: [Prose] = ["The run \(status.runID) of '\(status.instanceID)' is \(status.shown), since \(time)."]
      if status.isPartial { lines.append("Its apply ended half-way: some of its changes were made, some were not.") }
      if let current = status.supersededBy { lines.append("The plan you named was superseded by \(current).") }
      if let waitingFor = status.waitingFor { lines.append("It waits for \(waitingFor).") }
      if let failure = summary.error {
        lines.append("What went wrong" + (failure.address.map { " with \($0)" } ?? "") + ": \(failure.summary, .red)")
        lines += TerminalText.visibleLines(failure.detail ?? "").filter { !$0.isEmpty }.map { "  \($0)" }
      }
      if !summary.portal.inSync {
        lines.append("The portal is " + PortalPhrase.text(summary.portal, now: session.now()) + ".")
      }
      let next = NextStep.commands(for: status)
      if !next.isEmpty { lines += ["What may come next:"] + next.map { "  \($0, .bold)" } }
      return lines
    }
  }
}
