import AsyncHTTPClient
import Foundation
import HCL
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Sandbox
import ServiceLifecycle
import Synchronization
import TestKit

/// The embedded Port behind a way that fails now and then, in every manner in which Port and the net between can fail.
final class FaultyPort: Sendable {
  static let clientID = "client"
  static let clientSecret = "port-secret-never-shown"
  private static let apiToken = "a-person"

  enum Fault: String, CaseIterable, Sendable {
    case expiredToken, retryAfterSeconds, retryAfterDate, resetInSeconds, resetAtEpoch, resetAtAbsurdTime
    case errorAfterTheWrite, partlyFailed, tooLarge, droppedBefore, droppedAfter, brokenOff, unavailable, timeout
  }

  /// What was asked, and what Port answered.
  struct Exchange: Sendable {
    let method: String
    /// Path and query.
    let target: String
    let body: [UInt8]
    let status: Int
    let answer: [UInt8]
  }

  private struct State {
    var exchanges: [Exchange] = []
    var random: SplitMix
    var isCalm = true
    var made: [Fault: Int] = [:]
  }

  private let state: Mutex<State>
  private let direct: String
  private let http = HTTPClient.shared

  private init(_ direct: String, seed: UInt64) {
    self.direct = direct
    state = Mutex(State(random: SplitMix(seed: seed)))
  }

  /// - Parameter body: gets it and the URL at which it fails.
  static func run(seed: UInt64, _ body: @Sendable (FaultyPort, String) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    let logger = Logger(label: "port") { _ in SwiftLogNoOpLogHandler() }
    let sandbox = PortSandbox(
      dataFolder: folder.path + "/port", clientID: clientID, clientSecret: clientSecret, apiToken: apiToken,
      requestsPerWindow: 1_000_000, logger: logger)
    let group = ServiceGroup(configuration: .init(services: [sandbox], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let outcome: Result<Void, any Error>
      do {
        let port = FaultyPort(try await sandbox.baseURL(), seed: seed)
        let server = ScriptedServer { await port.answer($0) }
        outcome = .success(try await server.serve { try await body(port, $0) })
      } catch {
        outcome = .failure(error)
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      try outcome.get()
    }
    withExtendedLifetime(folder) {}
  }

  /// Whether it behaves. It does at first.
  var isCalm: Bool {
    get { state.withLock(\.isCalm) }
    set { state.withLock { $0.isCalm = newValue } }
  }

  /// How often it failed in which manner.
  var made: [Fault: Int] { state.withLock(\.made) }

  /// Everything that came through to Port, and its answers.
  var exchanges: [Exchange] { state.withLock(\.exchanges) }

  /// What a person does in Port, past all faults.
  @discardableResult
  func person(_ method: String, _ path: String, _ body: Value? = nil) async throws -> Value {
    var request = HTTPClientRequest(url: direct + path)
    request.method = HTTPMethod(rawValue: method)
    request.headers.add(name: "Authorization", value: "Bearer \(Self.apiToken)")
    request.headers.add(name: "Content-Type", value: "application/json")
    if let body { request.body = .bytes(ByteBuffer(string: body.json())) }
    let response = try await http.execute(request, timeout: .seconds(30))
    return (try? JSONText.parse(Array((try await response.body.collect(upTo: 64 << 20)).readableBytesView)).value)
      ?? .null
  }

  private func answer(_ request: ScriptedServer.Request) async -> ScriptedServer.Answer? {
    guard let fault = next(for: request) else { return await forward(request) }
    func refused(_ status: Int, _ headers: HTTPFields = [:]) -> ScriptedServer.Answer {
      .json(#"{"ok":false,"error":"fault","message":"A fault of the test."}"#, status: status, headers: headers)
    }
    func limited(_ name: String, _ value: String) -> ScriptedServer.Answer {
      HTTPField.Name(name).map { refused(429, [$0: value]) } ?? refused(429)
    }
    let now = Date()
    switch fault {
    case .expiredToken: return refused(401)
    case .retryAfterSeconds: return limited("Retry-After", "0.05")
    case .retryAfterDate: return limited("Retry-After", Self.httpDate(now + 1))
    case .resetInSeconds: return limited("x-ratelimit-reset", "0.05")
    case .resetAtEpoch: return limited("x-ratelimit-reset", "\(now.timeIntervalSince1970 + 0.05)")
    case .resetAtAbsurdTime: return limited("x-ratelimit-reset", "99999999999")
    case .errorAfterTheWrite:
      _ = await forward(request)
      return refused(500)
    case .partlyFailed: return await partly(request)
    case .tooLarge: return refused(413)
    case .droppedBefore: return .dropped
    case .droppedAfter:
      _ = await forward(request)
      return .dropped
    case .brokenOff: return await forward(request).brokenOff
    case .unavailable: return refused(503)
    case .timeout: return refused(408)
    }
  }

  private func next(for request: ScriptedServer.Request) -> Fault? {
    state.withLock { state in
      guard !state.isCalm, Int.random(in: 0..<6, using: &state.random) == 0 else { return nil }
      // Those that make sense here, rare ones first, so that none is left out.
      let isLarge = request.path.hasSuffix("/bulk") && Self.entities(of: request).count > 1
      let possible = Fault.allCases.filter { isLarge || ($0 != .partlyFailed && $0 != .tooLarge) }
      let fewest = possible.map { state.made[$0] ?? 0 }.min() ?? 0
      guard let fault = possible.filter({ state.made[$0] ?? 0 == fewest }).randomElement(using: &state.random) else {
        return nil
      }
      state.made[fault, default: 0] += 1
      return fault
    }
  }

  private static func entities(of request: ScriptedServer.Request) -> [Value] {
    (try? JSONText.parse(request.body).value["entities"]?.arrayValue) ?? []
  }

  /// Every second entity is written, the others fail.
  private func partly(_ request: ScriptedServer.Request) async -> ScriptedServer.Answer {
    let entities = Self.entities(of: request)
    let taken = entities.indices.filter { $0 % 2 == 0 }
    let body = Value.object(["entities": .array(taken.map { entities[$0] })]).json()
    let answer = await forward(request, body: Array(body.utf8))
    guard let document = try? JSONText.parse(answer.body).value else { return answer }
    func moved(_ key: String) -> [Value] {
      (document[key]?.arrayValue ?? []).map { item in
        var members = item.objectValue ?? [:]
        let index = members["index"]?.numberValue?.intValue ?? 0
        members["index"] = .number(Number(taken[index]))
        return .object(members)
      }
    }
    let failed = entities.indices.filter { $0 % 2 == 1 }.map { index -> Value in
      [
        "identifier": entities[index]["identifier"] ?? .null, "index": .number(Number(index)), "statusCode": 500,
        "error": "fault", "message": "A fault of the test.",
      ]
    }
    let whole: Value = ["ok": false, "entities": .array(moved("entities")), "errors": .array(moved("errors") + failed)]
    return .json(whole.json(), status: 207)
  }

  private func forward(_ request: ScriptedServer.Request, body: [UInt8]? = nil) async -> ScriptedServer.Answer {
    let target = request.path + (request.query.isEmpty ? "" : "?\(request.query)")
    var outgoing = HTTPClientRequest(url: direct + target)
    outgoing.method = HTTPMethod(rawValue: request.method)
    for field in request.headers where ![.contentLength, .connection].contains(field.name) {
      outgoing.headers.add(name: field.name.rawName, value: field.value)
    }
    let body = body ?? request.body
    if !body.isEmpty { outgoing.body = .bytes(body) }
    do {
      let response = try await http.execute(outgoing, timeout: .seconds(30))
      let bytes = try await response.body.collect(upTo: 64 << 20)
      let status = Int(response.status.code)
      let exchange = Exchange(
        method: request.method, target: target, body: body, status: status, answer: Array(bytes.readableBytesView))
      state.withLock { $0.exchanges.append(exchange) }
      return .json(String(buffer: bytes), status: status)
    } catch {
      return .status(502)
    }
  }

  private static func httpDate(_ date: Date) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = .gmt
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.string(from: date)
  }
}
