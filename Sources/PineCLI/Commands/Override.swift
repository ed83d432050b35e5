import ArgumentParser
import PorcCore

extension Pine {
  struct Override: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lets a plan pass that a policy refused, with a reason that is kept.",
      discussion: "Example: pine override --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9 --reason \"agreed with security\"")

    @OptionGroup var run: RunArgument

    @Option(help: "Why; kept with the run.")
    var reason: String

    @OptionGroup var global: GlobalOptions

    func validate() throws {
      if reason.allSatisfy(\.isWhitespace) { throw ValidationError("An override needs a reason: --reason \"…\".") }
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let porc = try session.porc()
      let shown = try await porc.status(run.id).decode(RunStatus.self)
      let outcome = try await session.perform(
        .override, on: shown.runID, sending: DecisionBody(tfeRunID: shown.tfeRunID, reason: reason), with: porc)
      try session.conclude(.override, outcome)
      return .done
    }
  }
}
