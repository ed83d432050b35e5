/// What a program and each of its children may use of the machine (setrlimit(2)). Nil is no limit.
public struct ResourceLimits: Sendable, Hashable {
  /// The largest file it may write, in bytes, rounded up to 1 kB. A program that goes on writing gets SIGXFSZ.
  public var fileBytes: Int?
  /// Its address space in bytes, rounded up to 1 kB: memory and mapped files. Allocating more fails.
  public var memoryBytes: Int?
  /// After so many seconds it gets SIGTERM, and a little later SIGKILL, even if nobody is left to stop it. It takes
  /// timeout(1); where there is none, there is no such limit.
  public var seconds: Int?

  public init(fileBytes: Int? = nil, memoryBytes: Int? = nil, seconds: Int? = nil) {
    self.fileBytes = fileBytes
    self.memoryBytes = memoryBytes
    self.seconds = seconds
  }

  var isEmpty: Bool { fileBytes == nil && memoryBytes == nil && seconds == nil }

  /// The program behind a shell that sets the limits and then becomes the program: they hold from its first instruction.
  func wrapping(_ program: String, _ arguments: [String]) -> (String, [String]) {
    // No core file when a limit ends it. dash counts files in blocks of 512 bytes and memory in kB.
    var script = "ulimit -c 0"
    if let fileBytes { script += " && ulimit -f \((fileBytes + 1023) / 1024 * 2)" }
    if let memoryBytes { script += " && ulimit -v \((memoryBytes + 1023) / 1024)" }
    if let seconds {
      script += #" && if command -v timeout > /dev/null; then exec timeout -k 5 \#(seconds) "$0" "$@"; fi"#
    }
    return ("/bin/sh", ["-c", script + #" && exec "$0" "$@""#, program] + arguments)
  }
}
