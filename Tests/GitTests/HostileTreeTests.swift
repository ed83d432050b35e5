import Foundation
import Git
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct HostileTreeTests {
  /// A tree with any bytes for names, in git's order.
  private func tree(
    _ repository: GitRepository, _ entries: [(mode: String, name: [UInt8], id: String)], folder: TemporaryFolder
  ) async throws -> String {
    var bytes: [UInt8] = []
    for entry in entries {
      bytes += Array("\(entry.mode) ".utf8) + entry.name + [0]
      bytes += stride(from: 0, to: 40, by: 2).compactMap { UInt8(entry.id.dropFirst($0).prefix(2), radix: 16) }
    }
    return try await repository.git("hash-object", "--literally", "-t", "tree", "-w", "--stdin", input: bytes)
  }

  private func publish(_ tree: String, _ repository: GitRepository) async throws {
    let commit = try await repository.git("commit-tree", "-m", "x", tree)
    try await repository.git("update-ref", "refs/heads/main", commit)
  }

  @Test(arguments: [false, true]) func everyOddEntryIsReportedAndTheRestIsRead(overHTTP: Bool) async throws {
    let bench = try await Bench()
    let blob = try await bench.repository.git("hash-object", "-w", "--stdin", input: Array("text".utf8))
    let up = try await bench.repository.git("hash-object", "-w", "--stdin", input: Array("../../etc/passwd".utf8))
    let binary = try await bench.repository.git("hash-object", "-w", "--stdin", input: [0xFF, 0xFE])
    let folder = try await tree(bench.repository, [("100644", Array("in.tf".utf8), blob)], folder: bench.folder)
    let names: [(String, [UInt8], String)] = [
      ("100644", Array(".".utf8), blob), ("100644", Array("..".utf8), blob),
      ("40000", Array(".GIT".utf8), folder), ("40000", Array(".git".utf8), folder),
      ("100644", Array(".git. ".utf8), blob), ("120000", Array(".gitmodules".utf8), up),
      ("100644", Array("/etc/x".utf8), blob), ("100644", Array("a\nb".utf8), blob),
      ("100644", Array("a\\b".utf8), blob),
      ("100644", Array("a/../b".utf8), blob), ("100644", Array("git~1".utf8), blob),
      ("100644", [UInt8](repeating: 0x78, count: 5_000), blob), ("100664", Array("old.tf".utf8), blob),
      ("0100755", Array("run.sh".utf8), blob), ("160000", Array("sub".utf8), blob),
      ("100644", Array("twin".utf8), blob),
      ("100755", Array("twin".utf8), blob), ("20000", Array("device".utf8), blob), ("40000", Array("dir".utf8), folder),
      ("120000", Array("bad-link".utf8), binary), ("100644", [0x66, 0xFF], blob),
    ]
    try await publish(
      tree(bench.repository, names.map { ($0.0, $0.1, $0.2) }, folder: bench.folder), bench.repository)
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      let mirror = try bench.mirror(at: overHTTP ? url : nil)
      let commit = try #require(try await mirror.fetchBranch()).commit
      let root = try #require(try await mirror.trees(of: [Place(commit: commit)])[0])
      let contents = try #require(try await mirror.contents(of: root))
      #expect(Set(contents.files.map(\.path)) == [".gitmodules", "old.tf", "run.sh", "twin", "dir/in.tf"])
      #expect(contents.files.first { $0.path == ".gitmodules" }?.linkTarget == "../../etc/passwd")
      #expect(contents.files.filter(\.isExecutable).map(\.path) == ["run.sh"])
      var reasons: [String: RefusedEntry.Reason] = [:]
      for entry in contents.refused { reasons[entry.path] = entry.reason }
      for name in [".", "..", ".git", ".GIT", ".git. ", "/etc/x", "a/../b", "git~1"] {
        #expect(reasons[name] == .reservedName, "\(name)")
      }
      #expect(reasons["a\\x0ab"] == .forbiddenCharacter && reasons["a\\b"] == .forbiddenCharacter)
      #expect(reasons["f\\xff"] == .notUTF8 && reasons["bad-link"] == .notUTF8)
      #expect(reasons["twin"] == .duplicate && reasons["sub"] == .submodule && reasons["device"] == .unknownKind)
      #expect(reasons[String(repeating: "x", count: 100) + "…"] == .nameTooLong(limit: 255))
      #expect(contents.refused.count == 16)
    }
    #expect(!FileManager.default.fileExists(atPath: bench.folder.file("mirror/git/index").path))
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder.file("mirror/home").path).isEmpty)
  }

  @Test func aTreeThatIsNoneIsReported() async throws {
    let bench = try await Bench()
    let broken = try await bench.repository.git(
      "hash-object", "--literally", "-t", "tree", "-w", "--stdin", input: Array("100644 x".utf8))
    let root = try await tree(bench.repository, [("40000", Array("dir".utf8), broken)], folder: bench.folder)
    let mirror = try bench.mirror()
    // A server that walks its trees does not give it out.
    try await publish(root, bench.repository)
    let error = await #expect(throws: GitError.self) { try await mirror.fetchBranch() }
    #expect(error?.kind == .broken || error?.kind == .unreachable)
  }

  @Test func aFewTreesWithEndlessPathsAreStopped() async throws {
    let bench = try await Bench()
    let blob = try await bench.repository.git("hash-object", "-w", "--stdin", input: Array("x".utf8))
    var id = try await tree(bench.repository, [("100644", Array("f".utf8), blob)], folder: bench.folder)
    let names = (0..<10).map { Array("d\($0)".utf8) }
    for _ in 0..<9 { id = try await tree(bench.repository, names.map { ("40000", $0, id) }, folder: bench.folder) }
    let mirror = try bench.mirror()
    try await publish(
      tree(bench.repository, [("40000", [0x62], id), ("100644", [0x63], blob)], folder: bench.folder), bench.repository)
    let commit = try #require(try await mirror.fetchBranch()).commit
    let bomb = try #require(try await mirror.trees(of: [Place(commit: commit, path: "b")])[0])
    let listing = try #require(try await mirror.list([bomb])[bomb])
    #expect(listing.entries.isEmpty)
    #expect(listing.refused.map(\.reason) == [.tooManyEntries(limit: 100_000)])
    #expect(try await mirror.list([bomb], depth: 1)[bomb]?.entries.count == 10)
  }

  @Test func deepAndLongPathsAreRefused() async throws {
    let bench = try await Bench()
    let deep = (0..<300).map { "d\($0)" }.joined(separator: "/")
    try await bench.repository.commit([deep + "/f": "x", "g": "y"])
    let mirror = try bench.mirror()
    let commit = try #require(try await mirror.fetchBranch()).commit
    let root = try #require(try await mirror.trees(of: [Place(commit: commit)])[0])
    let contents = try #require(try await mirror.contents(of: root))
    #expect(contents.files.map(\.path) == ["g"])
    #expect(contents.refused.map(\.reason) == [.nameTooLong(limit: 1_024)])
  }

  @Test(arguments: [false, true]) func aLargeFileIsNeitherFetchedNorHeld(isPartial: Bool) async throws {
    let bench = try await Bench()
    var generator = SplitMix(seed: 1)
    let noise = (0..<400_000).map { _ in generator.next() }.withUnsafeBytes { Array($0) }
    let large = try await bench.repository.git("hash-object", "-w", "--stdin", input: noise)
    let small = try await bench.repository.git("hash-object", "-w", "--stdin", input: Array("x".utf8))
    try await publish(
      tree(bench.repository, [("100644", [0x61], large), ("100644", [0x62], small)], folder: bench.folder),
      bench.repository)
    var limits = Limits()
    limits.fileBytes = 1 << 20
    let server = GitHTTPServer(
      folder: bench.remotes, settings: ["uploadpack.allowFilter": isPartial ? "true" : "false"])
    try await server.serve { url in
      let mirror = try bench.mirror(at: url, limits: limits)
      let commit = try #require(try await mirror.fetchBranch()).commit
      let root = try #require(try await mirror.trees(of: [Place(commit: commit)])[0])
      let contents = try #require(try await mirror.contents(of: root))
      #expect(contents.files.map(\.path) == ["b"])
      #expect(contents.refused.map(\.reason) == [.fileTooLarge(limit: 1 << 20)])
      #expect((try bench.packedBytes() < 100_000) == isPartial)
      let id = try #require(ObjectID(large))
      let error = await #expect(throws: GitError.self) { try await mirror.blobs([id]) }
      #expect(error?.kind == .tooLarge)
    }
  }

  @Test func aModuleIsLimitedAsAWhole() async throws {
    let bench = try await Bench()
    try await bench.repository.commit([
      "big/a": String(repeating: "a", count: 60), "big/b": String(repeating: "b", count: 60), "ok/a": "a",
    ])
    var limits = Limits()
    limits.treeBytes = 100
    let mirror = try bench.mirror(limits: limits)
    let commit = try #require(try await mirror.fetchBranch()).commit
    let trees = try await mirror.trees(of: [Place(commit: commit, path: "big"), Place(commit: commit, path: "ok")])
    var all: [TreeContents] = []
    for try await tree in try await mirror.read(trees.compactMap { $0 }) { all.append(tree) }
    #expect(all[0].files.isEmpty && all[0].refused.map(\.reason) == [.tooLarge(limit: 100)])
    #expect(all[1].files.count == 1 && all[1].refused.isEmpty)
  }

  @Test func aFetchOverTheLimitIsStoppedAndLeavesNothing() async throws {
    let bench = try await Bench()
    var generator = SplitMix(seed: 2)
    let noise = (0..<100_000).map { _ in generator.next() }.withUnsafeBytes { Array($0) }
    let large = try await bench.repository.git("hash-object", "-w", "--stdin", input: noise)
    try await publish(tree(bench.repository, [("100644", [0x61], large)], folder: bench.folder), bench.repository)
    var limits = Limits()
    limits.fetchedBytes = 100 << 10
    let server = GitHTTPServer(folder: bench.remotes, settings: [:])
    try await server.serve { url in
      let mirror = try bench.mirror(at: url, limits: limits)
      let error = await #expect(throws: GitError.self) { try await mirror.fetchBranch() }
      #expect(error?.kind == .tooLarge)
      #expect(try bench.packedBytes() == 0)
    }
  }

  @Test func tooManyReferencesAreTooLarge() async throws {
    let bench = try await Bench()
    let commit = try await bench.repository.commit(["a": "a"])
    for number in 0..<4 { try await bench.repository.tag("v1.\(number).0", at: commit) }
    var limits = Limits()
    limits.references = 3
    let mirror = try bench.mirror(limits: limits)
    let error = await #expect(throws: GitError.self) { try await mirror.references() }
    #expect(error?.kind == .tooLarge)
  }

  /// What is below the longest path is not looked at: each level costs a process.
  @Test func aDeepChainOfFoldersEndsWhereItsPathIsTooLong() async throws {
    let bench = try await Bench()
    try await bench.repository.commit([String(repeating: "a/", count: 3_000) + "main.tf": "text", "main.tf": "text"])
    var limits = Limits()
    limits.pathBytes = 64
    let mirror = try bench.mirror(limits: limits)
    let commit = try #require(try await mirror.fetchBranch()).commit
    let root = try #require(try await mirror.trees(of: [Place(commit: commit)])[0])
    let start = ContinuousClock.now
    let contents = try #require(try await mirror.contents(of: root))
    #expect(start.duration(to: .now) < .seconds(8))
    #expect(contents.files.map(\.path) == ["main.tf"])
    #expect(contents.refused.map(\.reason) == [.nameTooLong(limit: 64)])
  }
}
