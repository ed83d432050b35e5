extension [ArchiveEntry] {
  /// What is in one folder of the tree, with paths from there.
  ///
  /// - Parameter folder: parts separated by `/`. A part `*` stands for the only folder at its level: archives of git
  ///   hosts have one around everything, named after a commit.
  /// - Throws: `ArchiveError.noFolder` where there is none, or a `*` has a choice; `.unsafeLink` where a link in the
  ///   folder leads out of it.
  public func subtree(_ folder: String) throws(ArchiveError) -> [ArchiveEntry] {
    var level = self
    for part in folder.split(separator: "/") where part != "." {
      let found = Set(
        level.compactMap { entry in entry.path.firstIndex(of: "/").map { entry.path[..<$0] } })
      let name = part == "*" ? (found.count == 1 ? found.first : nil) : found.contains(part) ? part : nil
      guard let name else { throw .noFolder(folder) }
      let prefix = name + "/"
      level = level.compactMap { entry in
        guard entry.path.utf8.starts(with: prefix.utf8) else { return nil }
        var entry = entry
        entry.path = String(entry.path.utf8.dropFirst(prefix.utf8.count)) ?? entry.path
        return entry
      }
    }
    let tree = SafeTree(limits: .init(entries: .max, totalBytes: .max))
    for entry in level { if let target = entry.linkTarget { try tree.checkLink(entry.path, to: target) } }
    return level
  }
}
