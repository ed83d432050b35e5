import HTTPTypes
import TerraformEnterprise
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DiscoveryTests {
  let server = ScriptedServer()
  static let document = "GET /.well-known/terraform.json"

  func path(_ asks: Int = 1) async throws -> String {
    try await server.serve { url in
      try await TFE.client(of: url) { client in
        for _ in 1..<asks { _ = try await client.discovery.apiPath() }
        return try await client.discovery.apiPath()
      }
    }
  }

  @Test func theAdvertisedPathIsUsed() async throws {
    server.on(Self.document, .json(#"{"tfe.v2": "/tfe/api/v2/", "motd.v1": {"x": 1}}"#))
    server.on("GET /tfe/api/v2/ping", .status(204, headers: [TFE.apiVersion: "2.6"]))
    let identity = try await server.serve { url in
      try await TFE.client(of: url) { try await $0.discovery.ping() }
    }
    #expect(identity.apiVersion == "2.6")
    #expect(server.calls == [Self.document, "GET /tfe/api/v2/ping"])
  }

  @Test func itIsAskedOnceAndWithoutTheToken() async throws {
    server.on(Self.document, .json(#"{"tfe.v2": "/api/v2"}"#))
    #expect(try await path(3) == "/api/v2/")
    #expect(server.calls == [Self.document])
    #expect(server.requests[0].headers[.authorization] == nil)
  }

  @Test func withoutADocumentTheUsualPathIsUsed() async throws {
    server.on(Self.document, .status(404))
    #expect(try await path(2) == "/api/v2/")
    #expect(server.calls == [Self.document])
  }

  @Test func aDocumentWithoutTheServiceMeansTheUsualPath() async throws {
    server.on(Self.document, .json(#"{"modules.v1": "/v1/modules/"}"#))
    #expect(try await path() == "/api/v2/")
  }

  @Test func anAnswerThatMayPassIsNotKept() async throws {
    server.on(Self.document, .status(503), .json(#"{"tfe.v2": "/other/"}"#))
    #expect(try await path(2) == "/other/")
  }

  @Test func anAbsoluteAddressOnTheSameHostIsUsed() async throws {
    let found = try await server.serve { url in
      server.always(Self.document) { _ in .json(#"{"tfe.v2": "\#(url)/deep/"}"#) }
      return try await TFE.client(of: url) { try await $0.discovery.apiPath() }
    }
    #expect(found == "/deep/")
  }

  @Test(arguments: ["https://elsewhere.example/api/v2/", "//elsewhere.example/api/v2/"])
  func anAddressOnAnotherHostIsRefused(advertised: String) async throws {
    server.on(Self.document, .json(#"{"tfe.v2": "\#(advertised)"}"#))
    let error = await #expect(throws: TFEError.self) { try await path() }
    #expect(error?.kind == .protocolViolation)
    #expect(error?.description.contains("another host") == true)
  }

  @Test func anAddressThatIsNoneIsSaidSo() async throws {
    let error = await #expect(throws: TFEError.self) {
      try await TFE.client(of: "tfe.example") { try await $0.discovery.ping() }
    }
    #expect(error?.kind == .protocolViolation)
    #expect(error?.isRetryable == false)
  }
}
