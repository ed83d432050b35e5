import FoundationEssentials
import Glibc

/// Whether a value fits a property's schema: the JSON Schema words that Port's blueprints use.
enum PropertyCheck {
  /// What is wrong with `value`, or nil.
  static func problem(_ value: JSONValue, _ schema: JSONValue) -> String? {
    if let type = schema["type"].string, !isType(value, type) { return "must be \(type)" }
    if let allowed = schema["enum"].array, !allowed.contains(value) {
      return
        "must be equal to one of the allowed values: \(allowed.map { $0.string ?? $0.text }.joined(separator: ", "))"
    }
    switch value {
    case .string(let text): return textProblem(text, schema)
    case .number: return numberProblem(value, schema)
    case .array(let elements): return listProblem(elements, schema)
    default: return nil
    }
  }

  private static func isType(_ value: JSONValue, _ type: String) -> Bool {
    switch (type, value) {
    case ("string", .string), ("number", .number), ("boolean", .bool), ("object", .object), ("array", .array): true
    default: false
    }
  }

  private static func textProblem(_ text: String, _ schema: JSONValue) -> String? {
    if let least = schema["minLength"].int, text.count < least { return "must NOT have fewer than \(least) characters" }
    if let most = schema["maxLength"].int, text.count > most { return "must NOT have more than \(most) characters" }
    if let pattern = schema["pattern"].string, let regex = try? Regex(pattern), text.firstMatch(of: regex) == nil {
      return "must match pattern \"\(pattern)\""
    }
    if let format = schema["format"].string, !isFormat(text, format) { return "must match format \"\(format)\"" }
    return nil
  }

  private static func numberProblem(_ value: JSONValue, _ schema: JSONValue) -> String? {
    guard let number = value.double else { return nil }
    if let least = schema["minimum"].double, number < least { return "must be >= \(schema["minimum"].text)" }
    if let most = schema["maximum"].double, number > most { return "must be <= \(schema["maximum"].text)" }
    return nil
  }

  private static func listProblem(_ elements: [JSONValue], _ schema: JSONValue) -> String? {
    if let least = schema["minItems"].int, elements.count < least { return "must NOT have fewer than \(least) items" }
    if let most = schema["maxItems"].int, elements.count > most { return "must NOT have more than \(most) items" }
    guard case .object = schema["items"] else { return nil }
    for (index, element) in elements.enumerated() {
      if let problem = problem(element, schema["items"]) { return "/\(index) \(problem)" }
    }
    return nil
  }

  private static func isFormat(_ text: String, _ format: String) -> Bool {
    switch format {
    case "date-time", "timer": return Date(rfc3339: text) != nil
    case "url":
      guard let separator = text.firstRange(of: "://") else { return false }
      return text[..<separator.lowerBound].first?.isLetter == true && separator.upperBound < text.endIndex
        && !text.contains(where: \.isWhitespace)
    case "email", "idn-email", "user":
      let parts = text.split(separator: "@", omittingEmptySubsequences: false)
      return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && !text.contains(where: \.isWhitespace)
    case "ipv4":
      var address = [UInt8](repeating: 0, count: 4)
      return inet_pton(AF_INET, text, &address) == 1
    case "ipv6":
      var address = [UInt8](repeating: 0, count: 16)
      return inet_pton(AF_INET6, text, &address) == 1
    default: return true
    }
  }
}

extension Date {
  /// A time as RFC 3339 writes it, with or without fractions of a second; nil where the text is none.
  init?(rfc3339 text: String) {
    let plain = ISO8601FormatStyle()
    let fractional = ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let date = (try? fractional.parse(text)) ?? (try? plain.parse(text)) else { return nil }
    self = date
  }

  /// The time as Port writes it: UTC with milliseconds.
  var rfc3339: String { formatted(ISO8601FormatStyle(includingFractionalSeconds: true)) }
}
