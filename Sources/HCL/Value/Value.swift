/// A value as JSON and Terraform know it, with exact numbers and without positions.
public indirect enum Value: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(Number)
  case string(String)
  case array([Value])
  case object([String: Value])
}

extension Value {
  public var isNull: Bool { self == .null }

  public var boolValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  public var numberValue: Number? {
    if case .number(let value) = self { value } else { nil }
  }

  /// The number as an `Int`, if this is a number and an integer in range.
  public var intValue: Int? { numberValue?.intValue }

  public var stringValue: String? {
    if case .string(let value) = self { value } else { nil }
  }

  public var arrayValue: [Value]? {
    if case .array(let value) = self { value } else { nil }
  }

  public var objectValue: [String: Value]? {
    if case .object(let value) = self { value } else { nil }
  }

  /// The member of an object; nil if there is none or this is no object.
  public subscript(key: String) -> Value? { objectValue?[key] }

  /// The element of an array; nil if out of bounds or this is no array.
  public subscript(index: Int) -> Value? {
    guard let array = arrayValue, array.indices.contains(index) else { return nil }
    return array[index]
  }

  /// What `path` leads to, if all its steps exist.
  public func value(at path: [PathStep]) -> Value? {
    path.reduce(self) { (value: Value?, step) in
      switch step {
      case .key(let key): value?[key]
      case .index(let index): value?[index]
      }
    }
  }

  /// What kind of value this is, for messages that must not show the value: `a string`, `an object`, `null`.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a bool"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// Members in the byte order of their keys, the order of all our texts.
  static func sorted<Element>(_ members: [String: Element]) -> [(key: String, value: Element)] {
    members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }
}

// `nil` is no literal for null: `value["x"] == nil` must ask whether the member is absent, never whether it is null.
extension Value: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) {
    self = .string(value)
  }

  public init(integerLiteral value: Int) {
    self = .number(Number(value))
  }

  public init(floatLiteral value: Double) {
    self = .number(Number(floatLiteral: value))
  }

  public init(booleanLiteral value: Bool) {
    self = .bool(value)
  }

  public init(arrayLiteral elements: Value...) {
    self = .array(elements)
  }

  /// Of members with the same key the last one counts.
  public init(dictionaryLiteral elements: (String, Value)...) {
    self = .object(Dictionary(elements) { _, last in last })
  }
}
