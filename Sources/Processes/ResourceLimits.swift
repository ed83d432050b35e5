/// What a program and each of its children may use of the machine (setrlimit(2)). Nil is no limit.
public struct ResourceLimits: Sendable, Hashable {
  /// The largest file it may write, in bytes, rounded up to 1 kB. A program that goes on writing gets SIGXFSZ.
  public var fileBytes: Int?
  /// Its address space in bytes, rounded up to 1 kB: memory and mapped files. Allocating more fails.
  public var memoryBytes: Int?

  public init(fileBytes: Int? = nil, memoryBytes: Int? = nil) {
    self.fileBytes = fileBytes
    self.memoryBytes = memoryBytes
  }

  var isEmpty: Bool { fileBytes == nil && memoryBytes == nil }

  /// The program behind a shell that sets the limits and then becomes the program: they hold from its first instruction.
  func wrapping(_ program: String, _ arguments: [String]) -> (String, [String]) {
    // No core file when a limit ends it. dash counts files in blocks of 512 bytes and memory in kB.
    var script = "ulimit -c 0"
    if let fileBytes { script += " && ulimit -f \((fileBytes + 1023) / 1024 * 2)" }
    if let memoryBytes { script += " && ulimit -v \((memoryBytes + 1023) / 1024)" }
    return ("/bin/sh", ["-c", script + #" && exec "$0" "$@""#, program] + arguments)
  }
}
