import Foundation
import PortPortal
import Retry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TokenTests {
  private let port = PortScript()
  private let call = "GET /v1/blueprints/service/entities/a"

  @Test func manyCallersAtOnceFetchOneToken() async throws {
    port.server.always(call) { _ in .entity("a") }
    try await port.run { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<40 { group.addTask { _ = try await client.entities.get("a", in: "service") } }
        try await group.waitForAll()
      }
    }
    #expect(port.tokenCalls == 1)
    #expect(port.requests.count == 40)
    #expect(port.requests.allSatisfy { $0.authorization == "Bearer token-1" })
  }

  @Test func theCredentialsAreSentAsPortWantsThem() async throws {
    port.server.on(call, .entity("a"))
    try await port.run { _ = try await $0.entities.get("a", in: "service") }
    let asked = try #require(port.server.requests.first)
    #expect(asked.json == ["clientId": "client", "clientSecret": "s3cret"])
    #expect(asked.authorization == nil)
  }

  @Test func aTokenIsRenewedAMarginBeforeItsEnd() async throws {
    port.server.always(call) { _ in .entity("a") }
    try await port.run { client in
      _ = try await client.entities.get("a", in: "service")
      port.pass(10_800 - 61)
      _ = try await client.entities.get("a", in: "service")
      #expect(port.tokenCalls == 1)
      port.pass(2)
      _ = try await client.entities.get("a", in: "service")
    }
    #expect(port.requests.map(\.authorization) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"])
  }

  @Test func theLifeInEachAnswerCountsAndAShortOneIsUsedToo() async throws {
    let port = PortScript(tokenLife: 20)
    port.server.always(call) { _ in .entity("a") }
    try await port.run { client in
      for pause in [0.0, 9, 2] {
        port.pass(pause)
        _ = try await client.entities.get("a", in: "service")
      }
    }
    #expect(port.requests.map(\.authorization) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"])
  }

  @Test func a401RenewsTheTokenAndReplaysTheRequest() async throws {
    port.server.on(call, .refusal(401), .entity("a"))
    let entity = try await port.run { try await $0.entities.get("a", in: "service") }
    #expect(entity?.identifier == "a")
    #expect(port.requests.map(\.authorization) == ["Bearer token-1", "Bearer token-2"])
  }

  @Test func aSecond401IsFinal() async throws {
    port.server.on(call, .refusal(401, "unauthorized"), .refusal(401, "unauthorized"))
    let error = try await port.run { client in
      try await portError { try await client.entities.get("a", in: "service") }
    }
    #expect(error?.kind == .unauthorized)
    #expect(error?.isRetryable == false)
    #expect(port.calls == [call, call])
    #expect(port.tokenCalls == 2)
  }

  @Test func manyCallersWithOneRefusedTokenRenewItOnce() async throws {
    port.server.always(call) { $0.authorization == "Bearer token-1" ? .refusal(401) : .entity("a") }
    try await port.run { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<20 { group.addTask { _ = try await client.entities.get("a", in: "service") } }
        try await group.waitForAll()
      }
    }
    #expect(port.tokenCalls == 2)
  }

  @Test func aStaticTokenIsSentAsItIsAndNeverRenewed() async throws {
    port.server.on(call, .refusal(401))
    let error = try await port.run(.staticToken("fixed")) { client in
      try await portError { try await client.entities.get("a", in: "service") }
    }
    #expect(error?.kind == .unauthorized)
    #expect(port.server.calls == [call])
    #expect(port.requests.map(\.authorization) == ["Bearer fixed"])
  }

  @Test func wrongCredentialsAreAskedAboutOnceAndNeverShown() async throws {
    port.server.on(PortScript.tokenCall, .refusal(401, "unauthorized"))
    let error = try await port.run { client in
      try await portError { try await client.entities.get("a", in: "service") }
    }
    #expect(error?.kind == .unauthorized)
    #expect(error?.path == "/v1/auth/access_token")
    #expect(port.server.calls == [PortScript.tokenCall])
    #expect(!String(reflecting: error).contains("s3cret"))
  }

  @Test func theTokenRouteIsTriedAgainToo() async throws {
    port.server.on(PortScript.tokenCall, .refusal(503), .brokenOff)
    port.server.on(call, .entity("a"))
    let entity = try await port.run { try await $0.entities.get("a", in: "service") }
    #expect(entity != nil)
    #expect(port.tokenCalls == 3)
  }

  @Test func aFailedFetchFailsThoseWhoWaitedAndIsNotRemembered() async throws {
    port.server.on(PortScript.tokenCall, .refusal(403))
    port.server.on(call, .entity("a"))
    try await port.run { client async throws in
      #expect(try await portError { try await client.entities.get("a", in: "service") }?.kind == .forbidden)
      #expect(try await client.entities.get("a", in: "service") != nil)
    }
  }

  @Test func credentialsNeverPrint() async throws {
    let secrets: [PortClient.Credentials] = [
      .clientCredentials(id: "client", secret: "s3cret"), .staticToken("s3cret"),
    ]
    for credentials in secrets {
      var dumped = ""
      dump(credentials, to: &dumped)
      #expect(!"\(credentials) \(String(reflecting: credentials)) \(dumped)".contains("s3cret"))
    }
  }
}
