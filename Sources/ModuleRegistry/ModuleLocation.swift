/// Where a registry says a version of a module is.
public enum ModuleLocation: Sendable, Hashable {
  /// An archive: ``RegistryClient/download(_:)`` fetches it.
  case archive(ModuleArchive)
  /// A commit of a git repository, which this client does not read.
  case git(ModuleRepository)
  /// Something else. The text names it, without what may be secret in it, and says why it is not read.
  case unsupported(String)
}

/// An archive of a module. Its address may be a secret by itself (TFE and GitLab sign it), so printing it shows the
/// host alone.
public struct ModuleArchive: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  /// How it is packed.
  public enum Format: String, Sendable, Hashable {
    case tarGzip = "tar.gz"
    case zip
  }

  let web: WebAddress
  /// How the registry says it is packed.
  public let format: Format
  /// The folder in it that is the module, without slashes around it; nil for its root. A part `*` stands for the only
  /// folder there is at its level.
  public let subfolder: String?
  /// What the bytes must hash to, where the registry says so.
  public let checksum: Checksum?

  /// The address, which may be a secret: not for logs.
  public var address: String { web.text }
  /// The host alone, and the format.
  public var description: String { "\(web.shownAsSecret) (\(format.rawValue))" }
  /// Nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A folder of a git repository at a commit.
public struct ModuleRepository: Sendable, Hashable {
  /// What to clone, over https and without credentials.
  public let url: String
  /// The commit, tag or branch; nil for the default branch. Never begins with `-`.
  public let ref: String?
  /// The folder in it that is the module; nil for its root.
  public let subfolder: String?
}
