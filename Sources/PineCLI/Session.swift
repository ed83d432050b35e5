import AsyncHTTPClient
import FoundationEssentials
import PorcCore
import Synchronization

/// Where a command runs: what its process would be asked for.
struct Invocation: Sendable {
  var environment: [String: String]
  var workingDirectory: String
  var input: StandardInput

  /// A path as the command line means it.
  func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : workingDirectory + "/" + path }
}

/// One command at work: PORC on one side, the person on the other.
final class Session: Sendable {
  let options: GlobalOptions
  let invocation: Invocation
  let output: Output
  let clock: any Clock<Duration>
  let now: @Sendable () -> Date
  private let http: HTTPClient
  private let atHand = Mutex<RunAtHand?>(nil)

  /// The run that goes on when `pine` ends.
  enum RunAtHand: Sendable {
    case underWay(String)
    case awaitsDecision(String)
  }

  init(
    options: GlobalOptions, invocation: Invocation, output: Output, http: HTTPClient, clock: any Clock<Duration>,
    now: @escaping @Sendable () -> Date
  ) {
    self.options = options
    self.invocation = invocation
    self.output = output
    self.http = http
    self.clock = clock
    self.now = now
  }

  /// Where PORC is, and the token for it.
  func address() throws -> PorcAddress { try PorcAddress(options, invocation) }

  /// A client with a token.
  func porc() throws -> PorcClient {
    let address = try address()
    guard address.token != nil else {
      throw Fault(
        .notSignedIn, "There is no token for PORC at \(address.url).",
        fix: "Set PORC_TOKEN, or name a file that holds it with --token-file.")
    }
    return client(for: address)
  }

  /// A client for `address`, with or without a token.
  func client(for address: PorcAddress) -> PorcClient { PorcClient(address: address, http: http, clock: clock) }

  /// Remembers what goes on without `pine`.
  func remember(_ run: RunAtHand?) { atHand.withLock { $0 = run } }

  /// Tells that `pine` stops, and how to come back to what it leaves behind.
  func sayItGoesOn(_ why: String) {
    output.clearProgress()
    switch atHand.withLock({ $0 }) {
    case nil: output.note("\(why)")
    case .underWay(let run): output.note("\(why); the run goes on. Come back with: pine watch --run-id \(run)")
    case .awaitsDecision(let run):
      output.note("\(why); the plan still awaits a decision.")
      output.note("Come back with: pine apply --run-id \(run), or pine discard --run-id \(run)")
    }
  }

  /// How long PORC may be away before waiting for it is given up, where no `--timeout` says it.
  private static let longestAbsence = Duration.seconds(300)

  /// Does `work` until PORC is there to answer it. Says once that PORC is away.
  ///
  /// - Parameter isQuiet: for work beside another that says it.
  func patiently<Value>(isQuiet: Bool = false, _ work: () async throws -> Value) async throws -> Value {
    var absence = Duration.zero
    while true {
      do {
        return try await work()
      } catch let fault as Fault where fault.isPassing {
        if options.timeout == nil, absence >= Self.longestAbsence { throw fault }
        if absence == .zero, !isQuiet { output.note("PORC is away, waiting…") }
        let pause = Duration.seconds(min(max(fault.retryAfter ?? 1, 1), 30))
        try await clock.sleep(for: pause)
        absence += pause
      }
    }
  }
}

extension Fault {
  /// Whether it says nothing about the request: the same may well succeed in a moment.
  var isPassing: Bool {
    switch code {
    case .unreachable, .busy, .rateLimited, .upstreamFailed: true
    default: false
    }
  }
}
