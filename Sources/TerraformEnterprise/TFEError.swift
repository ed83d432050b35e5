import FoundationEssentials
public import HTTPExchange
import NIOHTTP1

/// Why a call did not succeed. Holds no token, no query and no signed address, so it may be logged and shown.
public struct TFEError: Error, Sendable, Hashable {
  /// What to branch on.
  public enum Kind: Sendable, Hashable {
    /// 401: the token is wrong or has ended. TFE says this for nothing else.
    case unauthorized
    /// 403: one of the few refusals that TFE does not hide behind a 404.
    case forbidden
    /// 404: absent, or the token may not see it: TFE does not tell which.
    case notFound
    /// 409: not possible in the state the object is in. Read it again and decide.
    case conflict
    /// 422: the request breaks a rule; see ``TFEError/details``.
    case unprocessable
    /// 429: too many requests. Not executed.
    case rateLimited
    /// Any other 4xx.
    case refused
    /// 5xx.
    case server
    /// No answer arrived.
    case transport(ExchangeFailure)
    /// An answer that does not follow the API, or a configuration that cannot lead to one.
    case protocolViolation
  }

  /// One entry of the vendor's `errors` list.
  public struct Detail: Sendable, Hashable {
    /// Such as `invalid attribute`.
    public var title: String
    /// A sentence, where there is one.
    public var detail: String?
    /// A JSON pointer into the request, such as `/data/attributes/name`.
    public var pointer: String?

    /// An entry with a title, and the rest where the vendor gives it.
    public init(title: String, detail: String? = nil, pointer: String? = nil) {
      self.title = title
      self.detail = detail
      self.pointer = pointer
    }
  }

  /// What to branch on.
  public let kind: Kind
  /// The HTTP status, where there was an answer.
  public let status: Int?
  /// What the vendor said, in its order.
  public let details: [Detail]
  /// The request's method.
  public let method: String
  /// The request's path without its query, or a name in parentheses where the address is a secret.
  public let path: String
  /// What was found out here, beyond the vendor's words.
  public let explanation: String?
  /// How long the server asks to wait.
  public let retryAfter: Duration?

  init(
    _ kind: Kind, status: Int? = nil, method: String, path: String, details: [Detail] = [], explanation: String? = nil,
    retryAfter: Duration? = nil
  ) {
    self.kind = kind
    self.status = status
    self.details = details
    self.method = method
    self.path = path
    self.explanation = explanation
    self.retryAfter = retryAfter
  }

  /// Whether the same call may succeed later. The client has then already tried as its policy allows.
  public var isRetryable: Bool {
    switch kind {
    case .rateLimited: true
    // 501 and 505 say that the server cannot do it, not that it cannot do it now.
    case .server: status != 501 && status != 505
    case .transport(.notConnected), .transport(.timedOut), .transport(.connectionLost): true
    default: false
    }
  }

  /// Whether the request surely had no effect. Where this is false after a failed POST, look before doing it again.
  public var wasNotExecuted: Bool {
    switch kind {
    case .transport(.timedOut), .transport(.connectionLost), .server, .protocolViolation: false
    default: true
    }
  }
}

extension TFEError: CustomStringConvertible {
  /// What happened, in one sentence that names no address.
  public var message: String {
    let vendor = details.map { entry in
      (entry.detail ?? entry.title) + (entry.pointer.map { " (\($0))" } ?? "")
    }.joined(separator: "; ")
    // The sentence ends with a period of its own.
    let said = vendor.isEmpty ? "" : ": \(vendor.hasSuffix(".") ? String(vendor.dropLast()) : vendor)"
    switch kind {
    case .unauthorized: return "Terraform Enterprise does not accept the token."
    case .forbidden: return "Terraform Enterprise forbids this to the token\(said)."
    case .notFound: return "It is absent, or the token may not see it."
    case .conflict: return "Its present state does not allow this\(said)."
    case .unprocessable: return "Terraform Enterprise finds the request invalid\(said)."
    case .rateLimited: return "Terraform Enterprise's rate limit is reached."
    case .refused: return "Terraform Enterprise refuses the request with status \(status ?? 0)\(said)."
    case .server: return "Terraform Enterprise fails with status \(status ?? 0)\(said)."
    case .transport(.notConnected): return "Terraform Enterprise cannot be reached."
    case .transport(.notTrusted): return "The connection to Terraform Enterprise cannot be trusted."
    case .transport(.timedOut): return "Terraform Enterprise does not answer in time."
    case .transport(.connectionLost): return "The connection to Terraform Enterprise ends early."
    case .protocolViolation: return "Terraform Enterprise answers in a way that is not understood."
    }
  }

  /// ``message`` with the call and what was found out, for logs.
  public var description: String {
    [message, explanation].compactMap { $0 }.joined(separator: " ") + " (\(method) \(path))"
  }
}
