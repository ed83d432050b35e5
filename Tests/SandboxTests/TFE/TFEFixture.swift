import Archive
import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Sandbox
import ServiceLifecycle

/// A folder of the test's own, gone after it.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = NSTemporaryDirectory() + "/sandbox-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

/// A sandbox that runs, spoken to over a socket.
struct TFE: Sendable {
  let sandbox: TFESandbox
  let url: String
  let folder: String
  let token: String

  static let token = "test-token"

  /// Runs a sandbox of its own around `body`, in a folder of its own unless one is given.
  static func run(
    terraform: String? = nil, concurrency: Int = 4, faults: FaultPlan? = nil, features: TFEFeatures = .init(),
    coolOff: Duration = .seconds(10), stopGrace: Duration = .seconds(20),
    environment: [String: String] = [:], body: (TFE) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      try await run(
        in: folder, terraform: terraform, concurrency: concurrency, faults: faults, features: features,
        coolOff: coolOff,
        stopGrace: stopGrace, environment: environment, body: body)
    }
  }

  static func run(
    in folder: String, terraform: String? = nil, concurrency: Int = 4, faults: FaultPlan? = nil,
    features: TFEFeatures = .init(),
    coolOff: Duration = .seconds(10), stopGrace: Duration = .seconds(20), environment: [String: String] = [:],
    body: (TFE) async throws -> Void
  ) async throws {
    var logger = Logger(label: "sandbox")
    logger.logLevel = .critical
    let sandbox = TFESandbox(
      host: "127.0.0.1", port: 0, dataFolder: folder + "/data", organization: "acme", token: token,
      workerEnvironment: environment, terraform: terraform, concurrency: concurrency, faults: faults,
      features: features,
      forceCancelCoolOff: coolOff, stopGrace: stopGrace, logger: logger)
    let group = ServiceGroup(configuration: .init(services: [sandbox], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let url = try await sandbox.baseURL()
      let result: Result<Void, any Error>
      do {
        result = .success(try await body(TFE(sandbox: sandbox, url: url, folder: folder, token: token)))
      } catch {
        result = .failure(error)
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      try result.get()
    }
  }

  struct Answer {
    let status: Int
    let body: [UInt8]
    let location: String?
    var headers: [String: String] = [:]

    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    var text: String { String(decoding: body, as: UTF8.self) }
    var data: JSONValue { json["data"] }
    var id: String { data["id"].string ?? "" }
    var attributes: JSONValue { data["attributes"] }
    var detail: String { json["errors"][0]["detail"].string ?? "" }
  }

  /// - Parameter path: below `/api/v2`, unless it begins with `/_` or `/api/`; or a whole URL, to which no token goes.
  func send(
    _ method: String, _ path: String, _ document: JSONValue? = nil, bytes: [UInt8]? = nil, token: String? = TFE.token
  ) async throws -> Answer {
    let isURL = path.hasPrefix("http")
    let isWhole = path.hasPrefix("/_") || path.hasPrefix("/api/")
    var request = HTTPClientRequest(url: isURL ? path : url + (isWhole ? "" : "/api/v2") + path)
    request.method = .RAW(value: method)
    if !isURL, let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    if let document {
      request.headers.add(name: "Content-Type", value: "application/vnd.api+json")
      request.body = .bytes(ByteBuffer(bytes: document.bytes))
    }
    if let bytes {
      request.headers.add(name: "Content-Type", value: "application/octet-stream")
      request.body = .bytes(ByteBuffer(bytes: bytes))
    }
    let response = try await Self.client.execute(request, timeout: .seconds(60))
    let body = try await response.body.collect(upTo: 64 << 20)
    return Answer(
      status: Int(response.status.code), body: Array(body.readableBytesView),
      location: response.headers.first(name: "Location"),
      headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { $1 })
  }

  private static let client = HTTPClient(
    eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))

  func get(_ path: String) async throws -> Answer { try await send("GET", path) }

  func post(_ path: String, _ document: JSONValue? = nil) async throws -> Answer {
    try await send("POST", path, document)
  }
}

/// What clients of runs do, step by step.
extension TFE {
  func createWorkspace(_ name: String, _ attributes: JSONValue = [:]) async throws -> String {
    var attributes = attributes
    attributes["name"] = .string(name)
    let answer = try await post(
      "/organizations/acme/workspaces", ["data": ["type": "workspaces", "attributes": attributes]])
    guard answer.status == 201 else { throw Unexpected(answer) }
    return answer.id
  }

  func upload(_ workspace: String, _ files: [String: String], _ attributes: JSONValue = [:]) async throws -> String {
    var attributes = attributes
    if attributes["auto-queue-runs"].isNull { attributes["auto-queue-runs"] = false }
    let version = try await post(
      "/workspaces/\(workspace)/configuration-versions",
      ["data": ["type": "configuration-versions", "attributes": attributes]])
    let archive = try TarGzip.pack(files.map { ArchiveEntry(path: $0.key, text: $0.value) })
    let answer = try await send("PUT", version.attributes["upload-url"].string ?? "", bytes: archive)
    guard answer.status == 200 else { throw Unexpected(answer) }
    return version.id
  }

  func createRun(_ workspace: String, _ version: String? = nil, _ attributes: JSONValue = [:]) async throws -> Answer {
    var relationships: JSONValue = ["workspace": ["data": ["type": "workspaces", "id": .string(workspace)]]]
    if let version {
      relationships["configuration-version"] = ["data": ["type": "configuration-versions", "id": .string(version)]]
    }
    return try await post(
      "/runs", ["data": ["type": "runs", "attributes": attributes, "relationships": relationships]])
  }

  func startRun(_ workspace: String, _ version: String? = nil, _ attributes: JSONValue = [:]) async throws -> String {
    let answer = try await createRun(workspace, version, attributes)
    guard answer.status == 201 else { throw Unexpected(answer) }
    return answer.id
  }

  /// Reads the run until it has one of these statuses. A final one that is not among them fails at once.
  @discardableResult
  func wait(for run: String, _ statuses: Set<String>) async throws -> Answer {
    while true {
      let answer = try await get("/runs/\(run)?include=plan,apply")
      let status = answer.attributes["status"].string ?? ""
      if statuses.contains(status) { return answer }
      let final: Set = [
        "applied", "planned_and_finished", "discarded", "errored", "canceled", "force_canceled", "",
      ]
      guard !final.contains(status) else { throw Unexpected(answer) }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  func status(_ run: String) async throws -> String? { try await get("/runs/\(run)").attributes["status"].string }

  /// Configures, plans and applies.
  @discardableResult
  func apply(_ workspace: String, _ files: [String: String], _ attributes: JSONValue = [:]) async throws -> Answer {
    var attributes = attributes
    attributes["auto-apply"] = true
    let run = try await startRun(workspace, upload(workspace, files), attributes)
    return try await wait(for: run, ["applied", "planned_and_finished"])
  }

  func outputs(_ workspace: String) async throws -> [String: JSONValue] {
    let list = try await get("/workspaces/\(workspace)/current-state-version-outputs")
    return Dictionary(
      uniqueKeysWithValues: (list.data.array ?? []).map {
        ($0["attributes"]["name"].string ?? "", $0["attributes"]["value"])
      })
  }

  /// The whole log of a run's plan or apply, once it is complete.
  func log(_ run: String, _ phase: String) async throws -> String {
    let answer = try await get("/runs/\(run)")
    let type = phase == "plan" ? "plans" : "applies"
    let id = answer.data["relationships"][phase]["data"]["id"].string ?? ""
    let url = try await get("/\(type)/\(id)").attributes["log-read-url"].string ?? ""
    while true {
      let text = try await get(url).text
      if text.hasSuffix("\u{3}") { return text }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  struct Unexpected: Error, CustomStringConvertible {
    let answer: Answer
    init(_ answer: Answer) { self.answer = answer }
    var description: String { "unexpected answer \(answer.status): \(answer.text)" }
  }
}

/// Configurations that need no provider.
enum Configuration {
  static let one = [
    "main.tf": """
    variable "a" {
      default = "a"
    }
    resource "terraform_data" "x" {
      input = var.a
    }
    output "o" {
      value = terraform_data.x.output
    }
    output "s" {
      value     = "hidden-output"
      sensitive = true
    }
    """
  ]

  /// An apply that lasts until it is interrupted, after one resource was made.
  static let endless = [
    "main.tf": """
    resource "terraform_data" "first" {
      input = "made"
    }
    resource "terraform_data" "endless" {
      depends_on = [terraform_data.first]
      provisioner "local-exec" {
        command = "sleep 600"
      }
    }
    """
  ]
}
