/// Why a remote, or the mirror of one, could not be read. Nothing in it is secret.
public struct GitError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Kind: Sendable, Hashable {
    /// Nobody answers, or not as a git server does. Later it may.
    case unreachable
    /// The credentials do not open it.
    case refused
    /// No such repository, or no such commit in it.
    case notFound
    /// It answers from another address, which is not followed.
    case moved
    /// Over one of the `Limits`.
    case tooLarge
    /// A call took longer than `Limits.duration`.
    case timedOut
    /// The mirror lacks it: fetch it (again).
    case missing
    /// What was asked for cannot be: credentials of the wrong kind, a path that is none, no git on this machine.
    case misconfigured
    /// Another process, or another `Mirror`, has the folder.
    case inUse
    /// Anything else that git complained about.
    case broken
  }

  public let kind: Kind
  /// One sentence that names the repository.
  public let message: String
  /// What the reader can do.
  public let fix: String
  /// What git said last, shortened, on one line; empty for nothing.
  public let detail: String

  public init(_ kind: Kind, _ message: String, fix: String, detail: String = "") {
    self.kind = kind
    self.message = message
    self.fix = fix
    self.detail = detail
  }

  /// Whether the same call may succeed later without anybody's doing.
  public var isRetryable: Bool { [.unreachable, .timedOut, .missing, .inUse].contains(kind) }

  public var description: String {
    detail.isEmpty ? "\(message) \(fix)" : "\(message) \(fix) (git: \(detail))"
  }
}
