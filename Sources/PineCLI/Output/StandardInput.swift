import Dispatch
import Glibc

/// Standard input, or what stands for it.
public struct StandardInput: Sendable {
  /// Whether a person can be asked.
  public var isTerminal: Bool
  var readLine: @Sendable () async -> String?
  var readAll: @Sendable () async -> [UInt8]

  /// - Parameters:
  ///   - readLine: the next line without its end; `nil` at the end of the input.
  ///   - readAll: everything that is left.
  public init(
    isTerminal: Bool, readLine: @escaping @Sendable () async -> String?,
    readAll: @escaping @Sendable () async -> [UInt8] = { [] }
  ) {
    self.isTerminal = isTerminal
    self.readLine = readLine
    self.readAll = readAll
  }

  /// No input, and nobody to ask.
  public static let none = StandardInput(isTerminal: false, readLine: { nil })

  /// The process's own. Reading ends early when the task is cancelled.
  public static let process = StandardInput(isTerminal: isatty(STDIN_FILENO) == 1) {
    await besides { Swift.readLine() } ?? nil
  } readAll: {
    await besides {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return bytes }
        bytes += buffer[..<count]
      }
    } ?? []
  }

  /// Does something that blocks on a thread of its own; `nil` when the task was cancelled first.
  private static func besides<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value? {
    let (values, value) = AsyncStream.makeStream(of: Value.self)
    DispatchQueue.global().async {
      value.yield(work())
      value.finish()
    }
    return await values.first { _ in true }
  }
}
