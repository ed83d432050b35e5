import Archive
import Git
import PorcCore

extension ModuleListing {
  /// A tree's id stands for its content; who owns it is written elsewhere.
  func content(of tree: ObjectID, at place: String) -> String {
    let owner = owners?.owner(of: place.isEmpty ? "main.tf" : "\(place)/main.tf")
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
      if let file, let bytes = try await mirror.blobs([file.id])[file.id] { return CodeOwners(bytes) }
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
      for try await tree in try await read(trees) {
        for module in byTree[tree.id] ?? [] { try await take(ReadModule(module: module, files: tree.entries)) }
      }
    }
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
