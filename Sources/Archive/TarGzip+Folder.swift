import Glibc

extension TarGzip {
  /// Unpacks into a folder that this call creates (0700) and that must not exist. Everything is checked before the
  /// first file is made; no file is opened through a link.
  public static func extract(
    _ bytes: [UInt8], into newFolder: String, limits: Limits = .init()
  ) throws(ArchiveError) {
    try write(try unpack(bytes, limits: limits), into: newFolder)
  }

  /// Writes a tree into a folder that this call creates (0700) and that must not exist.
  public static func write(_ entries: [ArchiveEntry], into newFolder: String) throws(ArchiveError) {
    var tree = SafeTree(limits: Limits(entries: .max, totalBytes: .max))
    guard mkdir(newFolder, 0o700) == 0 else { throw failure("mkdir", newFolder) }
    for entry in entries {
      let clean = try tree.add(entry.path)
      let path = newFolder + "/" + clean
      try createFolders(above: clean, in: newFolder)
      if let target = entry.linkTarget {
        try tree.checkLink(clean, to: target)
        guard symlink(target, path) == 0 else { throw failure("symlink", path) }
      } else {
        try write(entry, to: path)
      }
    }
  }

  private static func createFolders(above path: String, in root: String) throws(ArchiveError) {
    var folder = root
    for part in path.split(separator: "/").dropLast() {
      folder += "/" + part
      guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw failure("mkdir", folder) }
    }
  }

  private static func write(_ entry: ArchiveEntry, to path: String) throws(ArchiveError) {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, entry.isExecutable ? 0o755 : 0o644)
    guard file >= 0 else { throw failure("open", path) }
    defer { close(file) }
    var rest = entry.bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      guard written > 0 || errno == EINTR else { throw failure("write", path) }
      rest = rest.dropFirst(max(0, written))
    }
  }

  /// Reads a folder as a tree, sorted by path. Links are kept where they stay in the tree and refused elsewhere.
  ///
  /// - Parameters:
  ///   - excluding: asked with the path of every entry, and of every folder before it is entered; what it answers
  ///     true for is left out.
  /// - Throws: `ArchiveError`.
  public static func entries(
    ofFolder folder: String, excluding: (_ path: String) -> Bool = { _ in false }, limits: Limits = .init()
  ) throws -> [ArchiveEntry] {
    var reading = FolderReading(root: folder, limits: limits)
    try reading.read("", excluding: excluding)
    return reading.entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  static func failure(_ call: String, _ path: String) -> ArchiveError {
    .fileSystem("\(call) \(path): \(String(cString: strerror(errno)))")
  }
}
