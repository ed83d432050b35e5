/// Strict JSON (RFC 8259): UTF-8 without a byte order mark, one value, no comments, no trailing commas.
///
/// Stricter than the RFC demands in two points, since both hide mistakes: a key that is there twice and half a surrogate
/// pair are failures. Numbers keep all their digits, up to ``Number/maximumDigits``.
public enum JSONText {
  /// - Parameter maximumDepth: how many arrays and objects may be inside each other.
  public static func parse(
    _ bytes: some Collection<UInt8>, maximumDepth: Int = 200
  ) throws(ParseFailure) -> SourceValue {
    try parse(SourceText(Array(bytes)), maximumDepth: maximumDepth, allowingRepeatedKeys: false)
  }

  public static func parse(_ text: String, maximumDepth: Int = 200) throws(ParseFailure) -> SourceValue {
    try parse(Array(text.utf8), maximumDepth: maximumDepth)
  }

  /// - Parameter allowingRepeatedKeys: for Terraform's JSON syntax, where two `"variable"` are two groups of blocks.
  static func parse(
    _ source: SourceText, maximumDepth: Int = 200, allowingRepeatedKeys: Bool
  ) throws(ParseFailure) -> SourceValue {
    var parser = JSONParser(source: source, maximumDepth: maximumDepth, allowsRepeatedKeys: allowingRepeatedKeys)
    return try parser.document()
  }
}

private struct JSONParser {
  let source: SourceText
  let maximumDepth: Int
  let allowsRepeatedKeys: Bool
  var offset = 0

  private var byte: UInt8? { offset < source.bytes.count ? source.bytes[offset] : nil }

  private func failure(_ message: String, at offset: Int? = nil) -> ParseFailure {
    source.failure(message, at: offset ?? self.offset)
  }

  mutating func document() throws(ParseFailure) -> SourceValue {
    if source.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw failure("JSON must not start with a byte order mark.") }
    if let invalid = source.firstInvalidOffset() { throw failure("The text is not UTF-8 here.", at: invalid) }
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    if byte != nil { throw failure("There is more text behind the end of the JSON value.") }
    return value
  }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  private mutating func take(_ expected: Character) -> Bool {
    guard let byte, byte == expected.asciiValue else { return false }
    offset += 1
    return true
  }

  private mutating func value(depth: Int) throws(ParseFailure) -> SourceValue {
    let start = offset
    let content: SourceValue.Content
    switch byte {
    case UInt8(ascii: "{"): content = .object(try members(depth: depth + 1))
    case UInt8(ascii: "["): content = .array(try elements(depth: depth + 1))
    case UInt8(ascii: "\""): content = .string(try string())
    case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): content = .number(try number())
    case nil: throw failure("The JSON text ends where a value is expected.")
    default: content = try word()
    }
    return SourceValue(range: source.range(start..<offset), content: content)
  }

  private mutating func word() throws(ParseFailure) -> SourceValue.Content {
    let words: [(String, SourceValue.Content)] = [("true", .bool(true)), ("false", .bool(false)), ("null", .null)]
    for (word, content) in words where source.bytes[offset...].starts(with: word.utf8) {
      offset += word.utf8.count
      return content
    }
    throw failure("A JSON value is expected here.")
  }

  private mutating func elements(depth: Int) throws(ParseFailure) -> [SourceValue] {
    try enter(depth)
    var elements: [SourceValue] = []
    skipSpace()
    if take("]") { return elements }
    while true {
      skipSpace()
      elements.append(try value(depth: depth))
      skipSpace()
      if take("]") { return elements }
      guard take(",") else { throw failure("A comma or the end of the array is expected here.") }
    }
  }

  private mutating func members(depth: Int) throws(ParseFailure) -> [SourceValue.Member] {
    try enter(depth)
    var members: [SourceValue.Member] = []
    var places: [String: SourcePosition] = [:]
    skipSpace()
    if take("}") { return members }
    while true {
      skipSpace()
      guard byte == UInt8(ascii: "\"") else { throw failure("A key in double quotes is expected here.") }
      let start = offset
      let key = try string()
      let keyRange = source.range(start..<offset)
      if let first = places.updateValue(keyRange.start, forKey: key), !allowsRepeatedKeys {
        throw failure("The key \"\(key)\" is there twice: at \(first) and at \(keyRange.start).", at: start)
      }
      skipSpace()
      guard take(":") else { throw failure("A colon is expected here.") }
      skipSpace()
      members.append(SourceValue.Member(key: key, keyRange: keyRange, value: try value(depth: depth)))
      skipSpace()
      if take("}") { return members }
      guard take(",") else { throw failure("A comma or the end of the object is expected here.") }
    }
  }

  private mutating func enter(_ depth: Int) throws(ParseFailure) {
    if depth > maximumDepth { throw failure("Arrays and objects are more than \(maximumDepth) deep here.") }
    offset += 1
  }

  private mutating func number() throws(ParseFailure) -> Number {
    let start = offset
    while let byte, byte.isJSONNumberByte { offset += 1 }
    let text = source.text(start..<offset)
    let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
    let hasLeadingZero =
      digits.first == UInt8(ascii: "0") && digits.dropFirst().first.map { (0x30...0x39).contains($0) } == true
    if hasLeadingZero { throw failure("A number must not start with a needless zero.", at: start) }
    guard let number = Number(text) else {
      throw failure("This is no JSON number, or one of more than \(Number.maximumDigits) digits.", at: start)
    }
    return number
  }

  private mutating func string() throws(ParseFailure) -> String {
    offset += 1
    var bytes: [UInt8] = []
    while let byte {
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"): bytes.append(contentsOf: try escape())
      case ..<0x20: throw failure("A control character in a string must be escaped.")
      default:
        bytes.append(byte)
        offset += 1
      }
    }
    throw failure("The JSON text ends inside a string.")
  }

  private mutating func escape() throws(ParseFailure) -> [UInt8] {
    let start = offset
    offset += 1
    guard let byte else { throw failure("The JSON text ends inside a string.") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var code = try codeUnit(escape: start)
      if (0xD800..<0xDC00).contains(code), take("\\"), take("u") {
        let low = try codeUnit(escape: start)
        guard (0xDC00..<0xE000).contains(low) else { throw failure("Half a surrogate pair stands here.", at: start) }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("Half a surrogate pair stands here.", at: start) }
      return Array(String(Character(scalar)).utf8)
    default: throw failure("There is no such escape in JSON.", at: start)
    }
  }

  private mutating func codeUnit(escape: Int) throws(ParseFailure) -> UInt32 {
    let digits = source.bytes[offset...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("Four hexadecimal digits must follow \\u.", at: escape) }
    offset += 4
    return code
  }
}

extension UInt8 {
  fileprivate var isJSONNumberByte: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
    default: false
    }
  }
}
