import AsyncHTTPClient
import Foundation
import HTTPTypes
import Logging
import PortPortal
import Retry
import Synchronization
import TestKit
import Testing

/// A scripted Port, a client of it, and the two clocks that the client reads.
final class PortScript: Sendable {
  static let tokenCall = "POST /v1/auth/access_token"

  let server = ScriptedServer()
  let clock = TestClock()
  /// The wall time that the client reads.
  let wall = Mutex(Date(timeIntervalSince1970: 1_700_000_000))
  private let tokens = Mutex(0)

  /// A Port that hands out `token-1`, `token-2`, … with the given life in seconds.
  init(tokenLife: Int = 10_800) {
    server.always(Self.tokenCall) { [self] _ in
      let number = tokens.withLock { count in
        count += 1
        return count
      }
      return .json(
        #"{"ok":true,"accessToken":"token-\#(number)","expiresIn":\#(tokenLife),"tokenType":"Bearer"}"#)
    }
  }

  /// Runs `body` with a client of this Port.
  @discardableResult
  func run<Value: Sendable>(
    _ credentials: PortClient.Credentials = .clientCredentials(id: "client", secret: "s3cret"),
    dialect: PortClient.Dialect = .api, retries: RetryPolicy = RetryPolicy(maximumAttempts: 3),
    requestTimeout: Duration = .seconds(30), answerLimit: Int = 32 << 20,
    http: HTTPClient = PortScript.http, _ body: (PortClient) async throws -> Value
  ) async throws -> Value {
    try await server.serve { _ in
      try await body(
        client(
          credentials, dialect: dialect, retries: retries, requestTimeout: requestTimeout, answerLimit: answerLimit,
          http: http))
    }
  }

  /// Another client of this Port, while it runs.
  func client(
    _ credentials: PortClient.Credentials, dialect: PortClient.Dialect = .api, retries: RetryPolicy = .never,
    requestTimeout: Duration = .seconds(30), answerLimit: Int = 32 << 20, http: HTTPClient = PortScript.http
  ) throws -> PortClient {
    PortClient(
      baseURL: try #require(URL(string: server.url)), credentials: credentials, dialect: dialect, http: http,
      retries: retries, requestTimeout: requestTimeout, answerLimit: answerLimit, userAgent: "test", clock: clock,
      now: { [self] in wall.withLock(\.self) }, logger: Self.silent)
  }

  /// The calls but those for tokens.
  var calls: [String] { requests.map(\.call) }
  var requests: [ScriptedServer.Request] { server.requests.filter { $0.call != Self.tokenCall } }
  var tokenCalls: Int { server.calls.count { $0 == Self.tokenCall } }

  /// Moves wall time forward.
  func pass(_ seconds: TimeInterval) { wall.withLock { $0 += seconds } }

  /// Follows redirects, as an HTTPClient does unless told otherwise. One connection a host: a second one that turns out
  /// not to be needed might still be on its way in when the scripted server stops, which NIO does not survive.
  private static let http = {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(configuration: configuration)
  }()

  private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

extension ScriptedServer.Request {
  /// The body as JSON.
  var json: JSON? { try? JSONDecoder().decode(JSON.self, from: Data(body)) }
  var authorization: String? { headers[.authorization] }
}

extension ScriptedServer.Answer {
  /// Port's error body.
  static func refusal(_ status: Int, _ error: String = "some_error", headers: HTTPFields = [:]) -> Self {
    .json(#"{"ok":false,"error":"\#(error)","message":"because"}"#, status: status, headers: headers)
  }

  static func entity(_ identifier: String) -> Self {
    .json(#"{"ok":true,"entity":{"identifier":"\#(identifier)","properties":{},"relations":{}}}"#)
  }
}

/// The error that `body` throws, if it is Port's.
func portError(_ body: () async throws -> some Any) async throws -> PortError? {
  do {
    _ = try await body()
    return nil
  } catch let error as PortError {
    return error
  }
}

func field(_ name: String) -> HTTPField.Name {
  guard let name = HTTPField.Name(name) else { preconditionFailure("'\(name)' is no field name") }
  return name
}
