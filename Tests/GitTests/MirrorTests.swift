import Foundation
import Git
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct MirrorTests {
  @Test func aRemoteTellsWhatItHas() async throws {
    let bench = try await Bench()
    let first = try await bench.repository.commit(["a/main.tf": "1"])
    try await bench.repository.tag("v1.0.0", at: first)
    try await bench.repository.tag("gke-cluster/v1.0.0", at: first, message: "first")
    let tagID = try await bench.repository.git("rev-parse", "refs/tags/gke-cluster/v1.0.0")
    let mirror = try bench.mirror()

    let references = try await mirror.references()
    #expect(references.head?.name == "refs/heads/main")
    #expect(references.head?.commit.description == first)
    #expect(Set(references.branches.keys) == ["main"])
    #expect(references.tags["v1.0.0"]?.commit.description == first)
    let annotated = try #require(references.tags["gke-cluster/v1.0.0"])
    #expect(annotated.id.description == tagID && annotated.commit.description == first)
    let short = try await mirror.references(withHead: false)
    #expect(short.head == nil && short.tags == references.tags && short.branches == references.branches)
  }

  @Test func anEmptyRepositoryHasNothing() async throws {
    let bench = try await Bench()
    let references = try await bench.mirror().references()
    #expect(references.isEmpty && references.head == nil)
  }

  @Test(arguments: [false, true]) func aBranchIsReadFolderByFolder(overHTTP: Bool) async throws {
    let bench = try await Bench()
    try await bench.repository.commit([
      "README.md": "hi", "modules/net/1.0.0/main.tf": "net 1", "modules/net/1.1.0/main.tf": "net 1.1",
      "modules/net/1.1.0/files/a.txt": "a", "modules/vm/2.0.0/main.tf": "vm 2",
    ])
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      let mirror = try bench.mirror(at: overHTTP ? url : nil)
      let branch = try #require(try await mirror.fetchBranch())
      let root = try #require(try await mirror.trees(of: [Place(commit: branch.commit, path: "modules")])[0])
      let listing = try #require(try await mirror.list([root], depth: 2)[root])
      #expect(listing.entries.map(\.path) == ["net", "net/1.0.0", "net/1.1.0", "vm", "vm/2.0.0"])
      #expect(listing.entries.allSatisfy { $0.kind == .folder } && listing.refused.isEmpty)
      #expect(try await mirror.texts(branch.commit, "modules/net/1.1.0") == ["main.tf": "net 1.1", "files/a.txt": "a"])

      var read: [String] = []
      for try await tree in try await mirror.read(listing.entries.map(\.id)) { read.append(tree.files[0].path) }
      #expect(read == ["1.0.0/main.tf", "main.tf", "files/a.txt", "2.0.0/main.tf", "main.tf"])
    }
  }

  @Test func nothingNewCostsOneRequestAndNothingIsFetchedTwice() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["net/1.0.0/main.tf": "net"])
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      let mirror = try bench.mirror(at: url)
      let branch = try #require(try await mirror.fetchBranch())
      #expect(try await mirror.texts(branch.commit, "net/1.0.0") == ["main.tf": "net"])
      // Asked, fetched, and the contents.
      #expect(server.connections == 3)

      _ = try await mirror.fetchBranch()
      #expect(server.connections == 4)
      #expect(try await mirror.texts(branch.commit, "net/1.0.0") == ["main.tf": "net"])
      #expect(try await mirror.blobs([]).isEmpty)
      #expect(server.connections == 4)
    }
  }

  @Test func anotherMirrorOfTheFolderGoesOnWhereTheFirstEnded() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["net/1.0.0/main.tf": "net"])
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      let mirror = try bench.mirror(at: url)
      let branch = try #require(try await mirror.fetchBranch())
      let busy = try bench.mirror(at: url)
      let error = await #expect(throws: GitError.self) { try await busy.references() }
      #expect(error?.kind == .inUse)
      try await mirror.close()
      #expect(try await busy.fetchBranch() == branch)
      #expect(server.connections == 3)
    }
  }

  @Test func aForcePushIsFollowedAndTheOldCommitStays() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["net/main.tf": "old"])
    let mirror = try bench.mirror()
    let old = try #require(try await mirror.fetchBranch())
    try await bench.repository.commit(["net/main.tf": "new"], isOrphan: true)
    try await bench.repository.git("reflog", "expire", "--expire=now", "--all")
    try await bench.repository.git("gc", "--quiet", "--prune=now")
    let new = try #require(try await mirror.fetchBranch())
    #expect(new.commit != old.commit)
    #expect(try await mirror.texts(new.commit) == ["net/main.tf": "new"])
    let trees = try await mirror.trees(of: [Place(commit: old.commit, path: "net")])
    #expect(trees[0] != nil)
  }

  @Test func aTagThatMovesIsSeen() async throws {
    let bench = try await Bench()
    let first = try await bench.repository.commit(["main.tf": "1"])
    try await bench.repository.tag("v1.0.0", at: first, message: "one")
    let mirror = try bench.mirror()
    let before = try #require(try await mirror.references().tags["v1.0.0"])
    try await mirror.fetch([before])
    let second = try await bench.repository.commit(["main.tf": "2"])
    try await bench.repository.tag("v1.0.0", at: second, message: "two")
    let after = try #require(try await mirror.references().tags["v1.0.0"])
    try await mirror.fetch([after])
    #expect(before.commit.description == first && after.commit.description == second)
    #expect(try await mirror.texts(before.commit) == ["main.tf": "1"])
    #expect(try await mirror.texts(after.commit) == ["main.tf": "2"])
  }

  @Test func placesThatAreNotThereHaveNoTree() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["net/main.tf": "x"])
    let mirror = try bench.mirror()
    let commit = try #require(try await mirror.fetchBranch()).commit
    let trees = try await mirror.trees(of: [
      Place(commit: commit), Place(commit: commit, path: "net/"), Place(commit: commit, path: "./net"),
      Place(commit: commit, path: "net/main.tf"), Place(commit: commit, path: "no where"),
    ])
    #expect(trees.map { $0 != nil } == [true, true, true, false, false])
    #expect(trees[1] == trees[2])
    for path in ["../net", "/net", "a\nb", "net/.."] {
      let error = await #expect(throws: GitError.self) {
        try await mirror.trees(of: [Place(commit: commit, path: path)])
      }
      #expect(error?.kind == .misconfigured)
    }
    let unknown = try #require(ObjectID(String(repeating: "1", count: 40)))
    let error = await #expect(throws: GitError.self) { try await mirror.trees(of: [Place(commit: unknown)]) }
    #expect(error?.kind == .missing && error?.isRetryable == true)
    let unread = await #expect(throws: GitError.self) { try await mirror.list([unknown]) }
    #expect(unread?.kind == .missing)
    let unfetched = await #expect(throws: GitError.self) { try await bench.mirror(name: "other").list([unknown]) }
    #expect(unfetched?.kind == .missing)
  }

  @Test func whatIsNotThereIsNotFound() async throws {
    let bench = try await Bench()
    let mirror = try Mirror(
      remote: RemoteURL(bench.folder.path + "/nothing", allowing: .localPaths), folder: bench.folder.file("a"))
    let error = await #expect(throws: GitError.self) { try await mirror.references() }
    #expect(error?.kind == .notFound)
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      let mirror = try Mirror(remote: RemoteURL(url + "/nothing.git"), folder: bench.folder.file("b"))
      let error = await #expect(throws: GitError.self) { try await mirror.references() }
      #expect(error?.kind == .notFound)
      #expect(error?.message.contains(url + "/nothing") == true)
      let gone = try bench.mirror(at: url, name: "c")
      let unknown = try #require(ObjectID(String(repeating: "1", count: 40)))
      let noCommit = await #expect(throws: GitError.self) {
        try await gone.fetch([Reference(name: "refs/heads/main", id: unknown)])
      }
      #expect(noCommit?.kind == .notFound)
    }
    let closed = try Mirror(remote: RemoteURL("http://127.0.0.1:1/r.git"), folder: bench.folder.file("d"))
    let unreachable = await #expect(throws: GitError.self) { try await closed.references() }
    #expect(unreachable?.kind == .unreachable && unreachable?.isRetryable == true)
  }

  @Test(arguments: [
    ["uploadpack.allowFilter": "false"],
    ["uploadpack.allowFilter": "true", "uploadpackfilter.blob:limit.allow": "false"],
    ["uploadpack.allowFilter": "true", "uploadpackfilter.allow": "false"],
  ]) func aServerWithoutPartialFetchesWillDo(settings: [String: String]) async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["net/1.0.0/main.tf": "net", "vm/1.0.0/main.tf": "vm"])
    let server = GitHTTPServer(folder: bench.remotes, settings: settings)
    try await server.serve { url in
      let mirror = try bench.mirror(at: url)
      let commit = try #require(try await mirror.fetchBranch()).commit
      #expect(try await mirror.texts(commit, "net/1.0.0") == ["main.tf": "net"])
      #expect(try await mirror.texts(commit, "vm") == ["1.0.0/main.tf": "vm"])
    }
  }

  @Test func aRepositoryWithSHA256IsRead() async throws {
    let bench = try await Bench()
    let path = bench.folder.file("remotes/wide.git").path
    _ = try await GitRepository.git(["init", "--quiet", "--bare", "--object-format=sha256", "-b", "main", path])
    let tree = try await GitRepository.git(
      ["-C", path, "mktree"],
      input: Array(
        "100644 blob \(try await GitRepository.git(["-C", path, "hash-object", "-w", "--stdin"], input: [65]))\tmain.tf\n"
          .utf8))
    let commit = try await GitRepository.git(["-C", path, "commit-tree", "-m", "x", tree])
    _ = try await GitRepository.git(["-C", path, "update-ref", "refs/heads/main", commit])
    let mirror = try Mirror(remote: RemoteURL(path, allowing: .localPaths), folder: bench.folder.file("mirror"))
    let branch = try #require(try await mirror.fetchBranch())
    #expect(branch.commit.description.utf8.count == 64)
    #expect(try await mirror.texts(branch.commit) == ["main.tf": "A"])
  }

  @Test func manyCallersTakeTurns() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["net/1.0.0/main.tf": "net", "vm/1.0.0/main.tf": "vm"])
    let mirror = try bench.mirror()
    let texts = try await withThrowingTaskGroup(of: [String: String].self) { group in
      for index in 0..<8 {
        group.addTask {
          let branch = try #require(try await mirror.fetchBranch())
          return try await mirror.texts(branch.commit, index.isMultiple(of: 2) ? "net" : "vm")
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(texts.count == 8 && texts.allSatisfy { $0.count == 1 })
  }

  @Test func aHostThatFailsIsNotSaidToBeAway() async throws {
    let bench = try await Bench()
    let host = ScriptedServer { _ in .status(500) }
    try await host.serve { url in
      let mirror = try bench.mirror(at: url)
      let error = await #expect(throws: GitError.self) { try await mirror.references() }
      #expect(error?.kind == .unreachable && error?.message.contains("an error of its own") == true, "\(error as Any)")
      #expect(error?.fix.contains("certificate") == false && error?.detail.contains("500") == true)
    }
  }
}
