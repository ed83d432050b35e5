extension Value {
  /// The value as JSON text: keys in byte order, every digit of a number, slashes as they are. The same value always gives
  /// the same bytes.
  ///
  /// - Parameter prettyPrinted: one member a line, two spaces a level, no newline at the end.
  public func json(prettyPrinted: Bool = false) -> String {
    var writer = JSONWriter(isPretty: prettyPrinted)
    writer.write(self, level: 0)
    return writer.text
  }
}

private struct JSONWriter {
  let isPretty: Bool
  var text = ""

  mutating func write(_ value: Value, level: Int) {
    switch value {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let number): text += number.text
    case .string(let string): write(string)
    case .array(let elements):
      list(elements, "[", "]", level) { writer, element in writer.write(element, level: level + 1) }
    case .object(let members):
      list(Value.sorted(members), "{", "}", level) { writer, member in
        writer.write(member.key)
        writer.text += writer.isPretty ? ": " : ":"
        writer.write(member.value, level: level + 1)
      }
    }
  }

  private mutating func list<Item>(
    _ items: [Item], _ open: String, _ close: String, _ level: Int, write: (inout JSONWriter, Item) -> Void
  ) {
    text += open
    for (index, item) in items.enumerated() {
      if index > 0 { text += "," }
      newline(level + 1)
      write(&self, item)
    }
    if !items.isEmpty { newline(level) }
    text += close
  }

  private mutating func newline(_ level: Int) {
    if isPretty { text += "\n" + String(repeating: "  ", count: level) }
  }

  private mutating func write(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}": text += scalar.unicodeEscape
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension Unicode.Scalar {
  /// `\u` and four hexadecimal digits, as JSON and HCL write a scalar below U+10000.
  var unicodeEscape: String {
    let digits = String(value, radix: 16)
    return "\\u" + String(repeating: "0", count: max(4 - digits.count, 0)) + digits
  }
}
