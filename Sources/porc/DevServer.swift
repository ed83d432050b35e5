import Foundation
import Logging
import PorcCore
import PorcServer
import PorcStore
import PortPortal
import Sandbox
import ServiceLifecycle

/// PORC in `porc dev`: waits for the two sandboxes, then serves with them.
struct DevServer: Service {
  let folder: DevFolder
  /// Where the two sandboxes listen, once they do.
  let tfeURL: @Sendable () async throws -> String
  let portURL: @Sendable () async throws -> String
  let host: String
  let listenPort: Int
  let templates: [String]
  /// Whether the portal is spoken to in the plain dialect.
  let isPlain: Bool
  let retention: TimeInterval?
  let approvalRequired: Bool
  let logger: Logger

  func run() async throws {
    let tfeURL = try await tfeURL()
    let portURL = try await portURL()
    let server = try PorcServer(try settings(tfe: tfeURL, port: portURL), logger: logger)
    try await Tokens(store: server.store).ensure(
      named: "porc dev", scopes: [.admin], in: folder.tokenFile)
    try await withThrowingTaskGroup { group in
      group.addTask { try await server.run() }
      group.addTask {
        try await announce(server, tfe: tfeURL, port: portURL)
      }
      try await group.next()
      // The announcement ends first; the server ends the service.
      while try await group.next() != nil {}
    }
  }

  private func settings(tfe tfeURL: String, port portURL: String) throws -> ServerSettings {
    guard let tfeAddress = URL(string: tfeURL), let portAddress = URL(string: portURL) else {
      throw Fault(.bug, "The sandboxes have no address.")
    }
    if !FileManager.default.fileExists(atPath: folder.keyFile) { try InputVault.makeKeyFile(at: folder.keyFile) }
    let credentials = PortClient.Credentials.clientCredentials(
      id: DevFolder.clientID, secret: try SecretFile.read(folder.portSecretFile))
    var portal = PortalSettings(baseURL: portAddress, credentials: credentials, setsUp: true)
    if isPlain {
      portal.dialect = .entities
      portal.credentials = .staticToken(try SecretFile.read(folder.portTokenFile))
      portal.setUpCredentials = credentials
    }
    var settings = ServerSettings(
      databasePath: folder.path("porc.sqlite"), secretKeyFile: folder.keyFile,
      tfe: TFESettings(
        address: tfeAddress, token: try SecretFile.read(folder.tfeTokenFile), organization: DevFolder.organization),
      portal: portal)
    settings.host = host
    settings.listenPort = listenPort
    settings.publicURL = .listening
    settings.followInterval = 2
    settings.catalog.folders = templates
    settings.catalog.interval = 2
    settings.catalog.cacheFolder = folder.path("cache")
    settings.catalog.allowsLocalPaths = true
    settings.catalog.webhookSecrets =
      ProcessInfo.processInfo.environment["GITHUB_WEBHOOK_SECRET"]?.split(separator: ",").map(String.init) ?? []
    settings.approvalRequired = approvalRequired
    if let retention { settings.retention = retention }
    return settings
  }

  /// The ready line: everything a script needs to find its way, and no secret.
  private func announce(_ server: PorcServer, tfe tfeURL: String, port portURL: String) async throws {
    let url = try await server.url()
    do {
      try await server.ready()
    } catch is CancellationError {
      return  // stopped before it was ready
    }
    try folder.remember(url: url)
    let members: [(String, String)] = [
      ("ready", "true"), ("porc", quoted(url)), ("tfe", quoted(tfeURL)), ("port", quoted(portURL)),
      ("console", quoted(portURL)), ("token_file", quoted(folder.tokenFile)),
      ("tfe_organization", quoted(DevFolder.organization)), ("tfe_token_file", quoted(folder.tfeTokenFile)),
      ("port_client_id", quoted(DevFolder.clientID)), ("port_client_secret_file", quoted(folder.portSecretFile)),
    ]
    Output.line("{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}")
    FileHandle.standardError.write(
      Data(
        """
        PORC listens on \(url), its data is in \(folder.root).
        What there is, and the buttons, in a browser: \(portURL)
        Try, in another terminal from this folder: pine templates
        Ctrl-C stops it and keeps everything.

        """.utf8))
  }

  private func quoted(_ text: String) -> String {
    // A string always encodes.
    (try? String(decoding: JSONEncoder.porc.encode(text), as: UTF8.self)) ?? "\"\""
  }
}
