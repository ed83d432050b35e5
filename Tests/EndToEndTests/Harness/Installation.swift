import Foundation
import Glibc
import TestKit
import Testing

/// An installation as in production: `porc serve`, and in place of the vendors' TFE and Port the two sandboxes, each a
/// process of its own on an address that it keeps.
actor Installation {
  nonisolated let folder: TemporaryFolder
  private var servers: [Name: Server] = [:]
  private var addresses: [Name: String] = [:]
  /// Where PORC is told to find a server, where that is not its own address.
  private var detours: [Name: String] = [:]
  private let token: String
  /// What PORC is told besides.
  private var settings: [String: String] = [:]

  enum Name: String { case porc, tfe, port }

  /// Runs `story` and ends what is still there properly afterwards.
  static func run(_ story: (Installation) async throws -> Void) async throws {
    let place = try await Installation()
    do {
      try await story(place)
    } catch {
      await place.abandon()
      throw error
    }
    try await place.stop()
  }

  private init() async throws {
    folder = try TemporaryFolder()
    try Modules.write(to: folder)
    let key = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
    for (name, text) in [("key", key), ("tfe-token", "tfe-\(UUID())"), ("port-secret", "port-\(UUID())")] {
      try #require(chmod(try folder.write(text, to: name).path, 0o600) == 0)
    }
    token = try await Executable.run(
      "porc", ["token", "create", "tests", "--scope", "admin"],
      environment: ["PORC_DATABASE_URL": "sqlite:\(folder.file("porc.sqlite").path)"]
    ).exiting(0).answer
  }

  // MARK: Who is there

  /// - Parameter faults: the trouble it rehearses, as its `--faults` takes it.
  func startTFE(faults: JSON? = nil) async throws {
    var options: [String] = []
    if let faults { options = ["--faults", try folder.write(faults.description, to: "faults.json").path] }
    try await start(.tfe) { address in
      [
        "sandbox", "tfe", "--listen", address, "--data", folder.file("tfe").path, "--organization", "acme",
        "--token-file", folder.file("tfe-token").path,
      ] + options
    }
  }

  func startPort() async throws {
    try await start(.port) { address in
      [
        "sandbox", "port", "--listen", address, "--data", folder.file("port").path, "--client-id", "acme",
        "--client-secret-file", folder.file("port-secret").path,
      ]
    }
  }

  /// - Parameters:
  ///   - settings: further ones, by their names in the environment.
  ///   - isTold: whether TFE is to tell it how its runs get on; else it polls.
  func startPORC(_ settings: [String: String] = [:], isTold: Bool = false) async throws {
    if isTold { try publish() }
    try await start(.porc, try environment().merging(settings) { $1 }) { address in ["serve"] }
  }

  /// From now on, PORC and its commands know where others reach it.
  func publish() throws { settings["PORC_PUBLIC_URL"] = "http://\(try address(of: .porc))" }

  /// What PORC is told.
  private func environment() throws -> [String: String] {
    [
      "TFE_ADDRESS": detours[.tfe] ?? addresses[.tfe] ?? "", "TFE_TOKEN": try secret("tfe-token"),
      "TFE_ORGANIZATION": "acme",
      "PORT_BASE_URL": detours[.port] ?? addresses[.port] ?? "", "PORT_CLIENT_ID": "acme",
      "PORT_CLIENT_SECRET": try secret("port-secret"),
      "PORT_SETUP": "yes", "PORC_DATABASE_URL": "sqlite:\(folder.file("porc.sqlite").path)",
      "PORC_SECRET_KEY_FILE": folder.file("key").path, "PORC_TEMPLATES": folder.file("templates").path,
    ].merging(settings) { $1 }
  }

  /// Runs one of the commands of `porc` with the server's settings.
  func runPorc(_ arguments: String...) async throws -> Executable.Ending {
    try await runPorc(arguments)
  }

  /// - Parameter settings: further ones, by their names in the environment.
  func runPorc(_ arguments: [String], _ settings: [String: String] = [:]) async throws -> Executable.Ending {
    try await Executable.run(
      "porc", arguments, environment: try environment().merging(settings) { $1 }, in: folder.path)
  }

  /// From its next start, PORC reaches that server, which must have been started, through the proxy.
  func send(_ name: Name, through proxy: FaultProxy, at url: String) throws {
    proxy.lead(to: try #require(addresses[name]))
    detours[name] = url
  }

  func stopTFE() async throws { try await servers.removeValue(forKey: .tfe)?.stop() }
  func stopPort() async throws { try await servers.removeValue(forKey: .port)?.stop() }
  func killPORC() async throws { try await servers.removeValue(forKey: .porc)?.kill() }
  func killTFE() async throws { try await servers.removeValue(forKey: .tfe)?.kill() }
  func killPort() async throws { try await servers.removeValue(forKey: .port)?.kill() }

  private func stop() async throws {
    for name in [Name.porc, .tfe, .port] { try await servers.removeValue(forKey: name)?.stop() }
  }

  private func abandon() async {
    for server in servers.values { await server.abandon() }
  }

  /// Starts a server on the address that it had before, the first time on a free one.
  private func start(
    _ name: Name, _ environment: [String: String] = [:], _ arguments: (_ address: String) -> [String]
  ) async throws {
    let address = try address(of: name)
    let server = try await Server(
      arguments(address),
      environment: environment.merging(["PATH": try Gate.searchPath(in: folder), "PORC_LISTEN": address]) { $1 },
      log: folder.file("\(name.rawValue).log"))
    servers[name] = server
    let url: String = try #require(server.ready[name.rawValue].string)
    addresses[name] = url
  }

  /// HOST:PORT of a server, from before its first start on.
  private func address(of name: Name) throws -> String {
    let url = try addresses[name] ?? "http://127.0.0.1:\(Self.freePort())"
    addresses[name] = url
    return url.replacing("http://", with: "")
  }

  /// A port that nobody listens on, below those that the system hands out to connections.
  static func freePort() throws -> UInt16 {
    for _ in 0..<100 {
      let port = UInt16.random(in: 15_000..<30_000)
      let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(socket) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      let isFree = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      if isFree { return port }
    }
    throw NeverHappened(description: "a free port was found")
  }

  // MARK: Their APIs

  func porc() throws -> API { API(base: try #require(addresses[.porc]), token: token) }
  func tfe() throws -> API { API(base: try #require(addresses[.tfe]), token: try secret("tfe-token")) }
  func port() async throws -> API {
    try await API.port(at: try #require(addresses[.port]), clientID: "acme", secret: try secret("port-secret"))
  }

  /// Runs `pine` against PORC.
  func pine(_ arguments: String...) async throws -> Executable.Ending {
    try await Executable.run(
      "pine", arguments, environment: ["PORC_URL": try #require(addresses[.porc]), "PORC_TOKEN": token],
      in: folder.path)
  }

  private func secret(_ name: String) throws -> String {
    try String(contentsOf: folder.file(name), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
