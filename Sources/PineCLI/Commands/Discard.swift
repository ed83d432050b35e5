import ArgumentParser
import PorcCore

extension Pine {
  struct Discard: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Discards the plan that a run shows now.",
      discussion: "Example: pine discard --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9")

    @OptionGroup var run: RunArgument
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let porc = try session.porc()
      let shown = try await porc.status(run.id).decode(RunStatus.self)
      let outcome = try await session.perform(
        .discard, on: shown.runID, sending: DecisionBody(tfeRunID: shown.tfeRunID), with: porc)
      try session.conclude(.discard, outcome)
      return .done
    }
  }
}
