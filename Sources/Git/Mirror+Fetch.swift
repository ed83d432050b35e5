internal import Foundation

extension Mirror {
  /// Brings the commits of branches and tags, without history, and all of their folders, but no file's content. What is
  /// here already is not asked for; all the rest comes with one connection.
  ///
  /// A remote that knows no partial fetch (`uploadpack.allowFilter`) sends the contents too, up to
  /// `Limits.fetchedBytes`.
  public func fetch(_ references: [Reference]) async throws {
    try await turn.take {
      try open()
      if isOvergrown { try removeRepository() }
      try await healing {
        var ids = Set(references.map(\.id))
        guard let first = ids.first else { return }
        try await makeRepository(sha256: first.isSHA256)
        ids.subtract(keptIDs())
        guard !ids.isEmpty else { return }
        // Each gets a name here: what has no name is not offered to the remote as known, and would be sent again.
        let specifications = ids.map { "+\($0):refs/porc/\($0)\n" }.joined()
        if try await !fetch(["--depth=1"], filter: "blob:none", input: specifications) {
          try await fetch(["--depth=1"], filter: nil, input: specifications)
        }
      }
    }
  }

  /// Brings all that is below these trees, but files over the limit.
  ///
  /// The trees are here already, so git would not ask for them: it is told to forget what it has (`--refetch`). Naming
  /// trees rather than blobs lets the remote leave out the large ones, of which nothing is known before they are here.
  ///
  /// - Returns: false if the remote knows no such filter; then nothing has come.
  func fetchContents(of trees: [ObjectID]) async throws -> Bool {
    try await fetch(
      ["--refetch"], filter: "blob:limit=\(limits.fileBytes + 1)", input: trees.map { "\($0)\n" }.joined(),
      settings: ["fetch.negotiationAlgorithm": "noop"])
  }

  /// Brings objects by name, whatever their size.
  func fetchObjects(_ ids: [ObjectID]) async throws {
    try await fetch(
      ["--refetch"], filter: nil, input: ids.map { "\($0)\n" }.joined(),
      settings: ["fetch.negotiationAlgorithm": "noop"])
  }

  /// - Returns: false if the remote refuses the filter.
  @discardableResult
  private func fetch(
    _ options: [String], filter: String?, input: String, settings: [String: String] = [:]
  ) async throws -> Bool {
    let fixed = [
      "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules",
      "--stdin",
    ]
    do {
      try await git.run(
        fixed + options + [filter.map { "--filter=\($0)" } ?? "--no-filter", "origin"], reach: .remote,
        settings: settings, input: Array(input.utf8))
      return true
    } catch {
      let isFull = hasFullPack
      sweep()
      if filter != nil, (error as? GitError)?.isFilterRefusal == true { return false }
      guard isFull else { throw error }
      throw GitError(
        .tooLarge, "The repository '\(remote)' has more than \(limits.fetchedBytes) bytes to fetch at once.",
        fix: "Move the modules to a repository of their own, or raise the limit.")
    }
  }

  /// Whether git was stopped while it wrote a pack as large as it may be. It does not say so itself.
  private var hasFullPack: Bool {
    packFiles.contains { $0.name.hasPrefix("tmp_") && $0.bytes >= limits.fetchedBytes }
  }

  private var isOvergrown: Bool {
    let packs = packFiles
    return packs.count { $0.name.hasSuffix(".pack") } > limits.packs
      || packs.reduce(0) { $0 + $1.bytes } > limits.mirrorBytes
  }

  private var packFiles: [(name: String, bytes: Int)] {
    let path = git.repository + "/objects/pack"
    return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).map { name in
      let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
      return (name, attributes?[.size] as? Int ?? 0)
    }
  }

  var hasRepository: Bool { FileManager.default.fileExists(atPath: git.repository + "/refs/porc") }

  private func keptIDs() -> [ObjectID] {
    ((try? FileManager.default.contentsOfDirectory(atPath: git.repository + "/refs/porc")) ?? []).compactMap {
      ObjectID($0)
    }
  }

  /// An empty repository, if there is none.
  private func makeRepository(sha256: Bool) async throws {
    // It is there when its last file is.
    guard !hasRepository else { return }
    try removeRepository()
    try await git.run(
      [
        "init", "--quiet", "--bare", "--template=", "--initial-branch=none",
        "--object-format=\(sha256 ? "sha256" : "sha1")",
      ], reach: .mirror)
    try FileManager.default.createDirectory(
      atPath: git.repository + "/refs/porc", withIntermediateDirectories: false)
  }
}
