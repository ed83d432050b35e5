import Foundation
import Glibc
import Processes
import TestKit
import Testing

/// Holds Terraform up where a story says so, for as long as it says: the blueprint of a `gated` template names it.
///
/// While `PATH.plan` exists, terraform does not begin to plan: the `terraform` on the server's search path waits, then
/// becomes the real one. While `PATH.apply` exists, the template's own second resource waits in its apply.
struct Gate: Sendable {
  /// The value of the input `gate`.
  let path: String

  enum Phase: String { case plan, apply }

  /// - Parameter closed: where terraform is held up from the start.
  init(_ name: String, of dev: DevServer, closed: Phase...) throws {
    try self.init(name, in: dev.folder, closed: closed)
  }

  init(_ name: String, in folder: TemporaryFolder, closed: [Phase]) throws {
    path = folder.file("gate-\(name)").path
    for phase in closed { try close(phase) }
  }

  func close(_ phase: Phase) throws {
    try? FileManager.default.removeItem(atPath: "\(path).\(phase.rawValue).reached")
    try Data().write(to: URL(filePath: "\(path).\(phase.rawValue)"))
  }

  func open(_ phase: Phase) throws { try FileManager.default.removeItem(atPath: "\(path).\(phase.rawValue)") }

  /// Returns once terraform is held up there.
  func reached(_ phase: Phase) async throws {
    try await eventually("terraform reaches the gate of the \(phase.rawValue)") {
      FileManager.default.fileExists(atPath: "\(path).\(phase.rawValue).reached") ? true : nil
    }
  }

  /// The search path on which a `terraform` that minds gates comes first.
  static func searchPath(in folder: TemporaryFolder) throws -> String {
    let inherited = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let path = folder.file("bin").path + ":" + inherited
    // A server that runs already may be starting it: a program that is being written cannot be started.
    if FileManager.default.fileExists(atPath: folder.file("bin/terraform").path) { return path }
    let terraform = try #require(Command.find("terraform", path: inherited), "terraform is not on the PATH")
    let wrapper = try folder.write(
      """
      #!/bin/sh
      gate=$(sed -n 's/.*"gate": *"\\([^"]*\\)".*/\\1/p' zzzz-porc.auto.tfvars.json 2>/dev/null)
      if [ "$1" = plan ] && [ -n "$gate" ] && [ -e "$gate.plan" ]; then
        : >"$gate.plan.reached"
        while [ -e "$gate.plan" ]; do sleep 0.05; done
      fi
      exec \(terraform) "$@"
      """, to: "bin/terraform")
    try #require(chmod(wrapper.path, 0o755) == 0)
    return path
  }
}

/// Looks again and again until there is something to see.
@discardableResult
func eventually<Value>(
  _ what: String, within limit: Duration = .seconds(20), at location: SourceLocation = #_sourceLocation,
  _ look: () async throws -> Value?
) async throws -> Value {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if let value = try await look() { return value }
    try await Task.sleep(for: .milliseconds(20))
  }
  throw NeverHappened(description: "not within \(limit): \(what)")
}

struct NeverHappened: Error, CustomStringConvertible { let description: String }
