import CryptoExtras
import Foundation
import HCL
import HTTPTypes
import PorcCore
import PorcStore
import TestKit
import Testing

@testable import PorcServer

/// Templates out of git repositories, over git's own transports.
struct GitSourceTests {
  private static let module = #"variable "region" { type = string }"#

  /// A repository behind HTTP, a database, and a sync of what `describe` makes of the repository's URL.
  private func withSync(
    demanding credentials: String? = nil, access: SourceAccess = SourceAccess(),
    _ describe: (_ url: String) -> TemplateSource, body: (GitRepository, CatalogBench) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let repository = try await GitRepository(folder.file("infra-modules.git").path)
    let server = GitHTTPServer(folder: folder.path, demanding: credentials)
    try await server.serve { url in
      let source = SourceDescription(source: describe("\(url)/infra-modules.git"), access: access)
      try await CatalogBench.run([source], server: server) { try await body(repository, $0) }
    }
  }

  private func folders(_ url: String) -> TemplateSource { TemplateSource(name: "platform", place: .git(url)) }

  @Test func aBranchHoldsAFolderForEachVersion() async throws {
    try await withSync(folders) { repository, bench in
      let commit = try await repository.commit([
        "web/1.0.0/main.tf": Self.module, "web/1.1.0/main.tf": Self.module, "db/2.0.0/main.tf": Self.module,
        "db/latest/main.tf": Self.module, "examples/1.0.0/main.tf": Self.module, "modules/net/main.tf": Self.module,
        ".github/CODEOWNERS": "* @acme/platform\n/db/ @acme/data\n", "README.md": "infra", "web/README.md": "web",
      ])
      try await bench.sync()
      let templates = try await bench.store.templates()
      #expect(templates.map(\.modulePath) == ["db/2.0.0", "web/1.1.0", "web/1.0.0"])
      #expect(templates.map(\.owner) == ["@acme/data", "@acme/platform", "@acme/platform"])
      #expect(templates.allSatisfy { $0.commit == commit && $0.source == "platform" })
      #expect(templates[0].repoURL?.hasSuffix("/infra-modules/db") == true, "\(templates[0].repoURL ?? "")")
      #expect(try await bench.findings() == ["db/latest: 'db/latest' is not NAME/VERSION with a SemVer version."])
    }
  }

  @Test func whatHasNotMovedCostsOneQuestion() async throws {
    try await withSync(folders) { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module])
      try await bench.sync()
      let version = try await bench.store.catalogVersion()
      let before = bench.server.script.requests.count
      try await bench.sync()
      // git asks for the protocol's version and for the references.
      #expect(bench.server.script.requests.count - before <= 2)
      #expect(try await bench.store.catalogVersion() == version)
    }
  }

  @Test func manyWhoAskAtOnceCostTwoLooks() async throws {
    try await withSync(folders) { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module])
      try await bench.sync()
      let before = bench.server.connections
      try await withThrowingTaskGroup { group in
        for _ in 0..<30 { group.addTask { try await bench.sync() } }
        try await group.waitForAll()
      }
      // One may be under way when the others come; all of these share the next, and so may a straggler or two.
      #expect(bench.server.connections - before <= 5)
    }
  }

  @Test func onlyWhatHasChangedIsTakenAnew() async throws {
    try await withSync(folders) { repository, bench in
      let first = try await repository.commit(["web/1.0.0/main.tf": Self.module, "db/1.0.0/main.tf": Self.module])
      try await bench.sync()
      let second = try await repository.commit(["web/1.1.0/main.tf": Self.module, "db/1.0.0": nil])
      try await bench.sync()
      #expect(
        try await bench.store.templates().map { "\($0.modulePath) \($0.commit ?? "")" }
          == ["web/1.1.0 \(second)", "web/1.0.0 \(first)"])
      #expect(try await bench.findings() == [])
    }
  }

  @Test func aPublishedVersionThatChangesIsTold() async throws {
    try await withSync(folders) { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module])
      try await bench.sync()
      let before = try #require(try await bench.store.template(Template.ID("web-1-0-0")))
      try await repository.commit(["web/1.0.0/main.tf": "# other\n" + Self.module], isOrphan: true)
      try await bench.sync()
      let after = try #require(try await bench.store.template(Template.ID("web-1-0-0")))
      #expect(after.archive != before.archive && after.commit != before.commit)
      #expect(try await bench.store.blob(before.archive) != nil, "runs that were submitted build from it")
      #expect(try await bench.findings() == ["web/1.0.0: has changed although it was published."])
    }
  }

  /// Who looks after a module is no content of it.
  @Test func anotherOwnerIsNoOtherModule() async throws {
    try await withSync(folders) { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module, "CODEOWNERS": "* @acme/one"])
      try await bench.sync()
      try await repository.commit(["CODEOWNERS": "* @acme/two"])
      try await bench.sync()
      #expect(try await bench.store.templates().map(\.owner) == ["@acme/two"])
      #expect(try await bench.findings() == [])
    }
  }

  @Test func tagsAreVersions() async throws {
    try await withSync {
      TemplateSource(name: "modules", place: .git($0), layout: .tags, template: "network")
    } body: { repository, bench in
      let first = try await repository.commit(["main.tf": Self.module, "bucket/main.tf": Self.module])
      try await repository.tag("v1.0.0", at: first, message: "first")
      try await repository.tag("bucket/v0.1.0", at: first)
      try await repository.tag("bucket-0.2.0-rc.1", at: first)
      try await repository.tag("v1", at: first)
      try await repository.tag("nightly", at: first)
      try await repository.tag("missing/v1.0.0", at: first)
      let second = try await repository.commit(["main.tf": "# new\n" + Self.module])
      try await repository.tag("2.0.0", at: second)
      try await bench.sync()
      #expect(
        try await bench.store.templates().map { "\($0.modulePath) \($0.commit ?? "")" } == [
          "bucket/0.2.0-rc.1 \(first)", "bucket/0.1.0 \(first)", "network/2.0.0 \(second)", "network/1.0.0 \(first)",
        ])
      let urls = try await bench.store.templates().compactMap(\.repoURL)
      #expect(urls.map { $0.hasSuffix("/infra-modules/bucket") } == [true, true, false, false])
      #expect(urls[2].hasSuffix("/infra-modules"))
      let findings = try await bench.findings()
      #expect(findings.count == 2, "\(findings)")
      #expect(findings.contains { $0.contains("A tag is no version by SemVer and passed over: v1.") })
      #expect(findings.contains { $0.contains("missing/1.0.0: the tag 'missing/v1.0.0' has no folder 'missing'.") })
      // A tag that is moved.
      try await repository.tag("v1.0.0", at: second)
      try await bench.sync()
      #expect(try await bench.store.template(Template.ID("network-1-0-0"))?.commit == second)
      #expect(try await bench.findings().contains("network/1.0.0: has changed although it was published."))
    }
  }

  @Test func aRepositoryIsReadOnlyWithItsToken() async throws {
    try await withSync(demanding: "x-access-token:s3cret-token", folders) { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module])
      try await bench.sync()
      let body = try #require(try await bench.catalog.report().first)
      #expect(body.report.error?.contains("infra-modules") == true && body.report.fix?.isEmpty == false)
      #expect(try await bench.store.templates() == [])
    }
    let access = SourceAccess(token: "s3cret-token")
    try await withSync(demanding: "x-access-token:s3cret-token", access: access, folders) { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module])
      try await bench.sync()
      #expect(try await bench.store.templates().count == 1)
      #expect(!"\(try await bench.catalog.report())\(bench.log.lines)".contains("s3cret-token"))
    }
  }

  /// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
  @Test func aGitHubAppSignsInByItself() async throws {
    let keys = try TemporaryFolder()
    let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    let file = try keys.write(key.pemRepresentation, to: "app.pem").path
    let access = SourceAccess(app: GitHubAppAccess(app: "12345", installation: "678", keyFile: file))
    try await withSync(demanding: "x-access-token:ghs_once", access: access, folders) { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module])
      let expires = Timestamp.text(Date().addingTimeInterval(3600))
      bench.server.script.on(
        "POST /api/v3/app/installations/678/access_tokens",
        .json(#"{"token": "ghs_once", "expires_at": "\#(expires)"}"#, status: 201))
      try await bench.sync()
      try await bench.sync()
      let report = try await bench.catalog.report()
      #expect(report.first?.report.templates == 1, "\(report)")
      let asked = bench.server.script.requests.filter { $0.path.hasPrefix("/api/v3") }
      #expect(asked.count == 1, "the token is good for an hour")
      let parts = try #require(asked[0].headers[.authorization]).dropFirst("Bearer ".count).split(separator: ".")
      let signature = _RSA.Signing.RSASignature(rawRepresentation: try #require(Data(base64URL: parts[2])))
      let signed = Data("\(parts[0]).\(parts[1])".utf8)
      #expect(key.publicKey.isValidSignature(signature, for: signed, padding: .insecurePKCS1v1_5))
      let claims = try JSONText.parse(Array(try #require(Data(base64URL: parts[1])))).value
      #expect(claims["iss"] == "12345")
      let (issued, ends) = (try #require(claims["iat"]?.intValue), try #require(claims["exp"]?.intValue))
      #expect(ends - issued <= 600 && issued < ends)
      #expect(!"\(report)\(bench.log.lines)".contains("ghs_once"))
    }
  }

  @Test func aRepositoryThatIsAwayKeepsItsTemplates() async throws {
    try await withSync(folders) { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module, "db/1.0.0/main.tf": Self.module])
      try await bench.sync()
      try await repository.git("update-ref", "-d", "refs/heads/main")
      try await bench.sync()
      #expect(try await bench.catalog.report().first?.report.error?.contains("is empty") == true)
      #expect(try await bench.store.templates().count == 2)
      try await repository.commit(["web/2.0.0/main.tf": Self.module])
      try await bench.sync()
      #expect(try await bench.catalog.report().first?.report.error == nil)
      #expect(try await bench.store.templates().map(\.modulePath) == ["web/2.0.0"])
    }
  }

  @Test func aBranchOrAFolderThatIsNotThereIsNamed() async throws {
    try await withSync {
      TemplateSource(name: "platform", place: .git($0), branch: "release")
    } body: { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module])
      try await bench.sync()
      #expect(try await bench.catalog.report().first?.report.error?.contains("no branch 'release'") == true)
    }
    try await withSync {
      TemplateSource(name: "platform", place: .git($0), path: "terraform")
    } body: { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.module])
      try await bench.sync()
      #expect(try await bench.catalog.report().first?.report.error?.contains("no folder 'terraform'") == true)
    }
  }

  /// Nothing in a repository leads out of it.
  @Test func hostileModulesAreLeftOutAlone() async throws {
    try await withSync(folders) { repository, bench in
      let blob = try await repository.git("hash-object", "-w", "--stdin", input: Array("/etc/passwd".utf8))
      let good = try await repository.git("hash-object", "-w", "--stdin", input: Array(Self.module.utf8))
      func tree(_ lines: String) async throws -> String {
        try await repository.git("mktree", "--missing", input: Array(lines.utf8))
      }
      let linked = try await tree("100644 blob \(good)\tmain.tf\n120000 blob \(blob)\tsecrets.tf\n")
      let foreign = try await tree(
        "100644 blob \(good)\tmain.tf\n160000 commit 0123456789012345678901234567890123456789\tvendor\n")
      let fine = try await tree("100644 blob \(good)\tmain.tf\n")
      func versions(_ tree: String) -> String { "040000 tree \(tree)\t1.0.0\n" }
      let root = try await tree(
        "040000 tree \(try await tree(versions(linked)))\tlinked\n"
          + "040000 tree \(try await tree(versions(foreign)))\tforeign\n"
          + "040000 tree \(try await tree(versions(fine)))\tfine\n")
      let commit = try await repository.git("commit-tree", root, "-m", "x")
      try await repository.git("update-ref", "refs/heads/main", commit)
      try await bench.sync()
      #expect(try await bench.store.templates().map(\.modulePath) == ["fine/1.0.0"])
      let findings = try await bench.findings().sorted()
      #expect(findings.count == 2 && findings[0].hasPrefix("foreign/1.0.0: 'vendor' is a submodule"), "\(findings)")
      #expect(findings.last?.hasPrefix("linked/1.0.0: The link 'secrets.tf' points to '/etc/passwd'") == true)
    }
  }
}

extension Data {
  /// Base64 for URLs, without padding (RFC 4648, section 5).
  fileprivate init?(base64URL text: Substring) {
    var text = text.replacing("-", with: "+").replacing("_", with: "/")
    while !text.utf8.count.isMultiple(of: 4) { text += "=" }
    self.init(base64Encoded: String(text))
  }
}
