public import PorcCore
import PortPortal

/// How the portal's buttons prove who they are.
public struct ButtonSettings: Sendable {
  /// One of them signs each call of Port's; where there is none, the client secret does.
  public var secrets: [String] = []
  /// Whether a press needs a signature, whatever token it comes with.
  public var requiresSignature = false
  /// Whether Port's agent may bring the calls, which signs another form of a body than it sends.
  public var acceptsAgent = false
  /// What a call may that is signed and comes without a token; none: each needs a token.
  public var scopes: Set<Scope> = [.plan, .apply, .approve, .destroy]

  public init() {}
}

extension PortalSettings {
  /// The secrets that signatures are checked with.
  var signingSecrets: [String] {
    switch credentials {
    case .clientCredentials(_, let secret) where buttons.secrets.isEmpty: [secret]
    default: buttons.secrets
    }
  }
}
