import ArgumentParser
import PorcCore

extension Pine {
  struct Up: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Submits, builds and plans a blueprint, asks, and applies it.",
      discussion: "Example: pine up cluster.yaml")

    @Argument(help: ArgumentHelp("The blueprint, JSON or YAML; '-' reads it from standard input."))
    var file: String

    @Flag(help: "Discard another run's plan of the instance that awaits a decision.")
    var supersede = false

    @OptionGroup var consent: ConsentOption
    @OptionGroup var global: GlobalOptions

    func validate() throws {
      if global.noWait, !consent.isGiven {
        throw ValidationError("--no-wait leaves no plan to ask about: add --yes to apply it unseen.")
      }
      if file == "-", !consent.isGiven {
        throw ValidationError("The blueprint comes from standard input, so nobody can be asked: add --yes.")
      }
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      try session.requireConsent(consent, to: "up applies the plan")
      let porc = try session.porc()
      let submitted = try await session.submit(file, to: porc).summary.status
      session.output.note("submitted: \(submitted.runID)")
      session.remember(.underWay(submitted.runID))
      if global.noWait {
        let body = PlanBody(supersede: supersede ? true : nil, apply: true)
        let outcome = try await session.perform(.plan, on: submitted.runID, sending: body, with: porc)
        try session.conclude(.plan, outcome)
        return .done
      }
      let built = try await session.perform(.build, on: submitted.runID, with: porc)
      try session.require(.build, built)
      let planned = try await session.perform(
        .plan, on: submitted.runID, sending: PlanBody(supersede: supersede ? true : nil), with: porc)
      return try await session.decide(about: planned, consent, question: "Apply this plan?", with: porc)
    }
  }
}
