import HTTPTypes
import ModuleRegistry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct VersionsTests {
  let registry: Registry

  init() throws { registry = try Registry() }

  private func versions(_ answer: ScriptedServer.Answer) async throws -> ModuleVersions {
    registry.server.on(Registry.versions, answer)
    return try await registry.serve { try await $0.versions(of: registry.module) }
  }

  @Test func versionsLoseTheirVAndRubbishIsKeptApart() async throws {
    let found = try await versions(
      .json(
        """
        {"meta": 1, "modules": [
          {"source": "acme/net/aws", "versions": [
            {"version": "1.10.0"}, {"version": "v2.1.0", "root": {"dependencies": []}}, {"version": "bad"},
            {"version": "1.2.0-beta.1"}, {"version": "2.0.0+b2"}, {"version": "2.1.0"}, {"version": "1.0"},
            {"version": 3},
            {"version": "01.0.0"}, "text", {}, {"version": "1.0.0/../../x"}, {"version": "1.0.0-01"},
            {"version": "vv1.0.0"}]},
          {"versions": [{"version": "9.9.9"}]}]}
        """))
    #expect(found.versions == ["1.10.0", "2.1.0", "1.2.0-beta.1", "2.0.0+b2"])
    #expect(
      found.unreadable == [
        "bad", "1.0", "(not a text)", "01.0.0", "(not a text)", "(not a text)", "1.0.0/../../x", "1.0.0-01", "vv1.0.0",
      ])
    #expect(registry.server.requests[1].headers[.authorization] == "Bearer \(Registry.token)")
    #expect(registry.server.requests[1].headers[.userAgent] == "tests/1")
  }

  @Test func aDeprecatedVersionSaysWhy() async throws {
    let found = try await versions(
      .json(
        """
        {"modules": [{"versions": [
          {"version": "v1.0.0", "deprecation": {"reason": "old", "link": "https://x"}},
          {"version": "1.1.0", "deprecation": null},
          {"version": "1.2.0", "deprecation": true}]}]}
        """))
    #expect(found.versions == ["1.0.0", "1.1.0", "1.2.0"])
    #expect(found.deprecations.mapValues(\.reason) == ["1.0.0": "old"])
  }

  @Test func anUnchangedListIsNotSentAgain() async throws {
    registry.server.on(
      Registry.versions,
      .json(#"{"modules": [{"versions": [{"version": "1.0.0"}]}]}"#, headers: [.eTag: #"W/"a""#]), .status(304),
      .json(#"{"modules": [{"versions": [{"version": "2.0.0"}]}]}"#), .json(#"{"modules": [{"versions": []}]}"#))
    let found = try await registry.serve { client in
      var found: [[String]] = []
      for _ in 0..<4 { found.append(try await client.versions(of: registry.module).versions) }
      return found
    }
    #expect(found == [["1.0.0"], ["1.0.0"], ["2.0.0"], []])
    let asked = registry.server.requests.dropFirst().map { $0.headers[.ifNoneMatch] }
    #expect(asked == [nil, #"W/"a""#, #"W/"a""#, nil])
  }

  @Test func notModifiedWithoutAQuestionIsABadAnswer() async throws {
    #expect(try await error(.status(304))?.kind == .badAnswer)
  }

  @Test(arguments: [
    "", "nothing", "[]", "{}", #"{"modules": []}"#, #"{"modules": {}}"#, #"{"modules": [null]}"#, #"{"modules": [{}]}"#,
    #"{"modules": [{"versions": "1.0.0"}]}"#, #"{"modules": [{"versions": null}]}"#,
  ])
  func whatIsNoListIsABadAnswer(text: String) async throws {
    let error = try await error(.json(text))
    #expect(error?.kind == .badAnswer)
    #expect(error?.place == "GET \(registry.server.url)/v1/modules/acme/net/aws/versions")
  }

  @Test func anEmptyListIsAList() async throws {
    #expect(try await versions(.json(#"{"modules": [{"versions": []}]}"#)).versions.isEmpty)
  }

  @Test func aHugeListIsRefused() async throws {
    registry.server.on(Registry.versions, .status(200, body: [UInt8](repeating: 32, count: 3000)))
    let error = try await registry.error({ $0.maximumAnswerBytes = 2999 }) {
      _ = try await $0.versions(of: registry.module)
    }
    #expect(error?.kind == .tooLarge)
    #expect(error?.message == "What '127.0.0.1' answers is larger than 2999 bytes.")
    #expect(registry.calls.count == 1)
  }

  @Test func anotherHostsModuleIsNotAskedFor() async throws {
    let error = try await registry.error {
      _ = try await $0.versions(of: ModuleAddress("tfe.example.com/acme/net/aws"))
    }
    #expect(error?.kind == .invalid)
    #expect(registry.server.calls.isEmpty)
  }

  private func error(_ answer: ScriptedServer.Answer) async throws -> RegistryError? {
    registry.server.on(Registry.versions, answer)
    return try await registry.error { _ = try await $0.versions(of: registry.module) }
  }
}
