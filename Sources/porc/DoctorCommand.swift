import ArgumentParser
import PorcServer

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Tries everything a server needs and says what is wrong.",
    discussion: "For example: porc doctor --config /etc/porc.yaml")

  @OptionGroup var options: ToolOptions

  func run() async throws {
    let findings = await Doctor(try await options.settings(), logger: Log.make(options.logLevel)).examine()
    for finding in findings { Output.line("\(finding.isGood ? "ok  " : "FAIL")  \(finding.subject): \(finding.text)") }
    if findings.contains(where: { !$0.isGood }) { throw ExitCode(7) }
  }
}
