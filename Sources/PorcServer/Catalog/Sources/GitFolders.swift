import Git
import PorcCore

/// `NAME/VERSION/` on a branch.
struct GitFolders: ModuleView {
  let source: TemplateSource
  let mirror: Mirror
  let branch: Reference

  var fingerprint: String { "\(branch.commit) \(source.path ?? "")" }

  func list() async throws -> ModuleListing {
    try await GitFault.translating {
      try await mirror.fetch([branch])
      var listing = ModuleListing(remote: mirror.remote.publicURL)
      guard let tree = try await mirror.trees(of: [Place(commit: branch.commit, path: source.path ?? "")])[0] else {
        throw Fault(
          .notFound, "The repository '\(mirror.remote)' has no folder '\(source.path ?? "")'.",
          fix: "Name a folder that is on the branch.")
      }
      listing.owners = try await CodeOwners.read(from: mirror, at: branch.commit)
      guard let found = try await mirror.list([tree], depth: 2)[tree] else { return listing }
      listing.findings += found.refused.map {
        Finding(at: "", "\($0.path.isEmpty ? "The repository" : $0.path): \($0)", fix: "Mend or remove it.")
      }
      let folders = found.entries.filter { $0.kind == .folder && !GitFolders.isPassedOver($0.path) }
      let versions = folders.filter { $0.path.contains("/") }
      // A folder without any version is no template's: the repository may hold other things.
      let names = Set(
        versions.filter { Version($0.path.split(separator: "/")[1]) != nil }.map { $0.path.prefix { $0 != "/" } })
      for folder in versions where names.contains(folder.path.prefix(while: { $0 != "/" })) {
        let place = source.path.map { "\($0)/\(folder.path)" } ?? folder.path
        listing.modules.append(
          ListedModule(
            path: folder.path, content: listing.content(of: folder.id, at: place),
            commit: branch.commit.description, place: place))
      }
      if listing.modules.isEmpty {
        listing.findings.append(
          Finding(
            .warning, at: "",
            "There is no folder NAME/VERSION/ in \(source.path.map { "'\($0)'" } ?? "the repository").",
            fix: "Name the folder that holds them as the source's path, or use the layout 'tags'."))
      }
      return listing
    }
  }

  func read(_ modules: [ListedModule], _ take: (ReadModule) async throws -> Void) async throws {
    try await mirror.read(modules, take)
  }

  func contents(of folders: [OuterFolder]) async throws -> [String?] { try await mirror.contents(of: folders) }

  /// Folders that hold no templates by their names.
  private static func isPassedOver(_ path: String) -> Bool {
    path.split(separator: "/").contains { $0.hasPrefix(".") || ["examples", "tests", "test"].contains($0) }
  }
}
