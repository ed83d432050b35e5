import ArgumentParser
import PorcCore

extension Pine {
  struct Build: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes the Terraform configuration of a run from its template.",
      discussion: "Example: pine build --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9")

    @OptionGroup var run: RunArgument
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let outcome = try await session.perform(.build, on: run.id, with: try session.porc())
      try session.conclude(.build, outcome)
      return .done
    }
  }
}
