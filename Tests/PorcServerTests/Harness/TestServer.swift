import AsyncHTTPClient
import Foundation
import HCL
import HTTPExchange
import Logging
import NIOCore
import NIOHTTP1
import PorcCore
import PorcStore
import PortPortal
import ServiceLifecycle
import TerraformEnterprise
import TestKit
import Testing

@testable import PorcServer

/// A whole server on a socket, with a small TFE and a small Port behind it.
struct TestServer: Sendable {
  let url: String
  let server: PorcServer
  let tfe: FakeTFE
  let port: FakePort
  let log: CollectedLog
  let templates: TemporaryFolder
  /// A token that may do everything.
  let admin: String

  /// Runs `body` with a server of its own.
  static func run(
    instances: [String] = ["web", "db"], _ change: (inout ServerSettings) -> Void = { _ in },
    _ body: @Sendable (TestServer) async throws -> Void
  ) async throws {
    let (tfe, port) = (FakeTFE(instances: instances), FakePort(identifiers: instances + ["web-1-0-0"]))
    let (folder, templates, log) = (try TemporaryFolder(), try Samples.templates(), CollectedLog())
    let keyFile = folder.file("key").path
    try InputVault.makeKeyFile(at: keyFile)
    try await tfe.server.serve { tfeURL in
      try await port.server.serve { portURL in
        var settings = ServerSettings(
          databasePath: folder.file("porc.sqlite").path, secretKeyFile: keyFile,
          tfe: TFESettings(
            address: try #require(URL(string: tfeURL)), token: FakeTFE.token, organization: FakeTFE.organization),
          portal: PortalSettings(
            baseURL: try #require(URL(string: portURL)),
            credentials: .clientCredentials(id: "client", secret: FakePort.secret)))
        settings.listenPort = 0
        settings.tfe.callsPerSecond = 1000  // it is on this machine, and has no limit
        settings.catalog.folders = [templates.path]
        change(&settings)
        let server = try PorcServer(settings, logger: log.logger)
        let group = ServiceGroup(
          configuration: .init(
            services: [.init(service: server, failureTerminationBehavior: .gracefullyShutdownGroup)],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          tasks.addTask { try await group.run() }
          let admin = try await Tokens(store: server.store).create(named: "admin", scopes: [.admin])
          try await server.ready(portal: false)
          let test = TestServer(
            url: try await server.url(), server: server, tfe: tfe, port: port, log: log, templates: templates,
            admin: admin)
          let outcome: Result<Void, any Error>
          do { outcome = .success(try await body(test)) } catch { outcome = .failure(error) }
          await group.triggerGracefulShutdown()
          try await tasks.waitForAll()
          try outcome.get()
        }
      }
    }
    withExtendedLifetime(folder) {}
  }

  /// What was answered.
  struct Reply: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }
    /// Null where it is no JSON.
    var json: Value { (try? JSONText.parse(bytes).value) ?? .null }
    var isProblem: Bool { headers.first(name: "Content-Type") == "application/problem+json" }
    /// The code of a problem.
    var code: String? { isProblem ? json["title"]?.stringValue : nil }
    func header(_ name: String) -> String? { headers.first(name: name) }
  }

  func token(_ name: String, _ scopes: Scope...) async throws -> String {
    try await Tokens(store: server.store).create(named: name, scopes: scopes)
  }

  /// Calls with the admin's token unless another one, or none (""), is named.
  func call(
    _ method: String, _ path: String, _ body: String? = nil, token: String? = nil, headers: [String: String] = [:]
  ) async throws -> Reply {
    let response = try await Self.http.execute(
      request(method, path, body, token: token, headers: headers), deadline: .now() + .seconds(30))
    let bytes = try await response.body.collect(upTo: 16 << 20)
    return Reply(status: Int(response.status.code), headers: response.headers, bytes: Array(bytes.readableBytesView))
  }

  func get(_ path: String, token: String? = nil, headers: [String: String] = [:]) async throws -> Reply {
    try await call("GET", path, token: token, headers: headers)
  }

  func post(
    _ path: String, _ body: String? = nil, token: String? = nil, headers: [String: String] = [:]
  ) async throws -> Reply {
    try await call("POST", path, body, token: token, headers: headers)
  }

  /// Reads a stream of events until `isEnough`, or its end.
  func stream(
    _ path: String, token: String? = nil, headers: [String: String] = [:], until isEnough: (String) -> Bool
  ) async throws -> String {
    let headers = headers.merging(["Accept": "text/event-stream"]) { $1 }
    let response = try await Self.http.execute(
      request("GET", path, nil, token: token, headers: headers), deadline: .now() + .seconds(30))
    #expect(response.status == .ok)
    var text = ""
    for try await part in response.body {
      text += String(buffer: part)
      if isEnough(text) { break }
    }
    return text
  }

  /// Does something while a stream is open.
  ///
  /// - Returns: whether it could be opened.
  @discardableResult
  func whileStreaming(_ path: String, _ work: () async throws -> Void) async throws -> Bool {
    let response = try await Self.http.execute(
      request("GET", path, nil, token: nil, headers: ["Accept": "text/event-stream"]),
      deadline: .now() + .seconds(30))
    var body = response.body.makeAsyncIterator()
    _ = try await body.next()
    try await work()
    return response.status == .ok
  }

  /// The head of a stream's answer.
  func head(ofStream path: String, headers: [String: String] = [:]) async throws -> Reply {
    let headers = headers.merging(["Accept": "text/event-stream"]) { $1 }
    let response = try await Self.http.execute(
      request("GET", path, nil, token: nil, headers: headers), deadline: .now() + .seconds(30))
    return Reply(status: Int(response.status.code), headers: response.headers, bytes: [])
  }

  private func request(
    _ method: String, _ path: String, _ body: String?, token: String?, headers: [String: String]
  ) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: url + path)
    request.method = HTTPMethod(rawValue: method)
    let token = token ?? admin
    if !token.isEmpty { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    return request
  }

  private static let http = HTTPClient(configuration: .plain)

  // MARK: Stories

  /// Submits the sample, and returns the run's id.
  func submit(
    _ blueprint: String = Samples.blueprint(), token: String? = nil, _ place: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let reply = try await post("/runs", blueprint, token: token)
    try #require(reply.status == 201, "\(reply.text)", sourceLocation: place)
    return try #require(reply.json["run_id"]?.stringValue)
  }

  /// Waits until the run is in one of these states.
  @discardableResult
  func wait(_ run: String, for states: String...) async throws -> Value {
    try await wait(run) { states.contains($0["status"]?.stringValue ?? "") }
  }

  /// Waits until a run's status is as it should be.
  @discardableResult
  func wait(_ run: String, until isRight: (Value) -> Bool) async throws -> Value {
    var reply = try await get("/runs/\(run)/status")
    while !isRight(reply.json) {
      let tag = reply.header("ETag") ?? ""
      let next = try await get("/runs/\(run)/status?wait=10", headers: ["If-None-Match": tag])
      if next.status == 304 { throw Stuck(status: reply.text) }
      reply = next
    }
    return reply.json
  }

  struct Stuck: Error { var status: String }

  /// Submits and plans.
  func planned(_ blueprint: String = Samples.blueprint(), token: String? = nil) async throws -> String {
    let run = try await submit(blueprint, token: token)
    let reply = try await post("/runs/\(run)/plan")
    try #require(reply.status == 202, "\(reply.text)")
    try await wait(run, for: "planned")
    return run
  }
}
