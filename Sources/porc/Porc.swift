import ArgumentParser
import Foundation
import PorcCore
import PorcServer

/// The server's program.
@main
struct Porc: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "porc",
    abstract: "Runs infrastructure blueprints through Terraform Enterprise and keeps the portal true.",
    discussion: "To try it on this machine, with nothing to set up: porc dev", version: PorcVersion.current,
    subcommands: [
      Dev.self, Serve.self, SandboxCommand.self, CatalogCommand.self, TokenCommand.self, PortCommand.self,
      InstancesCommand.self, DoctorCommand.self,
    ])

  /// Errors reach people in one form, whatever threw them.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as any FaultConvertible {
      complain(error.fault.message, fix: error.fault.fix)
      Foundation.exit(error.fault.code.exitStatus.rawValue)
    } catch let error as SettingsProblems {
      complain(error.description, fix: nil)
      Foundation.exit(Fault.ExitStatus.invalidInput.rawValue)
    } catch {
      if let known = StartFailure.explain(error) {
        complain(known.message, fix: known.fix)
        Foundation.exit(Fault.ExitStatus.unavailable.rawValue)
      }
      exit(withError: error)
    }
  }

  private static func complain(_ message: String, fix: String?) {
    let text = "error: \(message)\n" + (fix.map { "  try: \($0)\n" } ?? "")
    FileHandle.standardError.write(Data(text.utf8))
  }
}
