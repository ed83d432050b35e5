/// Cuts HCL's native syntax into tokens (HCL Native Syntax Specification, "Lexical Elements").
///
/// Any bytes give tokens; what is wrong is noted in `problems` and read over. Templates nest (`"${"}"}"`): a stack says
/// what the next byte belongs to, and it lives on the heap, so that hostile nesting costs memory in proportion and no more.
struct Lexer {
  private let source: SourceText
  private let end: Int
  private var offset: Int
  private var modes: [Mode] = []
  private var tokens: [Token] = []
  private var problems: [ParseFailure] = []

  private enum Mode {
    /// Inside `${ }` or `%{ }`, with so many `{` open.
    case sequence(braces: Int)
    case quoted
    case heredoc(marker: ArraySlice<UInt8>, isAtLineStart: Bool)
  }

  /// The tokens of a part of a text; the last one is always `.end`.
  static func tokens(of source: SourceText, in range: Range<Int>) -> (tokens: [Token], problems: [ParseFailure]) {
    var lexer = Lexer(source: source, range: range)
    lexer.run()
    return (lexer.tokens, lexer.problems)
  }

  private init(source: SourceText, range: Range<Int>) {
    self.source = source
    end = range.upperBound
    offset = range.lowerBound
  }

  private mutating func run() {
    while offset < end {
      switch modes.last {
      case .quoted: quotedText()
      case .heredoc(let marker, let isAtLineStart): heredocText(marker, isAtLineStart)
      case .sequence, nil: normal()
      }
    }
    if !modes.isEmpty { problem("The file ends inside a string, a heredoc or an interpolation.", at: end) }
    tokens.append(Token(kind: .end, range: end..<end))
  }

  private func byte(_ distance: Int = 0) -> UInt8? {
    offset + distance < end ? source.bytes[offset + distance] : nil
  }

  private mutating func emit(_ kind: Token.Kind, _ length: Int) {
    let range = offset..<offset + length
    // In comments any bytes may stand, and everything else that is no text is an invalid character anyway.
    if kind == .text, let invalid = source.firstInvalidOffset(in: range) {
      problem("The file is not UTF-8 here.", at: invalid)
    }
    tokens.append(Token(kind: kind, range: range))
    offset += length
  }

  private mutating func problem(_ message: String, at place: Int? = nil) {
    // A file of nonsense needs no thousand complaints.
    if problems.count < 20 { problems.append(source.failure(message, at: place ?? offset)) }
  }

  private mutating func normal() {
    guard let first = byte() else { return }
    switch first {
    case UInt8(ascii: " "), UInt8(ascii: "\t"): offset += 1
    case UInt8(ascii: "\r") where byte(1) == UInt8(ascii: "\n"): offset += 1
    case UInt8(ascii: "\n"): emit(.newline, 1)
    case UInt8(ascii: "#"): lineComment()
    case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"): lineComment()
    case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"): blockComment()
    case UInt8(ascii: "\""):
      emit(.openQuote, 1)
      modes.append(.quoted)
    case UInt8(ascii: "<") where byte(1) == UInt8(ascii: "<"): openHeredoc()
    case UInt8(ascii: "{"):
      if case .sequence(let braces) = modes.last { modes[modes.count - 1] = .sequence(braces: braces + 1) }
      emit(.openBrace, 1)
    case UInt8(ascii: "}"): closeBrace(1)
    case UInt8(ascii: "~") where byte(1) == UInt8(ascii: "}"): closeBrace(2)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): number()
    default:
      if let (kind, length) = symbol() { emit(kind, length) } else { identifier() }
    }
  }

  private mutating func lineComment() {
    while let next = byte(), next != UInt8(ascii: "\n") { offset += 1 }
  }

  private mutating func blockComment() {
    let start = offset
    offset = min(offset + 2, end)
    while offset < end {
      if byte() == UInt8(ascii: "*"), byte(1) == UInt8(ascii: "/") { return offset += 2 }
      offset += 1
    }
    problem("The comment does not end.", at: start)
  }

  private mutating func closeBrace(_ length: Int) {
    guard case .sequence(let braces) = modes.last else {
      if length == 2 { invalid(1) }
      return emit(.closeBrace, 1)
    }
    if braces == 0 {
      emit(.closeTemplate, length)
      modes.removeLast()
    } else {
      if length == 2 { invalid(1) }
      emit(.closeBrace, 1)
      modes[modes.count - 1] = .sequence(braces: braces - 1)
    }
  }

  private func symbol() -> (Token.Kind, Int)? {
    switch (byte(), byte(1)) {
    case (UInt8(ascii: "="), UInt8(ascii: ">")): return (.arrow, 2)
    case (UInt8(ascii: ":"), UInt8(ascii: ":")): return (.doubleColon, 2)
    case (UInt8(ascii: "."), UInt8(ascii: ".")) where byte(2) == UInt8(ascii: "."): return (.ellipsis, 3)
    case (UInt8(ascii: "="), UInt8(ascii: "=")), (UInt8(ascii: "!"), UInt8(ascii: "=")),
      (UInt8(ascii: "<"), UInt8(ascii: "=")), (UInt8(ascii: ">"), UInt8(ascii: "=")),
      (UInt8(ascii: "&"), UInt8(ascii: "&")), (UInt8(ascii: "|"), UInt8(ascii: "|")):
      return (.binaryOperator, 2)
    default: break
    }
    switch byte() {
    case UInt8(ascii: "("): return (.openParenthesis, 1)
    case UInt8(ascii: ")"): return (.closeParenthesis, 1)
    case UInt8(ascii: "["): return (.openBracket, 1)
    case UInt8(ascii: "]"): return (.closeBracket, 1)
    case UInt8(ascii: ","): return (.comma, 1)
    case UInt8(ascii: "="): return (.equals, 1)
    case UInt8(ascii: ":"): return (.colon, 1)
    case UInt8(ascii: "?"): return (.question, 1)
    case UInt8(ascii: "."): return (.dot, 1)
    case UInt8(ascii: "-"): return (.minus, 1)
    case UInt8(ascii: "*"): return (.star, 1)
    case UInt8(ascii: "!"): return (.bang, 1)
    case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "%"), UInt8(ascii: "<"), UInt8(ascii: ">"):
      return (.binaryOperator, 1)
    default: return nil
    }
  }

  /// Everything that can belong to a number, as HashiCorp's scanner takes it: `1.2.3` is one broken number.
  private mutating func number() {
    var length = 1
    var lengthWithoutDots = 1
    while let next = byte(length) {
      switch next {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): length += 1
      case UInt8(ascii: "."):
        length += 1
        continue
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        let hasSign = byte(length + 1) == UInt8(ascii: "+") || byte(length + 1) == UInt8(ascii: "-")
        guard isDigit(length + (hasSign ? 2 : 1)) else { return emit(.number, lengthWithoutDots) }
        length += hasSign ? 3 : 2
      default: return emit(.number, lengthWithoutDots)
      }
      lengthWithoutDots = length
    }
    emit(.number, lengthWithoutDots)
  }

  private func isDigit(_ distance: Int) -> Bool { byte(distance).map { (0x30...0x39).contains($0) } == true }

  private mutating func identifier() {
    let length = identifierLength(at: offset)
    if length > 0 { emit(.identifier, length) } else { invalid(max(scalar(at: offset).length, 1)) }
  }

  private mutating func invalid(_ length: Int) {
    problem(
      scalar(at: offset).value == nil ? "The file is not UTF-8 here." : "This character has no meaning here.")
    emit(.invalid, min(length, end - offset))
  }

  private func identifierLength(at start: Int) -> Int {
    var place = start
    while place < end, let value = scalar(at: place).value,
      place == start ? value.startsIdentifier : value.continuesIdentifier
    {
      place += scalar(at: place).length
    }
    return place - start
  }

  /// The scalar at a place; nil with the number of bytes to skip where the bytes are not UTF-8.
  private func scalar(at place: Int) -> (value: Unicode.Scalar?, length: Int) {
    if place < end, source.bytes[place] < 0x80 { return (Unicode.Scalar(source.bytes[place]), 1) }
    var iterator = source.bytes[place..<min(place + 4, end)].makeIterator()
    var parser = Unicode.UTF8.ForwardParser()
    switch parser.parseScalar(from: &iterator) {
    case .valid(let encoded): return (Unicode.UTF8.decode(encoded), encoded.count)
    case .error(let length): return (nil, length)
    case .emptyInput: return (nil, 0)
    }
  }

  private mutating func openHeredoc() {
    let start = offset
    let markerStart = offset + (byte(2) == UInt8(ascii: "-") ? 3 : 2)
    let markerEnd = markerStart + identifierLength(at: markerStart)
    var lineEnd = markerEnd
    if lineEnd < end, source.bytes[lineEnd] == UInt8(ascii: "\r") { lineEnd += 1 }
    guard markerEnd > markerStart, lineEnd < end, source.bytes[lineEnd] == UInt8(ascii: "\n") else {
      return invalid(2)
    }
    emit(.openHeredoc, lineEnd + 1 - start)
    modes.append(.heredoc(marker: source.bytes[markerStart..<markerEnd], isAtLineStart: true))
  }

  /// One line of a heredoc, or what is left of it behind an interpolation.
  private mutating func heredocText(_ marker: ArraySlice<UInt8>, _ isAtLineStart: Bool) {
    if isAtLineStart, let length = closingLineLength(marker) {
      modes.removeLast()
      return emit(.closeHeredoc, length)
    }
    var length = 0
    while let next = byte(length) {
      if let (kind, open) = sequenceStart(at: length) {
        modes[modes.count - 1] = .heredoc(marker: marker, isAtLineStart: false)
        return openSequence(kind, open, textLength: length)
      }
      if next == UInt8(ascii: "\r"), byte(length + 1) != UInt8(ascii: "\n") {
        problem("A carriage return stands here without a line feed.", at: offset + length)
      }
      length += runLength(at: length)
      if next == UInt8(ascii: "\n") { break }
    }
    modes[modes.count - 1] = .heredoc(marker: marker, isAtLineStart: true)
    emit(.text, length)
  }

  /// The length of this line, without what ends it, if it holds only the marker and white space. At the end of the file it
  /// must end with a line feed all the same (as in Terraform).
  private func closingLineLength(_ marker: ArraySlice<UInt8>) -> Int? {
    var place = offset
    while place < end, source.bytes[place] != UInt8(ascii: "\n"), let length = spaceLength(at: place) {
      place += length
    }
    guard source.bytes[place..<end].starts(with: marker) else { return nil }
    place += marker.count
    while place < end, source.bytes[place] != UInt8(ascii: "\n"), let length = spaceLength(at: place) {
      place += length
    }
    guard place < end, source.bytes[place] == UInt8(ascii: "\n") else { return nil }
    return place - offset - (source.bytes[place - 1] == UInt8(ascii: "\r") ? 1 : 0)
  }

  /// How many bytes the white space at a place takes: one character of it; nil if there is none, and for a carriage return
  /// of its own, which may stand nowhere.
  private func spaceLength(at place: Int) -> Int? {
    if source.bytes[place] == UInt8(ascii: "\r") {
      return place + 1 < end && source.bytes[place + 1] == UInt8(ascii: "\n") ? 1 : nil
    }
    let scalar = scalar(at: place)
    return scalar.value?.properties.isWhitespace == true ? scalar.length : nil
  }

  private mutating func quotedText() {
    var length = 0
    while let next = byte(length) {
      if next == UInt8(ascii: "\"") {
        if length > 0 { emit(.text, length) }
        emit(.closeQuote, 1)
        modes.removeLast()
        return
      }
      if next == UInt8(ascii: "\n") || next == UInt8(ascii: "\r") {
        if length > 0 { emit(.text, length) }
        problem("A quoted string must end on the line it begins on. For several lines, use a heredoc.")
        emit(.closeQuote, 0)
        modes.removeLast()
        return
      }
      if let (kind, open) = sequenceStart(at: length) { return openSequence(kind, open, textLength: length) }
      length += next == UInt8(ascii: "\\") ? escapeLength(at: length) : runLength(at: length)
    }
    emit(.text, length)
  }

  /// A backslash protects what follows it, but no end of a line.
  private func escapeLength(at distance: Int) -> Int {
    switch byte(distance + 1) {
    case nil, UInt8(ascii: "\n"), UInt8(ascii: "\r"): 1
    default: 2
    }
  }

  private mutating func openSequence(_ kind: Token.Kind, _ openLength: Int, textLength: Int) {
    if textLength > 0 { emit(.text, textLength) }
    emit(kind, openLength)
    modes.append(.sequence(braces: 0))
  }

  private func sequenceStart(at distance: Int) -> (Token.Kind, Int)? {
    guard let first = byte(distance), first == UInt8(ascii: "$") || first == UInt8(ascii: "%"),
      byte(distance + 1) == UInt8(ascii: "{")
    else { return nil }
    let length = byte(distance + 2) == UInt8(ascii: "~") ? 3 : 2
    return (first == UInt8(ascii: "$") ? .openInterpolation : .openDirective, length)
  }

  /// How far to go on in a text: over `$${` and `%%{` as one, since they do not open anything.
  private func runLength(at distance: Int) -> Int {
    guard let first = byte(distance), first == UInt8(ascii: "$") || first == UInt8(ascii: "%") else { return 1 }
    var length = 1
    while byte(distance + length) == first { length += 1 }
    return length
  }
}
