import Archive
import Git
import PorcCore

extension ModuleListing {
  /// A tree's id stands for its content; who owns it is written elsewhere.
  func content(of tree: ObjectID, at place: String) -> String {
    // Whoever is canceled throws the list away.
    let owner = Task.isCancelled ? nil : owners?.owner(of: place.isEmpty ? "main.tf" : "\(place)/main.tf")
    return owner.map { "\(tree) \($0)" } ?? tree.description
  }
}

extension CodeOwners {
  /// The file of a commit that was fetched, where GitHub looks for it.
  static func read(from mirror: Mirror, at commit: ObjectID) async throws -> CodeOwners? {
    let folders = [".github", "", "docs"]
    let trees = try await mirror.trees(of: folders.map { Place(commit: commit, path: $0) })
    let listings = try await mirror.list(trees.compactMap(\.self), depth: 1)
    for tree in trees.compactMap(\.self) {
      let file = listings[tree]?.entries.first { $0.path == "CODEOWNERS" && $0.kind.isFile }
      guard let file else { continue }
      do {
        if let bytes = try await mirror.blobs([file.id])[file.id] { return CodeOwners(bytes) }
      } catch let error as GitError where error.kind == .tooLarge {
        return .tooLarge
      }
    }
    return nil
  }
}

extension TreeEntry.Kind {
  fileprivate var isFile: Bool { if case .file = self { true } else { false } }
}

extension Mirror {
  /// The files of modules: what of them is not here yet comes with one connection.
  nonisolated func read(
    _ modules: [ListedModule], _ take: (ReadModule) async throws -> Void
  ) async throws {
    func tree(of module: ListedModule) -> ObjectID? { ObjectID(String(module.content.prefix { $0 != " " })) }
    // Two modules may have the same content.
    let byTree = Dictionary(grouping: modules, by: tree)
    var seen: Set<ObjectID> = []
    let trees = modules.compactMap(tree).filter { seen.insert($0).inserted }
    try await GitFault.translating {
      var reaching: [ReachingModule] = []
      for try await tree in try await read(trees) {
        let files = tree.entries
        for module in byTree[tree.id] ?? [] {
          guard let entries = try? files.get(), ModuleReach.mayLeadUp(entries),
            let one = ReachingModule(module, entries, limits)
          else {
            try await take(ReadModule(module: module, files: files))
            continue
          }
          reaching.append(one)
          guard reaching.count == ReachingModule.atOnce else { continue }
          for module in try await complete(reaching) { try await take(module) }
          reaching = []
        }
      }
      for module in try await complete(reaching) { try await take(module) }
    }
  }

  /// Names the contents of folders of commits that were fetched.
  nonisolated func contents(of folders: [OuterFolder]) async throws -> [String?] {
    try await GitFault.translating {
      let places = folders.map { folder in
        folder.commit.flatMap { ObjectID($0) }.map { Place(commit: $0, path: folder.path) }
      }
      var trees = try await trees(of: places.compactMap(\.self))[...]
      return places.map { $0 == nil ? nil : trees.popFirst().flatMap { $0?.description } }
    }
  }

  /// Reads what modules take along.
  private nonisolated func complete(_ modules: [ReachingModule]) async throws -> [ReadModule] {
    do {
      var modules = modules
      while try await completeOnce(&modules) {}
      return modules.map { ReadModule(module: $0.module, files: $0.entries, $0.reach) }
    } catch let error as GitError where error.kind == .tooLarge {
      // One that takes too much harms no other.
      guard modules.count > 1 else {
        let refusal = ModuleRefusal(message: error.message, fix: error.fix)
        return modules.map { ReadModule(module: $0.module, files: .failure(refusal)) }
      }
      var read: [ReadModule] = []
      for module in modules { read += try await complete([module]) }
      return read
    }
  }

  /// - Returns: whether there was anything to be had.
  private nonisolated func completeOnce(_ modules: inout [ReachingModule]) async throws -> Bool {
    var wanting: [Place: [Int]] = [:]
    for (index, module) in modules.enumerated() {
      for path in module.reach.wanted { wanting[Place(commit: module.commit, path: path), default: []].append(index) }
    }
    let places = wanting.keys.sorted { $0.path < $1.path }
    guard !places.isEmpty else { return false }
    var byTree: [ObjectID: [(index: Int, path: String)]] = [:]
    for (place, tree) in zip(places, try await trees(of: places)) {
      for index in wanting[place] ?? [] {
        if let tree {
          byTree[tree, default: []].append((index, place.path))
        } else {
          modules[index].reach.take(place.path, content: nil, files: .success([]))
        }
      }
    }
    for try await tree in try await read(Array(byTree.keys)) {
      let files = tree.entries
      for (index, path) in byTree[tree.id] ?? [] {
        modules[index].reach.take(path, content: tree.id.description, files: files)
      }
    }
    return true
  }
}

/// A module on the way to all that it takes along.
private struct ReachingModule {
  /// How many are completed together: it bounds the memory.
  static let atOnce = 16

  let module: ListedModule
  let commit: ObjectID
  let entries: [ArchiveEntry]
  var reach: ModuleReach

  init?(_ module: ListedModule, _ entries: [ArchiveEntry], _ limits: Limits) {
    guard let commit = module.commit.flatMap({ ObjectID($0) }) else { return nil }
    (self.module, self.commit, self.entries) = (module, commit, entries)
    reach = ModuleReach(
      of: entries, at: module.place, in: .repository,
      limits: .init(entries: min(limits.entries, TarGzip.Limits().entries), bytes: limits.treeBytes))
  }
}

extension TreeContents {
  /// The files that count; a refusal where something among them cannot be had.
  var entries: Result<[ArchiveEntry], ModuleRefusal> {
    if let refused = refused.first(where: { !Bundle.leavesOut($0.path) || $0.path.isEmpty }) {
      return .failure(ModuleRefusal(message: "\(refused)", fix: "Mend or remove it."))
    }
    return .success(
      files.filter { !Bundle.leavesOut($0.path) }.map { file in
        if let target = file.linkTarget { return ArchiveEntry(path: file.path, linkTarget: target) }
        return ArchiveEntry(path: file.path, bytes: file.bytes, isExecutable: file.isExecutable)
      })
  }
}
