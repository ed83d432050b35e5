import HCL

/// Writes YAML that every reader understands alike, and comments that nothing breaks out of.
enum YAMLText {
  // MARK: Values

  /// `key: value`, on several lines if the value is a mapping or a sequence that holds something. Mappings by their keys.
  static func lines(_ key: String, _ value: Value) -> [String] {
    guard let nested = block(value) else { return ["\(scalar(key)): \(inline(value))"] }
    return ["\(scalar(key)):"] + nested.map { "  " + $0 }
  }

  /// Nil for what fits behind a key.
  private static func block(_ value: Value) -> [String]? {
    switch value {
    case .array(let elements) where !elements.isEmpty:
      return elements.flatMap { element in
        let lines = block(element) ?? [inline(element)]
        return ["- " + lines[0]] + lines.dropFirst().map { "  " + $0 }
      }
    case .object(let members) where !members.isEmpty:
      let members = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      return members.flatMap { lines($0.key, $0.value) }
    default: return nil
    }
  }

  private static func inline(_ value: Value) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let number): number.text
    case .string(let text): scalar(text)
    case .array: "[]"
    case .object: "{}"
    }
  }

  /// Text that stays text, in YAML 1.1 too: without quotes only where it is a plain word, or several.
  static func scalar(_ text: String) -> String { isPlain(text) ? text : quoted(text) }

  private static func isPlain(_ text: String) -> Bool {
    let isLetter = { (byte: UInt8) in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
    let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard let first = text.utf8.first, isLetter(first), text.utf8.last != UInt8(ascii: " ") else { return false }
    return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || "_-./ ".utf8.contains($0) }
      && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(text.lowercased())
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case _ where acts(scalar): result += escape(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    // Commented out, a key `yaml-language-server` and a value with this would tell an editor where to fetch a schema.
    return result.replacing("$schema", with: "\\u0024schema") + "\""
  }

  // MARK: Comments

  /// The lines of a text, each fit to stand behind `# `: no line is longer than the text's own, none ends with space.
  ///
  /// - Parameter maximum: how many lines; for more there is one that says `…`.
  static func commentLines(_ text: String, maximum: Int = 40) -> [String] {
    // As many as anybody reads; a module's description can be a book.
    let text = text.replacing("\r\n", with: "\n")
    let shown = text.unicodeScalars.prefix(8_000)
    var lines = shown.split(omittingEmptySubsequences: false, whereSeparator: endsLine).map(comment)
    if shown.endIndex < text.unicodeScalars.endIndex { lines[lines.count - 1] += " …" }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.count > maximum ? lines.prefix(maximum) + ["…"] : lines
  }

  /// The text on one line.
  static func comment(_ text: String) -> String { comment(text.unicodeScalars[...]) }

  private static func comment(_ text: Substring.UnicodeScalarView) -> String {
    var result = ""
    for scalar in text {
      switch scalar {
      case "\t": result += "  "
      case _ where acts(scalar): result += escape(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    // Likewise in a template's own words.
    result = result.replacing("$schema", with: "$ schema")
    while result.last == " " { result.removeLast() }
    return result
  }

  /// YAML 1.1's line breaks (section 4.2, "b-char"), vertical tab and form feed.
  private static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0A...0x0D, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  /// What YAML forbids in a text, ends a line in it, or makes it look other than it is: control characters, line
  /// separators, marks of direction, the byte order mark, noncharacters.
  private static func acts(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1F, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF, 0xFFF0...0xFFFF: true
    default: scalar.value & 0xFFFE == 0xFFFE
    }
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    let isLong = scalar.value > 0xFFFF
    return (isLong ? "\\U" : "\\u") + String(repeating: "0", count: (isLong ? 8 : 4) - digits.count) + digits
  }
}
