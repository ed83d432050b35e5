import HCL

/// One schema in the form that values are checked against: the same for all drafts, other schemas named by their number.
struct SchemaNode: Sendable {
  /// What a violation shows: a JSON pointer, for another document behind its URI and `#`.
  let pointer: String
  /// The resource it is part of, for `$dynamicRef`.
  let resource: Int
  /// In the order in which they are checked; what depends on all others is last.
  var rules: [Rule] = []
  /// Whether a rule asks what others have looked at.
  var needsEvaluated = false

  struct Rule: Sendable {
    /// As the document spells it, which for the same check depends on the draft.
    let keyword: String
    let check: Check
  }

  enum Check: Sendable {
    /// The schema `false`.
    case nothing
    case types([SchemaType])
    case constants([Value])
    case minimum(Number)
    case maximum(Number)
    case exclusiveMinimum(Number)
    case exclusiveMaximum(Number)
    case multipleOf(Number)
    case minLength(Int)
    case maxLength(Int)
    case pattern(Pattern)
    case minItems(Int)
    case maxItems(Int)
    case uniqueItems
    case items(prefix: [Int], rest: Int?)
    case contains(Int, atLeast: Int, atMost: Int?)
    case minProperties(Int)
    case maxProperties(Int)
    case required([String])
    case dependentRequired([String: [String]])
    case properties(PropertyRules)
    case propertyNames(Int)
    case dependentSchemas([String: Int])
    case reference(Int)
    /// `initial` is what the reference leads to if no outer resource has a `$dynamicAnchor` of that name.
    case dynamicReference(initial: Int, anchor: String)
    case allOf([Int])
    case anyOf([Int])
    case oneOf([Int])
    case not(Int)
    case condition(Int, then: Int?, otherwise: Int?)
    case unevaluatedItems(Int)
    case unevaluatedProperties(Int)
  }

  /// `properties`, `patternProperties` and `additionalProperties`, which go together.
  struct PropertyRules: Sendable {
    var named: [String: Int] = [:]
    var patterns: [(pattern: Pattern, node: Int)] = []
    var additional: Int?
  }

  /// The schemas that are checked against the very same value.
  var appliedInPlace: [Int] {
    rules.flatMap { rule -> [Int] in
      switch rule.check {
      case .reference(let node), .not(let node): [node]
      case .allOf(let nodes), .anyOf(let nodes), .oneOf(let nodes): nodes
      case .condition(let condition, let then, let otherwise): [condition, then, otherwise].compactMap(\.self)
      case .dependentSchemas(let nodes): nodes.sorted { $0.key < $1.key }.map(\.value)
      default: []
      }
    }
  }
}

/// A name that `type` may have.
enum SchemaType: String, Sendable, CaseIterable {
  case null, boolean, integer, number, string, array, object

  /// For messages: `a string`.
  var phrase: String {
    switch self {
    case .null: "null"
    case .boolean: "a bool"
    case .integer: "an integer"
    case .array: "an array"
    case .object: "an object"
    case .number, .string: "a \(rawValue)"
    }
  }

  func takes(_ value: Value) -> Bool {
    switch (self, value) {
    case (.null, .null), (.boolean, .bool), (.number, .number), (.string, .string), (.array, .array),
      (.object, .object):
      true
    case (.integer, .number(let number)): number.isInteger
    default: false
    }
  }
}
