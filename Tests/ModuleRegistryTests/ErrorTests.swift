import HTTPExchange
import HTTPTypes
import ModuleRegistry
import Retry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ErrorTests {
  let registry: Registry

  init() throws { registry = try Registry() }

  private func error(
    _ answers: ScriptedServer.Answer...,
    change: @escaping @Sendable (inout RegistryClient.Configuration) -> Void = { _ in }
  ) async throws -> RegistryError? {
    for answer in answers { registry.server.on(Registry.versions, answer) }
    return try await registry.error(change) { _ = try await $0.versions(of: registry.module) }
  }

  @Test(arguments: [
    (400, RegistryError.Kind.refused), (401, .refused), (403, .refused), (404, .notFound), (410, .refused),
    (429, .busy),
    (500, .busy), (501, .busy), (503, .busy), (599, .busy), (300, .badAnswer), (305, .badAnswer),
  ])
  func aStatusIsAKind(status: Int, kind: RegistryError.Kind) async throws {
    let error = try await error(.status(status), change: { $0.retryPolicy = .never })
    #expect(error?.kind == kind)
    #expect(error?.status == status)
    #expect(error?.message.isEmpty == false)
    #expect(error?.fix.isEmpty == false)
    #expect(error?.place == "GET \(registry.server.url)/v1/modules/acme/net/aws/versions")
  }

  @Test func aModuleThatIsNotThereIsNamed() async throws {
    #expect(try await error(.status(404))?.message == "There is no module 'acme/net/aws', or the token may not see it.")
  }

  @Test func aRefusalSaysWhetherThereWasAToken() async throws {
    #expect(
      try await error(.status(401))?.message == "'127.0.0.1' does not accept the token, or does not allow it this.")
    let without = try await error(.status(401)) { $0.token = nil }
    #expect(without?.message == "'127.0.0.1' wants a token, and none was sent.")
    #expect(registry.server.requests.last?.headers[.authorization] == nil)
  }

  @Test func aBusyServerIsAskedAgainAfterItsOwnDelay() async throws {
    registry.server.on(
      Registry.versions, .status(429, headers: [.retryAfter: "7"]), .status(503),
      .json(#"{"modules": [{"versions": []}]}"#))
    _ = try await registry.serve { try await $0.versions(of: registry.module) }
    #expect(registry.calls.count == 3)
    #expect(registry.clock.slept.first == .seconds(7))
    #expect(registry.clock.slept.count == 2)
  }

  @Test(arguments: [401, 404, 501])
  func whatCannotHelpIsNotTriedAgain(status: Int) async throws {
    #expect(try await error(.status(status))?.status == status)
    #expect(registry.calls.count == 1)
  }

  @Test func aLostConnectionIsTriedAgain() async throws {
    let error = try await error(.dropped, .dropped, .dropped)
    #expect(error?.kind == .unreachable(.connectionLost))
    #expect(registry.calls.count == 3)
  }

  @Test func silenceHasAnEnd() async throws {
    let error = try await error(.silence) {
      $0.requestTimeout = .milliseconds(50)
      $0.retryPolicy = .never
    }
    #expect(error?.kind == .unreachable(.timedOut))
    #expect(error?.isRetryable == true)
  }

  @Test func aClosedPortCannotBeReached() async throws {
    let url = try await registry.server.serve { $0 }
    let error = await #expect(throws: RegistryError.self) {
      try await registry.client(of: url) { _ = try await $0.versions(of: registry.module) }
    }
    #expect(error?.kind == .unreachable(.notConnected))
    #expect(error?.message.hasSuffix("cannot be reached: Connection refused.") == true, "\(error?.message ?? "")")
    #expect(error?.message.hasPrefix("'127.0.0.1' cannot be reached") == true)
    #expect(registry.clock.slept.count == 2)
  }

  @Test func aCancelledCallIsNoRegistryError() async throws {
    registry.server.always(Registry.versions) { _ in .silence }
    try await registry.serve { client in
      let call = Task { try await client.versions(of: registry.module) }
      while registry.calls.isEmpty { await Task.yield() }
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
    }
  }

  @Test func nothingThatIsPrintedTellsASecret() async throws {
    registry.place("/secret-path/a.zip?sig=secret-query")
    registry.server.always("GET /secret-path/a.zip") { _ in .status(503) }
    let said = try await registry.serve { client in
      let location = try await client.location(of: registry.module, version: "1.0.0")
      let archive = try #require(location.archive)
      var dumped = ""
      dump((location, archive, BearerToken(Registry.token)), to: &dumped)
      do {
        _ = try await client.download(archive)
      } catch {
        dump(error, to: &dumped)
        dumped += "\(error) \(String(reflecting: error))"
      }
      return dumped + "\(location) \(String(reflecting: location)) \(archive) \(BearerToken(Registry.token))"
    }
    let printed = said + registry.log.text
    #expect(registry.log.text.contains("asking again"))
    #expect(printed.contains("fails with status 503"))
    #expect(!printed.contains("secret"))
  }

  @Test func aRedirectedCallDoesNotShowWhereItWasSent() async throws {
    registry.server.on(Registry.versions, .status(302, headers: [.location: "/secret-path?sig=secret-query"]))
    registry.server.on("GET /secret-path", .status(403))
    let error = try await registry.error { _ = try await $0.versions(of: registry.module) }
    let home = registry.server.url
    #expect(error?.place == "GET \(home)/v1/modules/acme/net/aws/versions, redirected to \(home)/…")
    #expect(!"\(error.map(String.init(describing:)) ?? "")".contains("secret"))
  }
}
