import ArgumentParser
import PorcCore

extension Pine {
  struct Status: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows where a run stands.",
      discussion: "Example: pine status --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9")

    @OptionGroup var run: RunArgument
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let answer = try await session.porc().status(run.id)
      let status = try answer.decode(RunStatus.self)
      session.output.answer(answer.bytes, ids: [status.runID]) { StatusPage(status: status, now: session.now()).lines }
      return .done
    }
  }
}
