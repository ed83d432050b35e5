import ArgumentParser
import AsyncHTTPClient
import Dispatch
public import FoundationEssentials
import Glibc
import PorcCore

/// The developers' command line. `pine` is ``main()``; tests call ``run(arguments:environment:workingDirectory:standardInput:output:interrupts:clock:now:)``
/// in their own process.
public enum PineCLI {
  /// The version of `pine`.
  public static let version = "0.1.0"

  /// Runs one command and says how it ended.
  ///
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - environment: `PORC_URL`, `PORC_TOKEN`, `PORC_DATA`, `PORC_ALLOW_HTTP`, `NO_COLOR` and `TERM` are read.
  ///   - workingDirectory: where `.porc/dev.json` is looked for, there and in its parents, and what relative paths mean.
  ///   - interrupts: yields when the person presses Ctrl-C.
  ///   - clock: what the pauses between attempts and looks are slept on. Time limits are measured in real time.
  ///   - now: what "2 min ago" is counted from.
  ///   - program: `pine` itself, or another with the same manners.
  /// - Returns: the exit status, one of ``Fault/ExitStatus``.
  public static func run(
    arguments: [String], environment: [String: String], workingDirectory: String, standardInput: StandardInput,
    output streams: OutputStreams, interrupts: AsyncStream<Void> = AsyncStream { $0.finish() },
    clock: any Clock<Duration> = ContinuousClock(), now: @escaping @Sendable () -> Date = { Date() },
    program: Program = .pine
  ) async -> Int32 {
    let command: any PineCommand
    let root = program.root
    do {
      let parsed = try root.parseAsRoot(arguments)
      guard let known = parsed as? any PineCommand else {
        var other = parsed
        try other.run()
        return Fault.ExitStatus.done.rawValue
      }
      command = known
    } catch {
      let code = root.exitCode(for: error).rawValue
      streams.write(code == 0 ? .output : .error, Array((root.fullMessage(for: error) + "\n").utf8))
      return code
    }
    let http = PorcClient.httpClient()
    let session = Session(
      options: command.global,
      invocation: Invocation(environment: environment, workingDirectory: workingDirectory, input: standardInput),
      output: Output(form: command.global.form, streams: streams, environment: environment), http: http, clock: clock,
      now: now)
    let status = await carryOut(command, in: session, interrupts: interrupts)
    // Only fails when it was shut down already.
    try? await http.shutdown()
    return status.rawValue
  }

  /// A command line that is served here.
  public enum Program: Sendable {
    case pine
    /// `porc catalog`, which talks to a server as `pine` does.
    case catalog

    fileprivate var root: any ParsableCommand.Type {
      switch self {
      case .pine: Pine.self
      case .catalog: Catalog.self
      }
    }
  }

  /// The whole program: the process's own environment and streams. Does not return.
  ///
  /// - Parameter arguments: without the program's name; absent for the process's own.
  public static func main(_ program: Program = .pine, arguments: [String]? = nil) async -> Never {
    let (interrupts, interrupt) = AsyncStream.makeStream(of: Void.self)
    let wasInterrupted = Latch()
    signal(SIGINT, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler {
      if wasInterrupted.set() {
        _exit(Fault.ExitStatus.interrupted.rawValue)
      }
      interrupt.yield()
    }
    source.resume()
    let status = await run(
      arguments: arguments ?? Array(CommandLine.arguments.dropFirst()),
      environment: ProcessInfo.processInfo.environment,
      workingDirectory: FileManager.default.currentDirectoryPath, standardInput: .process, output: .process,
      interrupts: interrupts, program: program)
    withExtendedLifetime(source) { exit(status) }
  }

  private enum Ending: Sendable {
    case ended(Fault.ExitStatus)
    case interrupted
    case timedOut
    case nothing
  }

  /// The command, against Ctrl-C and against `--timeout`: whatever comes first. Cancellation reaches everything that waits.
  private static func carryOut(
    _ command: any PineCommand, in session: Session, interrupts: AsyncStream<Void>
  ) async -> Fault.ExitStatus {
    await withTaskGroup(of: Ending.self) { group in
      defer { group.cancelAll() }
      group.addTask { .ended(await outcome(of: command, in: session)) }
      group.addTask {
        for await _ in interrupts { return .interrupted }
        return .nothing
      }
      if let limit = session.options.timeout {
        group.addTask {
          do { try await Task.sleep(for: .seconds(limit)) } catch { return .nothing }
          return .timedOut
        }
      }
      for await ending in group {
        switch ending {
        case .ended(let status): return status
        case .interrupted:
          session.sayItGoesOn("interrupted")
          return .interrupted
        case .timedOut:
          session.sayItGoesOn("not done after \(session.options.timeout ?? 0) s")
          return .unavailable
        case .nothing: continue
        }
      }
      return .bug
    }
  }

  private static func outcome(of command: any PineCommand, in session: Session) async -> Fault.ExitStatus {
    do {
      return try await command.execute(in: session)
    } catch is CancellationError {
      return .interrupted
    } catch {
      let complaint = Complaint(error)
      // What ends by a cancellation is told by whoever cancelled.
      if !Task.isCancelled { session.output.complain(complaint) }
      return complaint.exit
    }
  }
}
