import Foundation
import Glibc
import Processes
import Testing

/// A program of ours that serves: started, ready, and stopped by a signal.
final class Server: Sendable {
  /// The line it printed when it was ready.
  let ready: JSON
  private let pid: pid_t
  private let ending: Task<Processes.ExitStatus, any Error>
  private let end: URL

  /// Starts the server, says its process id, notes when it ended, and sees to it that it does not outlive the tests.
  private static let launcher = """
    tests=$1; log=$2; shift 2
    "$@" 2>>"$log" &
    server=$!
    echo "$server"
    (while kill -0 "$tests" 2>/dev/null; do sleep 1; done; kill -TERM "$server") >/dev/null 2>&1 &
    wait "$server"
    status=$?
    : >"$log.end"
    exit "$status"
    """

  /// Starts `porc` and returns once it is ready.
  ///
  /// - Parameter log: where its standard error goes, after what is there.
  init(_ arguments: [String], environment: [String: String] = [:], log: URL) async throws {
    let command = Command(
      "/bin/sh",
      ["-c", Self.launcher, "sh", "\(getpid())", log.path, try Executable.path("porc")] + arguments,
      environment: Executable.environment(environment))
    let (lines, feed) = AsyncStream.makeStream(of: String.self)
    ending = Task {
      defer { feed.finish() }
      return try await command.run(onLine: { feed.yield($0) })
    }
    end = URL(filePath: log.path + ".end")
    var reader = lines.makeAsyncIterator()
    let said = await reader.next()
    guard let pid = said.flatMap({ pid_t($0) }), let line = await reader.next() else {
      let error = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      throw NotReady(description: "porc \(arguments.joined(separator: " ")) did not get ready: \(error)")
    }
    self.pid = pid
    ready = try JSON(Data(line.utf8))
    #expect(ready["ready"] == true)
  }

  struct NotReady: Error, CustomStringConvertible { let description: String }

  /// Ends it at once, without a chance to tidy up.
  func kill() async throws {
    Glibc.kill(pid, SIGKILL)
    #expect(try await ending.value == .exited(128 + SIGKILL))
  }

  /// Asks it to end; it must do so properly, and soon.
  func stop(at location: SourceLocation = #_sourceLocation) async throws {
    let start = Date()
    Glibc.kill(pid, SIGTERM)
    let status = try await ending.value
    #expect(status == .exited(0), sourceLocation: location)
    let end = try #require(try end.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate)
    #expect(end.timeIntervalSince(start) < 5, sourceLocation: location)
  }

  /// Ends it however it can, for a story that has failed already.
  func abandon() async {
    Glibc.kill(pid, SIGKILL)
    _ = try? await ending.value
  }
}
