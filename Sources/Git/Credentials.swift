internal import Foundation

/// What a remote lets us in for. It is given to git through the environment only, and prints as `•••`.
public enum Credentials: Sendable, Hashable {
  case none
  /// For `https`. GitHub takes any user name with a token; GitLab wants `oauth2` or the token's own name.
  case token(String, username: String = "x-access-token")
  /// For `ssh`: a private key without a passphrase.
  ///
  /// - Parameter knownHosts: a file with the keys of the hosts that are to be trusted, as ssh writes it. Without one, the
  ///   key that a host shows first is kept in the mirror's folder, and any other is refused from then on.
  case sshKey(file: String, knownHosts: String? = nil)

  /// What must appear in no message.
  var secrets: [String] {
    guard case .token(let token, let username) = self else { return [] }
    return [token, Self.basic(token, username)]
  }

  static func basic(_ token: String, _ username: String) -> String {
    Data("\(username):\(token)".utf8).base64EncodedString()
  }

  /// Why they cannot be used with a remote; nil if they can.
  func misfit(for remote: RemoteURL) -> String? {
    switch (self, remote.scheme) {
    case (.none, .ssh): "It is reached by ssh, which needs a key."
    case (.none, _), (.token, .https), (.sshKey, .ssh): nil
    case (.token, .http): remote.isLoopback ? nil : "A token is not sent over 'http'."
    case (.token, _): "A token is for 'https' only."
    case (.sshKey, _): "A key is for 'ssh' only."
    }
  }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String {
    switch self {
    case .none: "none"
    case .token: "token •••"
    case .sshKey: "ssh key •••"
    }
  }
  public var debugDescription: String { description }
  public var customMirror: Swift.Mirror { Swift.Mirror(self, children: [:]) }
}
