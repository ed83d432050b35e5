import ArgumentParser
import PorcCore

extension Pine {
  struct Plan: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Plans a run, building it first if need be, and shows what would change.",
      discussion: """
        Planning again makes a new plan and discards the one before.

        Example: pine plan --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9
        """)

    @OptionGroup var run: RunArgument

    @Flag(help: "Discard another run's plan of the instance that awaits a decision.")
    var supersede = false

    @Flag(name: .customLong("detailed-exitcode"), help: "Exit with 2 if the plan has changes, 0 if it has none.")
    var hasDetailedExitCode = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
      if hasDetailedExitCode, global.noWait {
        throw ValidationError("--detailed-exitcode needs the plan's end, which --no-wait does not wait for.")
      }
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let outcome = try await session.perform(
        .plan, on: run.id, sending: PlanBody(supersede: supersede ? true : nil), with: try session.porc())
      if session.output.form == .people, let summary = outcome.summary {
        // Terraform's own output says nothing of costs, policies and run tasks.
        let lines = outcome.hasShownLog ? summary.plan.map(GatesPage.lines) ?? [] : PlanPage.lines(for: summary)
        lines.forEach(session.output.line)
      }
      try session.conclude(.plan, outcome)
      for command in NextStep.commands(for: outcome.status) where command.hasPrefix("pine apply ") {
        session.output.note("next: \(command)")
      }
      return hasDetailedExitCode && outcome.status.hasChanges == true ? .changesPending : .done
    }
  }
}
