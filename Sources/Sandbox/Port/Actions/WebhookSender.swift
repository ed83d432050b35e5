import AsyncHTTPClient
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle

/// Sends the webhooks of action runs, in the background. A run that waits is kept on the disk, so one that a stop or a
/// crash caught is sent at the next start: at least once, and its run id tells a receiver what it has had already.
///
/// Port does not document whether it tries again; this tries once. What cannot be delivered, or is answered with
/// anything but 2xx, ends the run with FAILURE and says why in its log, unless the backend has ended it before. A backend
/// that took it and is not `synchronized` ends the run itself.
struct WebhookSender: Service {
  let store: PortStore
  let clientSecret: String
  let logger: Logger
  let now: @Sendable () -> Date

  private let pending: AsyncStream<String>
  private let continuation: AsyncStream<String>.Continuation

  /// How long a backend may take to answer. Port's own limit is not documented.
  static let patience: Duration = .seconds(30)
  /// The beginning of an answer that is kept.
  private static let maximumAnswer = 64 << 10
  /// Who writes what nobody reported.
  private static let author = "port-sandbox"
  /// Of the process, like the threads it runs on: it has no end of its own.
  private static let client = HTTPClient(
    eventLoopGroupProvider: .singleton,
    configuration: .init(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)), decompression: .disabled))

  init(store: PortStore, clientSecret: String, logger: Logger, now: @escaping @Sendable () -> Date) {
    (self.store, self.clientSecret, self.logger, self.now) = (store, clientSecret, logger, now)
    (pending, continuation) = AsyncStream.makeStream()
  }

  /// Has a run sent that is pending.
  func send(_ runID: String) { continuation.yield(runID) }

  func run() async throws {
    for run in store.read(\.runsByAge).reversed() where run.isPending { send(run.id) }
    // What ends it is a stop; what it interrupts is sent at the next start.
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        for await id in pending { group.addTask { await deliver(id) } }
      }
    }
  }

  private func deliver(_ id: String) async {
    let prepared = store.read { registry in registry.runs[id].map { ($0, registry.secrets, registry.agentStreamer) } }
    guard let (run, secrets, streamer) = prepared, run.isPending else { return }
    do {
      let delivery: PortWebhook.Delivery
      do {
        delivery = try Self.delivery(of: run, secrets.mapValues { .string($0.value) })
      } catch let error as PortWebhook.BadAddress {
        try await finish(id, .undelivered(error.reason), isSynchronized: false)
        return
      }
      let masked = try Self.delivery(of: run, secrets.mapValues { _ in .string(RequestMask.mask) })
      try await note(id) { $0.payload = masked.shown }
      // The agent asks for it.
      if delivery.viaAgent, streamer == .polling { return }
      let outcome = await answer(to: request(delivery, of: run))
      if Task.isCancelled { return }
      try await finish(id, outcome, isSynchronized: delivery.isSynchronized)
    } catch is CancellationError {
      return
    } catch {
      logger.error("a webhook was not sent", metadata: ["action_run": "\(id)", "error": "\(error)"])
    }
  }

  /// What a run sends.
  static func delivery(
    of run: PortActionRun, _ secrets: [String: JSONValue]
  ) throws -> PortWebhook.Delivery {
    var context = run.context
    context["run"] = ["id": .string(run.id)]
    context["secrets"] = .object(secrets)
    return try PortWebhook(run.invocation, at: "invocationMethod").delivery(context)
  }

  private func request(_ delivery: PortWebhook.Delivery, of run: PortActionRun) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: delivery.url)
    request.method = HTTPMethod(rawValue: delivery.method)
    let hasBody = !delivery.body.isNull
    let signed = !hasBody ? [] : delivery.viaAgent ? delivery.body.pythonBytes(spaced: false) : delivery.body.bytes
    let signature = WebhookSignature(of: signed, at: now(), secret: clientSecret)
    if hasBody {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: delivery.viaAgent ? delivery.body.pythonBytes(spaced: true) : signed))
    }
    request.headers.add(name: "User-Agent", value: "port-sandbox")
    for (name, value) in delivery.headers { request.headers.replaceOrAdd(name: name, value: value) }
    request.headers.replaceOrAdd(name: "RUN_ID", value: run.id)
    request.headers.replaceOrAdd(name: "x-port-timestamp", value: signature.timestamp)
    request.headers.replaceOrAdd(name: "x-port-signature", value: signature.value)
    return request
  }

  // MARK: The answer

  private enum Outcome: Sendable {
    case answered(Int, String)
    case undelivered(String)
  }

  private struct TimeOut: Error {}

  private func answer(to request: HTTPClientRequest) async -> Outcome {
    do {
      return try await withThrowingTaskGroup(of: Outcome.self) { group in
        group.addTask {
          let response = try await Self.client.execute(request, deadline: .distantFuture)
          var body: [UInt8] = []
          for try await chunk in response.body {
            body += chunk.readableBytesView.prefix(Self.maximumAnswer - body.count)
            if body.count >= Self.maximumAnswer { break }
          }
          return .answered(Int(response.status.code), String(decoding: body, as: UTF8.self))
        }
        group.addTask {
          try await Task.sleep(for: Self.patience)
          throw TimeOut()
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw TimeOut() }
        return first
      }
    } catch is TimeOut {
      return .undelivered("The backend did not answer within \(Self.patience.components.seconds) seconds.")
    } catch let error as HTTPClientError {
      return .undelivered("The backend cannot be reached: \(error.shortDescription).")
    } catch {
      return .undelivered("The backend cannot be reached: \(error).")
    }
  }

  private func finish(_ id: String, _ outcome: Outcome, isSynchronized: Bool) async throws {
    let stamp = PortStamp(time: now().rfc3339, author: Self.author, datasource: Self.author)
    try await store.change { transaction in
      guard var run = transaction.registry.runs[id] else { return }
      run.isPending = false
      let line: String?
      switch outcome {
      case .undelivered(let reason):
        line = run.status.isFinal ? nil : reason
        run.end(.failure, stamp)
      case .answered(let status, let body):
        let isTaken = (200..<300).contains(status)
        if isSynchronized {
          run.response = Self.document(body)
        }
        line = run.status.isFinal || (isTaken && !isSynchronized) ? nil : Self.line(status, body)
        if !isTaken { run.end(.failure, stamp) } else if isSynchronized { run.end(.success, stamp) }
      }
      if let line { transaction.apply([.addLog(transaction.registry.nextLine(line, of: id, stamp))]) }
      transaction.apply([.putRun(run)])
    }
  }

  /// A JSON object or list as that; anything else as the text that it is.
  private static func document(_ body: String) -> JSONValue {
    switch try? JSONValue(parsing: body.utf8) {
    case .object(let members)?: .object(members)
    case .array(let elements)?: .array(elements)
    default: .string(body)
    }
  }

  /// What the backend answered, in a line: the reason of a problem document, or the beginning of what it sent.
  private static func line(_ status: Int, _ body: String) -> String {
    let document = (try? JSONValue(parsing: body.utf8)) ?? .null
    let reason = ["detail", "message", "error", "title"].lazy.compactMap { document[$0].string }.first
    let text = (reason ?? body).trimmingPrefix { $0.isWhitespace }.prefix(500)
    return "The backend answered \(status)" + (text.isEmpty ? "." : ": \(text)")
  }

  private func note(_ id: String, _ change: (inout PortActionRun) -> Void) async throws {
    try await store.change { transaction in
      guard var run = transaction.registry.runs[id] else { return }
      change(&run)
      transaction.apply([.putRun(run)])
    }
  }
}

extension PortWebhook.Delivery {
  /// As a run shows it.
  var shown: JSONValue {
    var document: JSONValue = [
      "type": "WEBHOOK", "url": .string(url), "agent": .bool(viaAgent), "synchronized": .bool(isSynchronized),
      "method": .string(method),
      "headers": .object(Dictionary(headers.map { ($0.name, JSONValue.string($0.value)) }) { $1 }),
    ]
    if !body.isNull { document["body"] = body }
    return document
  }
}
