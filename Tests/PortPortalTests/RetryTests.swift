import AsyncHTTPClient
import Foundation
import HTTPTypes
import PortPortal
import Retry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RetryTests {
  private let port = PortScript()
  private let call = "GET /v1/blueprints/service/entities/a"

  private func get(retries: RetryPolicy = RetryPolicy(maximumAttempts: 3)) async throws -> Entity? {
    try await port.run(retries: retries) { try await $0.entities.get("a", in: "service") }
  }

  @Test(arguments: [408, 429, 500, 502, 503, 504])
  func whatPassesIsTriedAgain(status: Int) async throws {
    port.server.on(call, .refusal(status), .entity("a"))
    #expect(try await get() != nil)
    #expect(port.calls.count == 2)
    #expect(port.clock.slept.count == 1)
  }

  @Test(arguments: [
    (400, PortError.Kind.badRequest), (403, .forbidden), (404, .notFound), (409, .conflict), (410, .badRequest),
    (413, .tooLarge), (422, .unprocessable), (501, .server),
  ])
  func whatStaysIsNotTriedAgain(status: Int, kind: PortError.Kind) async throws {
    port.server.on(call, .refusal(status))
    let error = try #require(try await portError { try await get() })
    #expect(error.kind == kind)
    #expect(error.status == status)
    #expect(!error.isRetryable)
    #expect(port.calls == [call])
  }

  @Test func theLastFailureIsThrownWithAllThatPortSaid() async throws {
    let trace: HTTPFields = [field("X-Trace-Id"): "trace-7", .retryAfter: "5"]
    port.server.on(call, .refusal(500), .refusal(500), .refusal(503, "overloaded", headers: trace))
    let error = try #require(try await portError { try await get() })
    #expect(error.kind == .server)
    #expect(error.status == 503)
    #expect(error.code == "overloaded")
    #expect(error.message == "because")
    #expect(error.traceID == "trace-7")
    #expect(error.method == "GET")
    #expect(error.path == "/v1/blueprints/service/entities/a")
    #expect(error.isRetryable)
    #expect(error.retryAfter == .seconds(5))
    #expect(
      error.description == "GET /v1/blueprints/service/entities/a: 503 overloaded: because (trace trace-7)")
  }

  @Test func anErrorThatComesAsAnObjectIsReadToo() async throws {
    let body = #"{"ok":false,"error":{"code":"resync_stale","message":"too late"}}"#
    port.server.on(call, .json(body, status: 409))
    let error = try #require(try await portError { try await get() })
    #expect(error.code == "resync_stale")
    #expect(error.message == "too late")
  }

  @Test func retryAfterComesFirst() async throws {
    let headers: HTTPFields = [.retryAfter: "7", field("x-ratelimit-reset"): "3"]
    port.server.on(call, .refusal(429, headers: headers), .entity("a"))
    _ = try await get()
    #expect(port.clock.slept == [.seconds(7)])
  }

  @Test func retryAfterMayBeADate() async throws {
    // 1,700,000,000 is Tue, 14 Nov 2023 22:13:20 GMT.
    port.server.on(
      call, .refusal(503, headers: [.retryAfter: "Tue, 14 Nov 2023 22:13:32 GMT"]), .entity("a"))
    _ = try await get()
    #expect(port.clock.slept == [.seconds(12)])
  }

  @Test(arguments: [("9", 9), ("1700000011", 11), ("1700000000.5", 0.5)])
  func theResetHeaderIsADelayOrAMoment(value: String, seconds: Double) async throws {
    port.server.on(call, .refusal(429, headers: [field("x-ratelimit-reset"): value]), .entity("a"))
    _ = try await get()
    #expect(port.clock.slept == [.seconds(seconds)])
  }

  @Test func aLongWaitIsCutToTheLongestOfThePolicy() async throws {
    port.server.on(call, .refusal(429, headers: [field("x-ratelimit-reset"): "300"]), .entity("a"))
    _ = try await get(retries: RetryPolicy(maximumAttempts: 2, longestAdvisedWait: .seconds(40)))
    #expect(port.clock.slept == [.seconds(40)])
  }

  @Test(arguments: ["301", "86400", "1e300", "Tue, 14 Nov 2023 23:13:20 GMT"])
  func aWaitThatCannotBeMeantIsNotToldOf(value: String) async throws {
    port.server.on(call, .refusal(503, headers: [.retryAfter: value]))
    let error = try #require(try await portError { try await get(retries: .never) })
    #expect(error.retryAfter == nil)
  }

  @Test(arguments: [
    (429, "1699999000"), (429, "-5"), (429, "0"), (429, "soon"), (429, "nan"), (503, "9"), (429, "1e300"),
    (429, "1700009999"), (429, "9999"), (429, "99999999999999"),
  ])
  func aResetThatSaysNothingLeavesTheBackoff(status: Int, value: String) async throws {
    port.server.on(call, .refusal(status, headers: [field("x-ratelimit-reset"): value]), .entity("a"))
    _ = try await get(
      retries: RetryPolicy(maximumAttempts: 2, backoff: Backoff(base: .seconds(2), ceiling: .seconds(2))))
    let slept = try #require(port.clock.slept.first)
    #expect((.seconds(1)...(.seconds(2))).contains(slept))
  }

  @Test func aBrokenConnectionIsTriedAgain() async throws {
    port.server.on(call, .brokenOff, .entity("a"))
    #expect(try await get() != nil)
    #expect(port.calls == [call, call])
  }

  @Test func silenceIsCutOff() async throws {
    port.server.on(call, .entity("a"), .silence)
    let error = try await port.run(.staticToken("t")) { client in
      // Connected by now, so that the time-out cannot fall into the connecting.
      _ = try await client.entities.get("a", in: "service")
      let hasty = try port.client(.staticToken("t"), requestTimeout: .milliseconds(100))
      return try await portError { try await hasty.entities.get("a", in: "service") }
    }
    #expect(error?.kind == .transport)
    #expect(error?.isRetryable == true)
    #expect(error?.status == nil)
  }

  @Test func aCancelledCallerIsNotToldThatPortFailed() async throws {
    port.server.on(call, .silence)
    try await port.run(.staticToken("t")) { client in
      let caller = Task { try await client.entities.get("a", in: "service") }
      while port.calls.isEmpty { await Task.yield() }
      caller.cancel()
      await #expect(throws: CancellationError.self) { try await caller.value }
    }
    #expect(port.calls == [call])
  }

  @Test func nobodyListeningIsATransportFailure() async throws {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    let http = HTTPClient(configuration: configuration)
    // The scripted server has stopped when `run` returns.
    let client = try await port.run(.staticToken("t"), http: http) { $0 }
    let error = try await portError { try await client.blueprints.list() }
    try await http.shutdown()
    #expect(error?.kind == .transport)
    #expect(error?.isRetryable == true)
    #expect(port.clock.slept.count == 2)
    let late = try await portError { try await client.blueprints.list() }
    #expect(late?.kind == .badRequest)
  }

  @Test func anAnswerOverTheBoundIsRefused() async throws {
    port.server.on(call, .json(String(repeating: " ", count: 5000)))
    let error = try await port.run(.staticToken("t"), answerLimit: 4096) { client in
      try await portError { try await client.entities.get("a", in: "service") }
    }
    #expect(error?.kind == .unexpectedAnswer)
    #expect(port.calls == [call])
  }

  @Test func aPageWithStatus200IsNoSuccess() async throws {
    port.server.on(call, .status(200, body: Array("<html>Sign in</html>".utf8)))
    let error = try #require(try await portError { try await get() })
    #expect(error.kind == .unexpectedAnswer)
    #expect(!error.isRetryable)
  }

  @Test(arguments: [301, 302, 303, 307, 308])
  func aRedirectTakesNoCredentialsElsewhere(status: Int) async throws {
    let other = ScriptedServer()
    try await other.serve { elsewhere in
      let redirect = ScriptedServer.Answer.status(status, headers: [.location: "\(elsewhere)/caught"])
      port.server.on(call, redirect)
      port.server.on("POST /v1/blueprints/service/entities", redirect)
      try await port.run { client async throws in
        #expect(
          try await portError { try await client.entities.get("a", in: "service") }?.kind == .unexpectedAnswer)
        let entity = Entity(identifier: "a")
        #expect(
          try await portError { try await client.entities.upsert(entity, in: "service") }?.isRetryable == false)
      }
    }
    #expect(other.requests.allSatisfy { $0.authorization == nil && $0.body.isEmpty })
  }

  @Test(arguments: [301, 302, 303, 307, 308])
  func aRedirectOfTheTokenRouteTakesNoSecretElsewhere(status: Int) async throws {
    let other = ScriptedServer()
    other.always("GET /caught") { _ in
      .json(#"{"accessToken":"evil","expiresIn":10800,"tokenType":"Bearer"}"#)
    }
    try await other.serve { elsewhere in
      port.server.on(PortScript.tokenCall, .status(status, headers: [.location: "\(elsewhere)/caught"]))
      let error = try await portError { try await get() }
      #expect(error?.kind == .unexpectedAnswer)
    }
    #expect(other.requests.allSatisfy { $0.authorization == nil && $0.body.isEmpty })
    #expect(port.calls == [])
  }
}
