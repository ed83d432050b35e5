import ArgumentParser
import HCL
import PorcCore

extension Pine {
  struct Instances: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists what is deployed, or shows one instance.", discussion: "Example: pine instances gke-dev-west")

    @Argument(help: "One instance; all without it.")
    var instance: String?

    @Option(help: "Where the page before ended.")
    var cursor: String?

    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let porc = try session.porc()
      if let instance {
        let answer = try await porc.send(.get("instances", instance))
        let body = try answer.decode(InstanceBody.self)
        session.output.answer(answer.bytes, ids: [body.identifier]) { page(body, session) }
        return .done
      }
      let answer = try await porc.send(.get("instances", query: cursor.map { [("cursor", $0)] } ?? []))
      let list = try answer.decode(InstanceList.self)
      session.output.answer(answer.bytes, ids: list.instances.map(\.identifier)) {
        let rows = list.instances.map { instance in
          [
            "\(instance.identifier)", state(instance), "\(instance.deployed?.blueprint ?? "-")",
            "\(instance.environment ?? "-")", "\(instance.owner ?? "-")", "\(instance.currentRun.runID)",
            "\(RelativeTime.text(instance.currentRun.lastUpdated, now: session.now()))",
          ] as [Prose]
        }
        let header = ["INSTANCE", "STATE", "DEPLOYED", "ENVIRONMENT", "OWNER", "RUN", "UPDATED"]
        return Table(header: header, rows: rows).lines
      }
      if let next = list.nextCursor { session.output.note("There are more: add --cursor \(next)") }
      return .done
    }

    private func state(_ instance: InstanceBody) -> Prose { Prose(instance.terraformStatus, instance.currentRun.style) }

    private func page(_ instance: InstanceBody, _ session: Session) -> [Prose] {
      let now = session.now()
      let deployed: Prose? = instance.deployed.map {
        "\($0.blueprint) by \($0.runID), \(RelativeTime.text($0.at, now: now))"
      }
      let outputs = (instance.deployed?.outputs ?? [:]).sorted { $0.key < $1.key }.map { name, output in
        (name, output.isSensitive ? "(sensitive)" : SummaryPage.shown(output.value ?? .null)) as (String, Prose?)
      }
      return Table.fields([
        ("instance", "\(instance.identifier, .bold)" + (instance.title.map { " (\($0))" } ?? "")),
        ("state", state(instance)),
        ("deployed", deployed ?? "nothing"),
        ("template", "\(instance.template)"),
        ("environment", instance.environment.map { "\($0)" }),
        ("owner", instance.owner.map { "\($0)" }),
        ("run", "\(instance.currentRun.runID)"),
        ("waiting", instance.waiting.isEmpty ? nil : instance.waiting.map { Prose($0) }.joined(", ")),
        ("workspace", instance.workspace.map { "\($0.name) (\($0.id))" }),
        ("destroyed", instance.destroyedAt.map { "\(RelativeTime.text($0, now: now))" }),
        ("portal", PortalPhrase.text(instance.portal, now: now)),
      ]) + (outputs.isEmpty ? [] : ["", "\("Outputs", .bold)"] + Table.fields(outputs).map { "  \($0)" })
    }
  }
}
