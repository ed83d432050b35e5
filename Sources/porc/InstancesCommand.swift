import ArgumentParser
import PorcServer

struct InstancesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instances", abstract: "Looks after the workspaces of instances.", subcommands: [Adopt.self])

  struct Adopt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a workspace that exists in Terraform Enterprise the one of an instance.",
      discussion: """
        The workspace must have the name that PORC would give it. From then on PORC plans and applies there, and a
        destroy of the instance destroys what it manages: look at the first plan closely.

        For example: porc instances adopt gke-dev-west --config /etc/porc.yaml
        """)

    @Argument(help: "The instance, as the blueprint's metadata.name has it.") var instance: String
    @Flag(help: "Adopt it; without this, only what would be adopted is shown.") var yes = false
    @OptionGroup var options: ToolOptions

    func run() async throws {
      let settings = try await options.settings()
      let found = try await WorkspaceAdoption(settings.tfe, logger: Log.make(options.logLevel))
        .adopt(instance, confirmed: yes)
      let resources = found.resources.map { ", which manages \($0 == 1 ? "one resource" : "\($0) resources")" } ?? ""
      let lock = found.isLocked ? " It is locked: plans wait until it is unlocked." : ""
      if found.isAdopted {
        Output.line("The workspace \(found.name) (\(found.id)) is the instance's already.\(lock)")
      } else if yes {
        Output.line("The workspace \(found.name) (\(found.id))\(resources), is the instance's now.\(lock)")
        Output.line("next: submit the blueprint, and look at its plan before it is applied")
      } else {
        Output.line("The workspace \(found.name) (\(found.id))\(resources), would become the instance's.\(lock)")
        Output.line("Nothing was changed. To adopt it: porc instances adopt \(instance) --yes")
      }
    }
  }
}
