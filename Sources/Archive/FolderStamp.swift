import Glibc

extension TarGzip {
  /// What changes when a folder's tree does, without reading any file: each entry's path, kind, size, inode and times, as
  /// text. Whoever writes a file changes one of them, its time of change (`st_ctime`) at least.
  ///
  /// - Parameters:
  ///   - folder: its path.
  ///   - excluding: which paths, relative to the folder, do not count, with all that is below them.
  public static func stamp(
    ofFolder folder: String, excluding: (String) -> Bool = { _ in false }
  ) throws(ArchiveError) -> String {
    var stamp = ""
    try addStamp(of: folder, at: "", to: &stamp, excluding)
    return stamp
  }

  private static func addStamp(
    of root: String, at folder: String, to stamp: inout String, _ excluding: (String) -> Bool
  ) throws(ArchiveError) {
    let reading = FolderReading(root: root, limits: Limits())
    for name in try reading.names(in: folder).sorted() {
      let path = folder.isEmpty ? name : folder + "/" + name
      if excluding(path) { continue }
      var status = Glibc.stat()
      guard lstat(root + "/" + path, &status) == 0 else {
        if errno == ENOENT { continue }  // gone meanwhile: the next look sees the folder as it is then
        throw failure("stat", root + "/" + path)
      }
      stamp += "\(path)\0\(status.st_mode) \(status.st_size) \(status.st_ino) "
      stamp += "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)\n"
      if status.st_mode & S_IFMT == S_IFDIR { try addStamp(of: root, at: path, to: &stamp, excluding) }
    }
  }
}
