import Foundation
import Git
import PorcCore

/// One tag for each version.
struct GitTags: ModuleView {
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

  func contents(of folders: [OuterFolder]) async throws -> [String?] { try await mirror.contents(of: folders) }

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
