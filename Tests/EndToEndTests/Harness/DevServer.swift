import Foundation
import Processes
import TestKit
import Testing

/// `porc dev` with a folder of its own, and the three APIs it serves.
struct DevServer: Sendable {
  let folder: TemporaryFolder
  let server: Server
  let porc: API
  let tfe: API
  let port: API

  /// That of the suite; see ``DevServerTrait``.
  @TaskLocal static var shared: DevServer?

  static func current() throws -> DevServer { try #require(shared, "the suite has no .devServer()") }

  /// Where it keeps everything.
  var data: String { Self.data(in: folder) }
  private static func data(in folder: TemporaryFolder) -> String { folder.file("data").path }
  var templates: URL { folder.file("templates") }
  var log: URL { folder.file("porc.log") }

  /// Starts it in `folder`, where it may have been before.
  static func start(
    _ options: [String] = [], environment: [String: String] = [:], in folder: TemporaryFolder? = nil
  ) async throws -> DevServer {
    let folder = try folder ?? TemporaryFolder()
    try Modules.write(to: folder)
    let server = try await Server(
      [
        "dev", "--data", data(in: folder), "--templates", folder.file("templates").path, "--listen", "127.0.0.1:0",
        "--tfe-listen", "127.0.0.1:0", "--port-listen", "127.0.0.1:0",
      ] + options,
      environment: environment.merging(["PATH": try Gate.searchPath(in: folder)]) { $1 }, log: folder.file("porc.log"))
    do {
      return try await DevServer(folder, server)
    } catch {
      await server.abandon()
      throw error
    }
  }

  private init(_ folder: TemporaryFolder, _ server: Server) async throws {
    let ready = server.ready
    func secret(_ key: String) throws -> String {
      try String(contentsOfFile: try #require(ready[key].string), encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    self.folder = folder
    self.server = server
    porc = API(base: try #require(ready["porc"].string), token: try secret("token_file"))
    tfe = API(base: try #require(ready["tfe"].string), token: try secret("tfe_token_file"))
    port = try await API.port(
      at: try #require(ready["port"].string), clientID: try #require(ready["port_client_id"].string),
      secret: try secret("port_client_secret_file"))
  }

  /// Runs `story` with a server of its own, which ends properly afterwards.
  static func run(
    _ options: [String] = [], environment: [String: String] = [:], in folder: TemporaryFolder? = nil,
    _ story: (DevServer) async throws -> Void
  ) async throws {
    let dev = try await start(options, environment: environment, in: folder)
    do {
      try await story(dev)
    } catch {
      await dev.server.abandon()
      throw error
    }
    try await dev.server.stop()
  }

  /// Runs `pine` against this server.
  func pine(_ arguments: String..., token: String? = nil) async throws -> Executable.Ending {
    try await Executable.run(
      "pine", arguments, environment: ["PORC_URL": porc.base, "PORC_TOKEN": token ?? porc.token ?? ""],
      in: folder.path)
  }

  /// PORC's API as somebody with these scopes uses it.
  func porc(as name: String, scopes: String...) async throws -> API {
    let token = try await Executable.run(
      "porc", ["token", "create", name, "--data", data] + scopes.flatMap { ["--scope", $0] }
    ).exiting(0).answer
    return API(base: porc.base, token: token)
  }
}

extension API {
  /// Port's API with a token that it gives out for client credentials.
  static func port(at base: String, clientID: String, secret: String) async throws -> API {
    let answer = try await API(base: base).post(
      "/v1/auth/access_token", ["clientId": .string(clientID), "clientSecret": .string(secret)]
    ).expecting(200)
    let token: String = try #require(answer.json["accessToken"].string)
    return API(base: base, token: token)
  }
}

/// Gives a suite one `porc dev` for all its tests.
struct DevServerTrait: SuiteTrait, TestScoping {
  let options: [String]

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await DevServer.run(options) { dev in
      try await DevServer.$shared.withValue(dev) { try await function() }
    }
  }
}

extension Trait where Self == DevServerTrait {
  static func devServer(_ options: String...) -> DevServerTrait { DevServerTrait(options: options) }
}
