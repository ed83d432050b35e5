import AsyncHTTPClient
import HTTPExchange
import HTTPTypes
import Retry
import TerraformEnterprise
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RetryRulesTests {
  let tfe = TFE()

  @Test func aReadIsRepeatedAfterAServerError() async throws {
    tfe.server.on("GET /api/v2/runs/run-1", .status(502), .brokenOff, TFE.run("planned"))
    let run = try await tfe.serve { try await $0.runs.read("run-1") }
    #expect(run.status == .planned)
    #expect(tfe.calls.count == 3)
    #expect(tfe.clock.slept.count == 2)
  }

  @Test func theLastErrorIsThrownWhenTheAttemptsAreUsedUp() async throws {
    tfe.server.always("GET /api/v2/runs/run-1") { _ in .status(500) }
    let error = try await tfe.error { _ = try await $0.runs.read("run-1") }
    #expect(error?.kind == .server)
    #expect(error?.status == 500)
    #expect(error?.isRetryable == true)
    #expect(tfe.calls.count == 3)
  }

  @Test(arguments: [502, 503, 504]) func aPostIsNotRepeatedAfterAServerError(status: Int) async throws {
    tfe.server.on("POST /api/v2/runs", .status(status), TFE.run())
    let error = try await tfe.error { _ = try await $0.runs.create(RunOptions(workspaceID: "ws-1")) }
    #expect(error?.status == status)
    #expect(error?.wasNotExecuted == false)
    #expect(tfe.calls == ["POST /api/v2/runs"])
  }

  @Test func aPostIsNotRepeatedAfterALostAnswer() async throws {
    tfe.server.on("POST /api/v2/runs", .brokenOff, TFE.run())
    let error = try await tfe.error { _ = try await $0.runs.create(RunOptions(workspaceID: "ws-1")) }
    #expect(error?.kind == .transport(.connectionLost))
    #expect(error?.wasNotExecuted == false)
    #expect(tfe.calls == ["POST /api/v2/runs"])
  }

  @Test func aBusyServerIsAskedAgainAfterItsOwnDelayEvenForAPost() async throws {
    tfe.server.on(
      "POST /api/v2/runs", .status(429, headers: [TFE.rateLimitReset: "0.75"]),
      .status(429, headers: [.retryAfter: "2"]), TFE.run(httpStatus: 201))
    let run = try await tfe.serve { try await $0.runs.create(RunOptions(workspaceID: "ws-1")) }
    #expect(run.status == .pending)
    #expect(tfe.clock.slept == [.seconds(0.75), .seconds(2)])
  }

  @Test func anAbsurdDelayIsCut() async throws {
    tfe.server.on(
      "GET /api/v2/runs/run-1", .status(429, headers: [TFE.rateLimitReset: "1767225600"]),
      .status(429, headers: [TFE.rateLimitReset: "-3"]), TFE.run())
    _ = try await tfe.serve({ $0.retryPolicy.longestAdvisedWait = .seconds(5) }) { try await $0.runs.read("run-1") }
    #expect(tfe.clock.slept.first == .seconds(5))
    #expect((tfe.clock.slept.last ?? .zero) > .zero, "a negative delay is not advice, so the backoff counts")
  }

  @Test(arguments: [400, 401, 403, 404, 409, 422, 501]) func aRefusalIsNotRepeated(status: Int) async throws {
    tfe.server.on("GET /api/v2/runs/run-1", .status(status), TFE.run())
    let error = try await tfe.error { _ = try await $0.runs.read("run-1") }
    #expect(error?.status == status)
    #expect(error?.isRetryable == false)
    #expect(tfe.calls.count == 1)
  }

  @Test func aRefusedConnectionIsTriedAgainEvenForAPost() async throws {
    // A port that was free a moment ago.
    let url = try await ScriptedServer().serve { $0 }
    let clock = TestClock()
    let error = await #expect(throws: TFEError.self) {
      try await TFE.client(of: url, clock: clock) {
        _ = try await $0.runs.create(RunOptions(workspaceID: "ws-1"))
      }
    }
    #expect(error?.kind == .transport(.notConnected))
    #expect(error?.wasNotExecuted == true)
    #expect(clock.slept.count == 2)
  }

  @Test func anAnswerThatDoesNotComeIsGivenUp() async throws {
    tfe.server.on("POST /api/v2/runs", .silence)
    let error = try await tfe.serve({ $0.requestTimeout = .milliseconds(200) }) { client in
      await #expect(throws: TFEError.self) { _ = try await client.runs.create(RunOptions(workspaceID: "ws-1")) }
    }
    #expect(error?.kind == .transport(.timedOut))
    #expect(error?.wasNotExecuted == false)
  }

  @Test func aCancelledCallThrowsCancellation() async throws {
    tfe.server.always("GET /api/v2/runs/run-1") { _ in .silence }
    try await tfe.serve { client in
      let call = Task { try await client.runs.read("run-1") }
      while tfe.calls.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
    }
    #expect(tfe.calls.count == 1)
  }

  @Test func anAnswerThatIsTooLargeIsRefused() async throws {
    tfe.server.on("GET /api/v2/runs/run-1", .json(String(repeating: " ", count: 5000)))
    let error = try await tfe.serve({ $0.maximumAnswerBytes = 4096 }) { client in
      await #expect(throws: TFEError.self) { _ = try await client.runs.read("run-1") }
    }
    #expect(error?.kind == .protocolViolation)
    #expect(error?.description.contains("4096") == true)
  }
}
