import Foundation
import Synchronization

/// Says that one process serves a database, until it is released. The system releases it when the process ends, however
/// that happens. Advisory: whoever does not ask is not stopped (flock(2)).
final class FileLock: Sendable {
  /// `nil` once released.
  private let descriptor: Mutex<Int32?>

  /// - Throws: ``StoreError/unusable(_:fix:)`` if somebody else has it.
  init(path: String) throws {
    // O_CLOEXEC: a child that inherited the file would keep the lock after our end.
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StoreError.unusable(
        "The lock file '\(path)' cannot be opened: \(String(cString: strerror(errno))).",
        fix: "Let PORC's user write to its folder.")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      close(descriptor)
      guard reason == EWOULDBLOCK else {
        throw StoreError.unusable(
          "The lock file '\(path)' cannot be locked: \(String(cString: strerror(reason))).",
          fix: "Keep the database on a file system that can lock files.")
      }
      throw StoreError.unusable(
        "Another PORC serves this database: it holds the lock file '\(path)'.",
        fix: "Stop the other one first, or give this one a database of its own.")
    }
    self.descriptor = Mutex(descriptor)
  }

  deinit { release() }

  /// Lets another have it; twice is once.
  func release() {
    descriptor.withLock { descriptor in
      if let open = descriptor {
        // By word, not by closing it alone: a child that was forked and has not come to its exec has a copy.
        flock(open, LOCK_UN)
        close(open)
      }
      descriptor = nil
    }
  }
}
