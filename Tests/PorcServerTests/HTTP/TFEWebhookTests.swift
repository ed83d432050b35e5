import AsyncHTTPClient
import Crypto
import Foundation
import HCL
import NIOCore
import NIOHTTP1
import PorcCore
import PorcStore
import Synchronization
import TestKit
import Testing

@testable import PorcServer

/// TFE's notifications, as it sends them.
@Suite(.timeLimit(.minutes(1)))
struct TFEWebhookTests {
  private static let verification =
    #"{"payload_version": 1, "run_id": null, "notifications": [{"message": "Verification of PORC", "trigger": "verification"}]}"#

  private func payload(_ run: String, _ trigger: String = "run:needs_attention", at time: String = "1") -> String {
    #"{"payload_version": 1, "run_id": "\#(run)", "workspace_id": "ws-web", "notifications": [{"trigger": "\#(trigger)", "run_updated_at": "\#(time)"}]}"#
  }

  private func signature(_ body: String, _ secret: String) -> String {
    let code = HMAC<SHA512>.authenticationCode(for: Data(body.utf8), using: SymmetricKey(data: Data(secret.utf8)))
    return Data(code).map { String(format: "%02x", $0) }.joined()
  }

  private func send(
    _ test: TestServer, _ body: String, to owner: String = "ws-web", secret: String
  ) async throws -> TestServer.Reply {
    try await test.post(
      "/webhooks/tfe/\(owner)", body, token: "", headers: ["X-TFE-Notification-Signature": signature(body, secret)])
  }

  /// A server whose TFE tells, with a run that is being planned there.
  private func withPlanning(
    _ body: @Sendable (_ test: TestServer, _ run: String, _ secret: String) async throws -> Void
  ) async throws {
    try await TestServer.run {
      $0.publicURL = .named("https://porc.test")
      $0.followInterval = 1
    } _: { test in
      // Only what is told makes PORC look.
      test.tfe.server.always("GET /api/v2/organizations/\(FakeTFE.organization)/workspaces") { _ in .status(503) }
      test.tfe.change { $0.planned = "planning" }
      let run = try await test.submit()
      #expect(try await test.post("/runs/\(run)/plan").status == 202)
      while try await test.server.store.locate("run-1") == nil {}
      let secret = try #require(test.tfe.state.withLock { $0.notifications.first?.token })
      try await body(test, run, secret)
    }
  }

  private func reads(_ test: TestServer) -> Int { test.tfe.calls.count { $0 == "GET runs/run-1" } }

  @Test func whatTFETellsIsReadAtOnce() async throws {
    try await withPlanning { test, run, secret in
      test.tfe.change { $0.runs[0].status = "planned" }
      let reply = try await send(test, payload("run-1"), secret: secret)
      #expect(reply.status == 202 && reply.json["taken"] == true)
      try await test.wait(run, for: "planned")
      #expect(reads(test) == 1)
      let again = try await send(test, payload("run-1"), secret: secret)
      #expect(again.status == 202 && again.json["taken"] == false)

      test.tfe.change { $0.confirmed = "applying" }
      #expect(try await test.post("/runs/\(run)/apply").status == 202)
      while test.tfe.runs[0].status != "applying" { await Task.yield() }
      test.tfe.change { $0.runs[0].status = "applied" }
      #expect(try await send(test, payload("run-1", "run:completed", at: "2"), secret: secret).status == 202)
      try await test.wait(run, for: "applied")
      #expect(reads(test) == 2)
      #expect(try await test.server.store.notificationReport(sentTo: nil, keyID: nil).heardAt != nil)
      #expect(test.log.lines.allSatisfy { !$0.contains(secret) })
    }
  }

  /// That an apply begins is news only where PORC did not confirm it.
  @Test func theStartOfAnApplyIsReadOnlyWhereItIsNews() async throws {
    try await withPlanning { test, run, secret in
      test.tfe.change { $0.runs[0].status = "applying" }
      #expect(try await send(test, payload("run-1", "run:applying"), secret: secret).json["taken"] == true)
      try await test.wait(run, for: "applying")
      #expect(reads(test) == 1)
      let known = try await send(test, payload("run-1", "run:applying", at: "2"), secret: secret)
      #expect(known.status == 200 && known.json["taken"] == false)

      test.tfe.change { $0.runs[0].status = "applied" }
      #expect(try await send(test, payload("run-1", "run:completed", at: "3"), secret: secret).json["taken"] == true)
      try await test.wait(run, for: "applied")
      #expect(reads(test) == 2)
    }
  }

  @Test func whoDoesNotKnowTheSecretChangesNothing() async throws {
    try await withPlanning { test, _, secret in
      for body in [payload("run-1"), Self.verification, "", "nonsense"] {
        for (owner, key) in [("ws-web", "wrong"), ("ws-web", ""), ("ws-db", secret), ("ws-nobody", secret)] {
          let reply = try await send(test, body, to: owner, secret: key)
          #expect(reply.status == 401 && reply.code == "not-signed-in")
        }
        for header in ["", "abc", String(repeating: "0", count: 128), signature(body + " ", secret)] {
          let reply = try await test.post(
            "/webhooks/tfe/ws-web", body, token: "", headers: ["X-TFE-Notification-Signature": header])
          #expect(reply.status == 401)
        }
        #expect(try await test.post("/webhooks/tfe/ws-web", body, token: "").status == 401)
      }
      #expect(try await test.server.store.notificationReport(sentTo: nil, keyID: nil).heardAt == nil)
      #expect(reads(test) == 0)
      // The delivery was not remembered either.
      #expect(try await send(test, payload("run-1"), secret: secret).json["taken"] == true)
    }
  }

  /// Somebody changed it in TFE's own pages, say.
  @Test func whatIsSignedOtherwiseHasTheConfigurationWrittenAnew() async throws {
    try await withPlanning { test, _, secret in
      var record = try #require(try await test.server.store.notification(of: "ws-web"))
      record.writtenAt = Date().addingTimeInterval(-Notifications.repairRest)
      try await test.server.store.putNotification(record)
      test.tfe.change { $0.notifications[0].attributes["token"] = "another" }
      let reply = try await send(test, payload("run-1"), secret: "another")
      #expect(reply.status == 401)
      while test.tfe.state.withLock({ $0.notifications[0].token }) != secret {
        #expect(try await test.get("/healthz").status == 200)
      }
      #expect(test.tfe.calls.count { $0.hasPrefix("PATCH") } == 1)
    }
  }

  @Test func aVerificationIsTakenAndNothingIsRead() async throws {
    try await withPlanning { test, _, secret in
      let reply = try await send(test, Self.verification, secret: secret)
      #expect(reply.status == 200 && reply.json["taken"] == false)
      #expect(try await test.server.store.notificationReport(sentTo: nil, keyID: nil).heardAt != nil)
      #expect(reads(test) == 0)
    }
  }

  @Test func aRunOfAnotherWorkspaceIsLeftAlone() async throws {
    try await withPlanning { test, _, _ in
      let other = try await test.submit(Samples.blueprint("db"))
      #expect(try await test.post("/runs/\(other)/plan").status == 202)
      while try await test.server.store.locate("run-2") == nil {}
      let secret = try #require(test.tfe.state.withLock { $0.notifications.first { $0.owner == "ws-db" }?.token })
      let reply = try await send(test, payload("run-1"), to: "ws-db", secret: secret)
      #expect(reply.status == 200 && reply.json["taken"] == false)
      #expect(reads(test) == 0)
    }
  }

  @Test func whatIsNoNotificationIsRefused() async throws {
    try await withPlanning { test, _, secret in
      for (body, status) in [("nonsense", 415), ("[]", 400), (String(repeating: " ", count: 300_000), 413)] {
        let reply = try await send(test, body, secret: secret)
        #expect(reply.status == status)
      }
    }
  }

  /// As many connections as they like.
  private static let strangers = HTTPClient(
    configuration: .init(
      connectionPool: .init(idleTimeout: .seconds(5), concurrentHTTP1ConnectionsPerHostSoftLimit: 100)))

  private func sendSlowly(_ test: TestServer, to owner: String, signature: String) async throws -> (Int, String) {
    let (bytes, sending) = AsyncStream.makeStream(of: ByteBuffer.self)
    defer { sending.finish() }
    sending.yield(ByteBuffer(string: "{ }"))
    var request = HTTPClientRequest(url: "\(test.url)/webhooks/tfe/\(owner)")
    request.method = .POST
    request.headers = ["X-TFE-Notification-Signature": signature]
    request.body = .stream(bytes, length: .known(Int64(200_000)))
    let response = try await Self.strangers.execute(request, timeout: .seconds(30))
    return (Int(response.status.code), String(buffer: try await response.body.collect(upTo: 1 << 20)))
  }

  /// Whoever knows the address can begin one and never end it.
  @Test func whoSendsSlowlyKeepsNoTrueNotificationWaiting() async throws {
    try await withPlanning { test, _, secret in
      try await withThrowingTaskGroup { group in
        for _ in 0..<32 {
          group.addTask {
            let (status, text) = try await sendSlowly(test, to: "ws-web", signature: signature("", "x"))
            #expect(status == 503 || (status == 400 && text.contains("took longer than 5 seconds")), "\(text)")
          }
        }
        while !test.log.lines.contains(where: { $0.contains("others wait") }) {
          try await Task.sleep(for: .milliseconds(5))
        }
        let reply = try await send(test, payload("run-1"), secret: secret)
        #expect(reply.status == 202, "\(reply.text)")
        try await group.waitForAll()
      }
      #expect(test.log.lines.count { $0.contains("others wait") } == 1)
    }
  }

  @Test func nothingIsReadForWhoDoesNotSeemToBeTFE() async throws {
    try await withPlanning { test, _, _ in
      let start = ContinuousClock.now
      for (owner, code) in [
        ("ws-web", "abc"), ("ws-web", String(repeating: "x", count: 128)), ("ws-x", signature("", "x")),
      ] {
        let (status, text) = try await sendSlowly(test, to: owner, signature: code)
        #expect(status == 401, "\(text)")
      }
      #expect(ContinuousClock.now - start < .seconds(5))
    }
  }

  @Test func whereTFEIsNotAskedToTellNothingIsSaidToWork() async throws {
    try await TestServer.run { test in
      // From a time when it was.
      try await test.server.store.putNotification(
        NotificationRecord(owner: "ws-1", configuration: "nc-1", url: "u", keyID: "k", writtenAt: Date()))
      let metrics = try await test.get("/metrics").text
      #expect(!metrics.contains("porc_tfe_notification"))
    }
  }

  @Test func theMetricsSayHowNotificationsDo() async throws {
    try await withPlanning { test, _, secret in
      _ = try await send(test, Self.verification, secret: secret)
      let metrics = try await test.get("/metrics").text
      #expect(metrics.contains(#"porc_tfe_notifications{state="working"} 1"#))
      #expect(metrics.contains(#"porc_tfe_notifications{state="failing"} 0"#))
      #expect(!metrics.contains("porc_tfe_notification_timestamp_seconds 0\n"))
    }
  }
}
