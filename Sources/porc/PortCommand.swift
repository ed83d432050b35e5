import ArgumentParser
import PorcServer

struct PortCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "port", abstract: "Looks after PORC's part of Port.", subcommands: [Setup.self])

  struct Setup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes the two blueprints in Port where they are missing; leaves alone what is there.",
      discussion: "For example: porc port setup --config /etc/porc.yaml")

    @OptionGroup var options: SettingsOptions

    func run() async throws {
      let settings = try await options.settings()
      let made = try await PorcServer.setUpPortal(settings.portal, logger: Log.make(options.logLevel))
      Output.line(made.isEmpty ? "Nothing to do." : made.map { "made \($0)" }.joined(separator: "\n"))
    }
  }
}
