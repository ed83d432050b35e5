import Archive
import Foundation
import PorcCore
import PorcStore
import TestKit
import Testing

@testable import PorcServer

/// Templates that call modules around their folder take them along.
struct ModuleReachTests {
  private static let region = #"variable "region" { type = string }"#

  private static func calls(_ sources: [String: String]) -> String {
    sources.sorted { $0.key < $1.key }.map { "module \"\($0)\" {\n  source = \"\($1)\"\n}\n" }.joined()
  }

  private static func call(_ source: String) -> String { calls(["net": source]) }

  /// A repository whose templates a catalog reads.
  private func withRepository(
    _ describe: (_ url: String) -> TemplateSource = { TemplateSource(name: "platform", place: .git($0)) },
    body: (GitRepository, CatalogBench) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let repository = try await GitRepository(folder.file("infra-modules.git").path)
    let server = GitHTTPServer(folder: folder.path)
    try await server.serve { url in
      let source = SourceDescription(source: describe("\(url)/infra-modules.git"), access: SourceAccess())
      try await CatalogBench.run([source], server: server) { try await body(repository, $0) }
    }
  }

  private func template(_ id: String, in bench: CatalogBench) async throws -> Template? {
    try await bench.store.template(Template.ID(id))
  }

  /// What is in a template's archive, by path.
  private func files(of id: String, in bench: CatalogBench) async throws -> [String: String] {
    let template = try #require(try await template(id, in: bench))
    return try Self.files(in: try #require(try await bench.store.blob(template.archive)))
  }

  private static func files(in archive: Data) throws -> [String: String] {
    let entries = try TarGzip.unpack(Array(archive))
    return Dictionary(
      uniqueKeysWithValues: entries.map { ($0.path, $0.linkTarget ?? String(decoding: $0.bytes, as: UTF8.self)) })
  }

  private static func read(_ folder: TemporaryFolder) async throws -> (files: [String: String], findings: [String]) {
    let reading = try await FolderSource(folder: folder.path).read()
    let web = reading.templates.first { $0.modulePath == "web/1.0.0" }
    let archive = web.flatMap { reading.archives[$0.archive] }
    return (try archive.map { try files(in: $0) } ?? [:], reading.findings.map(\.message))
  }

  private static func sources(_ text: String?) throws -> [String: String] {
    struct Override: Decodable { var module: [String: [String: String]] }
    let calls = try JSONDecoder().decode(Override.self, from: Data((text ?? "").utf8)).module
    #expect(calls.values.allSatisfy { Array($0.keys) == ["source"] })
    return calls.compactMapValues { $0["source"] }
  }

  // MARK: What is taken along

  @Test func whatIsCalledNearAndFarLiesInTheArchiveAsInTheRepository() async throws {
    try await withRepository {
      TemplateSource(name: "platform", place: .git($0), path: "templates")
    } body: { repository, bench in
      let root =
        Self.calls(["net": "../../../modules/network", "own": "./parts/a", "again": "../1.0.0/parts/b"])
        + "module \"far\" { source = \"hashicorp/consul/aws\" }\n" + Self.region
      try await repository.commit([
        "templates/web/1.0.0/main.tf": root,
        "templates/web/1.0.0/json.tf.json": #"{"module": {"json": {"source": "..\/..\/..\/modules/network"}}}"#,
        "templates/web/1.0.0/main_override.tf": "",
        "templates/web/1.0.0/parts/a/a.tf": Self.calls(["up": "../../../../../modules/dns", "b": "../b"]),
        "templates/web/1.0.0/parts/b/b.tf": "",
        "modules/network/main.tf": Self.calls([
          "sub": "./sub", "dns": "../dns", "back": "../../templates/web/1.0.0/parts/b",
        ]),
        "modules/network/sub/sub.tf": "", "modules/network/policy.json": "{}", "modules/network/.terraform/x": "x",
        "modules/network/terraform.tfstate": "{}", "modules/dns/main.tf": "", "modules/other/main.tf": "",
        "templates/db/1.0.0/main.tf": Self.region,
      ])
      try await bench.sync()
      #expect(try await bench.findings() == [])
      let files = try await files(of: "web-1-0-0", in: bench)
      let kept = "zzzz-porc-repository"
      #expect(
        Set(files.keys) == [
          "main.tf", "json.tf.json", "main_override.tf", "parts/a/a.tf", "parts/b/b.tf", "zzzz_porc_override.tf.json",
          "parts/a/zzzz_porc_override.tf.json", "\(kept)/modules/network/main.tf", "\(kept)/modules/network/sub/sub.tf",
          "\(kept)/modules/network/policy.json", "\(kept)/modules/dns/main.tf",
          "\(kept)/templates/web/1.0.0/parts/b/b.tf",
        ])
      #expect(files["main.tf"] == root, "the template's files are as they are")
      #expect(
        try Self.sources(files["zzzz_porc_override.tf.json"]) == [
          "net": "./\(kept)/modules/network", "json": "./\(kept)/modules/network", "again": "./parts/b",
        ])
      #expect(
        try Self.sources(files["parts/a/zzzz_porc_override.tf.json"]) == ["up": "../../\(kept)/modules/dns"])
      // It knows what its own files say, and nothing of the others.
      #expect(try await template("web-1-0-0", in: bench)?.inputs.map(\.name) == ["region"])
      #expect(Set(try await self.files(of: "db-1-0-0", in: bench).keys) == ["main.tf"])
    }
  }

  @Test func aFolderInAnotherIsTakenOnce() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.calls(["a": "../../modules/a", "z": "../../modules/z"]), to: "web/1.0.0/main.tf")
    try folder.write("", to: "modules/a/main.tf")
    try folder.write(Self.call("../"), to: "modules/z/main.tf")
    try folder.write("", to: "modules/all.tf")
    let (files, findings) = try await Self.read(folder)
    #expect(findings.filter { $0.hasPrefix("web") } == [])
    #expect(
      files.keys.filter { $0.hasPrefix("zzzz-porc-repository/") }.sorted() == [
        "zzzz-porc-repository/modules/a/main.tf", "zzzz-porc-repository/modules/all.tf",
        "zzzz-porc-repository/modules/z/main.tf",
      ])
  }

  /// The root of the repository is a module like others.
  @Test func theWholeRepositoryCanBeCalled() async throws {
    try await withRepository { repository, bench in
      try await repository.commit([
        "web/1.0.0/main.tf": Self.call("../.."), "main.tf": Self.region, "db/1.0.0/main.tf": Self.region,
      ])
      try await bench.sync()
      #expect(try await bench.findings() == [])
      let files = try await files(of: "web-1-0-0", in: bench)
      #expect(files.count == 5 && files["zzzz-porc-repository/db/1.0.0/main.tf"] == Self.region)
      #expect(
        try Self.sources(files["zzzz_porc_override.tf.json"]) == ["net": "./zzzz-porc-repository"])
    }
  }

  @Test func circlesEnd() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.call("../../modules/a"), to: "web/1.0.0/main.tf")
    try folder.write(Self.calls(["b": "../b", "me": "../a", "root": "../../web/1.0.0"]), to: "modules/a/main.tf")
    try folder.write(Self.call("../../modules/a/../b/../a"), to: "modules/b/main.tf")
    let (files, findings) = try await Self.read(folder)
    #expect(findings.filter { $0.hasPrefix("web") } == [])
    #expect(files.count == 5, "\(files.keys)")
  }

  @Test(.timeLimit(.minutes(1))) func aThousandModulesAreTakenAndOneMoreIsRefused() async throws {
    try await withRepository { repository, bench in
      func commit(_ count: Int) async throws {
        var files: [String: String] = [:]
        for number in 0..<count { files["modules/m\(number)/main.tf"] = "" }
        files["web/1.0.0/main.tf"] = Self.calls(
          Dictionary(uniqueKeysWithValues: (0..<count).map { ("m\($0)", "../../modules/m\($0)") }))
        files["db/1.0.0/main.tf"] = Self.region
        try await repository.commit(files)
        try await bench.sync()
      }
      try await commit(1_000)
      #expect(try await bench.findings() == [])
      #expect(try await files(of: "web-1-0-0", in: bench).count == 1_002)
      try await commit(1_001)
      #expect(
        try await bench.findings() == [
          "web/1.0.0: It calls modules in more than 1000 folders around its own."
        ])
      #expect(try await bench.store.templates().map(\.modulePath) == ["db/1.0.0"])
    }
  }

  // MARK: What changes

  @Test func aChangeInWhatIsTakenAlongIsAChange() async throws {
    try await withRepository { repository, bench in
      let first = try await repository.commit([
        "web/1.0.0/main.tf": Self.call("../../modules/net"), "db/1.0.0/main.tf": Self.call("../../modules/sql"),
        "modules/net/main.tf": "", "modules/sql/main.tf": "", "README.md": "",
      ])
      try await bench.sync()
      let before = try #require(try await template("web-1-0-0", in: bench))
      // What nobody calls changes nothing, and nothing is read.
      try await repository.commit(["README.md": "more", "modules/new/main.tf": ""])
      let version = try await bench.store.catalogVersion()
      try await bench.sync()
      #expect(try await bench.store.catalogVersion() == version)

      let third = try await repository.commit(["modules/net/main.tf": Self.region])
      try await bench.sync()
      let after = try #require(try await template("web-1-0-0", in: bench))
      #expect(after.archive != before.archive && after.commit == third)
      #expect(try await files(of: "web-1-0-0", in: bench)["zzzz-porc-repository/modules/net/main.tf"] == Self.region)
      #expect(try await bench.store.blob(before.archive) != nil, "runs that were submitted build from it")
      #expect(try await template("db-1-0-0", in: bench)?.commit == first, "it was not read again")
      #expect(try await bench.findings() == ["web/1.0.0: has changed although it was published."])

      // What is gone is missing.
      try await repository.commit(["modules/net": nil])
      try await bench.sync()
      #expect(try await bench.store.templates().map(\.modulePath) == ["db/1.0.0"])
      #expect(
        try await bench.findings() == [
          "web/1.0.0: main.tf: the module 'net' is in 'modules/net', where the repository has no module."
        ])
      try await repository.commit(["modules/net/main.tf": ""])
      try await bench.sync()
      #expect(try await template("web-1-0-0", in: bench)?.status == .active)
    }
  }

  @Test func nothingNewCostsOneQuestion() async throws {
    try await withRepository { repository, bench in
      try await repository.commit(["web/1.0.0/main.tf": Self.call("../../modules/net"), "modules/net/main.tf": ""])
      try await bench.sync()
      let before = bench.server.script.requests.count
      try await bench.sync()
      #expect(bench.server.script.requests.count - before <= 2)
    }
  }

  @Test func eachTagTakesAlongWhatThereWasThen() async throws {
    try await withRepository {
      TemplateSource(name: "modules", place: .git($0), layout: .tags)
    } body: { repository, bench in
      let files = ["web/main.tf": Self.call("../net"), "net/main.tf": "# one", "main.tf": Self.call("../net")]
      let first = try await repository.commit(files)
      try await repository.tag("web/v1.0.0", at: first)
      try await repository.tag("v1.0.0", at: first)
      let second = try await repository.commit(["net/main.tf": "# two"])
      try await repository.tag("web/v1.1.0", at: second)
      try await bench.sync()
      let path = "zzzz-porc-repository/net/main.tf"
      #expect(try await self.files(of: "web-1-0-0", in: bench)[path] == "# one")
      #expect(try await self.files(of: "web-1-1-0", in: bench)[path] == "# two")
      let outside = "infra-modules/1.0.0: main.tf: the module 'net' is outside of the repository."
      #expect(try await bench.findings() == [outside])
      // A tag that is moved: the module's own files are the same.
      try await repository.tag("web/v1.0.0", at: second)
      try await bench.sync()
      #expect(try await self.files(of: "web-1-0-0", in: bench)[path] == "# two")
      #expect(
        Set(try await bench.findings()) == [outside, "web/1.0.0: has changed although it was published."])
    }
  }

  @Test func aFolderSourceLooksAtWhatItsTemplatesTakeAlong() async throws {
    let (folder, data, log) = (try TemporaryFolder(), try TemporaryFolder(), CollectedLog())
    try folder.write(Self.call("../../shared"), to: "web/1.0.0/main.tf")
    var settings = CatalogSettings()
    settings.folders = [folder.path]
    settings.cacheFolder = data.file("cache").path
    let store = try SQLiteStore.open(path: data.file("porc.sqlite").path)
    try await SourceBench.with(settings, log.logger) { factory in
      func sync() async throws -> [String] {
        let sync = CatalogSync(store: store, factory: factory, logger: log.logger)
        try await sync.sync()
        return try await sync.report()[0].report.findings.map(\.message)
      }
      func archive() async throws -> String? { try await store.templates().first?.archive }
      let missing =
        "web/1.0.0: main.tf: the module 'net' is in 'shared', where the source's folder has no module."
      #expect(try await sync().contains(missing))
      try folder.write("", to: "shared/main.tf")
      #expect(try await !sync().contains { $0.hasPrefix("web") })
      let first = try #require(try await archive())
      let version = try await store.catalogVersion()
      for _ in 0..<2 { #expect(try await !sync().contains { $0.hasPrefix("web") }) }
      #expect(try await store.catalogVersion() == version)
      try folder.write(Self.region, to: "shared/more.tf")
      #expect(try await sync().contains("web/1.0.0: has changed although it was published."))
      #expect(try await archive() != first)
      try FileManager.default.removeItem(at: folder.file("shared"))
      #expect(try await sync().contains(missing))
      #expect(try await archive() == nil)
    }
    try await store.close()
  }

  // MARK: What is refused

  @Test(arguments: [
    ("../../..", "is outside of the repository."),
    ("../../../infra-modules/modules/net", "is outside of the repository."),
    ("../../modules/Net", "is in 'modules/Net', where the repository has no module."),
    ("../../modules/absent", "is in 'modules/absent', where the repository has no module."),
    ("../../modules/net/main.tf", "is in 'modules/net/main.tf', where the repository has no module."),
    ("../../linked", "is in 'linked', where the repository has no module."),
    ("../../linked/net", "is in 'linked/net', where the repository has no module."),
    ("../../out/etc", "is in 'out/etc', where the repository has no module."),
    ("../../.git", "is in '.git', where the repository has no module."),
    ("../../modules/.terraform/a", "is in 'modules/.terraform/a', where the repository has no module."),
    ("../../modules/$${a}", "is in 'modules/${a}', where the repository has no module."),
    (#"../../a\nb"#, "is in 'a?b', where the repository has no module."),
    ("../1.0.0/absent", "is in 'web/1.0.0/absent', where the repository has no module."),
  ])
  func whatCannotBeTakenIsAFinding(source: String, text: String) async throws {
    try await withRepository { repository, bench in
      var stream = "commit refs/heads/main\ncommitter a <a@example.com> 1700000000 +0000\ndata 0\n"
      func add(_ path: String, _ text: String, mode: String = "100644") {
        stream += "M \(mode) inline \(path)\ndata \(text.utf8.count)\n\(text)\n"
      }
      add("web/1.0.0/main.tf", Self.call(source))
      add("db/1.0.0/main.tf", Self.call("../../modules/net"))
      add("modules/net/main.tf", "")
      add("modules/.terraform/a/main.tf", "")
      add("modules/${a}/main.tf", "")
      add("linked", "modules", mode: "120000")
      add("out", "/", mode: "120000")
      try await repository.git("fast-import", "--quiet", "--force", input: Array(stream.utf8))
      try await bench.sync()
      #expect(try await bench.store.templates().map(\.modulePath) == ["db/1.0.0"])
      #expect(try await bench.findings() == ["web/1.0.0: main.tf: the module 'net' \(text)"])
      let finding = try await bench.catalog.report().first?.report.findings.first
      #expect(finding?.severity == .error && finding?.line == 1 && finding?.fix?.isEmpty == false)
    }
  }

  /// The same where the links are real.
  @Test(arguments: ["../../linked", "../../linked/net", "../../out/etc", "../../.git/net", "../../modules/Net"])
  func aFolderSourceFollowsNoLinks(source: String) async throws {
    let (folder, outside) = (try TemporaryFolder(), try TemporaryFolder())
    try folder.write(Self.call(source), to: "web/1.0.0/main.tf")
    try folder.write("", to: "modules/net/main.tf")
    try folder.write("", to: ".git/net/main.tf")
    try outside.write("", to: "etc/main.tf")
    let files = FileManager.default
    try files.createSymbolicLink(atPath: folder.file("linked").path, withDestinationPath: "modules")
    try files.createSymbolicLink(atPath: folder.file("out").path, withDestinationPath: outside.path)
    let read = try await Self.read(folder)
    #expect(read.files == [:])
    #expect(read.findings.contains { $0.hasPrefix("web/1.0.0: main.tf: the module 'net' is in") })
  }

  @Test(arguments: ["/etc/passwd", "../other/secret.tf"])
  func aLinkThatLeadsOutOfWhatIsTakenAlongIsRefused(target: String) async throws {
    try await withRepository { repository, bench in
      let stream = """
        commit refs/heads/main
        committer a <a@example.com> 1700000000 +0000
        data 0
        M 100644 inline web/1.0.0/main.tf
        data \(Self.call("../../modules/net").utf8.count)
        \(Self.call("../../modules/net"))
        M 100644 inline modules/other/secret.tf
        data 0

        M 120000 inline modules/net/main.tf
        data \(target.utf8.count)
        \(target)

        """
      try await repository.git("fast-import", "--quiet", "--force", input: Array(stream.utf8))
      try await bench.sync()
      #expect(try await bench.store.templates() == [])
      #expect(
        try await bench.findings() == [
          "web/1.0.0: What it calls in 'modules/net' cannot be taken along: "
            + "The link 'main.tf' points to '\(target)', out of its tree."
        ])
    }
  }

  @Test func aCallOfWhatIsTakenAlongMayLeadOutToo() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.call("../../modules/net"), to: "web/1.0.0/main.tf")
    try folder.write(Self.calls(["a": "../../../x", "b": "../absent", "c": "./absent"]), to: "modules/net/main.tf")
    let read = try await Self.read(folder)
    #expect(read.files == [:])
    #expect(
      read.findings.filter { $0.hasPrefix("web") } == [
        "web/1.0.0: modules/net/main.tf: the module 'a' is outside of the source's folder.",
        "web/1.0.0: modules/net/main.tf: the module 'b' is in 'modules/absent', where the source's folder has no module.",
        "web/1.0.0: modules/net/main.tf: the module 'c' is in 'modules/net/absent', where the source's folder has no module.",
      ])
  }

  /// Each folder keeps to the limits, and all together do not.
  @Test func theLimitsAreForTheWhole() async throws {
    let big = String(repeating: "#", count: 8 << 20)
    try await withRepository { repository, bench in
      try await repository.commit([
        "web/1.0.0/main.tf": Self.calls(["a": "../../modules/a", "b": "../../modules/b"]), "web/1.0.0/big.txt": big,
        "modules/a/main.tf": "", "modules/a/big.txt": big + "a", "modules/b/main.tf": "",
        "modules/b/big.txt": big + "b",
        "db/1.0.0/main.tf": Self.call("../../modules/a"),
      ])
      try await bench.sync()
      #expect(try await bench.store.templates().map(\.modulePath) == ["db/1.0.0"])
      #expect(
        try await bench.findings() == [
          "web/1.0.0: With the modules that it calls around its folder, its files are over 20971520 bytes together."
        ])
    }
  }

  @Test(arguments: [
    ("zzzz-porc-repository/x.tf", "zzzz-porc-repository: this name is PORC's own."),
    ("a/zzzz_porc_override.tf.json", "a/zzzz_porc_override.tf.json: this file's name is PORC's own."),
    ("zzzz_porc_override.tf.json", "'web/1.0.0' holds the file zzzz_porc_override.tf.json, which is PORC's own."),
  ])
  func theReservedNamesAreRefused(path: String, text: String) async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.region, to: "web/1.0.0/main.tf")
    try folder.write("{}", to: "web/1.0.0/\(path)")
    let read = try await Self.read(folder)
    #expect(read.files == [:])
    #expect(read.findings == ["web/1.0.0: \(text)"])
  }

  @Test func anOverrideThatIsReadAfterOursIsRefused() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.call("../../modules/net"), to: "web/1.0.0/main.tf")
    try folder.write(Self.call("../../modules/net"), to: "web/1.0.0/zzzzz_override.tf")
    try folder.write("", to: "modules/net/main.tf")
    let read = try await Self.read(folder)
    #expect(read.files == [:])
    #expect(
      read.findings.filter { $0.hasPrefix("web") } == [
        "web/1.0.0: zzzzz_override.tf: is read after zzzz_porc_override.tf.json, which PORC adds for the modules outside."
      ])
  }
}
