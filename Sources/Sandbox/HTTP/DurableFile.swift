import Glibc

/// Whole files, written so that after a crash there is the old content or the new, never half of it.
enum DurableFile {
  /// What a system call refused.
  struct Failure: Error, CustomStringConvertible {
    let call: String
    let path: String
    let code: Int32
    var description: String { "\(call) \(path): \(String(cString: strerror(code)))" }

    init(_ call: String, _ path: String, code: Int32 = errno) {
      (self.call, self.path, self.code) = (call, path, code)
    }
  }

  /// Writes to a neighbour, syncs, renames over `path`, and syncs the folder. The file is private to its owner.
  ///
  /// - Parameter syncing: false for what is of no use after a crash: then only the renaming is done.
  static func write(_ bytes: some Collection<UInt8>, to path: String, syncing: Bool = true) throws {
    let temporary = path + ".new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw Failure("open", temporary) }
    do {
      defer { close(file) }
      try writeAll(Array(bytes), to: file, path: temporary)
      guard !syncing || fsync(file) == 0 else { throw Failure("fsync", temporary) }
    }
    guard rename(temporary, path) == 0 else { throw Failure("rename", path) }
    if syncing { try syncFolder(of: path) }
  }

  /// The file's content; nil where there is none.
  static func read(_ path: String) throws -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw Failure("open", path)
    }
    defer { close(file) }
    return try read(file, from: 0, upTo: .max, path: path)
  }

  /// A part of a file: at most `count` bytes from `offset`; empty past its end. nil where there is no file.
  static func read(_ path: String, from offset: Int, upTo count: Int) throws -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw Failure("open", path)
    }
    defer { close(file) }
    return try read(file, from: offset, upTo: count, path: path)
  }

  private static func read(_ file: Int32, from offset: Int, upTo limit: Int, path: String) throws -> [UInt8] {
    let size = Int(lseek(file, 0, SEEK_END))
    guard size > offset else { return [] }
    return try [UInt8](unsafeUninitializedCapacity: min(size - offset, limit)) { buffer, count in
      while count < buffer.count {
        let got = pread(file, buffer.baseAddress?.advanced(by: count), buffer.count - count, off_t(offset + count))
        guard got >= 0 else { throw Failure("read", path) }
        if got == 0 { return }
        count += got
      }
    }
  }

  /// Creates a folder, and those above it, private to its owner (0700); does nothing to one that is there.
  static func createFolder(_ path: String) throws {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    let code = errno
    guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw Failure("mkdir", path, code: code)
    }
    try createFolder(String(path[..<slash]))
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Failure("mkdir", path) }
  }

  static func writeAll(_ bytes: [UInt8], to file: Int32, path: String) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      guard written > 0 || errno == EINTR else { throw Failure("write", path) }
      rest = rest.dropFirst(max(0, written))
    }
  }

  static func syncFolder(of path: String) throws {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let handle = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard handle >= 0 else { throw Failure("open", folder) }
    defer { close(handle) }
    guard fsync(handle) == 0 else { throw Failure("fsync", folder) }
  }
}
