/// Text from elsewhere, made harmless for a terminal.
enum TerminalText {
  /// One line in which every character that would act on a terminal or hide text is shown as `\u{1b}`.
  static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: acts) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"  // so that what is written as \n is not taken for what is shown as \n
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where acts(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The lines of a longer text, each as ``visible(_:)`` shows it; a tab is two spaces.
  static func visibleLines(_ text: String) -> [String] {
    // On scalars: a carriage return and a line feed are one Character.
    text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var scalars = String.UnicodeScalarView()
      for scalar in line.last == "\r" ? line.dropLast() : line {
        if scalar == "\t" { scalars.append(contentsOf: "  ".unicodeScalars) } else { scalars.append(scalar) }
      }
      return visible(String(scalars))
    }
  }

  /// JSON for a terminal: the same document, with `\u001b` for what acts there.
  static func json(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { acts($0) && $0 != "\n" }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if acts(scalar), scalar != "\n", scalar != "\t", scalar != "\r" {
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// C0, DEL and C1 (ECMA-48), the line separators, and the marks that turn the direction of text.
  static func acts(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1F, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
    default: false
    }
  }
}
