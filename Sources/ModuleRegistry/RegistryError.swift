public import HTTPExchange

/// Why a call did not succeed. Holds no token, no query and no address of an archive beyond its host, so it may be
/// logged and shown.
public struct RegistryError: Error, Sendable, Hashable {
  /// What to branch on.
  public enum Kind: Sendable, Hashable {
    /// No answer arrived.
    case unreachable(ExchangeFailure)
    /// 429 or 5xx: not now.
    case busy
    /// 404, or a host without a registry. A private registry says it of what the token may not see, too.
    case notFound
    /// 401, 403 or another 4xx.
    case refused
    /// An answer that does not follow the protocol, leads where this client does not go, or has the wrong checksum.
    case badAnswer
    /// An answer over its limit.
    case tooLarge
    /// Nothing was sent: this registry cannot be asked that.
    case invalid
  }

  /// What to branch on.
  public let kind: Kind
  /// The HTTP status, where there was an answer.
  public let status: Int?
  /// What happened, in one sentence.
  public let message: String
  /// Where: the call and its address, without a query.
  public let place: String
  /// What can be done about it.
  public let fix: String
  /// How long the server asks to wait.
  public let retryAfter: Duration?

  init(
    _ kind: Kind, status: Int? = nil, _ message: String, place: String, fix: String, retryAfter: Duration? = nil
  ) {
    self.kind = kind
    self.status = status
    self.message = message
    self.place = place
    self.fix = fix
    self.retryAfter = retryAfter
  }

  /// Whether the same call may succeed later. The client has then already tried as its policy allows.
  public var isRetryable: Bool {
    switch kind {
    // 501 and 505 say that the server cannot do it, not that it cannot do it now.
    case .busy: status != 501 && status != 505
    case .unreachable(let transport): transport != .notTrusted
    default: false
    }
  }
}

extension RegistryError: CustomStringConvertible {
  /// What, where, and how to mend it, for logs.
  public var description: String { "\(message) (\(place)) \(fix)" }
}
