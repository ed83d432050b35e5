import FoundationEssentials

/// A search query: rules under a combinator, nested at will. Relation rules (`relatedTo`, `matchAny`, `property.path`)
/// and user contexts are refused, as is everything unknown: a rule that silently matches nothing would be worse.
indirect enum PortQuery: Sendable {
  case all([PortQuery])
  case any([PortQuery])
  case compare(property: String, operator: Comparison, value: JSONValue)

  enum Comparison: String, Sendable {
    case equal = "="
    case notEqual = "!="
    case greater = ">"
    case greaterOrEqual = ">="
    case less = "<"
    case lessOrEqual = "<="
    case contains, doesNotContains, containsAny, beginsWith, doesNotBeginsWith, endsWith, doesNotEndsWith
    case isIn = "in"
    case notIn, between, notBetween, isEmpty, isNotEmpty, isExpired, isNotExpired

    /// Whether the rule has no `value`.
    var isUnary: Bool { [.isEmpty, .isNotEmpty, .isExpired, .isNotExpired].contains(self) }
  }

  /// Reads `{combinator, rules}`.
  init(_ json: JSONValue) throws(PortFailure) {
    guard let rules = json["rules"].array else { throw .invalid("query must have required property 'rules'") }
    var parsed: [PortQuery] = []
    for rule in rules { parsed.append(try Self.rule(rule)) }
    switch json["combinator"].string {
    case "and": self = .all(parsed)
    case "or": self = .any(parsed)
    default: throw .invalid("query/combinator must be equal to one of the allowed values: and, or")
    }
  }

  private static func rule(_ json: JSONValue) throws(PortFailure) -> PortQuery {
    if !json["combinator"].isNull { return try PortQuery(json) }
    let name = json["operator"].string ?? ""
    guard let comparison = Comparison(rawValue: name) else {
      throw .invalid("query/rules: the sandbox does not know the operator '\(name)'")
    }
    guard let property = json["property"].string, !property.isEmpty else {
      throw .invalid("query/rules: 'property' must be a string")
    }
    let value = json["value"]
    switch comparison {
    case .isIn, .notIn, .containsAny:
      guard value.array != nil else { throw .invalid("query/rules: the value of '\(name)' must be a list") }
    case .between, .notBetween:
      guard value["from"].string != nil, value["to"].string != nil else {
        throw .invalid("query/rules: the value of '\(name)' must have 'from' and 'to'; the sandbox knows no presets")
      }
    default:
      guard comparison.isUnary || json.object?["value"] != nil else {
        throw .invalid("query/rules: '\(name)' must have a value")
      }
    }
    return .compare(property: property, operator: comparison, value: value)
  }

  /// Whether an entity matches.
  func matches(_ entity: PortEntity, now: Date) -> Bool {
    switch self {
    case .all(let rules): rules.allSatisfy { $0.matches(entity, now: now) }
    case .any(let rules): rules.isEmpty || rules.contains { $0.matches(entity, now: now) }
    case .compare(let property, let comparison, let value):
      Self.holds(entity.value(property), comparison, value, now: now)
    }
  }

  private static func holds(_ actual: JSONValue, _ comparison: Comparison, _ value: JSONValue, now: Date) -> Bool {
    switch comparison {
    case .equal: actual == value
    case .notEqual: actual != value
    case .greater: order(actual, value).map { $0 > 0 } ?? false
    case .greaterOrEqual: order(actual, value).map { $0 >= 0 } ?? false
    case .less: order(actual, value).map { $0 < 0 } ?? false
    case .lessOrEqual: order(actual, value).map { $0 <= 0 } ?? false
    case .contains: contains(actual, value)
    case .doesNotContains: !contains(actual, value)
    case .containsAny: (value.array ?? []).contains { contains(actual, $0) }
    case .beginsWith: text(actual, value) { $0.hasPrefix($1) }
    case .doesNotBeginsWith: !text(actual, value) { $0.hasPrefix($1) }
    case .endsWith: text(actual, value) { $0.hasSuffix($1) }
    case .doesNotEndsWith: !text(actual, value) { $0.hasSuffix($1) }
    case .isIn: (value.array ?? []).contains(actual)
    case .notIn: !(value.array ?? []).contains(actual)
    case .between: isBetween(actual, value)
    case .notBetween: !isBetween(actual, value)
    case .isEmpty: isEmpty(actual)
    case .isNotEmpty: !isEmpty(actual)
    case .isExpired: actual.string.flatMap(Date.init(rfc3339:)).map { $0 < now } ?? false
    case .isNotExpired: actual.string.flatMap(Date.init(rfc3339:)).map { $0 >= now } ?? false
    }
  }

  /// Negative, zero or positive; nil where the two cannot be compared. Times compare as times, other texts as texts.
  private static func order(_ left: JSONValue, _ right: JSONValue) -> Int? {
    if let left = left.double, let right = right.double { return left < right ? -1 : left > right ? 1 : 0 }
    guard let left = left.string, let right = right.string else { return nil }
    if let left = Date(rfc3339: left), let right = Date(rfc3339: right) {
      return left < right ? -1 : left > right ? 1 : 0
    }
    return left < right ? -1 : left > right ? 1 : 0
  }

  private static func isBetween(_ actual: JSONValue, _ value: JSONValue) -> Bool {
    guard let low = order(actual, value["from"]), let high = order(actual, value["to"]) else { return false }
    return low >= 0 && high <= 0
  }

  private static func contains(_ actual: JSONValue, _ value: JSONValue) -> Bool {
    if let elements = actual.array { return elements.contains(value) }
    return text(actual, value) { $0.contains($1) }
  }

  private static func text(_ actual: JSONValue, _ value: JSONValue, _ holds: (String, String) -> Bool) -> Bool {
    guard let actual = actual.string, let value = value.string else { return false }
    return holds(actual, value)
  }

  private static func isEmpty(_ actual: JSONValue) -> Bool {
    switch actual {
    case .null: true
    case .string(let text): text.isEmpty
    case .array(let elements): elements.isEmpty
    case .object(let members): members.isEmpty
    default: false
    }
  }
}

extension PortEntity {
  /// What a rule's `property` names: a meta-property such as `$title`, a property, or a relation.
  fileprivate func value(_ name: String) -> JSONValue {
    switch name {
    case "$identifier": .string(identifier)
    case "$title": JSONValue(title)
    case "$icon": JSONValue(icon)
    case "$team": team
    case "$blueprint": .string(blueprint)
    case "$createdAt": .string(createdAt)
    case "$createdBy": .string(createdBy)
    case "$updatedAt": .string(updatedAt)
    case "$updatedBy": .string(updatedBy)
    default: properties[name] ?? relations[name] ?? .null
    }
  }
}
