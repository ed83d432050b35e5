/// A set of names to which the vendor may add: those known here are static members, others are kept as they came.
///
/// ```swift
/// switch run.status {
/// case .planned, .costEstimated: …
/// default: …
/// }
/// ```
public protocol OpenEnumeration: RawRepresentable, Codable, Hashable, Sendable, CustomStringConvertible,
  ExpressibleByStringLiteral
where RawValue == String {
  /// The value of that name, known or not.
  init(rawValue: String)
}

extension OpenEnumeration {
  /// The value of that name, known or not.
  public init(stringLiteral name: String) { self.init(rawValue: name) }

  /// The vendor's name.
  public var description: String { rawValue }
}
