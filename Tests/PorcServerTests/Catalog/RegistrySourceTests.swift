import Archive
import Foundation
import HTTPTypes
import PorcCore
import PorcStore
import TestKit
import Testing

@testable import PorcServer

/// Templates out of a module registry, over its protocol.
struct RegistrySourceTests {
  private static func archive(_ text: String) throws -> [UInt8] {
    try TarGzip.pack([
      ArchiveEntry(path: "network-main/main.tf", text: text),
      ArchiveEntry(path: "network-main/blueprint.yaml", text: "owner: network-team\n"),
    ])
  }

  @Test func eachVersionIsATemplate() async throws {
    let registry = ScriptedServer()
    try await registry.serve { url in
      let port = url.split(separator: ":").last ?? ""
      registry.on("GET /.well-known/terraform.json", .json(#"{"modules.v1": "/v1/modules/"}"#))
      let versions = #"{"modules": [{"versions": [{"version": "1.0.0"}, {"version": "v1.1.0"}, {"version": "bad"}]}]}"#
      registry.on("GET /v1/modules/acme/network/aws/versions", .json(versions), .json(versions))
      for version in ["1.0.0", "1.1.0"] {
        registry.on(
          "GET /v1/modules/acme/network/aws/\(version)/download",
          .status(204, headers: [.init("X-Terraform-Get")!: "/files/\(version).tar.gz//*?archive=tar.gz"]))
        registry.on(
          "GET /files/\(version).tar.gz",
          .status(200, body: try Self.archive("variable \"cidr\" { type = string }\n# \(version)")))
      }
      let source = TemplateSource(
        name: "shared", place: .registry("127.0.0.1:\(port)"), modules: ["acme/network/aws"])
      try await CatalogBench.run(
        [SourceDescription(source: source, access: SourceAccess(token: "s3cret"))], server: GitHTTPServer(folder: "/"),
        allowingLocal: true
      ) { bench in
        try await bench.sync()
        let report = try #require(try await bench.catalog.report().first).report
        #expect(report.error == nil, "\(report)")
        #expect(
          try await bench.store.templates().map { "\($0.modulePath) \($0.owner ?? "")" }
            == ["network-aws/1.1.0 network-team", "network-aws/1.0.0 network-team"])
        #expect(
          report.findings.map(\.message) == ["acme/network/aws: no SemVer, and passed over: bad."])
        // Nothing new: one question, and no archive.
        let before = registry.requests.count
        try await bench.sync()
        #expect(registry.requests.count == before + 1)
      }
    }
  }

  @Test func aModuleThatIsNotThereIsSaid() async throws {
    let registry = ScriptedServer()
    try await registry.serve { url in
      let port = url.split(separator: ":").last ?? ""
      registry.on("GET /.well-known/terraform.json", .json(#"{"modules.v1": "/v1/modules/"}"#))
      registry.on("GET /v1/modules/acme/network/aws/versions", .status(404))
      let source = TemplateSource(
        name: "shared", place: .registry("127.0.0.1:\(port)"), modules: ["acme/network/aws"])
      try await CatalogBench.run(
        [SourceDescription(source: source)], server: GitHTTPServer(folder: "/"), allowingLocal: true
      ) { bench in
        try await bench.sync()
        let report = try #require(try await bench.catalog.report().first).report
        #expect(report.error?.contains("acme/network/aws") == true && report.fix?.isEmpty == false, "\(report)")
      }
    }
  }

  @Test func aTokensFileHoldsTheTokenAlone() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("t0ken\nanother\n", to: "token").path
    let source = TemplateSource(name: "shared", place: .registry("127.0.0.1:1"), modules: ["acme/network/aws"])
    try await CatalogBench.run(
      [SourceDescription(source: source, access: SourceAccess(tokenFile: file))], server: GitHTTPServer(folder: "/")
    ) { bench in
      try await bench.sync()
      let error = try await bench.catalog.report().first?.report.error ?? ""
      #expect(error.contains(file) && error.contains("line ends") && !error.contains("t0ken"), "\(error)")
    }
  }
}
