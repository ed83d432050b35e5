import Foundation
import Git
import TestKit
import Testing

/// Shapes of the size that is promised. The times are printed, and only gross ones fail: machines differ.
@Suite(.timeLimit(.minutes(3)), .serialized) struct SpeedTests {
  private func seconds(_ what: String, _ work: () async throws -> Void) async throws -> Duration {
    let start = ContinuousClock.now
    try await work()
    let taken = ContinuousClock.now - start
    print("\(what): \(taken)")
    return taken
  }

  @Test(arguments: [false, true]) func tenThousandFoldersOfABranch(overHTTP: Bool) async throws {
    let bench = try await Bench()
    var files: [String: String?] = [:]
    for module in 0..<1_000 {
      for version in 0..<10 {
        for name in ["main.tf", "variables.tf"] {
          files["modules/mod-\(module)/1.\(version).0/\(name)"] = "# \(module) \(version) \(name)\n"
        }
      }
    }
    try await bench.repository.commit(files)
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      let mirror = try bench.mirror(at: overHTTP ? url : nil)
      func sync(_ known: Set<ObjectID>) async throws -> (trees: Set<ObjectID>, read: Int) {
        let branch = try #require(try await mirror.fetchBranch())
        let root = try #require(try await mirror.trees(of: [Place(commit: branch.commit, path: "modules")])[0])
        let entries = try #require(try await mirror.list([root], depth: 2)[root]).entries
        let versions = entries.filter { $0.kind == .folder && $0.path.contains("/") }.map(\.id)
        var read = 0
        for try await tree in try await mirror.read(versions.filter { !known.contains($0) }) {
          read += tree.files.count
        }
        return (Set(versions), read)
      }
      let first = try await sync([])
      #expect(first.trees.count == 10_000 && first.read == 20_000)
      try await bench.repository.commit(["modules/mod-7/1.10.0/main.tf": "new"])
      let taken = try await seconds("one new folder beside 10,000, http: \(overHTTP)") {
        let second = try await sync(first.trees)
        #expect(second.read == 1)
      }
      #expect(taken < .seconds(10))

      let fresh = try bench.mirror(at: overHTTP ? url : nil, name: "fresh")
      var trees: [ObjectID] = []
      let asking = try await seconds("  fetch") { _ = try await fresh.fetchBranch() }
      let branch = try #require(try await fresh.references().branches["main"])
      let listing = try await seconds("  list 10,000") {
        let root = try #require(try await fresh.trees(of: [Place(commit: branch.commit, path: "modules")])[0])
        trees = try #require(try await fresh.list([root], depth: 2)[root]).entries.filter { $0.path.contains("/") }.map(
          \.id)
      }
      var count = 0
      let reading = try await seconds("  read 20,000 files") {
        for try await tree in try await fresh.read(trees) { count += tree.files.count }
      }
      #expect(count == 20_001)
      #expect(asking + listing + reading < .seconds(30))
    }
  }

  @Test(arguments: [false, true]) func aThousandTags(overHTTP: Bool) async throws {
    let bench = try await Bench()
    var stream = ""
    for number in 0..<1_000 {
      let (module, version) = (number % 50, number / 50)
      stream += "commit refs/heads/main\nmark :\(number + 1)\ncommitter a <a@example.com> 1700000000 +0000\ndata 0\n"
      if number > 0 { stream += "from :\(number)\n" }
      stream += "M 100644 inline mod-\(module)/main.tf\ndata 9\n\(String(format: "%09d", number))\n"
      stream += "reset refs/tags/mod-\(module)/v1.\(version).0\nfrom :\(number + 1)\n\n"
    }
    try await bench.repository.git("fast-import", "--quiet", input: Array(stream.utf8))
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      let mirror = try bench.mirror(at: overHTTP ? url : nil)
      var count = 0
      let taken = try await seconds("1,000 tags, http: \(overHTTP)") {
        let tags = try await mirror.references(withHead: false).tags.values.sorted { $0.name < $1.name }
        _ = try await seconds("  fetch") { try await mirror.fetch(tags) }
        let trees = try await mirror.trees(
          of: tags.map { Place(commit: $0.commit, path: String($0.shortName.prefix { $0 != "/" })) })
        for try await tree in try await mirror.read(trees.compactMap { $0 }) { count += tree.files.count }
      }
      #expect(count == 1_000)
      #expect(taken < .seconds(20))
      #expect(server.connections == (overHTTP ? 3 : 0))
    }
  }
}
