import ArgumentParser
import PorcCore

extension Pine {
  struct Summary: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows everything about a run: plan, inputs, outputs, error, and what comes next.",
      discussion: "Example: pine summary --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9")

    @OptionGroup var run: RunArgument
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let answer = try await session.porc().summary(run.id)
      let summary = try answer.decode(RunSummary.self)
      session.output.answer(answer.bytes, ids: [summary.status.runID]) {
        SummaryPage(summary: summary, now: session.now()).lines
      }
      return .done
    }
  }
}
