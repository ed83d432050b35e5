import Foundation
import HCL
import PorcCore
import TestKit
import Testing

@testable import PorcServer

/// What is secret is in no answer, in no log line, and in nothing that Port or TFE get beside its own place.
@Suite(.timeLimit(.minutes(1)))
struct SecrecyTests {
  private static let secret = "s3cret-of-the-blueprint"
  private static let inputs: [String: Value] = ["region": "eu", "password": .string(secret)]

  @Test func aSensitiveInputIsNowhere() async throws {
    try await TestServer.run { test in
      test.tfe.change { $0.outputs = [("key", "s3cret-of-the-output", true)] }
      let key = ["Idempotency-Key": "k-1"]
      var seen = [try await test.post("/runs", Samples.blueprint("web", Self.inputs), headers: key)]
      let run = try #require(seen[0].json["run_id"]?.stringValue)
      seen.append(try await test.post("/runs/\(run)/plan"))
      try await test.wait(run, for: "planned")
      seen.append(try await test.post("/runs/\(run)/apply"))
      try await test.wait(run, for: "applied")
      seen.append(try await test.post("/runs", Samples.blueprint("web", Self.inputs), headers: key))
      for path in [
        "/runs", "/runs/\(run)", "/runs/\(run)/status", "/runs/\(run)/events", "/runs/\(run)/logs", "/events",
        "/instances",
        "/instances/web", "/templates", "/metrics",
      ] { seen.append(try await test.get(path)) }
      for reply in seen {
        #expect(reply.status < 300)
        #expect(!reply.text.contains("s3cret"))
      }
      #expect(try await test.get("/runs/\(run)").json["inputs"]?["password"] == ["sensitive": true])
      try await test.server.ready()  // so that Port has it all
      let port = test.port.server.requests.map(\.text).joined()
      #expect(port.contains("eu") && !port.contains("s3cret"))
      expectCleanLog(test)
    }
  }

  /// Not even where it is wrong.
  @Test func aFindingDoesNotQuoteIt() async throws {
    try await TestServer.run { test in
      let secrets: [Value] = [
        ["x": .string(Self.secret)], [.string(Self.secret)], .object([Self.secret: 1]),
        .array([.object([Self.secret: 1])]),
      ]
      for secret in secrets {
        let reply = try await test.post("/runs", Samples.blueprint("web", ["region": "eu", "password": secret]))
        #expect(reply.status == 422)
        #expect(!reply.text.contains(Self.secret), "\(reply.text)")
      }
      let broken = try await test.post("/runs", "inputs:\n  password: \"\(Self.secret)\n")
      #expect(broken.status == 422 && !broken.text.contains(Self.secret))
      expectCleanLog(test)
    }
  }

  @Test func credentialsAreNotLogged() async throws {
    try await TestServer.run { test in
      test.tfe.change { $0.knowsToken = false }
      let run = try await test.submit(Samples.blueprint("web", Self.inputs))
      _ = try await test.post("/runs/\(run)/plan")
      try await test.wait(run) { $0["wait"]?["reason"] == "token_refused" }
      _ = try await test.get("/runs", token: "porc_somebody-elses-token")
      expectCleanLog(test)
      let settings =
        "\(TFESettings(address: try #require(URL(string: test.url)), token: FakeTFE.token, organization: "a"))"
      #expect(!settings.contains(FakeTFE.token))
    }
  }

  private func expectCleanLog(_ test: TestServer, _ place: SourceLocation = #_sourceLocation) {
    #expect(test.log.lines.count > 3, sourceLocation: place)
    for secret in [
      "s3cret", FakeTFE.token, FakePort.secret, FakePort.token, test.admin, "porc_somebody-elses-token", "key=signed",
    ] {
      let lines = test.log.lines.filter { $0.contains(secret) }
      #expect(lines == [], sourceLocation: place)
    }
  }
}
