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
  /// The program gets no standard input and a session of its own. Cancelling the task, or `stop`, sends SIGINT to its
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
    read: @escaping @Sendable (Execution<NoInput, SequenceOutput, Failure>) async throws -> Void
  ) async throws -> ExitStatus {
    guard let program = Self.find(executable, path: environment["PATH"] ?? "") else {
      throw ProcessError.notFound(executable)
    }
    var options = PlatformOptions()
    options.createSession = true
    let configuration = Configuration(
      executable: .path(FilePath(program)), arguments: Arguments(arguments),
      environment: .custom(
        Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
      workingDirectory: workingDirectory.map { FilePath($0) }, platformOptions: options)
    let running = Task {
      try await Subprocess.run(configuration, input: .none, output: .sequence, error: error) { execution in
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
