import ArgumentParser
import PorcCore

extension Pine {
  struct Cancel: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stops a run that is under way; what was applied so far stays.",
      discussion: """
        Example: pine cancel --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9

        Terraform ends in an orderly way, which may take its time. Where it does not end at all, --force kills it, some \
        minutes after the cancel: what it changed last may then be missing from its state.
        """)

    @OptionGroup var run: RunArgument

    @Flag(help: "Kill what an earlier cancel did not stop. Terraform's state may be lost.")
    var force = false

    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let step: Step = force ? .forceCancel : .cancel
      let outcome = try await session.perform(
        step, on: run.id, sending: CancelBody(force: force ? true : nil), with: try session.porc())
      try session.conclude(step, outcome)
      return .done
    }
  }
}
