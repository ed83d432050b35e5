import FoundationEssentials

/// A search query: rules under a combinator, nested at will. `matchAny`, `property.path`, property schemas and contexts of
/// users are refused, as is everything unknown: a rule that silently matches nothing would be worse.
indirect enum PortQuery: Sendable {
  case all([PortQuery])
  case any([PortQuery])
  case compare(property: String, operator: Comparison, value: JSONValue)
  /// Those that relate to one of these, by however many steps; with `downstream` those to which these relate.
  case related(to: [String], of: String, isDownstream: Bool, onlyRequired: Bool)

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
    if name == "relatedTo" { return try related(json) }
    guard let comparison = Comparison(rawValue: name) else {
      throw .invalid("query/rules: the sandbox does not know the operator '\(name)'")
    }
    guard let property = json["property"].string, !property.isEmpty else {
      throw .invalid("query/rules: 'property' must be a string")
    }
    let value = json["value"]
    guard value["context"].isNull else { throw .invalid("query/rules: the sandbox knows no contexts of users") }
    switch comparison {
    case .equal where !value["preset"].isNull || !value["from"].isNull:
      return try rule(["operator": "between", "property": .string(property), "value": value])
    case .isIn, .notIn, .containsAny:
      guard value.array != nil else { throw .invalid("query/rules: the value of '\(name)' must be a list") }
    case .between, .notBetween:
      guard
        value["from"].string != nil && value["to"].string != nil
          || DatePreset(rawValue: value["preset"].string ?? "") != nil
      else { throw .invalid("query/rules: the value of '\(name)' must have 'from' and 'to', or a 'preset'") }
    default:
      guard comparison.isUnary || json.object?["value"] != nil else {
        throw .invalid("query/rules: '\(name)' must have a value")
      }
    }
    return .compare(property: property, operator: comparison, value: value)
  }

  /// `{operator: relatedTo, blueprint, value, direction?, required?}`
  private static func related(_ json: JSONValue) throws(PortFailure) -> PortQuery {
    let targets = json["value"].string.map { [$0] } ?? (json["value"].array ?? []).compactMap(\.string)
    guard let blueprint = json["blueprint"].string, !targets.isEmpty else {
      throw .invalid("query/rules: 'relatedTo' must have a 'blueprint' and the identifiers of entities as its value")
    }
    guard ["upstream", "downstream", nil].contains(json["direction"].string) else {
      throw .invalid("query/rules: the direction of 'relatedTo' must be upstream or downstream")
    }
    return .related(
      to: targets, of: blueprint, isDownstream: json["direction"] == "downstream",
      onlyRequired: json["required"].bool ?? false)
  }

  /// Whether an entity matches.
  ///
  /// - Parameter registry: where its relations lead to.
  func matches(_ entity: PortEntity, in registry: PortRegistry, now: Date) -> Bool {
    switch self {
    case .all(let rules): rules.allSatisfy { $0.matches(entity, in: registry, now: now) }
    case .any(let rules): rules.isEmpty || rules.contains { $0.matches(entity, in: registry, now: now) }
    case .related(let targets, let blueprint, let isDownstream, let onlyRequired):
      targets.contains { target in
        let other = PortRegistry.Key(blueprint: blueprint, identifier: target)
        let own = PortRegistry.Key(blueprint: entity.blueprint, identifier: entity.identifier)
        return isDownstream
          ? registry.leads(from: other, to: own, onlyRequired: onlyRequired)
          : registry.leads(from: own, to: other, onlyRequired: onlyRequired)
      }
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
    case .between: isBetween(actual, value, now: now)
    case .notBetween: !isBetween(actual, value, now: now)
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

  private static func isBetween(_ actual: JSONValue, _ value: JSONValue, now: Date) -> Bool {
    if let preset = value["preset"].string.flatMap(DatePreset.init) {
      return actual.string.flatMap(Date.init(rfc3339:)).map { preset.range(now).contains($0) } ?? false
    }
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
    case "$datasource": .string(datasource)
    default: properties[name] ?? relations[name] ?? .null
    }
  }
}

/// A span of time that a rule names. Days are UTC's, weeks seven of them, months thirty.
private enum DatePreset: String {
  case today, tomorrow, yesterday
  case lastDay, lastWeek, last2Weeks, lastMonth, last3Months, last6Months, last12Months, last2Years, last3Years
  case nextDay, nextWeek, next2Weeks, nextMonth, next3Months, next6Months, next12Months

  func range(_ now: Date) -> Range<Date> {
    let day: TimeInterval = 86_400
    let midnight = Date(timeIntervalSince1970: (now.timeIntervalSince1970 / day).rounded(.down) * day)
    func last(_ days: Double) -> Range<Date> { now - days * day..<now + 1 }
    func next(_ days: Double) -> Range<Date> { now..<now + days * day }
    return switch self {
    case .today: midnight..<midnight + day
    case .tomorrow: midnight + day..<midnight + 2 * day
    case .yesterday: midnight - day..<midnight
    case .lastDay: last(1)
    case .lastWeek: last(7)
    case .last2Weeks: last(14)
    case .lastMonth: last(30)
    case .last3Months: last(90)
    case .last6Months: last(180)
    case .last12Months: last(365)
    case .last2Years: last(730)
    case .last3Years: last(1095)
    case .nextDay: next(1)
    case .nextWeek: next(7)
    case .next2Weeks: next(14)
    case .nextMonth: next(30)
    case .next3Months: next(90)
    case .next6Months: next(180)
    case .next12Months: next(365)
    }
  }
}
