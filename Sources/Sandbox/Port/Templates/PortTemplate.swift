/// A text with `{{ jq }}` in it, as the parts of actions have them.
struct PortTemplate: Sendable {
  private enum Part: Sendable {
    case text(String)
    case expression(JQ)
  }

  private let parts: [Part]

  /// Reads a text; refuses jq that is not known here.
  init(_ text: String, at place: String) throws(PortFailure) {
    var parts: [Part] = []
    var rest = text[...]
    while let start = rest.firstRange(of: "{{") {
      if start.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<start.lowerBound]))) }
      guard let end = Self.end(of: rest[start.upperBound...]) else { throw .invalid("\(place) has '{{' without '}}'") }
      let expression = String(rest[start.upperBound..<end])
      do throws(JQ.SyntaxError) {
        parts.append(.expression(try JQ(parsing: expression)))
      } catch {
        throw .invalid("\(place): the sandbox cannot evaluate {{\(expression)}}: \(error.reason)")
      }
      rest = rest[rest.index(end, offsetBy: 2)...]
    }
    if !rest.isEmpty || parts.isEmpty { parts.append(.text(String(rest))) }
    self.parts = parts
  }

  /// Where the `}}` is that ends an expression: not in a text, and not where braces of its own are open.
  private static func end(of text: Substring) -> Substring.Index? {
    var (depth, isInText, isEscaped) = (0, false, false)
    for index in text.indices {
      let character = text[index]
      if isInText {
        if isEscaped {
          isEscaped = false
        } else if character == "\\" {
          isEscaped = true
        } else if character == "\"" {
          isInText = false
        }
        continue
      }
      switch character {
      case "\"": isInText = true
      case "{": depth += 1
      case "}":
        if depth == 0 { return text[index...].hasPrefix("}}") ? index : nil }
        depth -= 1
      default: break
      }
    }
    return nil
  }

  /// The value in a context: a text that is one expression alone keeps that one's type; null in a longer text is nothing.
  func value(_ context: JSONValue) -> JSONValue {
    if parts.count == 1, case .expression(let expression) = parts[0] { return expression.value(context) }
    return .string(
      parts.reduce(into: "") { text, part in
        switch part {
        case .text(let own): text += own
        case .expression(let expression):
          let value = expression.value(context)
          text += value.isNull ? "" : JQ.text(value)
        }
      })
  }

  /// The value as an address: what is put in behind the host becomes one segment, whatever is in it. nil where one of
  /// the expressions is null or empty, since the address would be another one.
  func address(_ context: JSONValue) -> String? {
    var address = ""
    for part in parts {
      switch part {
      case .text(let text): address += text
      case .expression(let expression):
        let value = expression.value(context)
        if value.isNull || value == "" { return nil }
        let isBehindHost = address.firstRange(of: "://").map { address[$0.upperBound...].contains("/") } ?? false
        address += isBehindHost ? Self.segment(JQ.text(value)) : JQ.text(value)
      }
    }
    return address
  }

  /// `.` and `..` alone would be taken for steps in a path.
  private static func segment(_ text: String) -> String {
    text == "." || text == ".." ? text.replacing(".", with: "%2E") : PercentCoding.encode(text)
  }
}

/// A JSON document in which all texts, the keys too, are templates.
indirect enum PortDocumentTemplate: Sendable {
  case constant(JSONValue)
  case text(PortTemplate)
  case list([PortDocumentTemplate])
  case object([Member])

  struct Member: Sendable {
    /// nil where the value's own members are put in its place: `"{{ spreadValue() }}"`.
    let key: PortTemplate?
    let value: PortDocumentTemplate
  }

  init(_ document: JSONValue, at place: String) throws(PortFailure) {
    switch document {
    case .string(let text): self = .text(try PortTemplate(text, at: place))
    case .array(let elements):
      var parts: [PortDocumentTemplate] = []
      for (index, element) in elements.enumerated() {
        parts.append(try PortDocumentTemplate(element, at: "\(place)/\(index)"))
      }
      self = .list(parts)
    case .object(let members):
      var parts: [Member] = []
      for (key, value) in members.sorted(by: { $0.key < $1.key }) {
        let isSpread = key.filter { !$0.isWhitespace } == "{{spreadValue()}}"
        parts.append(
          Member(
            key: isSpread ? nil : try PortTemplate(key, at: "\(place)/\(key)"),
            value: try PortDocumentTemplate(value, at: "\(place)/\(key)")))
      }
      self = .object(parts)
    default: self = .constant(document)
    }
  }

  /// The document in a context. A member whose key is null is left out; one that is written out wins over a spread one.
  func value(_ context: JSONValue) -> JSONValue {
    switch self {
    case .constant(let value): return value
    case .text(let template): return template.value(context)
    case .list(let parts): return .array(parts.map { $0.value(context) })
    case .object(let members):
      var (own, spread): ([String: JSONValue], [String: JSONValue]) = ([:], [:])
      for member in members {
        let value = member.value.value(context)
        guard let key = member.key?.value(context) else {
          spread.merge(value.object ?? [:]) { $1 }
          continue
        }
        if !key.isNull { own[JQ.text(key)] = value }
      }
      return .object(spread.merging(own) { $1 })
    }
  }
}
