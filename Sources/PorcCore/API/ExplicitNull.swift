/// A field that is `null` on the wire rather than absent when there is no value: a contract that portals can rely on.
@propertyWrapper
public struct ExplicitNull<Wrapped: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
  public var wrappedValue: Wrapped?
  public init(wrappedValue: Wrapped?) { self.wrappedValue = wrappedValue }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    wrappedValue = container.decodeNil() ? nil : try container.decode(Wrapped.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
  }
}

extension KeyedDecodingContainer {
  /// An absent field reads as `null`.
  public func decode<Wrapped>(_: ExplicitNull<Wrapped>.Type, forKey key: Key) throws -> ExplicitNull<Wrapped> {
    ExplicitNull(wrappedValue: try decodeIfPresent(Wrapped.self, forKey: key))
  }
}
