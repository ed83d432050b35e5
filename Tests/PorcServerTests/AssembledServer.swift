import Foundation
import Logging
import PorcStore
import PortPortal
import TestKit
import Testing

@testable import PorcServer

/// A whole server with a database of its own, and nobody behind it.
enum AssembledServer {
  /// The routes that the server registers.
  static func routes() async throws -> [Routes.Entry] {
    let folder = try TemporaryFolder()
    let keyFile = folder.file("key").path
    try InputVault.makeKeyFile(at: keyFile)
    // Nobody listens on port 1: what the server asks of them fails, and it goes on.
    let nowhere = try #require(URL(string: "http://127.0.0.1:1"))
    var settings = ServerSettings(
      databasePath: folder.file("porc.sqlite").path, secretKeyFile: keyFile,
      tfe: TFESettings(address: nowhere, token: "unused", organization: "acme"),
      portal: PortalSettings(baseURL: nowhere, credentials: .staticToken("unused")))
    settings.listenPort = 0
    let server = try PorcServer(settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    // It gives back what it opened when it ends, and only then.
    try await withThrowingTaskGroup { group in
      group.addTask { try? await server.run() }
      _ = try await server.url()
      group.cancelAll()
    }
    withExtendedLifetime(folder) {}
    return server.routes.entries
  }
}
