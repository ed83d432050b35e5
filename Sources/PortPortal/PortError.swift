/// Why Port did not do what it was asked.
///
/// Branch on ``kind``; ``code`` and ``message`` are Port's words for people and logs (its list of codes is not
/// published, `not_found` is the one that can be relied on). Nothing in it is secret: the path has no query, and
/// neither headers nor bodies that were sent are kept.
public struct PortError: Error, Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable {
    /// 400, any other 4xx without a case of its own, or a request that could not be sent as it was.
    case badRequest
    /// 401, also after the token was renewed.
    case unauthorized
    /// 403: no permission, a blocked organization, or an address that is not allowed.
    case forbidden
    /// 404: the blueprint, the entity, or an entity that a relation points at.
    case notFound
    /// 409: the identifier exists, or somebody else manages the field.
    case conflict
    /// 413, or a body over Port's limit that was therefore not sent.
    case tooLarge
    /// 422: against the blueprint's schema, with the rule in the message.
    case unprocessable
    /// 429, after every retry.
    case rateLimited
    /// 5xx, after every retry.
    case server
    /// No answer: connection, TLS, time-out, 408.
    case transport
    /// An answer that is not Port's: a redirect, a proxy's page, an incomplete or oversized body.
    case unexpectedAnswer
  }

  public let kind: Kind
  /// The HTTP status, or an item's own status in a bulk answer; nil where there was none.
  public let status: Int?
  /// Port's `error`, a short code such as `not_found`.
  public let code: String?
  /// Port's `message`, or ours where Port gave none. At most 2,000 characters.
  public let message: String
  /// The answer's `X-Trace-Id`, which Port's support asks for.
  public let traceID: String?
  /// The method and percent-encoded path of the request, without its query.
  public let method: String
  public let path: String
  /// Whether the same request may succeed later.
  public let isRetryable: Bool
  /// Whether Port surely did not do what it was asked, and would not do it if asked again.
  public var isRefusal: Bool {
    switch kind {
    case .badRequest, .unauthorized, .forbidden, .notFound, .conflict, .tooLarge, .unprocessable: true
    case .rateLimited, .server, .transport, .unexpectedAnswer: false
    }
  }
  /// How long Port asks to wait before the next attempt, five minutes at most; nil where it does not, or asks for what
  /// cannot be meant.
  public let retryAfter: Duration?
  /// Whether it is about one entity of a bulk call of which Port answered the rest.
  public let isOfItem: Bool

  init(
    _ kind: Kind, _ message: String, of request: Request, status: Int? = nil, code: String? = nil,
    traceID: String? = nil, isRetryable: Bool = false, retryAfter: Duration? = nil, isOfItem: Bool = false
  ) {
    self.kind = kind
    self.status = status
    self.code = code
    self.message = String(message.prefix(2000))
    self.traceID = traceID
    self.method = request.method.rawValue
    self.path = request.path
    self.isRetryable = isRetryable
    self.retryAfter = retryAfter
    self.isOfItem = isOfItem
  }

  /// The error that a status other than 2xx stands for.
  init(
    status: Int, code: String?, message: String?, of request: Request, traceID: String?, retryAfter: Duration? = nil,
    isOfItem: Bool = false
  ) {
    let kind = Kind(status: status)
    self.init(
      kind, message ?? "Port answered \(status) without an explanation.", of: request, status: status, code: code,
      traceID: traceID, isRetryable: kind.mayPass(status: status), retryAfter: retryAfter, isOfItem: isOfItem)
  }
}

extension PortError: CustomStringConvertible {
  public var description: String {
    var text = "\(method) \(path): "
    if let status { text += "\(status) " }
    if let code { text += "\(code): " }
    text += message
    if let traceID { text += " (trace \(traceID))" }
    return text
  }
}

extension PortError.Kind {
  /// What a status means on Port's routes. Statuses that its document does not declare are possible all the same.
  fileprivate init(status: Int) {
    self =
      switch status {
      case 401: .unauthorized
      case 403: .forbidden
      case 404: .notFound
      case 408: .transport
      case 409: .conflict
      case 413: .tooLarge
      case 422: .unprocessable
      case 429: .rateLimited
      case 400..<500: .badRequest
      case 500..<600: .server
      default: .unexpectedAnswer
      }
  }

  /// 501 says that the server will never do it; every other 5xx, 408 and 429 pass.
  fileprivate func mayPass(status: Int) -> Bool {
    switch self {
    case .transport, .rateLimited: true
    case .server: status != 501
    default: false
    }
  }
}
