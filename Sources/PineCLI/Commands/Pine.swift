import ArgumentParser
import PorcCore

/// `pine` itself: every verb, by what it is for.
struct Pine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pine",
    abstract: "Runs infrastructure blueprints: submit, build, plan, apply.",
    discussion: """
      Example: pine up cluster.yaml

      PORC is where --porc-url or PORC_URL says, or where 'porc dev' left it (.porc/dev.json here or in a parent folder, \
      or in the folder PORC_DATA). The token comes from --token-file, PORC_TOKEN, or from 'porc dev' too.

      Exit codes: 0 done, 1 the run failed, 2 changes pending (--detailed-exitcode), 3 not signed in or not allowed, \
      4 not found, 5 refused by the run's state or a missing approval, 6 invalid input, 7 PORC or what it needs cannot be \
      reached in time, 64 wrong usage, 70 a bug, 130 interrupted.
      """,
    version: PineCLI.version,
    groupedSubcommands: [
      CommandGroup(name: "Blueprints", subcommands: [Init.self, Lint.self, Validate.self]),
      CommandGroup(
        name: "Steps", subcommands: [Up.self, Submit.self, Build.self, Plan.self, Apply.self, Destroy.self]),
      CommandGroup(
        name: "Decisions", subcommands: [Approve.self, Override.self, Discard.self, Cancel.self]),
      CommandGroup(name: "Looking", subcommands: [Status.self, Summary.self, Logs.self, Watch.self, Why.self]),
      CommandGroup(name: "Lists", subcommands: [Runs.self, Instances.self, Templates.self]),
      CommandGroup(name: "Setup", subcommands: [Doctor.self]),
    ])
}

/// A verb: its arguments, the call, what is shown.
protocol PineCommand: ParsableCommand, Sendable {
  var global: GlobalOptions { get }

  /// - Throws: a ``Complaint`` or a ``Fault``; their exit status is the command's.
  func execute(in session: Session) async throws -> Fault.ExitStatus
}
