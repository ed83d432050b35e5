import Glibc

/// A walk through a folder that collects its tree.
struct FolderReading {
  let root: String
  let limits: TarGzip.Limits
  private(set) var entries: [ArchiveEntry] = []
  private var tree: SafeTree
  private var total = 0

  init(root: String, limits: TarGzip.Limits) {
    self.root = root
    self.limits = limits
    tree = SafeTree(limits: limits)
  }

  /// Reads the folder at `folder`, relative to the root and empty for the root itself.
  mutating func read(_ folder: String, excluding: (String) -> Bool) throws(ArchiveError) {
    for name in try names(in: folder) {
      let path = folder.isEmpty ? name : folder + "/" + name
      guard !excluding(path) else { continue }
      let full = root + "/" + path
      var status = stat()
      guard lstat(full, &status) == 0 else { throw TarGzip.failure("stat", full) }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        try tree.addFolder(path)
        try read(path, excluding: excluding)
      case S_IFLNK:
        let clean = try tree.add(path)
        let target = try linkTarget(full)
        try tree.checkLink(clean, to: target)
        entries.append(ArchiveEntry(path: clean, linkTarget: target))
      case S_IFREG:
        let clean = try tree.add(path)
        let bytes = try content(full)
        total += bytes.count
        entries.append(ArchiveEntry(path: clean, bytes: bytes, isExecutable: status.st_mode & 0o100 != 0))
      default: throw .unsupportedEntry(path)
      }
    }
  }

  func names(in folder: String) throws(ArchiveError) -> [String] {
    let full = folder.isEmpty ? root : root + "/" + folder
    guard let handle = opendir(full) else { throw TarGzip.failure("open", full) }
    defer { closedir(handle) }
    var names: [String] = []
    while let item = readdir(handle) {
      let name = withUnsafePointer(to: &item.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      guard let name else { throw .unsafePath("(not UTF-8, in '\(full)')") }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private func linkTarget(_ path: String) throws(ArchiveError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &buffer, buffer.count)
    guard count >= 0 else { throw TarGzip.failure("readlink", path) }
    guard let target = String(validating: buffer[..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self) else {
      throw .unsafeLink(path: path, target: "(not UTF-8)")
    }
    return target
  }

  private func content(_ path: String) throws(ArchiveError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { throw TarGzip.failure("open", path) }
    defer { close(file) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
      guard count >= 0 else { throw TarGzip.failure("read", path) }
      guard count > 0 else { return content }
      guard total + content.count + count <= limits.totalBytes else { throw .tooLarge(limit: limits.totalBytes) }
      guard content.count + count <= limits.fileBytes else { throw .fileTooLarge(path, limit: limits.fileBytes) }
      content += chunk[..<count]
    }
  }
}
