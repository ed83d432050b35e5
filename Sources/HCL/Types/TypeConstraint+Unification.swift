extension TypeConstraint {
  /// The type that a converted value has in the end, with every `any` replaced by what is really there; `any` is left for
  /// null.
  func concrete(for value: Value) -> TypeConstraint {
    switch (self, value) {
    case (.any, .null): .any
    case (.any, .bool): .bool
    case (.any, .number): .number
    case (.any, .string): .string
    case (.any, .array(let elements)): .tuple(elements.map { TypeConstraint.any.concrete(for: $0) })
    case (.any, .object(let members)):
      .object(Value.sorted(members).map { Attribute(name: $0.key, type: TypeConstraint.any.concrete(for: $0.value)) })
    case (.list(let element), .array(let elements)): .list(element.common(of: elements))
    case (.set(let element), .array(let elements)): .set(element.common(of: elements))
    case (.map(let element), .object(let members)): .map(element.common(of: Array(members.values)))
    case (.tuple(let types), .array(let elements)):
      .tuple(zip(types, elements).map { $0.concrete(for: $1) })
    case (.object(let attributes), .object(let members)):
      .object(attributes.map { Attribute(name: $0.name, type: $0.type.concrete(for: members[$0.name] ?? .null)) })
    default: withoutOptionals
    }
  }

  private func common(of values: [Value]) -> TypeConstraint {
    guard containsAny, !values.isEmpty else { return withoutOptionals }
    let types = values.map { concrete(for: $0) }
    return TypeConstraint.unified(types) ?? TypeConstraint.single(types) ?? withoutOptionals
  }

  /// The one type that all of these are but for those that are not known.
  static func single(_ types: [TypeConstraint]) -> TypeConstraint? {
    let known = types.filter { $0 != .any }
    return known.allSatisfy { $0 == known.first } ? known.first : nil
  }

  /// The type of a value: whether it might have lacked an attribute no longer matters.
  private var withoutOptionals: TypeConstraint {
    switch self {
    case .any, .string, .number, .bool: self
    case .list(let element): .list(element.withoutOptionals)
    case .set(let element): .set(element.withoutOptionals)
    case .map(let element): .map(element.withoutOptionals)
    case .tuple(let elements): .tuple(elements.map(\.withoutOptionals))
    case .object(let attributes):
      .object(attributes.map { Attribute(name: $0.name, type: $0.type.withoutOptionals) })
    }
  }

  /// The one type that all of these convert to, as go-cty's `convert.Unify` finds it; nil if there is none.
  ///
  /// Strings win over numbers and bools; numbers and bools do not go together. Objects with the same attributes and
  /// tuples of the same length go together part by part, others as a map or a list. Null goes with scalars only.
  static func unified(_ types: [TypeConstraint]) -> TypeConstraint? {
    let known = types.filter { $0 != .any }
    guard let first = known.first else { return .any }
    if known.count < types.count, !known.allSatisfy(\.isScalar) { return nil }
    if known.allSatisfy({ $0 == first }) { return first }
    if known.allSatisfy(\.isScalar) { return known.contains(.string) ? .string : nil }
    if known.allSatisfy(\.isObjectOrMap) { return unifiedObjects(known) }
    if known.allSatisfy(\.isSequence) { return unifiedSequences(known) }
    return nil
  }

  private var isScalar: Bool { self == .string || self == .number || self == .bool }

  private var isObjectOrMap: Bool {
    switch self {
    case .object, .map: true
    default: false
    }
  }

  private var isSequence: Bool {
    switch self {
    case .list, .set, .tuple: true
    default: false
    }
  }

  private static func unifiedObjects(_ types: [TypeConstraint]) -> TypeConstraint? {
    let objects: [[Attribute]] = types.compactMap { if case .object(let attributes) = $0 { attributes } else { nil } }
    if objects.count == types.count, let names = objects.first.map({ Set($0.map(\.name)) }),
      objects.allSatisfy({ Set($0.map(\.name)) == names })
    {
      return unifiedAttributes(objects).map { .object($0) }
    }
    let parts = types.flatMap { type -> [TypeConstraint] in
      switch type {
      case .object(let attributes): attributes.map(\.type)
      case .map(let element): [element]
      default: []
      }
    }
    return unified(parts).map { .map($0) }
  }

  private static func unifiedAttributes(_ objects: [[Attribute]]) -> [Attribute]? {
    var types: [String: [TypeConstraint]] = [:]
    for attribute in objects.joined() { types[attribute.name, default: []].append(attribute.type) }
    var result: [Attribute] = []
    for attribute in objects.first ?? [] {
      guard let type = unified(types[attribute.name] ?? []) else { return nil }
      result.append(Attribute(name: attribute.name, type: type))
    }
    return result
  }

  private static func unifiedSequences(_ types: [TypeConstraint]) -> TypeConstraint? {
    let tuples: [[TypeConstraint]] = types.compactMap { if case .tuple(let elements) = $0 { elements } else { nil } }
    if tuples.count == types.count, let count = tuples.first?.count, tuples.allSatisfy({ $0.count == count }) {
      let elements = (0..<count).compactMap { column in unified(tuples.map { $0[column] }) }
      return elements.count == count ? .tuple(elements) : nil
    }
    let parts = types.flatMap { type -> [TypeConstraint] in
      switch type {
      case .tuple(let elements): elements
      case .list(let element), .set(let element): [element]
      default: []
      }
    }
    let areAllSets = types.allSatisfy { if case .set = $0 { true } else { false } }
    return unified(parts).map { areAllSets ? .set($0) : .list($0) }
  }
}
