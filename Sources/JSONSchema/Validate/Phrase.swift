import HCL

/// The wording of messages.
enum Phrase {
  /// Longer texts of a schema or names are cut.
  private static let longest = 100

  static func quoted(_ text: String) -> String {
    Value.string(cut(text)).json()
  }

  static func cut(_ text: String, to length: Int = longest) -> String {
    let start = text.unicodeScalars.prefix(length + 1)
    return start.count <= length ? text : String(String.UnicodeScalarView(start.dropLast())) + "…"
  }

  /// The name that was meant, if one is near. Not looked for among so many that it would take long: a schema and a value of
  /// strangers could ask for that hundreds of times.
  static func nearest(to name: String, among names: some Collection<String>) -> String? {
    let length = name.utf8.count
    let effort = names.reduce(0) { $0 + $1.utf8.count * length }
    return effort < 100_000 ? Suggestion.closest(to: name, among: names) : nil
  }

  /// A constant of a schema.
  static func constant(_ value: Value) -> String {
    if case .string(let text) = value { return quoted(text) }
    var room = 100
    return fits(value, &room) ? cut(value.json()) : "\(value.kind) that is too large to show"
  }

  /// Whether a value has at most `room` parts.
  private static func fits(_ value: Value, _ room: inout Int) -> Bool {
    room -= 1
    switch value {
    case .array(let elements):
      for element in elements where room < 0 || !fits(element, &room) { return false }
    case .object(let members):
      for member in members.values where room < 0 || !fits(member, &room) { return false }
    default: break
    }
    return room >= 0
  }

  /// `"a", "b", … (40 in all)`
  static func constants(_ values: [Value]) -> String {
    let shown = values.prefix(20).map(constant).joined(separator: ", ")
    return values.count > 20 ? "\(shown), … (\(values.count) in all)" : shown
  }

  static func count(_ count: Int, _ one: String, _ many: String) -> String {
    "\(count) \(count == 1 ? one : many)"
  }

  static func characters(_ count: Int) -> String { Self.count(count, "character", "characters") }
  static func elements(_ count: Int) -> String { Self.count(count, "element", "elements") }
  static func properties(_ count: Int) -> String { Self.count(count, "property", "properties") }

  /// `a string, null or an object`
  static func types(_ types: [SchemaType]) -> String {
    alternatives(types.map(\.phrase))
  }

  static func alternatives(_ texts: [String]) -> String {
    guard let last = texts.last, texts.count > 1 else { return texts.first ?? "" }
    return texts.dropLast().joined(separator: ", ") + " or " + last
  }

  /// What a check asks for, to be read behind "must" and "must not"; nil if it does not fit there.
  static func demand(_ check: SchemaNode.Check) -> String? {
    switch check {
    case .types(let types): "be " + Self.types(types)
    case .constants(let values) where values.count == 1: "be " + constant(values[0])
    case .constants(let values) where !values.isEmpty: "be one of " + constants(values)
    case .minimum(let bound): "be at least \(cut(bound.text))"
    case .maximum(let bound): "be at most \(cut(bound.text))"
    case .exclusiveMinimum(let bound): "be greater than \(cut(bound.text))"
    case .exclusiveMaximum(let bound): "be less than \(cut(bound.text))"
    case .multipleOf(let divisor): divisor == Number(1) ? "be a whole number" : "be a multiple of \(cut(divisor.text))"
    case .minLength(let bound): "have at least \(characters(bound))"
    case .maxLength(let bound): "have at most \(characters(bound))"
    case .pattern(let pattern): "match the pattern \(cut(pattern.text))"
    case .minItems(let bound): "have at least \(elements(bound))"
    case .maxItems(let bound): "have at most \(elements(bound))"
    case .minProperties(let bound): "have at least \(properties(bound))"
    case .maxProperties(let bound): "have at most \(properties(bound))"
    case .required(let names) where names.count == 1: "have the property \(quoted(names[0]))"
    case .required(let names): "have the properties \(names.prefix(20).map(quoted).joined(separator: ", "))"
    default: nil
    }
  }
}
