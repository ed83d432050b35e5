import ArgumentParser
import Foundation
import PorcCore
import PorcServer

struct PortCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "port", abstract: "Looks after PORC's part of Port.",
    subcommands: [Setup.self, Diff.self, Sync.self])

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
    @OptionGroup var options: ToolOptions

    func run() async throws {
      let tool = PortTool(try await options.settings(), logger: Log.make(options.logLevel))
      let report = try await tool.setUp(isRehearsal: dryRun, rotatesToken: rotateToken)
      for line in PortSetupText.lines(report, isRehearsal: dryRun) { Output.line(line) }
      if dryRun, report.changes > 0 {
        Output.line("Nothing was changed. To do it: porc port setup\(rotateToken ? " --rotate-token" : "")")
      }
      if report.isBlocked { throw ExitCode(7) }
      if detailedExitcode, report.changes > 0 { throw ExitCode(2) }
    }
  }

  struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows where Port does not show what PORC wants it to.",
      discussion: """
        Nothing is changed, neither here nor there. What others have in the same blueprints is only counted.

        For example: porc port diff --config /etc/porc.yaml --detailed-exitcode
        """)

    @Flag(help: "Prints JSON.") var json = false
    @Flag(help: "Exits with 2 where anything differs.") var detailedExitcode = false
    @OptionGroup var options: ToolOptions

    func run() async throws {
      let tool = PortTool(try await options.settings(), logger: Log.make(options.logLevel))
      let differences = try await tool.differences()
      if json {
        Output.line(String(decoding: try JSONEncoder.porc.encode(differences), as: UTF8.self))
      } else {
        for line in PortDifferencesText.lines(differences) { Output.line(line) }
      }
      if detailedExitcode, !differences.isInSync { throw ExitCode(2) }
    }
  }

  struct Sync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compares with Port now, writes what differs, and waits until Port shows it.",
      discussion: """
        A server that runs does the writing; without one, this command does. With --rebuild, everything is set up and
        written again: an empty Port becomes right. What PORC did not write is never removed.

        For example: porc port sync --config /etc/porc.yaml --rebuild
        """)

    @Flag(help: "Sets Port up, and writes everything again, whatever it has.") var rebuild = false
    @Flag(help: "Lets everything go that should, although it is so much.") var confirmRemovals = false
    @Option(help: "How long to wait until Port shows everything, in seconds.") var timeout = 600
    @OptionGroup var options: ToolOptions

    func run() async throws {
      guard timeout >= 0 else { throw ValidationError("--timeout is not a number from 0 on.") }
      let tool = PortTool(try await options.settings(), logger: Log.make(options.logLevel))
      let counter = PortSyncCounter()
      let report = try await tool.sync(
        isRebuild: rebuild, confirmsRemovals: confirmRemovals, limit: .seconds(timeout), progress: counter.tell)
      if let setUp = report.setUp { for line in PortSetupText.lines(setUp) { Output.line(line) } }
      Output.line(
        "\(report.written) \(report.written == 1 ? "entity is" : "entities are") as they should be that were not")
      for parked in report.parked { Output.line(PortDifferencesText.line(parked)) }
      if report.heldRemovals > 0 {
        Output.line(
          "\(report.heldRemovals) should go from Port, which is so much that nothing went. See them with porc port diff; "
            + "if that is right: porc port sync --confirm-removals")
      }
      if !report.parked.isEmpty || report.heldRemovals > 0 { throw ExitCode(1) }
    }
  }
}
