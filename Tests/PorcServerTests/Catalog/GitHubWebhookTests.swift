import AsyncHTTPClient
import Crypto
import Foundation
import HCL
import NIOCore
import NIOHTTP1
import PorcCore
import TestKit
import Testing

@testable import PorcServer

/// GitHub's webhooks, as it sends them.
struct GitHubWebhookTests {
  private static let module = #"variable "region" { type = string }"#

  private func signature(_ body: String, _ secret: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Data(body.utf8), using: SymmetricKey(data: Data(secret.utf8)))
    return "sha256=" + Data(code).map { String(format: "%02x", $0) }.joined()
  }

  private func send(
    _ test: TestServer, _ body: String, event: String = "push", delivery: String = "d-1", secret: String = "new"
  ) async throws -> TestServer.Reply {
    try await test.post(
      "/webhooks/github", body, token: "",
      headers: [
        "X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": signature(body, secret),
        "Content-Type": "application/json",
      ])
  }

  private func push(of url: String) -> String {
    #"{"ref": "refs/heads/main", "repository": {"full_name": "acme/modules", "clone_url": "\#(url)"}}"#
  }

  private func withRepository(
    _ body: @Sendable (TestServer, GitRepository, String) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let repository = try await GitRepository(folder.file("modules.git").path)
    try await repository.commit(["queue/1.0.0/main.tf": Self.module])
    try await GitHTTPServer(folder: folder.path).serve { url in
      let url = "\(url)/modules.git"
      try await TestServer.run {
        $0.catalog.webhookSecrets = ["old", "new"]
        // The webhook alone makes it look.
        $0.catalog.interval = 3600
        $0.catalog.sources = [SourceDescription(source: TemplateSource(name: "platform", place: .git(url)))]
      } _: { test in
        try await body(test, repository, url)
      }
    }
  }

  /// GitHub's own example
  /// (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation).
  @Test func theSignatureIsGitHubs() {
    #expect(
      signature("Hello, World!", "It's a Secret to Everybody")
        == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
  }

  @Test(.timeLimit(.minutes(1))) func aPushBringsTheNewTemplate() async throws {
    try await withRepository { test, repository, url in
      #expect(try await test.get("/templates/queue-1-0-0").status == 200)
      try await repository.commit(["queue/1.1.0/main.tf": Self.module])
      for secret in ["old", "new"] {
        let reply = try await send(test, push(of: url), delivery: "d-\(secret)", secret: secret)
        #expect(reply.status == 202 && reply.json["sources"] == ["platform"] && reply.json["repeated"] == false)
      }
      while try await test.get("/templates/queue-1-1-0").status != 200 {}
    }
  }

  @Test func theSameDeliveryIsTakenOnce() async throws {
    try await withRepository { test, _, url in
      for isRepeated in [false, true] {
        let reply = try await send(test, push(of: url))
        #expect(reply.status == 202 && reply.json["repeated"] == .bool(isRepeated))
      }
    }
  }

  @Test(arguments: ["other", ""])
  func whoDoesNotKnowTheSecretChangesNothing(secret: String) async throws {
    try await withRepository { test, repository, url in
      let reply = try await send(test, push(of: url), secret: secret)
      #expect(reply.status == 401 && reply.code == "not-signed-in")
      let unsigned = try await test.post(
        "/webhooks/github", push(of: url), token: "", headers: ["X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1"])
      #expect(unsigned.status == 401)
      // The delivery was not remembered either.
      #expect(try await send(test, push(of: url)).json["repeated"] == false)
    }
  }

  @Test func whatConcernsNoSourceIsTakenAndLeft() async throws {
    try await withRepository { test, _, url in
      let other = try await send(test, push(of: "https://github.com/acme/other.git"))
      #expect(other.status == 202 && other.json["sources"] == [])
      #expect(try await send(test, "{}", event: "ping").status == 200)
      #expect(try await send(test, "{}", event: "star", delivery: "d-2").status == 202)
      let list = try await send(test, "[]", delivery: "d-4")
      #expect(list.status == 400 && list.json["fix"] == "Send what GitHub sends.")
      let form = try await send(test, "payload=%7B%7D", delivery: "d-3")
      #expect(form.status == 415 && form.json["fix"]?.stringValue?.contains("application/json") == true)
    }
  }

  @Test func withoutASecretNoneIsTaken() async throws {
    try await TestServer.run { test in
      let reply = try await send(test, "{}", event: "ping")
      #expect(reply.status == 403)
    }
  }

  /// Whoever knows the address can begin a webhook and never end it.
  @Test(.timeLimit(.minutes(1))) func whoSendsSlowlyKeepsNobodyWaiting() async throws {
    try await withRepository { test, _, url in
      try await withThrowingTaskGroup { group in
        for number in 0..<8 {
          group.addTask {
            let (bytes, sending) = AsyncStream.makeStream(of: ByteBuffer.self)
            defer { sending.finish() }
            sending.yield(ByteBuffer(string: "{"))
            var request = HTTPClientRequest(url: "\(test.url)/webhooks/github")
            request.method = .POST
            request.headers = [
              "X-GitHub-Event": "push", "X-GitHub-Delivery": "slow-\(number)",
              "X-Hub-Signature-256": signature("", "new"),
            ]
            request.body = .stream(bytes, length: .known(Int64(1_000)))
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
            #expect(response.status == .badRequest && text.contains("took longer than 5 seconds"), "\(text)")
          }
        }
        let reply = try await send(test, push(of: url))
        #expect(reply.status == 202, "\(reply.text)")
        try await group.waitForAll()
      }
    }
  }
}
