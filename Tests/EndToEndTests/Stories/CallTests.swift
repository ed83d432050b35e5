import Foundation
import Testing

/// What a run costs of TFE's rate limit, with a TFE that tells by itself how its runs get on.
@Suite(.devServer(), .serialized, .timeLimit(.minutes(1)))
struct CallTests {
  /// The calls that count, since the log had so many, without ids and queries. Looks at all workspaces at once are those of
  /// no run.
  private func calls(since sequence: Int, _ dev: DevServer) async throws -> [String] {
    try await dev.tfe.requests(after: sequence).compactMap { record in
      guard let method = record["method"].string, let path = record["path"].string?.split(separator: "?").first,
        path.hasPrefix("/api/v2/"), !path.hasSuffix("/workspaces")
      else { return nil }
      let parts = path.dropFirst("/api/v2/".count).split(separator: "/").map { part in
        part.firstMatch(of: /^(ws|cv|run|plan)-[0-9A-Za-z]{16}$/).map { "{\($0.output.1)}" } ?? String(part)
      }
      return "\(method) \(parts.joined(separator: "/"))"
    }
  }

  private func last(_ dev: DevServer) async throws -> Int { try await dev.tfe.requests().lastSequence }

  @Test func aRunOfAnExistingWorkspaceTakesSixCalls() async throws {
    let dev = try DevServer.current()
    try await dev.deploy(Blueprint.service(named: "counted", text: "one"))
    let start = try await last(dev)
    try await dev.deploy(Blueprint.service(named: "counted", text: "two"))
    #expect(
      try await calls(since: start, dev) == [
        "POST workspaces/{ws}/configuration-versions", "POST runs", "GET runs/{run}",
        "POST runs/{run}/actions/apply", "GET runs/{run}",
        "GET workspaces/{ws}/current-state-version-outputs",
      ])
  }

  @Test func planAndApplyInOneCommandTakeFive() async throws {
    let dev = try DevServer.current()
    try await dev.deploy(Blueprint.service(named: "at-once", text: "one"))
    let start = try await last(dev)
    let run = try await dev.submit(Blueprint.service(named: "at-once", text: "two"))
    try await dev.ask("plan", run, ["apply": true])
    try await dev.until(run, is: "applied")
    let calls = try await calls(since: start, dev)
    #expect(
      Set(calls) == [
        "GET runs/{run}", "GET workspaces/{ws}/current-state-version-outputs",
        "POST runs", "POST workspaces/{ws}/configuration-versions",
      ])
    // Read when the apply begins and when it ends, or once where the end was told before the first read.
    #expect(calls.count == 5 || calls.count == 4 && calls.count { $0 == "GET runs/{run}" } == 1)
  }
}
