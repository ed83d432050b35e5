/// An identifier that is plain text wherever it is written: in JSON, in a log, in the database.
public protocol TextIdentifier: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  var rawValue: String { get }
  init(_ rawValue: String)
}

extension TextIdentifier {
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }

  public var description: String { rawValue }

  public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
}
