import ArgumentParser
import PorcCore

extension Pine {
  struct Approve: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Approves the plan that a run shows now, so that it may be applied.",
      discussion: "Example: pine approve --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9")

    @OptionGroup var run: RunArgument
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let porc = try session.porc()
      let shown = try await porc.status(run.id).decode(RunStatus.self)
      let answer = try await porc.command("approve", shown.runID, sending: DecisionBody(tfeRunID: shown.tfeRunID))
      let status = try answer.decode(RunStatus.self)
      session.output.answer(answer.bytes, ids: [status.runID]) { StatusPage(status: status, now: session.now()).lines }
      return .done
    }
  }
}
