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

  /// Text of a heredoc: no escapes but `$${` and `%%{`.
  static func plain(_ source: SourceText, _ range: Range<Int>) -> String {
    let line = source.bytes[range]
    guard line.contains(where: { $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "%") }) else {
      return source.text(range)
    }
    return String(decoding: line.indices.filter { !isDoubledSign(line, at: $0) }.map { line[$0] }, as: UTF8.self)
  }

  /// A piece of a template whose parts are all known. Of a heredoc each line is a text of its own.
  enum Part {
    case text(String)
    /// With `${~` white space at the end of the text right before it goes, with `~}` that at the beginning of the next one.
    case interpolation(Expression, trimsBefore: Bool, trimsAfter: Bool)
  }

  /// What a template of constants says; nil where something in it is no text, which is an error for Terraform.
  ///
  /// - Parameter isIndented: whether it is a `<<-` heredoc: the smallest indentation goes from each line, and blank lines
  ///   neither count nor change.
  static func joined(_ parts: [Part], isIndented: Bool) -> String? {
    var pieces: [(text: String, isLiteral: Bool)] = []
    for (index, part) in parts.enumerated() {
      switch part {
      case .text(let text):
        var scalars = Substring(text).unicodeScalars
        if index > 0, case .interpolation(_, _, trimsAfter: true) = parts[index - 1] {
          scalars = scalars.drop { $0.properties.isWhitespace }
        }
        if index + 1 < parts.count, case .interpolation(_, trimsBefore: true, _) = parts[index + 1] {
          while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
        }
        pieces.append((String(scalars), true))
      case .interpolation(let inner, _, _):
        guard let value = inner.constant, !value.isNull,
          case .string(let text)? = TypeConstraint.string.convert(value).value
        else { return nil }
        pieces.append((text, false))
      }
    }
    if isIndented { removeIndentation(from: &pieces) }
    return pieces.map(\.text).joined()
  }

  private static func removeIndentation(from pieces: inout [(text: String, isLiteral: Bool)]) {
    var smallest = Int.max
    var lineStarts: [Int] = []
    var isLineStart = true
    for (index, piece) in pieces.enumerated() {
      if isLineStart {
        isLineStart = false
        let scalars = piece.isLiteral ? Substring(piece.text).unicodeScalars : Substring().unicodeScalars
        let indentation = scalars.prefix { $0.properties.isWhitespace }.count
        let isBlank = indentation == scalars.count && scalars.last == "\n"
        if !isBlank {
          smallest = min(smallest, indentation)
          lineStarts.append(index)
        }
      }
      if piece.isLiteral, piece.text.unicodeScalars.last == "\n" { isLineStart = true }
    }
    for index in lineStarts where pieces[index].isLiteral {
      pieces[index].text = String(String.UnicodeScalarView(pieces[index].text.unicodeScalars.dropFirst(smallest)))
    }
  }

  /// Whether this byte is the sign too many: `$${` stands for `${`, `%%{` for `%{`; of a longer run one sign goes, too.
  private static func isDoubledSign(_ bytes: ArraySlice<UInt8>, at offset: Int) -> Bool {
    let byte = bytes[offset]
    guard byte == UInt8(ascii: "$") || byte == UInt8(ascii: "%") else { return false }
    return offset > bytes.startIndex && bytes[offset - 1] == byte
      && offset + 1 < bytes.endIndex && bytes[offset + 1] == UInt8(ascii: "{")
  }
}
