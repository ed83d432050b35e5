import ArgumentParser
import PorcCore

extension Pine {
  struct Validate: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks a blueprint against its template as submitting it would, without submitting it.",
      discussion: """
        The blueprint stays on this machine: PORC is only asked for the template. With --template, PORC is not needed.

        Example: pine validate cluster.yaml
        """)

    @Argument(help: ArgumentHelp("The blueprint, JSON or YAML; '-' reads it from standard input."))
    var file: String

    @Option(
      help: ArgumentHelp("Take the Terraform module in this folder as the template, without PORC.", valueName: "folder")
    )
    var template: String?

    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let document = try await BlueprintFile(file, session.invocation)
      let module = try template.map { try ModuleFolder($0, session.invocation) }
      let check: BlueprintCheck
      var modulePath = ""
      do {
        let catalog = try await catalog(for: document, module, session)
        let valid = try BlueprintValidation.validate(document.bytes, as: document.format, against: catalog)
        modulePath = valid.template.modulePath
        check = BlueprintCheck(
          of: document.name, instance: valid.metadata.name, template: valid.template.id, warnings: valid.warnings)
      } catch let problems as DocumentProblems {
        check = BlueprintCheck(of: document.name, problems)
      }
      return try session.conclude(check, "\(document.name): a valid blueprint of \(modulePath).")
    }

    /// The templates that the blueprint may mean; none if it does not say which.
    private func catalog(
      for document: BlueprintFile, _ module: ModuleFolder?, _ session: Session
    ) async throws -> [Template] {
      guard let wish = try BlueprintValidation.wish(in: document.bytes, as: document.format) else { return [] }
      if let module { return [try module.template(for: wish, telling: session.output)] }
      return try await session.porc().templates(near: wish.template)
    }
  }
}
