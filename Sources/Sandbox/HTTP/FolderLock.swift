import Glibc
import Synchronization

/// Keeps a folder to one process: two servers that append to one journal would spoil it.
final class FolderLock: Sendable {
  /// Why the folder cannot be used.
  struct InUse: Error, CustomStringConvertible {
    let path: String
    var description: String { "The folder '\(path)' is used by another server that runs." }
  }

  private let file: Mutex<Int32?>

  /// Takes the lock, or throws ``InUse``. It goes with `release()`, with this object, and with the process however it ends.
  init(_ folder: String) throws {
    let path = folder + "/lock"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw DurableFile.Failure("open", path) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      throw InUse(path: folder)
    }
    self.file = Mutex(file)
  }

  deinit { release() }

  /// Lets another server use the folder.
  func release() {
    file.withLock { file in
      guard let open = file else { return }
      // Explicitly: a child between its fork and exec still has the descriptor, which would keep the lock.
      flock(open, LOCK_UN)
      close(open)
      file = nil
    }
  }
}
