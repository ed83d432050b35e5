extension Value {
  /// An HCL expression that evaluates to exactly this value, on one line.
  ///
  /// Nothing in it is interpolated: `${` and `%{` are doubled, in strings and in keys, and that is all that HCL's templates
  /// give a meaning (HCL native syntax specification, "Template Literals"). Control characters, line separators and what
  /// could be mistaken on the way are escaped.
  public var hclLiteral: String {
    var text = ""
    writeLiteral(into: &text)
    return text
  }

  private func writeLiteral(into text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let number): text += number.text
    case .string(let string): Self.writeQuoted(string, into: &text)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += ", " }
        element.writeLiteral(into: &text)
      }
      text += "]"
    case .object(let members):
      guard !members.isEmpty else { return text += "{}" }
      text += "{ "
      for (index, member) in Self.sorted(members).enumerated() {
        if index > 0 { text += ", " }
        Self.writeQuoted(member.key, into: &text)
        text += " = "
        member.value.writeLiteral(into: &text)
      }
      text += " }"
    }
  }

  private static func writeQuoted(_ string: String, into text: inout String) {
    text += "\""
    let scalars = Array(string.unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "$", "%":
        text.unicodeScalars.append(scalar)
        if index + 1 < scalars.count, scalars[index + 1] == "{" { text.unicodeScalars.append(scalar) }
      case "\u{0}"..<"\u{20}", "\u{7f}"..<"\u{a0}", "\u{2028}", "\u{2029}", "\u{feff}": text += scalar.unicodeEscape
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
