import Hummingbird
import Logging
import NIOCore

/// What was thrown while a request was handled, as far as HTTP cares.
struct RequestFailure: Sendable {
  /// 500 for an error of unknown type.
  let status: HTTPResponse.Status
  /// What to tell the client; nil where there is nothing to say beyond the status.
  let message: String?
  let error: any Error

  init(_ error: any Error) {
    self.error = error
    switch error {
    case let error as HTTPError: (status, message) = (error.status, error.body)
    case is NIOTooManyBytesError: (status, message) = (.contentTooLarge, "The body is too large.")
    case let error as JSONValue.SyntaxError: (status, message) = (.badRequest, error.description)
    case let error as any HTTPResponseError: (status, message) = (error.status, nil)
    default: (status, message) = (.internalServerError, nil)
    }
  }
}

/// The outermost middleware: reads JSON bodies (handlers find them collected; bodies of other types stay streams),
/// turns whatever is thrown, unknown paths and too large bodies included, into the sandbox's own kind of JSON answer,
/// and records the request with the status of its answer.
struct RequestDoor: RouterMiddleware {
  typealias Context = BasicRequestContext

  let log: RequestLog
  let mask: RequestMask
  /// The largest JSON body taken, in bytes; a larger one fails as 413.
  var maximumBody = 64 << 20
  /// What goes wrong on purpose; nil for nothing.
  var faults: RequestFaults?
  let logger: Logger
  /// Makes the answer to a request that failed.
  let render: @Sendable (RequestFailure, Request) -> Response

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    var request = request
    var body: String?
    var size = Int(request.headers[.contentLength] ?? "") ?? 0
    var response: Response
    let fault = faults?.next(for: request)
    do {
      if request.headers[.contentType]?.contains("json") ?? false {
        let buffer = try await request.collectBody(upTo: maximumBody)
        size = buffer.readableBytes
        body = recorded(buffer, path: request.uri.path)
      }
      if let early = await fault?.before() {
        response = early
      } else {
        response = try await next(request, context)
      }
    } catch {
      let failure = RequestFailure(error)
      if failure.status == .internalServerError {
        logger.error(
          "request failed",
          metadata: ["method": "\(request.method)", "path": "\(mask.path(request.uri.path))", "error": "\(error)"])
      }
      response = render(failure, request)
    }
    if let fault {
      response = fault.after(response)
      note(fault, request)
    }
    log.append(
      method: request.method.rawValue, path: mask.path(request.uri.string), status: response.status.code, body: body,
      bodyBytes: size, fault: fault?.name)
    return response
  }

  private func note(_ fault: RequestFault, _ request: Request) {
    guard let name = fault.name else { return }
    logger.warning(
      "fault dealt",
      metadata: [
        "fault": "\(name)", "method": "\(request.method)", "path": "\(mask.path(request.uri.path))",
        "number": "\(fault.dealt?.number ?? 0)",
      ])
  }

  private func recorded(_ buffer: ByteBuffer, path: String) -> String? {
    guard buffer.readableBytes > 0, let value = try? JSONValue(parsing: buffer.readableBytesView) else { return nil }
    return String(decoding: mask.body(value, path: path).bytes.prefix(RequestLog.maximumBody), as: UTF8.self)
  }
}

extension Request {
  /// The body as JSON; `.null` for an empty one.
  func json(upTo limit: Int = 64 << 20) async throws -> JSONValue {
    let buffer = try await body.collect(upTo: limit)
    return buffer.readableBytes == 0 ? .null : try JSONValue(parsing: buffer.readableBytesView)
  }
}

extension Response {
  /// A JSON answer.
  static func json(
    _ value: JSONValue, status: HTTPResponse.Status = .ok, contentType: String = "application/json",
    headers: HTTPFields = [:]
  ) -> Response {
    var headers = headers
    headers[.contentType] = contentType
    return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: value.bytes)))
  }
}

extension RequestLog {
  /// Answers `GET /_sandbox/requests?after=N&limit=N`: `{"requests": [RECORD, …], "last": N}`, oldest first, at most
  /// `limit` (1000 when not given) of those after `after`; `last` is the newest record's sequence.
  func response(to request: Request) -> Response {
    let query = request.query
    let after = query["after"].flatMap { Int($0) } ?? 0
    let limit = query["limit"].flatMap { Int($0) } ?? 1000
    let records = records(after: after).prefix(max(0, limit)).map { record in
      JSONValue.object([
        "sequence": .init(record.sequence), "time": .string(record.time), "method": .string(record.method),
        "path": .string(record.path), "status": .init(record.status), "body": .init(record.body),
        "body_bytes": .init(record.bodyBytes), "fault": .init(record.fault),
      ])
    }
    return .json(["requests": .array(records), "last": .init(last)])
  }
}
