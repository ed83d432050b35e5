import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import PorcCore

/// PORC over HTTP.
struct PorcClient: Sendable {
  let address: PorcAddress
  let http: HTTPClient
  /// What the pauses between attempts are slept on.
  let clock: any Clock<Duration>

  /// No answer of PORC's but a log is anywhere near this.
  private static let maximumBytes = 64 << 20

  /// How every command talks: no redirects, since they would carry the token elsewhere, and no attempts behind our back.
  static func httpClient() -> HTTPClient {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10), read: .seconds(90)))
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Sends a call, and again where the attempt before says nothing about it.
  ///
  /// Safe for writes too: they carry an `Idempotency-Key`, the same in each attempt.
  ///
  /// - Throws: a ``Fault``, or `CancellationError`.
  func send(_ call: Call, attempts: Int = 4) async throws -> Answer {
    var attempt = 1
    while true {
      do {
        return try await sendOnce(call)
      } catch let fault as Fault {
        guard attempt < attempts, let pause = Self.pause(after: fault, attempt: attempt) else { throw fault }
        try await clock.sleep(for: pause)
        attempt += 1
      }
    }
  }

  /// How long to wait before the next attempt; `nil` where there is no point in one.
  private static func pause(after fault: Fault, attempt: Int) -> Duration? {
    switch fault.code {
    case .unreachable, .rateLimited, .busy, .stillRunning:
      guard let seconds = fault.retryAfter else { return .milliseconds(250 << (attempt - 1)) }
      return (0...60).contains(seconds) ? .seconds(seconds) : nil
    default: return nil
    }
  }

  private func sendOnce(_ call: Call) async throws -> Answer {
    let answer = try await reachably {
      try await withTimeout(call.timeout) { [http, request = request(call)] in
        let response = try await http.execute(request, deadline: .distantFuture)
        let body = try await response.body.collect(upTo: Self.maximumBytes)
        return Answer(
          status: Int(response.status.code), headers: response.headers, bytes: Array(body.readableBytesView))
      }
    }
    if let fault = answer.fault(of: call, at: address.url) { throw fault }
    return answer
  }

  /// Reads a stream of events until it ends or `receive` says that it has enough.
  ///
  /// - Parameter receive: whether to go on.
  /// - Returns: whether `receive` ended it.
  func stream(_ call: Call, _ receive: (ServerSentEvent) async throws -> Bool) async throws -> Bool {
    let request = request(call.with("Accept", "text/event-stream"))
    let response = try await reachably {
      try await withTimeout(call.timeout) { [http] in try await http.execute(request, deadline: .distantFuture) }
    }
    if response.status.code >= 300 {
      let body = try await reachably { try await response.body.collect(upTo: 1 << 20) }
      let answer = Answer(
        status: Int(response.status.code), headers: response.headers, bytes: Array(body.readableBytesView))
      if let fault = answer.fault(of: call, at: address.url) { throw fault }
    }
    var parser = ServerSentEventParser()
    var chunks = response.body.makeAsyncIterator()
    while let chunk = try await reachably({ try await chunks.next() }) {
      for event in try parser.feed(chunk.readableBytesView) where try await !receive(event) { return true }
    }
    return false
  }

  private func request(_ call: Call) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: address.url + call.target)
    request.method = HTTPMethod(rawValue: call.method.rawValue)
    request.headers.add(name: "User-Agent", value: "pine/\(PineCLI.version)")
    if let token = address.token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    for header in call.headers { request.headers.add(name: header.name, value: header.value) }
    if !request.headers.contains(name: "Accept") {
      request.headers.add(name: "Accept", value: "application/json, application/problem+json")
    }
    if let body = call.body { request.body = .bytes(ByteBuffer(bytes: body)) }
    return request
  }

  /// Whatever the network throws, as a fault.
  private func reachably<Value>(_ work: () async throws -> Value) async throws -> Value {
    do {
      return try await work()
    } catch {
      if Task.isCancelled || error is CancellationError { throw CancellationError() }
      if error is Fault { throw error }
      if error is NIOTooManyBytesError { throw Fault(.bug, "PORC's answer is larger than pine reads.", cause: error) }
      let reason = (error as? HTTPClientError).map { " (\($0.shortDescription))" } ?? ""
      throw Fault(
        .unreachable, "PORC cannot be reached at \(address.url)\(reason).",
        fix: "See whether it runs there: pine doctor. \(address.urlSource) gave the address.", cause: error)
    }
  }
}

/// What takes longer than it was given.
struct TimedOut: Error {}

/// Runs `work`, cancelled after `limit` of real time.
func withTimeout<Value: Sendable>(
  _ limit: Duration, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    defer { group.cancelAll() }
    group.addTask { try await work() }
    group.addTask {
      try await Task.sleep(for: limit)
      return nil
    }
    guard let first = try await group.next(), let value = first else { throw TimedOut() }
    return value
  }
}
