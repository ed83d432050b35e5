import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Retry

/// How an exchange broke down before there was an answer.
public enum ExchangeFailure: Sendable, Hashable {
  /// No connection was made (refused, no such host, timed out while connecting): nothing was sent.
  case notConnected
  /// The server's certificate is not trusted, or no TLS connection could be agreed on: nothing was sent.
  case notTrusted
  /// The answer did not come in time. The request may have been executed.
  case timedOut
  /// The connection ended early. The request may have been executed.
  case connectionLost

  /// What an error of the HTTP client, or of a deadline around it, means.
  public init(_ error: any Error) {
    switch error {
    case is DeadlineExceeded: self = .timedOut
    case let error as HTTPClientError where Self.late.contains(error): self = .timedOut
    case let error as HTTPClientError where Self.early.contains(error): self = .notConnected
    case is NIOConnectionError: self = .notConnected
    case let error as IOError where Self.refused.contains(error.errnoCode): self = .notConnected
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: self = .notTrusted
    default: self = .connectionLost
    }
  }

  /// An error of the HTTP client in few words, such as `Connection refused`. It names hosts and reasons, never headers or
  /// queries.
  public static func reason(of error: any Error) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
      error.connectionErrors.first.map { reason(of: $0.error) }
        ?? (error.dnsAError ?? error.dnsAAAAError).map { _ in "the host's name is not known" } ?? "\(error)"
    case let error as HTTPClientError: error.shortDescription
    default: "\(error)"
    }
  }

  private static let late: [HTTPClientError] = [.readTimeout, .writeTimeout, .deadlineExceeded]
  private static let early: [HTTPClientError] = [
    .connectTimeout, .getConnectionFromPoolTimeout, .socksHandshakeTimeout, .httpProxyHandshakeTimeout,
    .tlsHandshakeTimeout, .invalidProxyResponse,
  ]
  private static let refused = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH]
}
