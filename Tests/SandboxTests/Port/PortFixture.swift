import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Sandbox
import ServiceLifecycle
import Synchronization
import TestKit

/// A Port sandbox that runs, spoken to over a socket.
struct Port: Sendable {
  static let clientID = "client-1"
  static let clientSecret = "secret-1"
  static let apiToken = "static-token"

  /// An answer.
  struct Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: JSONValue

    func header(_ name: String) -> String? { headers.first(name: name) }
  }

  /// A time that a test moves.
  final class Time: Sendable {
    private let state = Mutex(Date(timeIntervalSince1970: 1_795_428_900))
    var now: Date { state.withLock { $0 } }
    func advance(by seconds: TimeInterval) { state.withLock { $0 += seconds } }
  }

  let sandbox: PortSandbox
  let url: String
  let time: Time

  /// Runs a sandbox around `body`, in a folder of its own unless one is given.
  @discardableResult
  static func run<Value: Sendable>(
    in folder: TemporaryFolder? = nil, time: Time = Time(), requestsPerWindow: Int = 35_000,
    _ body: (Port) async throws -> Value
  ) async throws -> Value {
    let folder = try folder ?? TemporaryFolder()
    let logger = Logger(label: "port") { _ in SwiftLogNoOpLogHandler() }
    let sandbox = PortSandbox(
      dataFolder: folder.path + "/data/port", clientID: clientID, clientSecret: clientSecret, apiToken: apiToken,
      requestsPerWindow: requestsPerWindow, logger: logger, now: { time.now })
    let group = ServiceGroup(configuration: .init(services: [sandbox], logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let result: Result<Value, any Error>
      do {
        result = .success(try await body(Port(sandbox: sandbox, url: try await sandbox.baseURL(), time: time)))
      } catch {
        result = .failure(error)
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      return try result.get()
    }
  }

  /// Sends a request, with the static token unless another one is given.
  func call(
    _ method: String, _ path: String, _ body: JSONValue? = nil, token: String? = apiToken
  ) async throws -> Answer {
    try await send(method, path, body?.bytes, token: token)
  }

  /// The same with any bytes as the body.
  func send(_ method: String, _ path: String, _ body: [UInt8]?, token: String? = apiToken) async throws -> Answer {
    var request = HTTPClientRequest(url: url + path)
    request.method = HTTPMethod(rawValue: method)
    if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    if let body {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(body)
    }
    request.headers.add(name: "User-Agent", value: "porc/1")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    let bytes = try await response.body.collect(upTo: 16 << 20)
    return Answer(
      status: Int(response.status.code), headers: response.headers,
      body: bytes.readableBytes == 0 ? .null : try JSONValue(parsing: bytes.readableBytesView))
  }

  /// Two blueprints as a platform has them: `template`, and `instance`, which relates to it.
  func setUp() async throws {
    for blueprint in [Self.template, Self.instance] {
      let answer = try await call("POST", "/v1/blueprints", blueprint)
      guard answer.status == 201 else { throw Refused(answer: answer) }
    }
  }

  /// Writes an entity and fails the test where Port refuses it.
  @discardableResult
  func create(_ blueprint: String, _ entity: JSONValue, query: String = "") async throws -> JSONValue {
    let answer = try await call("POST", "/v1/blueprints/\(blueprint)/entities\(query)", entity)
    guard (200..<300).contains(answer.status) else { throw Refused(answer: answer) }
    return answer.body["entity"]
  }

  func entity(_ blueprint: String, _ identifier: String) async throws -> JSONValue {
    try await call("GET", "/v1/blueprints/\(blueprint)/entities/\(identifier)").body["entity"]
  }

  struct Refused: Error { let answer: Answer }

  static let template: JSONValue = [
    "identifier": "template", "title": "Template", "schema": ["properties": ["owner": ["type": "string"]]],
    "relations": [:],
  ]

  static let instance: JSONValue = [
    "identifier": "instance", "title": "Instance",
    "schema": [
      "properties": [
        "status": [
          "type": "string", "enum": ["planned", "applied"], "enumColors": ["planned": "blue", "applied": "green"],
        ],
        "inputs": ["type": "object"], "count": ["type": "number", "minimum": 0, "maximum": 10],
        "on": ["type": "boolean"],
        "tags": ["type": "array", "items": ["type": "string"], "maxItems": 3],
        "link": ["type": "string", "format": "url"], "at": ["type": "string", "format": "date-time"],
        "mail": ["type": "string", "format": "email"], "address": ["type": "string", "format": "ipv4"],
        "code": ["type": "string", "pattern": "^[a-z]{3}$", "maxLength": 3],
      ],
      "required": ["status"],
    ],
    "relations": [
      "template": ["title": "Template", "target": "template", "required": false, "many": false],
      "uses": ["title": "Uses", "target": "template", "required": false, "many": true],
    ],
  ]
}
