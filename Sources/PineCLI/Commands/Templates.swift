import ArgumentParser
import HCL
import PorcCore

extension Pine {
  struct Templates: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the templates of the catalog, or shows one.",
      discussion: "Example: pine templates show gke-cluster-1-0-0",
      subcommands: [List.self, Show.self], defaultSubcommand: List.self)
  }
}

extension Pine.Templates {
  struct List: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the templates of the catalog.", discussion: "Example: pine templates")

    @Option(help: "Only the versions of this template.")
    var name: String?

    @Option(help: "How many at most.")
    var limit: Int?

    @Option(help: "Where the page before ended.")
    var cursor: String?

    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let query = [("name", name), ("limit", limit.map(String.init)), ("cursor", cursor)]
      let answer = try await session.porc().send(
        .get("templates", query: query.compactMap { name, value in value.map { (name, $0) } }))
      let list = try answer.decode(TemplateList.self)
      session.output.answer(answer.bytes, ids: list.templates.map(\.template.id.rawValue)) {
        let rows = list.templates.map { body in
          let template = body.template
          return [
            "\(template.id.rawValue)", "\(template.name)", "\(template.version.description)",
            Prose(template.status.rawValue, template.status == .active ? .green : .yellow),
            "\(template.owner ?? "-")", "\(body.inputsRequired.joined(separator: ", "))",
          ] as [Prose]
        }
        return Table(header: ["TEMPLATE", "KIND", "VERSION", "STATUS", "OWNER", "REQUIRED INPUTS"], rows: rows).lines
      }
      if let next = list.nextCursor { session.output.note("There are more: add --cursor \(next)") }
      return .done
    }
  }

  struct Show: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows a template: what it takes and what it gives.",
      discussion: "Example: pine templates show gke-cluster-1-0-0")

    @Argument(help: "The template's id, as 'pine templates' lists it.")
    var template: String

    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let answer = try await session.porc().send(.get("templates", template))
      let template = try answer.decode(TemplateBody.self).template
      session.output.answer(answer.bytes, ids: [template.id.rawValue]) { page(template) }
      return .done
    }

    private static func providers(_ template: Template) -> Prose {
      let texts = template.requiredProviders.map { provider in
        ([provider.source ?? provider.name]
          + (provider.versions.isEmpty ? [] : [provider.versions.joined(separator: ", ")]))
          .joined(separator: " ")
      }
      return "\(texts.joined(separator: "; "))"
    }

    private func page(_ template: Template) -> [Prose] {
      let head = Table.fields([
        ("template", "\(template.id.rawValue, .bold)" + (template.title.map { " (\($0))" } ?? "")),
        ("kind", "\(template.name)"),
        ("version", "\(template.version.description)"),
        ("status", "\(template.status.rawValue)"),
        ("description", template.description.map { "\($0)" }),
        ("owner", template.owner.map { "\($0)" }),
        ("repository", template.repoURL.map { "\($0)" }),
        ("commit", template.commit.map { "\($0)" }),
        ("approval", template.approvalRequired ? "required" : nil),
        ("terraform", template.requiredVersions.isEmpty ? nil : "\(template.requiredVersions.joined(separator: ", "))"),
        ("providers", template.requiredProviders.isEmpty ? nil : Self.providers(template)),
      ])
      let inputs = template.inputs.map { input in
        [
          "\(input.name)", "\(input.type)", input.isRequired ? "required" : Prose(input.default?.json() ?? "optional"),
          "\(input.description ?? "")\(input.isSensitive ? " (sensitive)" : "")",
        ] as [Prose]
      }
      let outputs = template.outputs.map { ($0.name, "\($0.description ?? "")") as (String, Prose?) }
      let inputLines = Table(header: ["INPUT", "TYPE", "DEFAULT", "DESCRIPTION"], rows: inputs).lines
      let next: [Prose] = ["", "\("Next", .bold)", "  pine init \(template.name)@\(template.version.description)"]
      return head + (inputs.isEmpty ? [] : [""] + inputLines)
        + (outputs.isEmpty ? [] : ["", "\("OUTPUT", .dim)"] + Table.fields(outputs))
        + (template.status == .retired ? [] : next)
    }
  }
}
