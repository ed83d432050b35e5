import Foundation
import HTTPTypes
import ModuleRegistry
import Retry
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DiscoveryTests {
  let registry: Registry
  let other = ScriptedServer()

  init() throws { registry = try Registry() }

  private func service(of document: ScriptedServer.Answer) async throws -> String {
    registry.server.on(Registry.document, document)
    return try await registry.serve { client in
      try await client.serviceURL().replacing(registry.server.url, with: "HOME")
    }
  }

  private func error(_ document: ScriptedServer.Answer...) async throws -> RegistryError? {
    for answer in document { registry.server.on(Registry.document, answer) }
    return try await registry.error { _ = try await $0.serviceURL() }
  }

  @Test(arguments: [
    ("/api/registry/v1/modules/", "HOME/api/registry/v1/modules/"), ("/v1", "HOME/v1/"),
    ("modules", "HOME/.well-known/modules/"),
    ("./m/", "HOME/.well-known/m/"), ("../m/", "HOME/m/"), ("https://other.example:443/m", "https://other.example/m/"),
    ("//other.example/m/", ""), ("/m/?x=1#y", "HOME/m/"),
  ])
  func theServiceIsResolvedAgainstTheDocument(value: String, expected: String) async throws {
    // A network-path reference takes over the scheme, which is http here.
    if expected.isEmpty {
      #expect(try await error(.json(#"{"modules.v1": "\#(value)"}"#))?.kind == .badAnswer)
    } else {
      #expect(try await service(of: .json(#"{"modules.v1": "\#(value)", "other.v1": {"x": 1}}"#)) == expected)
    }
  }

  @Test func itIsAskedOnceForAllCopies() async throws {
    registry.server.always(Registry.versions) { _ in .json(#"{"modules": [{"versions": []}]}"#) }
    try await registry.serve { client in
      let copy = client
      _ = try await client.versions(of: registry.module)
      _ = try await copy.versions(of: registry.module)
    }
    #expect(registry.server.calls == [Registry.document, Registry.versions, Registry.versions])
  }

  @Test func itIsAskedAgainAfterItsLifetime() async throws {
    let time = Time()
    try await registry.serve({ $0.now = { time.now.withLock { $0 } } }) { client in
      for seconds in [0, 3599, 3600, 3601] {
        time.now.withLock { $0 = Date(timeIntervalSince1970: TimeInterval(seconds)) }
        _ = try await client.serviceURL()
      }
    }
    #expect(registry.server.calls.count == 2)
  }

  @Test func oneRedirectIsFollowedAndTheServiceIsRelativeToItsEnd() async throws {
    registry.server.on(Registry.document, .status(302, headers: [.location: "/deep/terraform.json"]))
    registry.server.on("GET /deep/terraform.json", .json(#"{"modules.v1": "m"}"#))
    let service = try await registry.serve { try await $0.serviceURL() }
    #expect(service.hasSuffix("/deep/m/"))
  }

  @Test func aSecondRedirectIsNotFollowed() async throws {
    registry.server.on("GET /deep", .status(302, headers: [.location: "/deeper"]))
    let error = try await error(.status(302, headers: [.location: "/deep"]))
    #expect(error?.kind == .badAnswer)
    #expect(registry.server.calls == [Registry.document, "GET /deep"])
  }

  @Test func theTokenStaysOnTheHost() async throws {
    let service = try await other.serve { elsewhere in
      registry.server.on(Registry.document, .status(301, headers: [.location: "\(elsewhere)/t.json"]))
      other.on("GET /t.json", .json(#"{"modules.v1": "/m/"}"#))
      return try await registry.serve { try await $0.serviceURL() == "\(elsewhere)/m/" }
    }
    #expect(service)
    #expect(registry.server.requests[0].headers[.authorization] == "Bearer \(Registry.token)")
    #expect(registry.server.requests[0].headers[.accept] == "application/json")
    #expect(other.requests[0].headers[.authorization] == nil)
  }

  @Test(arguments: [
    (#"{"modules.v1": "ftp://host/m"}"#, RegistryError.Kind.badAnswer),
    (#"{"modules.v1": "file:///etc/"}"#, .badAnswer), (#"{"modules.v1": "http://metadata.example/m/"}"#, .badAnswer),
    (#"{"modules.v1": "https://user:pass@host/m/"}"#, .badAnswer), (#"{"modules.v1": "https://ho st/"}"#, .badAnswer),
    (#"{"modules.v1": {"url": "/m"}}"#, .badAnswer), (#"{"modules.v1": null}"#, .notFound), ("{}", .notFound),
    ("[]", .badAnswer), ("<html>", .badAnswer), ("", .badAnswer),
  ])
  func aDocumentThatLeadsNowhereIsAnError(text: String, kind: RegistryError.Kind) async throws {
    let error = try await error(.json(text))
    #expect(error?.kind == kind)
    #expect(error?.fix.isEmpty == false)
    #expect(error?.place == "GET \(registry.server.url)/.well-known/terraform.json")
    #expect(error.map { "\($0)" }?.contains("pass") == false)
  }

  @Test func aHostWithoutTheDocumentHasNoRegistry() async throws {
    let error = try await error(.status(404))
    #expect(error?.kind == .notFound)
    #expect(error?.message.hasSuffix("offers no module registry.") == true)
  }

  @Test func aFailureIsNotKept() async throws {
    registry.server.on(Registry.document, .status(404))
    try await registry.serve { client in
      await #expect(throws: RegistryError.self) { try await client.serviceURL() }
      _ = try await client.serviceURL()
    }
  }

  @Test func deepNestingIsNoCrash() async throws {
    let deep = String(repeating: #"{"a":"#, count: 5000) + "1" + String(repeating: "}", count: 5000)
    #expect(try await error(.json(deep))?.kind == .badAnswer)
  }

  @Test func withoutPermissionForHTTPOnlyHTTPSIsSpoken() async throws {
    registry.server.on(Registry.document, .json("{}"))
    let error = try await registry.error({
      $0.allowsPlainHTTP = false; $0.retryPolicy = .never
    }) {
      _ = try await $0.serviceURL()
    }
    #expect(error?.place.hasPrefix("GET https://127.0.0.1:") == true)
    #expect(registry.server.calls.isEmpty, "the server was sent TLS, which it does not speak")
  }

  private final class Time: Sendable {
    let now = Mutex(Date(timeIntervalSince1970: 0))
  }
}
