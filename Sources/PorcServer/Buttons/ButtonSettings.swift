public import PorcCore
import PortPortal

/// How the portal's buttons prove who they are.
public struct ButtonSettings: Sendable {
  /// One of them signs each call of Port's; where there is none, the client secret does.
  public var secrets: [String] = []
  /// Whether a press needs a signature, whatever token it comes with.
  public var requiresSignature = false
  /// What a call may that is signed and comes without a token; none: each needs a token.
  public var scopes = Self.pressing

  /// What the buttons need, each one of them.
  public static let pressing: Set<Scope> = [.plan, .apply, .approve, .destroy]

  public init() {}
}

/// Secrets are never printed, whoever prints them.
extension ButtonSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String {
    let scopes = Scope.allCases.filter(scopes.contains).map(\.rawValue).joined(separator: ", ")
    return
      "\(secrets.count) secrets •••, signature required: \(requiresSignature), scopes: \(scopes)"
  }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
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
