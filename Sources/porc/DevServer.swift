import Foundation
import Logging
import PorcCore
import PorcServer
import ServiceLifecycle

/// PORC in `porc dev`: waits for the two sandboxes, then serves with them.
struct DevServer: Service {
  let settings: DevSettings
  /// Where the two sandboxes listen, once they do.
  let tfeURL: @Sendable () async throws -> String
  let portURL: @Sendable () async throws -> String
  let logger: Logger

  private var folder: DevFolder { settings.folder }

  func run() async throws {
    let tfeURL = try await tfeURL()
    let portURL = try await portURL()
    let server = try PorcServer(try await settings.settings(tfe: tfeURL, port: portURL), logger: logger)
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

  /// The ready line: everything a script needs to find its way, and no secret.
  private func announce(_ server: PorcServer, tfe tfeURL: String, port portURL: String) async throws {
    let url = try await server.url()
    do {
      try await server.ready()
    } catch is CancellationError {
      return  // stopped before it was ready
    }
    try settings.write(tfe: tfeURL, port: portURL, porc: url)
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
        Whether all is well there, and what Port shows otherwise: porc doctor, porc port diff
        Ctrl-C stops it and keeps everything.

        """.utf8))
  }

  private func quoted(_ text: String) -> String {
    // A string always encodes.
    (try? String(decoding: JSONEncoder.porc.encode(text), as: UTF8.self)) ?? "\"\""
  }
}
