import Glibc

/// A program to run: what, with which arguments, in which surroundings.
public struct Command: Sendable {
  /// A path with a `/` in it, or a name to look for on the `PATH` of `environment`.
  public var executable: String
  /// Without the program's own name.
  public var arguments: [String]
  /// All that the program sees: nothing is inherited.
  public var environment: [String: String]
  /// The folder it starts in; nil for this process's own.
  public var workingDirectory: String?
  /// How long the program may take to end by itself after the task that runs it was cancelled, before it is killed.
  public var grace: Duration
  /// All that the program can read from its standard input.
  public var standardInput: [UInt8] = []
  /// What it may use of the machine.
  public var limits = ResourceLimits()

  public init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
    workingDirectory: String? = nil, grace: Duration = .seconds(10)
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.grace = grace
  }

  /// Looks for a program on a search path, as a shell does.
  ///
  /// - Parameters:
  ///   - name: a name without `/`; a path is answered as it is if it can be executed.
  ///   - path: folders separated by `:`; nil for this process's own `PATH`. Relative folders are passed over.
  /// - Returns: the path of the first executable file; nil for none.
  public static func find(_ name: String, path: String? = nil) -> String? {
    func isExecutable(_ path: String) -> Bool {
      var status = stat()
      return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
    guard !name.isEmpty else { return nil }
    if name.contains("/") { return isExecutable(name) ? name : nil }
    let path = path ?? getenv("PATH").map { String(cString: $0) } ?? ""
    for folder in path.split(separator: ":") where folder.hasPrefix("/") && isExecutable("\(folder)/\(name)") {
      return "\(folder)/\(name)"
    }
    return nil
  }
}

/// How a program ended.
public enum ExitStatus: Sendable, Hashable {
  case exited(Int32)
  /// Ended by this signal.
  case signaled(Int32)

  /// Exit code 0.
  public var isSuccess: Bool { self == .exited(0) }
}

/// Why a program was not run.
public enum ProcessError: Error, Sendable, CustomStringConvertible {
  /// No executable file of that name.
  case notFound(String)
  case cannotStart(String, reason: String)

  public var description: String {
    switch self {
    case .notFound(let name): "The program '\(name)' was not found."
    case .cannotStart(let name, let reason): "The program '\(name)' could not be started: \(reason)"
    }
  }
}
