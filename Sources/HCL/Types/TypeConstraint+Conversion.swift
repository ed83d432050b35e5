extension TypeConstraint {
  /// Converts a value as Terraform does when it takes it for a variable of this type.
  ///
  /// Fills in the defaults of optional attributes at every depth. Null is accepted for every type. All findings are
  /// reported, not only the first, up to five hundred. Where Terraform accepts silently what is mostly a mistake there is
  /// a warning.
  public func convert(_ value: Value) -> Conversion {
    var converter = Converter()
    let result = converter.convert(value, to: self)
    return Conversion(value: converter.hasError ? nil : result, findings: converter.findings)
  }
}

private struct Converter {
  private(set) var findings: [ValueFinding] = []
  private var errorCount = 0
  private var path: [PathStep] = []

  var hasError: Bool { errorCount > 0 }

  /// A hundred thousand wrong elements of a long type would fill the memory with its text.
  private static let maximumFindings = 500

  /// The converted value; any value, with an error noted, where that cannot be.
  mutating func convert(_ value: Value, to type: TypeConstraint) -> Value {
    switch (type, value) {
    case (.any, _), (_, .null): return value
    case (.string, .string), (.number, .number), (.bool, .bool): return value
    case (.string, .number(let number)): return .string(number.text)
    case (.string, .bool(let bool)): return .string(bool ? "true" : "false")
    case (.number, .string(let text)): return number(text)
    case (.bool, .string(let text)): return bool(text)
    case (.list(let element), .array(let elements)):
      let errors = errorCount
      return .array(unified(convert(elements, to: element), element, of: type, errorsBefore: errors))
    case (.set(let element), .array(let elements)):
      let errors = errorCount
      let values = unified(convert(elements, to: element), element, of: type, errorsBefore: errors)
      return .array(Self.withoutDuplicates(values))
    case (.map(let element), .object(let members)): return map(members, element, of: type)
    case (.object(let attributes), .object(let members)): return object(members, attributes)
    case (.tuple(let types), .array(let elements)):
      guard types.count == elements.count else {
        report(
          type, value, "Needs an array of exactly \(types.count) elements, and there are \(elements.count).")
        return value
      }
      return .array(
        zip(elements, types).enumerated().map { index, pair in
          at(.index(index)) { $0.convert(pair.0, to: pair.1) }
        })
    default:
      report(type, value, "Needs \(type.kind), and this is \(value.kind).")
      return value
    }
  }

  private mutating func at<Result>(_ step: PathStep, _ body: (inout Converter) -> Result) -> Result {
    path.append(step)
    defer { path.removeLast() }
    return body(&self)
  }

  private mutating func report(
    _ type: TypeConstraint, _ value: Value, _ message: @autoclosure () -> String, severity: Severity = .error
  ) {
    report(severity, expected: type.description, found: value.kind, message())
  }

  private mutating func report(
    _ severity: Severity, expected: @autoclosure () -> String, found: String, _ message: @autoclosure () -> String
  ) {
    if severity == .error { errorCount += 1 }
    guard findings.count < Self.maximumFindings else { return }
    findings.append(
      ValueFinding(severity: severity, path: path, expected: expected(), found: found, message: message()))
  }

  private mutating func number(_ text: String) -> Value {
    if let number = Number(terraform: text) { return .number(number) }
    if ["Inf", "inf", "+Inf", "+inf", "-Inf", "-inf"].contains(text) {
      report(
        .number, .string(text), "Terraform takes this string for an infinite number, which no JSON can hold.",
        severity: .warning)
    } else if Number.isTooLong(terraform: text) {
      report(.number, .string(text), "Needs a number of at most \(Number.maximumDigits) digits.")
    } else {
      report(.number, .string(text), "Needs a number, and this is a string that is no decimal number.")
    }
    return .string(text)
  }

  private mutating func bool(_ text: String) -> Value {
    switch text {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "1", "0":
      report(
        .bool, .string(text), "This string counts as a bool only because Terraform takes a digit for one.",
        severity: .warning)
      return .bool(text == "1")
    default:
      report(.bool, .string(text), "Needs a bool, and this is a string other than \"true\" and \"false\".")
      return .string(text)
    }
  }

  private mutating func convert(_ elements: [Value], to type: TypeConstraint) -> [Value] {
    elements.enumerated().map { index, element in at(.index(index)) { $0.convert(element, to: type) } }
  }

  private mutating func map(_ members: [String: Value], _ element: TypeConstraint, of type: TypeConstraint) -> Value {
    let members = Value.sorted(members)
    let errors = errorCount
    let converted = members.map { key, value in at(.key(key)) { $0.convert(value, to: element) } }
    let values = unified(converted, element, of: type, errorsBefore: errors)
    return .object(Dictionary(zip(members.map(\.key), values)) { first, _ in first })
  }

  /// With `any` in the element's type all elements must get one type in the end.
  private mutating func unified(
    _ values: [Value], _ element: TypeConstraint, of type: TypeConstraint, errorsBefore: Int
  ) -> [Value] {
    // Where an element could not be converted its type means nothing.
    guard element.containsAny, errorCount == errorsBefore else { return values }
    let types = values.map { element.concrete(for: $0) }
    if Self.wantsSameTypes(type, element) {
      if TypeConstraint.single(types) != nil || types.allSatisfy({ $0 == .any }) { return values }
      let name = if case .map = type { "a map" } else { "a set" }
      report(type, [], "All elements of \(name) must have the same type from the beginning, down to their last part.")
      return values
    }
    // A map's elements may be null beside anything, those of a list only beside what is no object and no tuple.
    if case .map = type, element == .any, TypeConstraint.single(types) != nil { return values }
    guard let common = TypeConstraint.unified(types) else {
      let (name, container): (String, Value) = if case .map = type { ("a map", [:]) } else { (type.kind, []) }
      let kinds = Set(values.map(\.kind)).sorted().joined(separator: ", ")
      report(type, container, "All elements of \(name) must have one type, and none fits all of these: \(kinds).")
      return values
    }
    return values.map { value in
      var converter = Converter()
      return converter.convert(value, to: common)
    }
  }

  /// Terraform 1.11 (go-cty, `conversion_collection.go`) brings the elements of a list to one type, those of a set not, and
  /// those of a map not if they are tuples.
  private static func wantsSameTypes(_ type: TypeConstraint, _ element: TypeConstraint) -> Bool {
    switch (type, element) {
    case (.set, .any): false
    case (.set, _), (.map, .tuple): true
    default: false
    }
  }

  private mutating func object(_ members: [String: Value], _ attributes: [TypeConstraint.Attribute]) -> Value {
    var result: [String: Value] = [:]
    for attribute in attributes {
      let given = members[attribute.name] ?? .null
      if given.isNull, let value = attribute.default {
        result[attribute.name] = at(.key(attribute.name)) { $0.convert(value, to: attribute.type) }
      } else if members[attribute.name] == nil, !attribute.isOptional {
        report(
          .error, expected: attribute.description, found: "nothing",
          "The attribute \"\(attribute.name)\" is required.")
      } else {
        result[attribute.name] = at(.key(attribute.name)) { $0.convert(given, to: attribute.type) }
      }
    }
    let names = Set(attributes.map(\.name))
    for (name, value) in Value.sorted(members) where !names.contains(name) {
      at(.key(name)) {
        $0.report(.warning, expected: "nothing", found: value.kind, Self.dropped(name, members, attributes))
      }
    }
    return .object(result)
  }

  private static func dropped(
    _ name: String, _ members: [String: Value], _ attributes: [TypeConstraint.Attribute]
  ) -> String {
    let absent = attributes.map(\.name).filter { members[$0] == nil }
    let hint = Suggestion.closest(to: name, among: absent).map { " Did you mean \"\($0)\"?" } ?? ""
    return "The type has no attribute \"\(name)\", so Terraform drops it.\(hint)"
  }

  /// Sorted where Terraform's order is known: strings by bytes, numbers by size, false before true, null last.
  private static func withoutDuplicates(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    let values = values.filter { seen.insert($0).inserted }
    let nulls = values.filter(\.isNull)
    let rest = values.filter { !$0.isNull }
    let strings = rest.compactMap(\.stringValue).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    if strings.count == rest.count { return strings.map { .string($0) } + nulls }
    let numbers = rest.compactMap(\.numberValue).sorted()
    if numbers.count == rest.count { return numbers.map { .number($0) } + nulls }
    let bools = rest.compactMap(\.boolValue).sorted { !$0 && $1 }
    if bools.count == rest.count { return bools.map { .bool($0) } + nulls }
    return rest + nulls
  }
}

extension Number {
  /// A string as Terraform converts it to a number: with a plus sign, too, and without digits on one side of the point.
  init?(terraform text: String) {
    var text = Substring(text)
    var sign = ""
    if let first = text.utf8.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
      sign = first == UInt8(ascii: "-") ? "-" : ""
      text = text.dropFirst()
    }
    let mantissa = text.prefix { $0 != "e" && $0 != "E" }
    let exponent = text.dropFirst(mantissa.count)
    var full = String(mantissa)
    guard full != ".", !full.hasPrefix("-") else { return nil }
    if full.hasPrefix(".") { full = "0" + full }
    if full.hasSuffix(".") { full += "0" }
    self.init(sign + full + exponent)
  }

  /// Whether a string is a number for Terraform and too long for us.
  static func isTooLong(terraform text: String) -> Bool {
    guard Number(terraform: text) == nil else { return false }
    let unsigned = text.utf8.drop { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
    guard unsigned.count >= text.utf8.count - 1 else { return false }
    let mantissa = unsigned.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
    let exponent = unsigned.dropFirst(mantissa.count)
    let hasDigits = mantissa.contains { $0 != UInt8(ascii: ".") }
    let isPlain = mantissa.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
    guard hasDigits, isPlain, mantissa.count(where: { $0 == UInt8(ascii: ".") }) <= 1 else { return false }
    // With a one for its digits it is a number exactly if its exponent is written as it should be.
    return exponent.isEmpty || Number("0" + String(decoding: exponent, as: UTF8.self)) != nil
  }
}
