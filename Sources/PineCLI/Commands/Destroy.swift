import ArgumentParser
import PorcCore

extension Pine {
  struct Destroy: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes what an instance has deployed: plans it, asks, and applies it.",
      discussion: "Example: pine destroy gke-dev-west")

    @Argument(help: "The instance.")
    var instance: String

    @Flag(help: "Discard another run's plan of the instance that awaits a decision.")
    var supersede = false

    @OptionGroup var consent: ConsentOption
    @OptionGroup var global: GlobalOptions

    func validate() throws {
      if global.noWait, !consent.isGiven {
        throw ValidationError("--no-wait leaves no plan to ask about: add --yes to destroy it unseen.")
      }
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      try session.requireConsent(consent, to: "destroy removes what is deployed")
      let porc = try session.porc()
      if !consent.isGiven, try await !isWanted(session, porc) {
        session.output.note("Nothing was done.")
        return .runFailed
      }
      let body = PlanBody(supersede: supersede ? true : nil, apply: global.noWait ? true : nil)
      let answer = try await session.output.moving { try await porc.destroy(instance, sending: body) }
      let started = try answer.decode(RunSummary.self).status
      session.output.note("submitted: \(started.runID)")
      if global.noWait {
        session.output.answer(answer.bytes, ids: [started.runID]) { [] }
        return .done
      }
      let planned = try await session.finish(.plan, from: started, with: porc)
      return try await session.decide(
        about: planned, consent, question: "Destroy '\(instance)' by this plan?", with: porc)
    }

    private func isWanted(_ session: Session, _ porc: PorcClient) async throws -> Bool {
      let body = try await porc.send(.get("instances", instance)).decode(InstanceBody.self)
      let what: Prose =
        body.deployed.map { "\($0.blueprint), deployed \(RelativeTime.text($0.at, now: session.now()))" }
        ?? "\(body.template), nothing deployed"
      return await session.confirms("Plan the removal of '\(body.identifier)' (\(what))?")
    }
  }
}
