import AsyncHTTPClient
import Foundation
import HTTPExchange
import Logging
import NIOCore
import NIOHTTP1
import Retry

/// Sends requests to one Port, and only there, again where that makes sense.
struct Connection: Sendable {
  /// Scheme, host, port and path prefix, without a trailing slash.
  let base: String
  let http: HTTPClient
  let userAgent: String
  /// For one exchange, from connecting to the last byte of the answer.
  let timeout: Duration
  /// Bytes of an answer that are read at most.
  let answerLimit: Int
  let retries: RetryPolicy
  /// Waits between attempts.
  let clock: any Clock<Duration>
  /// Wall time, to read moments in answers.
  let now: @Sendable () -> Date
  let logger: Logger

  /// Sends `request`, and repeats it within the retry policy after 408, 429, 5xx and failures of the connection, waiting
  /// as long as Port asks to.
  ///
  /// - Parameter authorization: the value of the `Authorization` header.
  /// - Throws: `PortError`, or `CancellationError`.
  func send(_ request: Request, authorization: String?) async throws -> Answer {
    if let size = request.body?.count, size >= Request.bodyLimit {
      throw PortError(
        .tooLarge, "The request has \(size) bytes; Port takes less than \(Request.bodyLimit).", of: request)
    }
    return try await retrying(
      retries, clock: clock,
      classify: { error in
        guard let error = error as? PortError, error.isRetryable else { return .giveUp }
        guard request.repetition == .harmless || error.kind == .rateLimited else { return .giveUp }
        return .retry(after: error.retryAfter)
      },
      operation: { attempt in
        try await attemptOnce(request, authorization, attempt)
      })
  }

  private func attemptOnce(_ request: Request, _ authorization: String?, _ attempt: Int) async throws -> Answer {
    var metadata: Logger.Metadata = [
      "http.method": "\(request.method.rawValue)", "http.path": "\(request.path)", "attempt": "\(attempt)",
    ]
    do {
      let answer = try await exchange(request, authorization)
      metadata["http.status"] = "\(answer.status)"
      metadata["port.trace_id"] = answer.traceID.map { "\($0)" }
      logger.debug("port answered", metadata: metadata)
      return answer
    } catch let error as PortError {
      metadata["port.error"] = "\(error.kind.rawValue)"
      metadata["http.status"] = error.status.map { "\($0)" }
      metadata["port.trace_id"] = error.traceID.map { "\($0)" }
      logger.log(level: error.isRetryable ? .info : .debug, "port did not do it", metadata: metadata)
      throw error
    }
  }

  private func exchange(_ request: Request, _ authorization: String?) async throws -> Answer {
    let outgoing = httpRequest(request, authorization)
    let head: HTTPClientResponse
    let body: ByteBuffer
    do {
      (head, body) = try await withDeadline(timeout) {
        let response = try await http.execute(outgoing, deadline: .distantFuture)
        return (response, try await response.body.collect(upTo: answerLimit))
      }
    } catch {
      // What is thrown in a cancelled task depends on where the cancellation was noticed.
      if Task.isCancelled || error is CancellationError { throw CancellationError() }
      throw failure(of: request, error)
    }
    let status = Int(head.status.code)
    let traceID = head.headers.first(name: "x-trace-id")
    if head.history.count > 1 || (300..<400).contains(status) {
      throw PortError(
        .unexpectedAnswer, "Port's address redirects elsewhere, which is not followed.", of: request, status: status,
        traceID: traceID)
    }
    let data = Data(body.readableBytesView)
    guard (200..<300).contains(status) else {
      throw PortError(
        status: status, body: data, of: request, traceID: traceID,
        retryAfter: AdvisedWait.read(head.headers, status: status, now: now()))
    }
    return Answer(request: request, status: status, traceID: traceID, body: data)
  }

  private func httpRequest(_ request: Request, _ authorization: String?) -> HTTPClientRequest {
    var outgoing = HTTPClientRequest(url: base + request.target)
    outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
    outgoing.headers.add(name: "User-Agent", value: userAgent)
    outgoing.headers.add(name: "Accept", value: "application/json")
    if let authorization { outgoing.headers.add(name: "Authorization", value: authorization) }
    if request.body != nil { outgoing.headers.add(name: "Content-Type", value: "application/json") }
    // A body that can be sent only once: whatever the HTTPClient's settings, AsyncHTTPClient then hands a redirect back
    // instead of sending the body (which may be the client secret) to another host. It drops the body where a redirect
    // turns the method into GET, and the token where it leads to another host; `exchange` refuses what comes of that.
    let body = ByteBuffer(bytes: request.body ?? Data())
    let once = AsyncStream<ByteBuffer> { parts in
      if body.readableBytes > 0 { parts.yield(body) }
      parts.finish()
    }
    outgoing.body = .stream(once, length: .known(Int64(body.readableBytes)))
    return outgoing
  }

  private func failure(of request: Request, _ error: any Error) -> PortError {
    switch error {
    case is DeadlineExceeded:
      PortError(.transport, "Port did not answer within \(timeout).", of: request, isRetryable: true)
    case is NIOTooManyBytesError:
      PortError(.unexpectedAnswer, "The answer has more than \(answerLimit) bytes.", of: request)
    case let error as HTTPClientError where Self.permanent.contains(error):
      PortError(.badRequest, "The request cannot be sent: \(error.shortDescription).", of: request)
    default:
      PortError(
        .transport, "Port cannot be reached: \(ExchangeFailure.reason(of: error)).", of: request, isRetryable: true)
    }
  }

  /// Failures that lie in the address or in this process.
  private static let permanent: [HTTPClientError] = [
    .invalidURL, .emptyHost, .emptyScheme, .alreadyShutdown, .redirectLimitReached, .redirectCycleDetected,
  ]
}
