import Foundation
import Processes
import Testing

/// The programs under test: beside the running test bundle, or where the package is built.
enum Executable {
  static func path(_ name: String) throws -> String {
    let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let candidates = [bundle, package.appending(path: ".build/debug")].map { $0.appending(path: name).path }
    return try #require(
      candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "\(name) is not built")
  }

  /// The root of the package.
  static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// What a program sees of the environment, and what a story adds.
  static func environment(_ additions: [String: String] = [:]) -> [String: String] {
    ProcessInfo.processInfo.environment.filter { ["PATH", "HOME", "TMPDIR"].contains($0.key) }
      .merging(["NO_COLOR": "1"]) { $1 }.merging(additions) { $1 }
  }

  /// Runs a program to its end.
  static func run(
    _ name: String, _ arguments: [String], environment additions: [String: String] = [:], in folder: String? = nil
  ) async throws -> Ending {
    let captured = try await Command(
      try path(name), arguments, environment: environment(additions), workingDirectory: folder
    ).capture()
    return Ending(
      call: ([name] + arguments).joined(separator: " "), status: captured.status, output: captured.outputText,
      error: captured.errorText)
  }

  /// How a program ended, and what it said.
  struct Ending: Sendable, CustomStringConvertible {
    let call: String
    let status: Processes.ExitStatus
    let output: String
    let error: String

    /// Standard output without the line feed at its end.
    var answer: String { output.trimmingCharacters(in: .whitespacesAndNewlines) }
    var json: JSON { (try? JSON(Data(output.utf8))) ?? .null }
    var description: String { "'\(call)' ended \(status)\nstdout: \(output)\nstderr: \(error)" }

    /// The same, if it exited with this code; anything else ends the story with what was said.
    @discardableResult
    func exiting(_ code: Int32, at location: SourceLocation = #_sourceLocation) throws -> Ending {
      try #require(status == .exited(code), "\(self)", sourceLocation: location)
      return self
    }
  }
}
