import ArgumentParser
import PorcServer

struct PortCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "port", abstract: "Looks after PORC's part of Port.", subcommands: [Setup.self])

  struct Setup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes the blueprints, buttons and secret that PORC needs in Port, or brings them up to date.",
      discussion: """
        What others added to the blueprints and actions is left alone. Doing it twice is doing it once. The buttons are made
        where PORC_PUBLIC_URL says where Port reaches PORC; they call it with a token that lies in Port's secrets alone.

        For example: porc port setup --config /etc/porc.yaml --dry-run
        """)

    @Flag(help: "Shows what would be done, and does nothing.") var dryRun = false
    @Flag(help: "Exits with 2 where something was done, or would be.") var detailedExitcode = false
    @Flag(help: "Gives Port a new token and revokes the old one.") var rotateToken = false
    @OptionGroup var options: SettingsOptions

    func run() async throws {
      let tool = PortTool(try await options.settings(), logger: Log.make(options.logLevel))
      let report = try await tool.setUp(isRehearsal: dryRun, rotatesToken: rotateToken)
      for item in report.items {
        let details = item.details.isEmpty ? "" : ": \(item.details.joined(separator: ", "))"
        Output.line("\(item.subject): \(Self.words(item.outcome, isRehearsal: dryRun))\(details)")
      }
      for note in report.notes { Output.line("note: \(note)") }
      if dryRun, report.changes > 0 { Output.line("Nothing was changed. To do it: porc port setup") }
      if report.isBlocked { throw ExitCode(7) }
      if detailedExitcode, report.changes > 0 { throw ExitCode(2) }
    }

    private static func words(_ outcome: PortSetup.Item.Outcome, isRehearsal: Bool) -> String {
      switch outcome {
      case .unchanged: "as it should be"
      case .made: isRehearsal ? "would be made" : "made"
      case .changed: isRehearsal ? "would be changed" : "changed"
      case .blocked: "not possible"
      }
    }
  }
}
