import AsyncHTTPClient
import Foundation
import HTTPExchange
import HTTPTypes
import Logging
import ModuleRegistry
import Retry
import TestKit

/// A scripted registry, and a client of it whose waits take no time.
struct Registry: Sendable {
  let server = ScriptedServer()
  let clock = TestClock()
  let log = RecordedLog()

  static let token = "secret-token-1"
  static let document = "GET /.well-known/terraform.json"
  static let versions = "GET /v1/modules/acme/net/aws/versions"
  static let download = "GET /v1/modules/acme/net/aws/1.0.0/download"
  // A valid field name: the initialiser refuses only characters that a header cannot carry.
  static let get = HTTPField.Name("X-Terraform-Get")!

  let module: ModuleAddress

  init() throws {
    module = try ModuleAddress("acme/net/aws")
    server.always(Self.document) { _ in .json(#"{"modules.v1": "/v1/modules/"}"#) }
  }

  /// Runs `body` with the server up and a client of it.
  func serve<Value: Sendable>(
    _ change: @escaping @Sendable (inout RegistryClient.Configuration) -> Void = { _ in },
    _ body: @escaping @Sendable (RegistryClient) async throws -> Value
  ) async throws -> Value {
    try await server.serve { url in try await client(of: url, change, body) }
  }

  /// Runs `body` with a client of whatever is at `url`.
  func client<Value: Sendable>(
    of url: String, _ change: (inout RegistryClient.Configuration) -> Void = { _ in },
    _ body: (RegistryClient) async throws -> Value
  ) async throws -> Value {
    let host = try RegistryHost(String(url.dropFirst("http://".count)))
    var configuration = RegistryClient.Configuration(host: host, token: BearerToken(Self.token), userAgent: "tests/1")
    configuration.allowsPlainHTTP = true
    configuration.clock = clock
    configuration.random = SplitMix(seed: 1)
    configuration.retryPolicy = RetryPolicy(maximumAttempts: 3)
    change(&configuration)
    let httpClient = HTTPClient(configuration: .plain)
    let client = RegistryClient(configuration, httpClient: httpClient, logger: log.logger)
    do {
      let value = try await body(client)
      try await httpClient.shutdown()
      return value
    } catch {
      try await httpClient.shutdown()
      throw error
    }
  }

  /// The error that `body` ends with, or `nil`.
  func error(
    _ change: @escaping @Sendable (inout RegistryClient.Configuration) -> Void = { _ in },
    _ body: @escaping @Sendable (RegistryClient) async throws -> Void
  ) async throws -> RegistryError? {
    try await serve(change) { client in
      do {
        try await body(client)
        return nil
      } catch let error as RegistryError {
        return error
      }
    }
  }

  /// The calls without the discovery.
  var calls: [String] { server.calls.filter { $0 != Self.document } }

  /// Lets the registry say where version 1.0.0 is.
  func place(_ source: String) {
    server.on(Self.download, .status(204, headers: [Self.get: source]))
  }

  /// Where the client says version 1.0.0 is, when the registry says `source`.
  func location(_ source: String) async throws -> ModuleLocation {
    place(source)
    return try await serve { try await $0.location(of: module, version: "1.0.0") }
  }
}

extension ModuleLocation {
  var archive: ModuleArchive? { if case .archive(let archive) = self { archive } else { nil } }
  var repository: ModuleRepository? { if case .git(let repository) = self { repository } else { nil } }
  var reason: String? { if case .unsupported(let reason) = self { reason } else { nil } }
}
