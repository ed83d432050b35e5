import ArgumentParser
import PorcCore

extension Pine {
  struct Cancel: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stops a run that is under way; what was applied so far stays.",
      discussion: "Example: pine cancel --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9")

    @OptionGroup var run: RunArgument
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let outcome = try await session.perform(.cancel, on: run.id, with: try session.porc())
      try session.conclude(.cancel, outcome)
      return .done
    }
  }
}
