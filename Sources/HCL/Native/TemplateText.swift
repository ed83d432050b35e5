/// What the text between the quotes of a string, or in a heredoc, stands for.
enum TemplateText {
  /// Text of a quoted template: backslash escapes, and `$${` and `%%{`.
  static func quoted(_ source: SourceText, _ range: Range<Int>) throws(ParseFailure) -> String {
    var result: [UInt8] = []
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard source.bytes[offset] == UInt8(ascii: "\\") else {
        if !isDoubledSign(source.bytes[range], at: offset) { result.append(source.bytes[offset]) }
        offset += 1
        continue
      }
      let escape = offset + 1 < range.upperBound ? source.bytes[offset + 1] : 0
      var length = 2
      switch escape {
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): result.append(escape)
      case UInt8(ascii: "u"), UInt8(ascii: "U"):
        length = escape == UInt8(ascii: "u") ? 6 : 10
        let digits = source.bytes[(offset + 2)..<range.upperBound].prefix(length - 2)
        guard digits.count == length - 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
          let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw source.failure("\\u needs four hexadecimal digits, \\U eight.", at: offset) }
        result.append(contentsOf: String(Character(Unicode.Scalar(code) ?? "\u{FFFD}")).utf8)
      default:
        throw source.failure(
          "There is no such escape: use \\n, \\r, \\t, \\\", \\\\, \\uNNNN or \\UNNNNNNNN.", at: offset)
      }
      offset += length
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// The lines of a heredoc. With `<<-` the smallest indentation goes from each line; blank lines neither count nor change.
  static func heredoc(_ source: SourceText, lines: [Range<Int>], isIndented: Bool) -> String {
    let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || (0x09...0x0D).contains($0) }
    var lines = lines.map { source.bytes[$0] }
    if isIndented {
      func isBlank(_ line: ArraySlice<UInt8>) -> Bool { line.allSatisfy(isSpace) }
      let indentation = lines.filter { !isBlank($0) }.map { $0.prefix(while: isSpace).count }.min() ?? 0
      lines = lines.map { isBlank($0) ? $0 : $0.dropFirst(indentation) }
    }
    let text = lines.flatMap { line in line.indices.lazy.filter { !isDoubledSign(line, at: $0) }.map { line[$0] } }
    return String(decoding: text, as: UTF8.self)
  }

  /// Whether this byte is the sign too many: `$${` stands for `${`, `%%{` for `%{`; of a longer run one sign goes, too.
  private static func isDoubledSign(_ bytes: ArraySlice<UInt8>, at offset: Int) -> Bool {
    let byte = bytes[offset]
    guard byte == UInt8(ascii: "$") || byte == UInt8(ascii: "%") else { return false }
    return offset > bytes.startIndex && bytes[offset - 1] == byte
      && offset + 1 < bytes.endIndex && bytes[offset + 1] == UInt8(ascii: "{")
  }
}
