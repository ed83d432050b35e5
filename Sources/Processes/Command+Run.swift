import Dispatch
import Glibc
import Subprocess
import SystemPackage

extension Command {
  /// What a program wrote, as far as the limit allowed.
  public struct Captured: Sendable {
    public let status: ExitStatus
    public let standardOutput: [UInt8]
    public let standardError: [UInt8]
    /// Whether a stream was longer than the limit, and its end dropped.
    public let isTruncated: Bool

    public var outputText: String { String(decoding: standardOutput, as: UTF8.self) }
    public var errorText: String { String(decoding: standardError, as: UTF8.self) }
  }

  /// Runs the program to its end and hands over what it writes to either stream, merged, in chunks as they come.
  ///
  /// The program gets its `standardInput` and a session of its own. Cancelling the task, or `stop`, sends SIGINT to its
  /// process group (cancelling also SIGKILL after `grace`); what it writes until it ends is still handed over, and the
  /// call returns how it ended. Children that it leaves behind in its group are killed.
  ///
  /// - Throws: `ProcessError`.
  public func run(
    stop: StopSignal = StopSignal(), onOutput: @escaping @Sendable (_ chunk: [UInt8]) async -> Void
  ) async throws -> ExitStatus {
    try await supervised(stop, error: .combinedWithOutput) { execution in
      for try await buffer in execution.standardOutput { await onOutput(buffer.withUnsafeBytes { Array($0) }) }
    }
  }

  /// As `run(stop:onOutput:)`, line by line, without the line feeds. A last line without one counts as a line.
  public func run(
    stop: StopSignal = StopSignal(), onLine: @escaping @Sendable (_ line: String) async -> Void
  ) async throws -> ExitStatus {
    try await supervised(stop, error: .combinedWithOutput) { execution in
      var rest: [UInt8] = []
      for try await buffer in execution.standardOutput {
        rest += buffer.withUnsafeBytes { Array($0) }
        while let end = rest.firstIndex(of: 0x0A) {
          await onLine(String(decoding: rest[..<end], as: UTF8.self))
          rest.removeFirst(end + 1)
        }
      }
      if !rest.isEmpty { await onLine(String(decoding: rest, as: UTF8.self)) }
    }
  }

  /// Runs the program to its end and answers what it wrote, each stream up to `limit` bytes. Otherwise as
  /// `run(stop:onOutput:)`.
  public func capture(limit: Int = 16 << 20, stop: StopSignal = StopSignal()) async throws -> Captured {
    let output = Collected(limit: limit)
    let error = Collected(limit: limit)
    let status = try await supervised(stop, error: .sequence) { execution in
      async let errors: Void = error.collect(execution.standardError)
      try await output.collect(execution.standardOutput)
      try await errors
    }
    let truncated = await [output.isTruncated, error.isTruncated]
    return await Captured(
      status: status, standardOutput: output.bytes, standardError: error.bytes, isTruncated: truncated.contains(true))
  }

  /// Runs the program to its end and hands over what it writes to its standard output, in chunks as they come.
  /// Otherwise as `run(stop:onOutput:)`.
  ///
  /// - Parameters:
  ///   - errorLimit: how many bytes of the standard error are kept: its end, where programs say why they give up.
  ///   - onOutput: what it throws ends the program at once and is thrown here.
  /// - Returns: how it ended, and the end of its standard error.
  public func stream(
    errorLimit: Int = 8 << 10, stop: StopSignal = StopSignal(),
    onOutput: @escaping @Sendable (_ chunk: [UInt8]) async throws -> Void
  ) async throws -> (status: ExitStatus, errorText: String) {
    let error = End(limit: errorLimit)
    let status = try await supervised(stop, error: .sequence) { execution in
      async let errors: Void = error.collect(execution.standardError)
      do {
        for try await buffer in execution.standardOutput { try await onOutput(buffer.withUnsafeBytes { Array($0) }) }
      } catch {
        _ = Glibc.kill(-execution.processIdentifier.value, SIGKILL)
        throw error
      }
      try await errors
    }
    return (status, await String(decoding: error.bytes, as: UTF8.self))
  }

  /// The end of a stream.
  private actor End {
    private let limit: Int
    private var kept: [UInt8] = []

    init(limit: Int) { self.limit = limit }

    var bytes: ArraySlice<UInt8> { kept.suffix(limit) }

    func collect(_ sequence: SubprocessOutputSequence) async throws {
      for try await buffer in sequence {
        buffer.withUnsafeBytes { kept.append(contentsOf: $0.suffix(limit)) }
        // Not at every chunk: moving the bytes costs more than holding them twice.
        if kept.count > 2 * limit { kept.removeFirst(kept.count - limit) }
      }
    }
  }

  private actor Collected {
    let limit: Int
    private(set) var bytes: [UInt8] = []
    private(set) var isTruncated = false

    init(limit: Int) { self.limit = limit }

    func collect(_ sequence: SubprocessOutputSequence) async throws {
      for try await buffer in sequence {
        let room = limit - bytes.count
        buffer.withUnsafeBytes { bytes.append(contentsOf: $0.prefix(room)) }
        // Reading goes on past the limit: a full pipe would hold the program up.
        if buffer.count > room { isTruncated = true }
      }
    }
  }

  /// Runs the program in a task of its own, which nothing cancels: a cancelled `Subprocess.run` closes the pipe, and
  /// the program dies of SIGPIPE before it could save its state. Cancellation becomes a signal instead.
  private func supervised<Failure: ErrorOutputProtocol>(
    _ stop: StopSignal, error: Failure,
    read: @escaping @Sendable (Execution<FileDescriptorInput, SequenceOutput, Failure>) async throws -> Void
  ) async throws -> ExitStatus {
    guard let program = Self.find(executable, path: environment["PATH"] ?? "") else {
      throw ProcessError.notFound(executable)
    }
    let start = limits.isEmpty ? (program, arguments) : limits.wrapping(program, arguments)
    let input = try openInput()
    defer { try? input.close() }
    var options = PlatformOptions()
    options.createSession = true
    let configuration = Configuration(
      executable: .path(FilePath(start.0)), arguments: Arguments(start.1),
      environment: .custom(
        Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
      workingDirectory: workingDirectory.map { FilePath($0) }, platformOptions: options)
    let running = Task {
      try await Subprocess.run(
        configuration, input: .fileDescriptor(input, closeAfterSpawningProcess: false), output: .sequence, error: error
      ) { execution in
        let process = execution.processIdentifier
        stop.add(process.value)
        let result: Result<Void, any Error>
        do { result = .success(try await read(execution)) } catch { result = .failure(error) }
        await Self.exit(of: process)
        // The leader is not reaped before this closure returns, so the number is still the group's.
        _ = Glibc.kill(-process.value, SIGKILL)
        stop.remove(process.value)
        try result.get()
      }
    }
    do {
      let result = try await withTaskCancellationHandler {
        try await running.value
      } onCancel: {
        stop.stop(grace: grace)
      }
      switch result.terminationStatus {
      case .exited(let code): return .exited(code)
      case .signaled(let signal): return .signaled(signal)
      }
    } catch let error as SubprocessError {
      throw ProcessError.cannotStart(executable, reason: error.description)
    }
  }

  /// The standard input as a file without a name: nobody has to feed a pipe while the program runs.
  private func openInput() throws -> FileDescriptor {
    do {
      guard !standardInput.isEmpty else {
        return try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec)
      }
      let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
      let path = FilePath("\(folder)/standard-input-\(UInt64.random(in: 0 ... .max))")
      let file = try FileDescriptor.open(
        path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
      do {
        guard unlink(path.string) == 0 else { throw Errno(rawValue: errno) }
        try file.writeAll(standardInput)
        try file.seek(offset: 0, from: .start)
      } catch {
        try? file.close()
        throw error
      }
      return file
    } catch {
      throw ProcessError.cannotStart(executable, reason: "its input cannot be prepared: \(error)")
    }
  }

  /// Returns when the process has ended, without reaping it. (A program may close its output and go on.)
  private static func exit(of process: ProcessIdentifier) async {
    let descriptor = fcntl(process.processDescriptor, F_DUPFD_CLOEXEC, 0)
    guard descriptor >= 0 else { return }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      // A process descriptor becomes readable when its process ends (pidfd_open(2)).
      let source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
      source.setEventHandler { source.cancel() }
      source.setCancelHandler {
        close(descriptor)
        continuation.resume()
      }
      source.resume()
    }
  }
}
