import HTTPTypes
import ModuleRegistry
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct AdmissionTests {
  private let seen = Seen()

  /// What was let in, and what became of it.
  private final class Seen: Sendable {
    let words = Mutex<[String]>([])
    func note(_ word: String) { words.withLock { $0.append(word) } }
    var all: [String] { words.withLock(\.self) }
  }

  @Test func everyRequestToTheHostIsLetInAndItsEndTold() async throws {
    let registry = try Registry()
    let away = ScriptedServer()
    away.always("GET /net.tgz") { _ in .status(200, body: [1]) }
    registry.server.on(
      Registry.versions, .dropped, .status(429, headers: [.retryAfter: "1"]),
      .json(#"{"modules": [{"versions": [{"version": "1.0.0"}]}]}"#))
    try await away.serve { url in
      registry.server.on(Registry.download, .status(204, headers: [Registry.get: "\(url)/net.tgz?archive=tgz"]))
      try await registry.serve({ [seen] in
        $0.admit = {
          seen.note("in")
          return { seen.note($0.map { "\($0.status)" } ?? "none") }
        }
      }) { client in
        _ = try await client.versions(of: registry.module)
        guard case .archive(let archive) = try await client.location(of: registry.module, version: "1.0.0") else {
          Issue.record("no archive")
          return
        }
        _ = try await client.download(archive)
      }
    }
    // The discovery, three attempts, and the download's address; the archive is elsewhere.
    #expect(seen.all == ["in", "200", "in", "none", "in", "429", "in", "200", "in", "204"])
  }
}
