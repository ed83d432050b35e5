import Glibc

/// Standard output and standard error, or what stands for them.
public struct OutputStreams: Sendable {
  public enum Stream: Sendable {
    /// The answer.
    case output
    /// The conversation: progress, warnings, errors, questions.
    case error
  }

  /// Whether a person reads it: only then are there colours and movement.
  public var isOutputTerminal: Bool
  public var isErrorTerminal: Bool
  var write: @Sendable (Stream, [UInt8]) -> Void

  /// - Parameter write: is called from any task, one call at a time.
  public init(
    isOutputTerminal: Bool = false, isErrorTerminal: Bool = false,
    write: @escaping @Sendable (_ stream: Stream, _ bytes: [UInt8]) -> Void
  ) {
    self.isOutputTerminal = isOutputTerminal
    self.isErrorTerminal = isErrorTerminal
    self.write = write
  }

  /// The process's own.
  public static let process = OutputStreams(
    isOutputTerminal: isatty(STDOUT_FILENO) == 1, isErrorTerminal: isatty(STDERR_FILENO) == 1
  ) { stream, bytes in
    let descriptor = stream == .output ? STDOUT_FILENO : STDERR_FILENO
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if count < 0, errno == EINTR {
        continue
      } else if count < 0, errno == EAGAIN {
        // Somebody who shares the terminal made it non-blocking.
        var wish = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&wish, 1, -1)
      } else {
        // The reader is gone (`pine runs | head`): what a shell calls ended by SIGPIPE, which the network library ignores.
        if stream == .output { _exit(128 + SIGPIPE) }
        return
      }
    }
  }
}
