/// A bearer token (RFC 6750). Printing it shows `•••`.
public struct BearerToken: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible, CustomReflectable {
  private let secret: String

  /// The token as it was issued.
  public init(_ secret: String) { self.secret = secret }
  /// The same, for a literal.
  public init(stringLiteral value: String) { secret = value }
  /// What the `Authorization` header says: the one place where it is seen.
  public var authorization: String { "Bearer \(secret)" }
  /// Never the token.
  public var description: String { "•••" }
  /// Nothing, so that `dump` and `String(reflecting:)` tell nothing either.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
