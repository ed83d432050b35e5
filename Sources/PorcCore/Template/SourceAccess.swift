/// How PORC signs in at a source. Never shown, logged or stored in clear.
public struct SourceAccess: Sendable, Equatable {
  /// For https and registries.
  public var token: String?
  /// The variable of PORC's environment, or the file, that holds the token.
  public var tokenVariable: String?
  public var tokenFile: String?
  /// For https; absent for the one that GitHub expects with a token.
  public var username: String?
  /// For ssh.
  public var sshKeyFile: String?
  public var app: GitHubAppAccess?

  public init(
    token: String? = nil, tokenVariable: String? = nil, tokenFile: String? = nil, username: String? = nil,
    sshKeyFile: String? = nil, app: GitHubAppAccess? = nil
  ) {
    self.token = token
    self.tokenVariable = tokenVariable
    self.tokenFile = tokenFile
    self.username = username
    self.sshKeyFile = sshKeyFile
    self.app = app
  }

  public var isEmpty: Bool { self == SourceAccess() }
}

/// A GitHub App's installation, which gives tokens for an hour.
public struct GitHubAppAccess: Sendable, Equatable {
  /// The app's id or client id.
  public var app: String
  public var installation: String
  /// A file with the app's private key as PEM.
  public var keyFile: String

  public init(app: String, installation: String, keyFile: String) {
    self.app = app
    self.installation = installation
    self.keyFile = keyFile
  }
}

extension SourceAccess: CustomStringConvertible, CustomReflectable {
  public var description: String { isEmpty ? "none" : "•••" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
