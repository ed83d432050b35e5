import Archive
import Foundation
import Git
import PorcCore

/// Templates in a git repository, in one of two layouts; see `TemplateSource.Layout`.
struct GitSource: ModuleSource {
  let source: TemplateSource
  let mirror: Mirror

  var name: String { source.name }

  func look() async throws -> any ModuleView {
    try await GitFault.translating {
      switch source.layout {
      case .folders: try await lookAtFolders()
      case .tags: try await lookAtTags()
      }
    }
  }

  private func lookAtFolders() async throws -> any ModuleView {
    let references = try await mirror.references(withHead: source.branch == nil)
    let branch: Reference? =
      if let name = source.branch { references.branches[name] } else { references.head }
    guard let branch else {
      throw Fault(
        .notFound,
        source.branch.map { "The repository '\(mirror.remote)' has no branch '\($0)'." }
          ?? "The repository '\(mirror.remote)' is empty.",
        fix: source.branch == nil ? "Push a branch to it." : "Push the branch, or name another.")
    }
    return GitFolders(source: source, mirror: mirror, branch: branch)
  }

  private func lookAtTags() async throws -> any ModuleView {
    GitTags(source: source, mirror: mirror, tags: try await mirror.references(withHead: false).tags.map(\.value))
  }
}

/// `NAME/VERSION/` on a branch.
private struct GitFolders: ModuleView {
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
      listing.findings += found.refused.map { Finding(at: "", "\($0.path): \($0)", fix: "Mend or remove it.") }
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

  /// Folders that hold no templates by their names.
  private static func isPassedOver(_ path: String) -> Bool {
    path.split(separator: "/").contains { $0.hasPrefix(".") || ["examples", "tests", "test"].contains($0) }
  }
}

/// One tag for each version.
private struct GitTags: ModuleView {
  /// A tag that names a version.
  private struct Release {
    var tag: Reference
    var path: String
    /// The folder in the repository.
    var place: String
  }

  let mirror: Mirror
  let fingerprint: String
  private let releases: [Release]
  private let findings: [Finding]

  init(source: TemplateSource, mirror: Mirror, tags: [Reference]) {
    self.mirror = mirror
    var releases: [String: Release] = [:]
    var (findings, unread): ([Finding], [String]) = ([], [])
    for tag in tags.sorted(by: { ($0.shortName.utf8.count, $0.name) < ($1.shortName.utf8.count, $1.name) }) {
      guard let (name, version) = Self.version(of: tag.shortName) else {
        if Self.looksLikeVersion(tag.shortName) { unread.append(tag.shortName) }
        continue
      }
      let place = [source.path, name].compactMap(\.self).joined(separator: "/")
      let path = "\(name ?? source.template ?? Self.templateName(of: mirror.remote))/\(version)"
      if let other = releases[path] {
        if other.tag.commit != tag.commit {
          findings.append(
            Finding(
              .warning, at: "",
              "\(path): the tags '\(other.tag.shortName)' and '\(tag.shortName)' name different commits; the first is taken.",
              fix: "Remove one of them."))
        }
        continue
      }
      releases[path] = Release(tag: tag, path: path, place: place)
    }
    if !unread.isEmpty {
      let names = unread.sorted().prefix(5).joined(separator: ", ")
      findings.append(
        Finding(
          .warning, at: "",
          "\(unread.count == 1 ? "A tag is" : "\(unread.count) tags are") no version by SemVer and passed over: \(names)\(unread.count > 5 ? ", …" : "").",
          fix: "Name versions like v1.2.3."))
    }
    if releases.isEmpty {
      findings.append(
        Finding(
          .warning, at: "", "The repository has no tag that names a version.",
          fix: "Push one like v1.2.3, or use the layout 'folders'."))
    }
    self.findings = findings
    self.releases = releases.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    let lines = self.releases.map { "\($0.path) \($0.tag.commit) \($0.place)" } + findings.map(\.message)
    fingerprint = Digest.sha256(Data(lines.joined(separator: "\n").utf8))
  }

  func list() async throws -> ModuleListing {
    try await GitFault.translating {
      var listing = ModuleListing(findings: findings, remote: mirror.remote.publicURL)
      guard !releases.isEmpty else { return listing }
      try await mirror.fetch(releases.map(\.tag))
      let trees = try await mirror.trees(of: releases.map { Place(commit: $0.tag.commit, path: $0.place) })
      // That of the newest version speaks for all: it says who looks after the module now.
      if let newest = releases.max(by: { Self.order($0) < Self.order($1) }) {
        listing.owners = try await CodeOwners.read(from: mirror, at: newest.tag.commit)
      }
      for (release, tree) in zip(releases, trees) {
        guard let tree else {
          listing.findings.append(
            Finding(
              at: "", "\(release.path): the tag '\(release.tag.shortName)' has no folder '\(release.place)'.",
              fix: "Put the module there, or name its folder as the source's path."))
          continue
        }
        listing.modules.append(
          ListedModule(
            path: release.path, content: listing.content(of: tree, at: release.place),
            commit: release.tag.commit.description, place: release.place))
      }
      return listing
    }
  }

  func read(_ modules: [ListedModule], _ take: (ReadModule) async throws -> Void) async throws {
    try await mirror.read(modules, take)
  }

  private static func order(_ release: Release) -> Version {
    Version(release.path.drop { $0 != "/" }.dropFirst()) ?? Version(major: 0, minor: 0, patch: 0)
  }

  /// `v1.2.3`, `1.2.3`, `NAME/v1.2.3` and `NAME-v1.2.3`.
  private static func version(of tag: String) -> (name: String?, version: Version)? {
    func plain(_ text: Substring) -> Version? { Version(text.hasPrefix("v") ? text.dropFirst() : text) }
    if let slash = tag.lastIndex(of: "/") {
      let name = tag[..<slash]
      guard !name.contains("/"), let version = plain(tag[tag.index(after: slash)...]) else { return nil }
      return (String(name), version)
    }
    if let version = plain(tag[...]) { return (nil, version) }
    // A pre-release holds '-' too: the name ends at the first that a version follows.
    for dash in tag.indices where tag[dash] == "-" && dash > tag.startIndex {
      if let version = plain(tag[tag.index(after: dash)...]) { return (String(tag[..<dash]), version) }
    }
    return nil
  }

  /// `v4` and `1.0`, which are moved with each release or were never strict.
  private static func looksLikeVersion(_ tag: String) -> Bool {
    let last = tag.split(separator: "/").last ?? ""
    let digits = last.hasPrefix("v") ? last.dropFirst() : last
    return digits.first?.isNumber == true && digits.allSatisfy { $0.isNumber || $0 == "." }
  }

  /// The repository's name; of `terraform-PROVIDER-NAME` only the last part.
  private static func templateName(of remote: RemoteURL) -> String {
    let name = remote.publicURL.split(whereSeparator: { "/:".contains($0) }).last.map(String.init) ?? ""
    let parts = name.split(separator: "-", maxSplits: 2)
    return parts.count == 3 && parts[0] == "terraform" ? String(parts[2]) : name
  }
}

extension ModuleListing {
  /// A tree's id stands for its content; who owns it is written elsewhere.
  fileprivate func content(of tree: ObjectID, at place: String) -> String {
    let owner = owners?.owner(of: place.isEmpty ? "main.tf" : "\(place)/main.tf")
    return owner.map { "\(tree) \($0)" } ?? tree.description
  }
}

extension CodeOwners {
  /// The file of a commit that was fetched, where GitHub looks for it.
  fileprivate static func read(from mirror: Mirror, at commit: ObjectID) async throws -> CodeOwners? {
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
  fileprivate nonisolated func read(
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

/// git's errors as PORC's.
enum GitFault {
  static func translating<Value>(_ work: () async throws -> Value) async throws -> Value {
    do {
      return try await work()
    } catch let error as GitError {
      let code: Fault.Code =
        switch error.kind {
        case .notFound: .notFound
        case .refused: .forbidden
        case .tooLarge: .tooLarge
        case .misconfigured: .invalidInput
        default: .upstreamFailed
        }
      throw Fault(
        code, error.detail.isEmpty ? error.message : "\(error.message) (git: \(error.detail))", fix: error.fix)
    }
  }
}
