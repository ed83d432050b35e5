import ArgumentParser
import PorcCore

extension Pine {
  struct Apply: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Applies the plan that a run shows now, and no other.",
      discussion: """
        Named by TFE's id, exactly that plan: it is refused if a newer one has taken its place.

        Example: pine apply --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9
        """)

    @OptionGroup var run: RunArgument
    /// Nothing is asked: the plan has been seen. Taken so that scripts may say it to every verb.
    @OptionGroup(visibility: .hidden) var consent: ConsentOption
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let porc = try session.porc()
      let shown = try await porc.status(run.id).decode(RunStatus.self)
      let outcome = try await session.perform(
        .apply, on: shown.runID, sending: DecisionBody(tfeRunID: shown.tfeRunID), with: porc)
      try session.conclude(.apply, outcome)
      return .done
    }
  }
}
