import Glibc

/// Holds a folder against other processes, and against others in this one, until it goes away.
final class FolderLock: Sendable {
  private let file: Int32

  /// Nil if somebody else holds it, or the file cannot be made.
  init?(_ path: String) {
    file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return nil }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      return nil
    }
  }

  deinit {
    // Closing alone is not enough: a child that is being started has a copy of the file until it becomes its program.
    flock(file, LOCK_UN)
    close(file)
  }
}
