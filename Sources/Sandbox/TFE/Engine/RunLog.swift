import Glibc
import Synchronization

/// The growing log of a plan or an apply: STX, text, and once complete ETX, which tells readers to stop.
final class RunLog: Sendable {
  private let file: Int32
  private let path: String
  private let isOpen = Mutex(true)

  /// Begins a log anew.
  init(_ path: String) throws {
    self.path = path
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw DurableFile.Failure("open", path) }
    append([2])
  }

  deinit { Glibc.close(file) }

  /// A full disk costs text of the log, not the run.
  func append(_ bytes: [UInt8]) {
    isOpen.withLock { isOpen in
      if isOpen { try? DurableFile.writeAll(bytes, to: file, path: path) }
    }
  }

  func append(line: String) { append(Array((line + "\n").utf8)) }

  /// Ends the log. To be called when everything that a reader looks at after the log is in place.
  func finish() {
    isOpen.withLock { isOpen in
      if isOpen { try? DurableFile.writeAll([3], to: file, path: path) }
      isOpen = false
    }
  }

  /// Ends the log of something that does not run (any more) with a last line; a complete log stays as it is.
  static func close(_ path: String, _ line: String) {
    let content = (try? DurableFile.read(path)) ?? nil
    if content?.last == 3 { return }
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    try? DurableFile.createFolder(folder)
    try? DurableFile.write((content ?? [2]) + Array((line + "\n").utf8) + [3], to: path)
  }
}
