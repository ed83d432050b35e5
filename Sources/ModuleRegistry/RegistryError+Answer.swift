import FoundationEssentials
import HTTPExchange
import NIOHTTP1
import NIOSSL

extension RegistryError {
  /// What a status means that is no success.
  ///
  /// - Parameters:
  ///   - sentToken: whether the token went along.
  ///   - notFound: what a 404 means for this call: the sentence, and what to do.
  init(
    status: Int, headers: HTTPHeaders, from host: String, place: String, sentToken: Bool,
    notFound: (message: String, fix: String)
  ) {
    let kind: Kind
    let message: String
    let fix: String
    switch status {
    case 404:
      (kind, message, fix) = (.notFound, notFound.message, notFound.fix)
    case 401, 403:
      kind = .refused
      message =
        sentToken
        ? "'\(host)' does not accept the token, or does not allow it this."
        : "'\(host)' wants a token, and none was sent."
      fix =
        sentToken
        ? "Check that the token is of this host, has not ended, and may read the module."
        : "Give a token for this host; a token goes to the host it is configured for and to no other."
    case 429, 500...:
      kind = .busy
      message =
        status == 429 ? "'\(host)' has had too many requests." : "'\(host)' fails with status \(status)."
      fix = "Wait, then try again."
    case 400..<500:
      kind = .refused
      message = "'\(host)' refuses the request with status \(status)."
      fix = "Check that this is a Terraform registry and the address of the module."
    default:
      kind = .badAnswer
      message = "'\(host)' answers with status \(status), which the protocol does not know here."
      fix = "Check that this is a Terraform registry."
    }
    self.init(kind, status: status, message, place: place, fix: fix, retryAfter: Self.advisedWait(headers))
  }

  /// What an error of the HTTP client means.
  init(transport error: any Error, host: String, place: String) {
    let failure = ExchangeFailure(error)
    let reason = ExchangeFailure.reason(of: error)
    let (message, fix) =
      switch failure {
      case .notConnected:
        ("'\(host)' cannot be reached: \(reason).", "Check the host's name, the network and the proxy, then try again.")
      case .notTrusted: Self.distrust(of: host, because: error)
      case .timedOut:
        ("'\(host)' does not answer in time.", "Try again; where it is always slow, raise the time limit.")
      case .connectionLost: ("The connection to '\(host)' ends early: \(reason).", "Try again.")
      }
    self.init(.unreachable(failure), message, place: place, fix: fix)
  }

  /// BoringSSL tells its reasons only as text: the names of `SSL_R_…` in its `ssl.h`.
  private static func distrust(of host: String, because error: any Error) -> (message: String, fix: String) {
    if error is NIOSSLExtraError {
      return ("The certificate of '\(host)' is for another name.", "Use the name that its certificate has.")
    }
    if "\(error)".contains("CERTIFICATE_VERIFY_FAILED") {
      return (
        "The certificate of '\(host)' is not signed by an authority that this machine trusts.",
        "Add that authority to those this machine trusts."
      )
    }
    return ("No TLS connection to '\(host)' can be agreed on.", "Check that its port is one where it speaks https.")
  }

  /// An answer over its limit.
  static func tooLarge(_ limit: Int, from host: String, place: String) -> RegistryError {
    RegistryError(
      .tooLarge, "What '\(host)' answers is larger than \(limit) bytes.", place: place,
      fix: "Raise the limit if that is right; otherwise look at what the registry sends.")
  }

  /// An answer that is not understood.
  static func badAnswer(_ message: String, status: Int? = nil, place: String) -> RegistryError {
    RegistryError(
      .badAnswer, status: status, message, place: place,
      fix: "Tell who runs the registry; it does not follow Terraform's module registry protocol.")
  }

  /// `Retry-After` in seconds; a date is left to the policy.
  private static func advisedWait(_ headers: HTTPHeaders) -> Duration? {
    guard let seconds = headers.first(name: "Retry-After").flatMap(Double.init), seconds.isFinite, seconds >= 0 else {
      return nil
    }
    return .seconds(min(seconds, 86_400))
  }
}
