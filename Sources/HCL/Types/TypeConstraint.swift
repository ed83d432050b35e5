/// The type of a variable, as Terraform's type constraints say it.
public indirect enum TypeConstraint: Hashable, Sendable {
  /// One type that Terraform finds out by itself.
  case any
  case string
  case number
  case bool
  case list(TypeConstraint)
  case set(TypeConstraint)
  case map(TypeConstraint)
  /// In the order of declaration.
  case object([Attribute])
  case tuple([TypeConstraint])

  /// An attribute of an object type.
  public struct Attribute: Hashable, Sendable {
    public let name: String
    public let type: TypeConstraint
    /// Whether an object may lack it: `optional(…)`.
    public let isOptional: Bool
    /// What `optional(type, default)` says, as it is written; nil without one. Takes the place of an absent attribute and
    /// of null.
    public let `default`: Value?

    public init(name: String, type: TypeConstraint, isOptional: Bool = false, default: Value? = nil) {
      self.name = name
      self.type = type
      self.isOptional = isOptional
      self.default = `default`
    }
  }
}

extension TypeConstraint: CustomStringConvertible {
  /// The canonical text, on one line: `object({ name = string, ports = optional(list(number), []) })`. It reads back as the
  /// same type.
  public var description: String {
    switch self {
    case .any: "any"
    case .string: "string"
    case .number: "number"
    case .bool: "bool"
    case .list(let element): "list(\(element))"
    case .set(let element): "set(\(element))"
    case .map(let element): "map(\(element))"
    case .tuple(let elements): "tuple([" + elements.map(\.description).joined(separator: ", ") + "])"
    case .object(let attributes) where attributes.isEmpty: "object({})"
    case .object(let attributes): "object({ " + attributes.map(\.description).joined(separator: ", ") + " })"
    }
  }

  /// What to call it in a sentence: `a list`, `an object`.
  var kind: String {
    switch self {
    case .any: "any value"
    case .string: "a string"
    case .number: "a number"
    case .bool: "a bool"
    case .list: "a list"
    case .set: "a set"
    case .map: "a map"
    case .object: "an object"
    case .tuple(let elements): "a tuple of \(elements.count) elements"
    }
  }

  /// Whether a part of it is left to Terraform to find out.
  var containsAny: Bool {
    switch self {
    case .any: true
    case .string, .number, .bool: false
    case .list(let element), .set(let element), .map(let element): element.containsAny
    case .object(let attributes): attributes.contains { $0.type.containsAny }
    case .tuple(let elements): elements.contains { $0.containsAny }
    }
  }
}

extension TypeConstraint.Attribute: CustomStringConvertible {
  /// `name = type`, with `optional(…)` where it is.
  public var description: String {
    switch (isOptional, `default`) {
    case (false, _): "\(name) = \(type)"
    case (true, nil): "\(name) = optional(\(type))"
    case (true, let value?): "\(name) = optional(\(type), \(value.hclLiteral))"
    }
  }
}
