import AsyncHTTPClient
import Foundation
import HTTPExchange
import Logging
import ModuleRegistry
import TerraformEnterprise
import Testing

/// The clients that PORC reads its catalog with.
@Suite(.timeLimit(.minutes(1))) struct RegistryClientTests {
  @Test func theyFindAndFetchAModule() async throws {
    try await TFE.run { tfe in
      for name in ["net", "web"] {
        _ = try await tfe.createModule(name, "null")
        try await tfe.publish(name, "null", "1.0.0", RegistryTests.module)
      }
      let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .plain)
      let logger = Logger(label: "clients", factory: { _ in SwiftLogNoOpLogHandler() })
      do {
        let client = Client(
          .init(address: try #require(URL(string: tfe.url)), token: BearerToken(TFE.token)), httpClient: http,
          logger: logger)
        let modules = try await client.registryModules.list(organization: "acme", provider: "null").collected()
        #expect(modules.map(\.name) == ["net", "web"] && modules.allSatisfy { $0.namespace == "acme" })
        #expect(modules[0].usableVersions.map(\.version) == ["1.0.0"])

        var configuration = RegistryClient.Configuration(
          host: try RegistryHost(tfe.url.replacing("http://", with: "")), token: BearerToken(TFE.token))
        configuration.allowsPlainHTTP = true
        let registry = RegistryClient(configuration, httpClient: http, logger: logger)
        let address = try ModuleAddress("acme/net/null")
        #expect(try await registry.versions(of: address).versions == ["1.0.0"])
        guard case .archive(let archive) = try await registry.location(of: address, version: "1.0.0") else {
          throw NoArchive()
        }
        #expect(archive.format == .tarGzip)
        #expect(try await registry.download(archive).starts(with: [0x1F, 0x8B]))
      } catch {
        Issue.record(error)
      }
      try await http.shutdown()
    }
  }

  private struct NoArchive: Error {}
}
