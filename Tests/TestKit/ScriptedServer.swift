public import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// A real HTTP server on a loopback socket that answers what a test has written down, and nothing else.
///
/// Answers are queued per `"METHOD /path"` and given once each, in order. Whatever is not scripted, or asked more often
/// than scripted, is answered 501, so that a surprise call fails the test. The path is compared as it was sent, percent
/// encoding included; the query is recorded, not compared.
///
/// ```swift
/// let tfe = ScriptedServer()
/// tfe.on("GET /api/v2/runs/run-1", .status(429, headers: [.retryAfter: "1"]), .json(#"{"data": …}"#))
/// try await tfe.serve { url in … }
/// #expect(tfe.calls == ["GET /api/v2/runs/run-1", "GET /api/v2/runs/run-1"])
/// ```
public final class ScriptedServer: Sendable {
  /// A request as it arrived.
  public struct Request: Sendable {
    /// `GET`, `POST`, …
    public let method: String
    /// The path as sent, percent encoding kept.
    public let path: String
    /// The query as sent, without the question mark; empty where there is none.
    public let query: String
    /// All header fields.
    public let headers: HTTPFields
    /// The whole body.
    public let body: [UInt8]
    /// The body as text; bytes that are not UTF-8 are replaced.
    public var text: String { String(decoding: body, as: UTF8.self) }
    /// `"METHOD /path"`.
    public var call: String { "\(method) \(path)" }
  }

  /// What is sent back.
  public struct Answer: Sendable {
    enum Ending { case complete, brokenOff, dropped, silent }
    public var status: Int
    public var headers: HTTPFields
    public var body: [UInt8]
    var ending = Ending.complete

    /// A status with headers and a body.
    public static func status(_ status: Int, headers: HTTPFields = [:], body: [UInt8] = []) -> Answer {
      Answer(status: status, headers: headers, body: body)
    }
    /// A JSON document.
    public static func json(_ text: String, status: Int = 200, headers: HTTPFields = [:]) -> Answer {
      var headers = headers
      if headers[.contentType] == nil { headers[.contentType] = "application/json" }
      return Answer(status: status, headers: headers, body: Array(text.utf8))
    }
    /// The head and half of a body; then the connection is closed.
    public static let brokenOff = Answer(status: 200, headers: [:], body: Array("half".utf8), ending: .brokenOff)
    /// This answer's head and half of its body; then the connection is closed.
    public var brokenOff: Answer {
      var answer = self
      answer.ending = .brokenOff
      answer.body = Array(body.prefix(body.count / 2)) + Array(body.isEmpty ? "half".utf8 : "".utf8)
      return answer
    }
    /// No answer: the connection is closed.
    public static let dropped = Answer(status: 200, headers: [:], body: [], ending: .dropped)
    /// No answer at all, until the client goes away or the server stops.
    public static let silence = Answer(status: 200, headers: [:], body: [], ending: .silent)
  }

  private struct State {
    var queued: [String: [Answer]] = [:]
    var standing: [String: @Sendable (Request) -> Answer] = [:]
    var requests: [Request] = []
    var url = ""
  }
  private let state = Mutex(State())

  private let otherwise: (@Sendable (Request) async -> Answer?)?

  /// A server with an empty script.
  ///
  /// - Parameter otherwise: answers what the script does not.
  public init(otherwise: (@Sendable (Request) async -> Answer?)? = nil) { self.otherwise = otherwise }

  /// Queues `answers` for a call such as `"GET /api/v2/ping"`, after those queued before.
  public func on(_ call: String, _ answers: Answer...) {
    state.withLock { $0.queued[call, default: []] += answers }
  }

  /// Answers a call whenever nothing is queued for it, as often as it comes.
  public func always(_ call: String, _ answer: @escaping @Sendable (Request) -> Answer) {
    state.withLock { $0.standing[call] = answer }
  }

  /// Every request so far, oldest first.
  public var requests: [Request] { state.withLock(\.requests) }
  /// Every request so far as `"METHOD /path"`, oldest first.
  public var calls: [String] { requests.map(\.call) }
  /// `http://127.0.0.1:PORT` while ``serve(_:)`` runs.
  public var url: String { state.withLock(\.url) }

  /// Runs the server while `body` runs, and hands it the server's address, `http://127.0.0.1:PORT`.
  public func serve<Value: Sendable>(_ body: (_ url: String) async throws -> Value) async throws -> Value {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let quiet = Logger(label: "scripted-server") { _ in SwiftLogNoOpLogHandler() }
    let application = Application(
      responder: CallbackResponder<Context> { [self] request, context in
        try await respond(to: request, on: context.channel)
      },
      configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in
        if let number = channel.localAddress?.port { port.yield(number) }
        port.finish()
      },
      logger: quiet)
    var configuration = ServiceGroupConfiguration(services: [application], logger: quiet)
    configuration.maximumGracefulShutdownDuration = .seconds(5)
    let server = ServiceGroup(configuration: configuration)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { port.finish() }
        try await server.run()
      }
      guard let number = await ports.first(where: { _ in true }) else { throw CannotListen() }
      let url = "http://127.0.0.1:\(number)"
      state.withLock { $0.url = url }
      let outcome: Result<Value, any Error>
      do { outcome = .success(try await body(url)) } catch { outcome = .failure(error) }
      // Gracefully: NIO ends the process if a connection is canceled in the moment in which it is accepted.
      await server.triggerGracefulShutdown()
      try await group.waitForAll()
      return try outcome.get()
    }
  }

  private struct CannotListen: Error {}
  private struct BrokenOff: Error {}

  private struct Context: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    init(source: ApplicationRequestContextSource) {
      coreContext = .init(source: source)
      channel = source.channel
    }
  }

  private func respond(to incoming: Hummingbird.Request, on channel: any Channel) async throws -> Response {
    let target = (incoming.head.path ?? "").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let body = try await incoming.body.collect(upTo: 64 << 20)
    let request = Request(
      method: incoming.method.rawValue, path: String(target.first ?? ""),
      query: target.count > 1 ? String(target[1]) : "", headers: incoming.headers, body: Array(body.readableBytesView))
    var answer = state.withLock { state in
      state.requests.append(request)
      if state.queued[request.call]?.isEmpty == false { return state.queued[request.call]?.removeFirst() }
      return state.standing[request.call]?(request)
    }
    if answer == nil { answer = await otherwise?(request) }
    guard let answer else {
      return Response(
        status: .notImplemented, body: .init(byteBuffer: ByteBuffer(string: "not scripted: \(request.call)")))
    }
    switch answer.ending {
    case .complete: break
    case .silent: try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(3600)) }
    case .dropped:
      try await channel.close()
      throw BrokenOff()
    case .brokenOff:
      return Response(
        status: .init(code: answer.status),
        body: .init(contentLength: answer.body.count * 2) { writer in
          try await writer.write(ByteBuffer(bytes: answer.body))
          throw BrokenOff()
        })
    }
    return Response(
      status: .init(code: answer.status), headers: answer.headers,
      body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
  }
}
