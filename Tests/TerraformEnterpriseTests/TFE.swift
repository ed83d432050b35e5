import AsyncHTTPClient
import Foundation
import HTTPExchange
import HTTPTypes
import Logging
import Retry
import TerraformEnterprise
import TestKit

/// A scripted Terraform Enterprise, and a client of it whose waits take no time.
struct TFE: Sendable {
  let server = ScriptedServer()
  let clock = TestClock()

  static let token = "secret-token-1"
  // Both are valid field names: the initialiser refuses only characters that a header cannot carry.
  static let apiVersion = HTTPField.Name("TFP-API-Version")!
  static let rateLimitReset = HTTPField.Name("X-RateLimit-Reset")!

  init() {
    server.on("GET /.well-known/terraform.json", .json(#"{"tfe.v2": "/api/v2/"}"#))
  }

  /// Runs `body` with the server up and a client of it.
  func serve<Value: Sendable>(
    _ change: @escaping @Sendable (inout Client.Configuration) -> Void = { _ in },
    _ body: @escaping @Sendable (Client) async throws -> Value
  ) async throws -> Value {
    let clock = clock
    return try await server.serve { url in
      try await Self.client(of: url, clock: clock, change, body)
    }
  }

  /// Runs `body` with a client of whatever is at `url`.
  static func client<Value: Sendable>(
    of url: String, clock: TestClock = TestClock(), _ change: (inout Client.Configuration) -> Void = { _ in },
    _ body: (Client) async throws -> Value
  ) async throws -> Value {
    guard let address = URL(string: url) else { throw BadURL() }
    var configuration = Client.Configuration(address: address, token: BearerToken(token), userAgent: "tests/1")
    configuration.clock = clock
    configuration.random = SplitMix(seed: 1)
    configuration.retryPolicy = RetryPolicy(maximumAttempts: 3)
    change(&configuration)
    let httpClient = HTTPClient(configuration: .plain)
    let client = Client(
      configuration, httpClient: httpClient, logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
    do {
      let value = try await body(client)
      try await httpClient.shutdown()
      return value
    } catch {
      try await httpClient.shutdown()
      throw error
    }
  }

  struct BadURL: Error {}

  /// The calls to the API, without the discovery.
  var calls: [String] { server.calls.filter { $0 != "GET /.well-known/terraform.json" } }
  /// The requests to the API, without the discovery.
  var requests: [ScriptedServer.Request] { server.requests.filter { $0.path != "/.well-known/terraform.json" } }

  /// The error that `body` ends with, or `nil`.
  func error(_ body: @escaping @Sendable (Client) async throws -> Void) async throws -> TFEError? {
    try await serve { client in
      do {
        try await body(client)
        return nil
      } catch let error as TFEError {
        return error
      }
    }
  }

  /// A JSON:API document of one resource.
  static func document(
    _ type: String, _ id: String, _ attributes: String, relationships: String = "{}", included: String = "[]",
    status: Int = 200
  ) -> ScriptedServer.Answer {
    .json(
      """
      {"data": {"id": "\(id)", "type": "\(type)", "attributes": \(attributes), "relationships": \(relationships)},
       "included": \(included)}
      """, status: status)
  }

  static func run(_ status: String = "pending", httpStatus: Int = 200) -> ScriptedServer.Answer {
    document("runs", "run-1", #"{"status": "\#(status)"}"#, status: httpStatus)
  }
}
