import Glibc

/// Keeps a folder to one process: two servers that append to one journal would spoil it.
struct FolderLock: ~Copyable {
  /// Why the folder cannot be used.
  struct InUse: Error, CustomStringConvertible {
    let path: String
    var description: String { "The folder '\(path)' is used by another server that runs." }
  }

  private let file: Int32

  /// Takes the lock, or throws ``InUse``. It goes with this value, and with the process however it ends.
  init(_ folder: String) throws {
    let path = folder + "/lock"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw DurableFile.Failure("open", path) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      throw InUse(path: folder)
    }
    self.file = file
  }

  deinit { close(file) }

  /// Lets another server use the folder. Keeps the compiler from ending this value any earlier.
  consuming func release() {}
}
