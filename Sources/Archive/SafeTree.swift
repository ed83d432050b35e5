/// The rules for the paths of one tree: what stays inside it and does not clash.
///
/// A link target may go up only at its beginning. As no path of the tree leads through a link, going up from a link's
/// own folder is going up real folders, and going down again can only meet links that obey this rule too: so no
/// chain of links leaves the tree.
struct SafeTree {
  private var entries: Set<String> = []
  private var folders: Set<String> = []
  private let limits: TarGzip.Limits

  init(limits: TarGzip.Limits) {
    self.limits = limits
  }

  /// Takes a file or a link into the tree.
  ///
  /// - Returns: the path without `.` parts and doubled slashes.
  mutating func add(_ path: String) throws(ArchiveError) -> String {
    let parts = try parts(of: path)
    guard !parts.isEmpty else { throw .unsafePath(path) }
    let clean = parts.joined(separator: "/")
    try addFolders(parts.dropLast())
    guard !folders.contains(clean), entries.insert(clean).inserted else { throw .clash(clean) }
    guard entries.count <= limits.entries else { throw .tooManyEntries(limit: limits.entries) }
    return clean
  }

  /// Takes a folder into the tree; one that is there already is no clash.
  mutating func addFolder(_ path: String) throws(ArchiveError) {
    try addFolders(parts(of: path)[...])
  }

  private mutating func addFolders(_ parts: ArraySlice<String>) throws(ArchiveError) {
    var folder = ""
    for part in parts {
      folder += folder.isEmpty ? part : "/" + part
      guard !entries.contains(folder) else { throw .clash(folder) }
      folders.insert(folder)
      guard folders.count <= limits.entries else { throw .tooManyEntries(limit: limits.entries) }
    }
  }

  /// Checks the target of the link at `path`, a path that `add` returned.
  func checkLink(_ path: String, to target: String) throws(ArchiveError) {
    var depth = path.utf8.count { $0 == UInt8(ascii: "/") }
    var isGoingDown = false
    guard !target.isEmpty, !target.hasPrefix("/"), !target.utf8.contains(where: Self.isForbidden) else {
      throw .unsafeLink(path: path, target: target)
    }
    guard target.utf8.count <= limits.pathBytes else { throw .pathTooLong(target) }
    for part in target.split(separator: "/") where part != "." {
      if part == ".." {
        depth -= 1
        guard !isGoingDown, depth >= 0 else { throw .unsafeLink(path: path, target: target) }
      } else {
        isGoingDown = true
      }
    }
  }

  private func parts(of path: String) throws(ArchiveError) -> [String] {
    guard !path.hasPrefix("/"), !path.utf8.contains(where: Self.isForbidden) else { throw .unsafePath(path) }
    guard path.utf8.count <= limits.pathBytes else { throw .pathTooLong(path) }
    var parts: [String] = []
    for part in path.split(separator: "/") where part != "." {
      guard part != ".." else { throw .unsafePath(path) }
      guard part.utf8.count <= 255 else { throw .pathTooLong(path) }
      parts.append(String(part))
    }
    return parts
  }

  private static func isForbidden(_ byte: UInt8) -> Bool { byte == 0 || byte == UInt8(ascii: "\\") }
}
