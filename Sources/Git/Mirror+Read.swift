/// A folder of a commit.
public struct Place: Sendable, Hashable {
  public let commit: ObjectID
  /// Relative to the repository's root, parts separated by `/`; empty for the root itself.
  public let path: String

  public init(commit: ObjectID, path: String = "") {
    self.commit = commit
    self.path = path
  }

  /// The path in git's own spelling; nil where it can be none of a repository.
  var cleanPath: String? {
    let parts = path.split(separator: "/").filter { $0 != "." }
    let isFine =
      !path.hasPrefix("/") && !parts.contains("..") && path.utf8.count <= 4_096
      && !path.unicodeScalars.contains { $0.properties.generalCategory == .control }
    return isFine ? parts.joined(separator: "/") : nil
  }
}

extension Mirror {
  /// The trees of folders, in the order of `places`; nil where there is no folder. All with one process.
  ///
  /// A tree's id stands for its whole content: where it is the known one, there is nothing to read.
  ///
  /// - Throws: `GitError` of kind `missing` if a commit was not fetched, `misconfigured` for an impossible path.
  public func trees(of places: [Place]) async throws -> [ObjectID?] {
    let commits = Array(Set(places.map(\.commit)))
    let paths = try places.map { (place) throws(GitError) -> String in
      guard let path = place.cleanPath else {
        throw GitError(
          .misconfigured, "'\(place.path)' is no path in the repository '\(remote)'.",
          fix: "Give it relative to the repository's root, without '..'.")
      }
      return "\(place.commit):\(path)"
    }
    let names = commits.map(\.description) + paths
    let answers = try await turn.take { try await healing { try await identify(names) } }
    if let index = answers.prefix(commits.count).firstIndex(where: { $0 == nil }) { throw missing(commits[index]) }
    return answers.dropFirst(commits.count).map { $0?.type == "tree" ? $0?.id : nil }
  }

  /// What is below trees, down to `depth` folders below each (1: its own entries only; nil: all). Equal trees are read
  /// once, and each level of folders takes one process.
  ///
  /// A tree over a limit has no entries and a refusal.
  ///
  /// - Throws: `GitError` of kind `missing` if a tree was not fetched.
  public func list(_ trees: [ObjectID], depth: Int? = nil) async throws -> [ObjectID: TreeListing] {
    let found = try await turn.take { try await healing { try await survey(trees, depth: depth ?? .max) } }
    if let lacking = found.missing.first { throw missing(lacking) }
    return found.listings
  }

  /// Reads whole trees with their files, in the order of `trees`, each once. What is not here yet is fetched with one
  /// connection, but files over `Limits.fileBytes`, which are refused. About 64 MB are held at a time.
  ///
  /// ```swift
  /// for try await module in try await mirror.read(changed) { … }
  /// ```
  public func read(_ trees: [ObjectID]) async throws -> TreeReader {
    let plan = try await turn.take { try await healing { try await self.plan(trees) } }
    return TreeReader(mirror: self, plan: plan)
  }

  /// Contents by id; what is not here yet is fetched, whatever its size. Whoever knows the tree should `read` it.
  ///
  /// - Throws: `GitError` of kind `tooLarge` for one over `Limits.fileBytes`, or more than `Limits.treeBytes` together;
  ///   `notFound` if the remote does not have it.
  public func blobs(_ ids: [ObjectID]) async throws -> [ObjectID: [UInt8]] {
    let ids = Array(Set(ids))
    return try await turn.take {
      try await healing {
        guard hasRepository else { throw missing(ids.first) }
        var sizes = try await self.sizes(of: ids)
        let lacking = ids.filter { sizes[$0] == nil }
        if !lacking.isEmpty {
          try await fetchObjects(lacking)
          sizes = try await self.sizes(of: ids)
        }
        guard sizes.values.allSatisfy({ $0 <= limits.fileBytes }), sizes.values.reduce(0, +) <= limits.treeBytes else {
          throw GitError(
            .tooLarge,
            "A file of the repository '\(remote)' is over \(limits.fileBytes) bytes, or all are over \(limits.treeBytes).",
            fix: "Make it smaller, or raise the limits.")
        }
        return try await contents(of: ids)
      }
    }
  }

  /// For `TreeReader`.
  func readContents(of ids: [ObjectID]) async throws -> [ObjectID: [UInt8]] {
    try await turn.take { try await contents(of: ids) }
  }

  // MARK: -

  /// What a `TreeReader` goes by.
  struct Plan: Sendable {
    var order: [ObjectID] = []
    var listings: [ObjectID: TreeListing] = [:]
    /// Of the blobs that are here, in bytes.
    var sizes: [ObjectID: Int] = [:]
  }

  private func plan(_ trees: [ObjectID]) async throws -> Plan {
    guard !trees.isEmpty else { return Plan() }
    guard hasRepository else { throw missing(trees.first) }
    var seen: Set<ObjectID> = []
    var plan = Plan(order: trees.filter { seen.insert($0).inserted })
    var survey = try await self.survey(plan.order, depth: .max)
    plan.sizes = try await sizes(of: survey.blobs)
    let incomplete = plan.order.filter { survey.isIncomplete($0, sizes: plan.sizes) }
    if !incomplete.isEmpty {
      if try await !fetchContents(of: incomplete) {
        try await fetchObjects(survey.blobs.filter { plan.sizes[$0] == nil })
      }
      if !survey.missing.isEmpty { survey = try await self.survey(plan.order, depth: .max) }
      if let lacking = survey.missing.first { throw missing(lacking) }
      plan.sizes = try await sizes(of: survey.blobs)
    }
    plan.listings = survey.listings
    return plan
  }

  private func survey(_ trees: [ObjectID], depth: Int) async throws -> Survey {
    guard hasRepository else { throw missing(trees.first) }
    var survey = Survey(roots: trees, limits: limits)
    var level = 0
    // A path of so many folders is too long, whatever their names are: what is below would be refused unseen.
    let deepest = min(depth, (limits.pathBytes + 1) / 2 + 1)
    let start = ContinuousClock.now
    while level < deepest {
      // Each level is a call of its own.
      guard start.duration(to: .now) < limits.duration else { throw tooSlow }
      let wanted = survey.takeLevel()
      guard !wanted.isEmpty else { break }
      let idBytes = wanted[0].isSHA256 ? 32 : 20
      let found = Locked<[TreeObject?]>([])
      // No tree is larger that keeps to the limits: 300 bytes for an entry.
      let largest = min(limits.entries * 300, 64 << 20)
      let most = limits.entriesPerCall
      let count = Locked(survey.entryCount)
      try await look(at: wanted.map(\.description), hasContents: true, limit: largest) { answer in
        guard case .object(_, "tree", let size, let content) = answer else { return found.withLock { $0.append(nil) } }
        // An answer without its content was over the limit, and counts as one broken tree.
        let tree = TreeObject(content.count == size ? content : [0], idBytes: idBytes)
        found.withLock { $0.append(tree) }
        try count.withLock { count in
          count += tree.entries.count + tree.refused.count
          guard count <= most else { throw Survey.TooMany() }
        }
      }
      for (id, tree) in zip(wanted, found.withLock { $0 }) { survey.add(tree, for: id) }
      level += 1
    }
    do {
      try survey.assemble(depth: depth)
    } catch {
      throw tooMany
    }
    return survey
  }

  private struct Identity: Sendable {
    let id: ObjectID
    let type: String
  }

  private func identify(_ names: [String]) async throws -> [Identity?] {
    let answers = Locked<[Identity?]>([])
    try await look(at: names, hasContents: false) { answer in
      var identity: Identity?
      if case .object(let id, let type, _, _) = answer { identity = Identity(id: id, type: type) }
      answers.withLock { [identity] in $0.append(identity) }
    }
    return answers.withLock { $0 }
  }

  private var tooSlow: GitError {
    GitError(
      .timedOut,
      "The folders of '\(remote)' took longer than \(limits.duration.components.seconds) seconds to look at.",
      fix: "It is tried again. Name the folder where the modules are, or raise the limit.")
  }

  private var tooMany: GitError {
    GitError(
      .tooLarge, "The repository '\(remote)' has more than \(limits.entriesPerCall) files to look at.",
      fix: "Name the folder where the modules are, or raise the limit.")
  }

  /// Sizes in bytes; none for what is not here.
  private func sizes(of ids: [ObjectID]) async throws -> [ObjectID: Int] {
    guard !ids.isEmpty else { return [:] }
    let sizes = Locked<[ObjectID: Int]>([:])
    try await look(at: ids.map(\.description), hasContents: false) { answer in
      if case .object(let id, _, let size, _) = answer { sizes.withLock { $0[id] = size } }
    }
    return sizes.withLock { $0 }
  }

  private func contents(of ids: [ObjectID]) async throws -> [ObjectID: [UInt8]] {
    guard !ids.isEmpty else { return [:] }
    let contents = Locked<[ObjectID: [UInt8]]>([:])
    try await look(at: ids.map(\.description), hasContents: true, limit: limits.fileBytes) { answer in
      if case .object(let id, _, _, let content) = answer { contents.withLock { $0[id] = content } }
    }
    let found = contents.withLock { $0 }
    if let lacking = ids.first(where: { found[$0] == nil }) { throw missing(lacking) }
    return found
  }

  /// Asks one `git cat-file` about names, and hands over an answer for each, in order.
  private func look(
    at names: [String], hasContents: Bool, limit: Int = 0,
    onAnswer: @escaping @Sendable (BatchParser.Answer) throws -> Void
  ) async throws {
    guard !names.isEmpty, hasRepository else { return try names.forEach { _ in try onAnswer(.missing) } }
    let parser = Locked(BatchParser(hasContents: hasContents, limit: limit))
    do {
      try await git.run(
        ["cat-file", hasContents ? "--batch" : "--batch-check", "--buffer"], reach: .mirror,
        input: Array(names.map { $0 + "\n" }.joined().utf8)
      ) { chunk in try parser.withLock { try $0.feed(chunk, onAnswer: onAnswer) } }
      guard parser.withLock({ $0.isAtEnd }) else { throw BatchParser.Nonsense() }
    } catch is BatchParser.Nonsense {
      throw GitError(.broken, "The mirror of '\(remote)' cannot be read.", fix: "It is made anew with the next sync.")
    } catch is Survey.TooMany {
      throw tooMany
    }
  }

  private func missing(_ id: ObjectID?) -> GitError {
    GitError(
      .missing, "The mirror of '\(remote)' does not have \(id.map { "'\($0)'" } ?? "anything").",
      fix: "It is fetched with the next sync.")
  }
}
