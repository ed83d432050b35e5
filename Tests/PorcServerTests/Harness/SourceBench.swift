import AsyncHTTPClient
import Foundation
import HTTPExchange
import Logging
import PorcCore
import PorcStore
import TerraformEnterprise
import TestKit

@testable import PorcServer

/// Sources without a server around them.
enum SourceBench {
  static func with(
    _ settings: CatalogSettings, _ logger: Logger, _ body: (SourceFactory) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let keyFile = folder.file("key").path
    try InputVault.makeKeyFile(at: keyFile)
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .plain)
    let tfe = TFESettings(address: URL(filePath: "/"), token: "", organization: "acme")
    let client = Client(
      Client.Configuration(address: tfe.address, token: BearerToken("")), httpClient: http, logger: logger)
    let outcome: Result<Void, any Error>
    do {
      let vault = try InputVault(keyFile: keyFile)
      outcome = .success(
        try await body(SourceFactory(settings, vault: vault, http: http, tfe: (client, tfe), logger: logger)))
    } catch {
      outcome = .failure(error)
    }
    try await http.shutdown()
    try outcome.get()
  }
}
