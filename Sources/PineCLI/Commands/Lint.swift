import ArgumentParser
import PorcCore

extension Pine {
  struct Lint: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks the form of a blueprint, without PORC and without its template.",
      discussion: """
        Inputs are a template's own: 'pine validate' checks them.

        Example: pine lint cluster.yaml
        """)

    @Argument(help: ArgumentHelp("The blueprint, JSON or YAML; '-' reads it from standard input."))
    var file: String

    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let document = try await BlueprintFile(file, session.invocation)
      let check: BlueprintCheck
      do throws(DocumentProblems) {
        let blueprint = try BlueprintValidation.form(of: document.bytes, as: document.format)
        check = BlueprintCheck(of: document.name, instance: blueprint.metadata.name)
      } catch {
        check = BlueprintCheck(of: document.name, error)
      }
      return try session.conclude(check, "\(document.name): the form is right; its inputs were not looked at.")
    }
  }
}
