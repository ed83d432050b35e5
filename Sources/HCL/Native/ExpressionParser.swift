/// Checks the grammar of an expression (HCL Native Syntax Specification, "Expressions") and reads the literals in it. What
/// it takes and refuses is what HashiCorp's own parser takes and refuses, but for ``maximumDepth`` and the size of numbers.
struct ExpressionParser {
  let source: SourceText
  /// One expression and nothing else.
  private let tokens: ArraySlice<Token>
  private var index: Int
  /// In parentheses, brackets and interpolations newlines mean nothing; in braces they separate members.
  private var skipsNewlines = false
  private var depth = 0
  private var checksOnly = false

  /// How many expressions may be inside each other: far more than anybody writes, far less than a thread's stack holds.
  static let maximumDepth = 100

  /// - Parameter checkingOnly: whether nobody asks for strings, so that none have to be made.
  static func expression(
    _ source: SourceText, _ tokens: ArraySlice<Token>, checkingOnly: Bool
  ) throws(ParseFailure) -> Expression {
    var parser = ExpressionParser(source: source, tokens: tokens, index: tokens.startIndex)
    parser.checksOnly = checkingOnly
    let expression = try parser.expression()
    if parser.index < tokens.endIndex { throw parser.failure("The expression should end here.") }
    return expression
  }

  /// An expression at `index` of longer tokens; moves `index` behind it.
  static func expression(
    _ source: SourceText, _ tokens: ArraySlice<Token>, at index: inout Int, skippingNewlines: Bool
  ) throws(ParseFailure) -> Expression {
    var parser = ExpressionParser(source: source, tokens: tokens, index: index)
    parser.skipsNewlines = skippingNewlines
    defer { index = parser.index }
    return try parser.expression()
  }

  private init(source: SourceText, tokens: ArraySlice<Token>, index: Int) {
    self.source = source
    self.tokens = tokens
    self.index = index
  }

  private var kind: Token.Kind { token(0)?.kind ?? .end }

  private func token(_ distance: Int) -> Token? {
    var place = index
    var left = distance
    while place < tokens.endIndex {
      if !(skipsNewlines && tokens[place].kind == .newline) {
        if left == 0 { return tokens[place] }
        left -= 1
      }
      place += 1
    }
    return nil
  }

  private var offset: Int { token(0)?.range.lowerBound ?? tokens.last?.range.upperBound ?? 0 }

  private func failure(_ message: String) -> ParseFailure { source.failure(message, at: offset) }

  private mutating func advance() {
    if skipsNewlines { while index < tokens.endIndex, tokens[index].kind == .newline { index += 1 } }
    if index < tokens.endIndex { index += 1 }
  }

  private mutating func take(_ wanted: Token.Kind) -> Bool {
    guard kind == wanted else { return false }
    advance()
    return true
  }

  private mutating func expect(_ wanted: Token.Kind, _ name: String) throws(ParseFailure) {
    guard take(wanted) else { throw failure("\(name) is expected here.") }
  }

  private func isWord(_ wanted: StaticString) -> Bool {
    guard let token = token(0), token.kind == .identifier else { return false }
    return wanted.withUTF8Buffer { source.bytes[token.range].elementsEqual($0) }
  }

  private mutating func takeWord(_ wanted: StaticString) -> Bool {
    guard isWord(wanted) else { return false }
    advance()
    return true
  }

  private func made(_ form: Expression.Form, from start: Int) -> Expression {
    let end = index > tokens.startIndex ? tokens[index - 1].range.upperBound : start
    return Expression(offsets: start..<max(start, end), form: form)
  }

  private mutating func nested<Result>(
    skippingNewlines: Bool, _ body: (inout ExpressionParser) throws(ParseFailure) -> Result
  ) throws(ParseFailure) -> Result {
    if depth >= Self.maximumDepth { throw failure("Expressions are more than \(Self.maximumDepth) deep here.") }
    let outer = skipsNewlines
    skipsNewlines = skippingNewlines
    depth += 1
    defer {
      skipsNewlines = outer
      depth -= 1
    }
    return try body(&self)
  }

  private mutating func expression() throws(ParseFailure) -> Expression {
    let start = offset
    let first = try operand()
    var isOperation = false
    while kind == .binaryOperator || kind == .minus || kind == .star {
      advance()
      _ = try operand()
      isOperation = true
    }
    guard take(.question) else { return isOperation ? made(.opaque, from: start) : first }
    try nested(skippingNewlines: skipsNewlines) { (parser) throws(ParseFailure) in
      _ = try parser.expression()
      try parser.expect(.colon, "A colon")
      _ = try parser.expression()
    }
    return made(.opaque, from: start)
  }

  private mutating func operand() throws(ParseFailure) -> Expression {
    let start = offset
    var signs: [Token.Kind] = []
    while kind == .minus || kind == .bang {
      signs.append(kind)
      advance()
    }
    let value = try traversal()
    guard !signs.isEmpty else { return value }
    if case .constant(.number(let number)) = value.form, signs.allSatisfy({ $0 == .minus }) {
      return made(.constant(.number(signs.count.isMultiple(of: 2) ? number : number.negated)), from: start)
    }
    return made(.opaque, from: start)
  }

  private mutating func traversal() throws(ParseFailure) -> Expression {
    let start = offset
    let first = try term()
    var isPlain = false
    if case .reference = first.form { isPlain = true }
    var isTraversal = false
    while true {
      if take(.dot) {
        if take(.star) {
          isPlain = false
          while take(.dot) { try attribute() }
        } else {
          if kind != .identifier { isPlain = false }
          try attribute()
        }
      } else if kind == .openBracket {
        advance()
        isPlain = false
        if take(.star) {
          try expect(.closeBracket, "A closing bracket")
        } else {
          try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in
            _ = try parser.expression()
            try parser.expect(.closeBracket, "A closing bracket")
          }
        }
      } else {
        return isTraversal ? made(isPlain ? .reference : .opaque, from: start) : first
      }
      isTraversal = true
    }
  }

  /// What follows a dot: a name, or a whole number as in Terraform 0.11.
  private mutating func attribute() throws(ParseFailure) {
    if take(.identifier) { return }
    guard let number = token(0), number.kind == .number else { throw failure("An attribute name is expected here.") }
    if source.bytes[number.range].contains(UInt8(ascii: ".")) {
      throw failure("Two indices in a row must stand in brackets: [0][1].")
    }
    advance()
  }

  private mutating func term() throws(ParseFailure) -> Expression {
    let start = offset
    switch kind {
    case .number:
      let text = token(0).map { source.text($0.range) } ?? ""
      guard let number = Number(terraform: text) else {
        throw failure("This is no number, or one of more than \(Number.maximumDigits) digits.")
      }
      advance()
      return made(.constant(.number(number)), from: start)
    case .openQuote: return try template(closedBy: .closeQuote)
    case .openHeredoc: return try template(closedBy: .closeHeredoc)
    case .identifier: return try named()
    case .openParenthesis:
      advance()
      let inner = try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in
        let inner = try parser.expression()
        try parser.expect(.closeParenthesis, "A closing parenthesis")
        return inner
      }
      return made(inner.form, from: start)
    case .openBracket:
      advance()
      let form = try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in try parser.tuple() }
      return made(form, from: start)
    case .openBrace:
      advance()
      let form = try nested(skippingNewlines: false) { (parser) throws(ParseFailure) in try parser.object() }
      return made(form, from: start)
    case .end: throw failure("An expression is expected here.")
    default: throw failure("An expression cannot begin like this.")
    }
  }

  private mutating func named() throws(ParseFailure) -> Expression {
    let start = offset
    let form: Expression.Form =
      if isWord("true") {
        .constant(.bool(true))
      } else if isWord("false") {
        .constant(.bool(false))
      } else if isWord("null") {
        .constant(.null)
      } else {
        .reference
      }
    advance()
    guard kind == .doubleColon || kind == .openParenthesis else { return made(form, from: start) }
    while take(.doubleColon) {
      guard take(.identifier) else { throw failure("A function name is expected here.") }
    }
    try expect(.openParenthesis, "An opening parenthesis")
    try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in try parser.arguments() }
    return made(.opaque, from: start)
  }

  private mutating func arguments() throws(ParseFailure) {
    while !take(.closeParenthesis) {
      _ = try expression()
      if take(.ellipsis) { return try expect(.closeParenthesis, "A closing parenthesis") }
      if !take(.comma), kind != .closeParenthesis {
        throw failure("A comma or a closing parenthesis is expected here.")
      }
    }
  }

  private mutating func tuple() throws(ParseFailure) -> Expression.Form {
    if isFor {
      try forIntroduction()
      _ = try expression()
      try forCondition()
      try expect(.closeBracket, "A closing bracket")
      return .opaque
    }
    var elements: [Expression] = []
    while !take(.closeBracket) {
      elements.append(try expression())
      if !take(.comma), kind != .closeBracket { throw failure("A comma or a closing bracket is expected here.") }
    }
    return .tuple(elements)
  }

  private mutating func object() throws(ParseFailure) -> Expression.Form {
    skipNewlines()
    if isFor {
      skipsNewlines = true
      try forIntroduction()
      _ = try expression()
      try expect(.arrow, "=>")
      _ = try expression()
      _ = take(.ellipsis)
      try forCondition()
      try expect(.closeBrace, "A closing brace")
      return .opaque
    }
    var members: [Expression.Member] = []
    while true {
      skipNewlines()
      if take(.closeBrace) { return .object(members) }
      let start = offset
      let key = try key()
      let keyOffsets = made(.opaque, from: start).offsets
      guard take(.equals) || take(.colon) else { throw failure("An equals sign or a colon is expected here.") }
      members.append(Expression.Member(key: key, keyOffsets: keyOffsets, value: try expression()))
      if !take(.comma), kind != .newline, kind != .closeBrace {
        throw failure("A comma, a new line or a closing brace is expected here.")
      }
    }
  }

  private mutating func key() throws(ParseFailure) -> String? {
    if let word = token(0), word.kind == .identifier, let next = token(1), next.kind == .equals || next.kind == .colon {
      advance()
      return source.text(word.range)
    }
    switch try expression().constant {
    case .string(let text): return text
    case .number(let number): return number.text
    case .bool(let value): return value ? "true" : "false"
    default: return nil
    }
  }

  private mutating func skipNewlines() {
    while index < tokens.endIndex, tokens[index].kind == .newline { index += 1 }
  }

  /// `for` is a word like any other but at the beginning of a tuple or an object.
  private var isFor: Bool { isWord("for") }

  private mutating func forIntroduction() throws(ParseFailure) {
    advance()
    guard take(.identifier) else { throw failure("A name is expected here.") }
    if take(.comma), !take(.identifier) { throw failure("A name is expected here.") }
    guard takeWord("in") else { throw failure("\"in\" is expected here.") }
    _ = try expression()
    try expect(.colon, "A colon")
  }

  private mutating func forCondition() throws(ParseFailure) {
    if takeWord("if") { _ = try expression() }
  }

  private mutating func template(closedBy closer: Token.Kind) throws(ParseFailure) -> Expression {
    let start = offset
    let isHeredoc = closer == .closeHeredoc
    let isIndented = isHeredoc && token(0).map { source.bytes[$0.range.lowerBound + 2] == UInt8(ascii: "-") } == true
    advance()
    var parts: [TemplateText.Part] = []
    var directives: [OpenDirective] = []
    var isConstant = !checksOnly
    while true {
      guard index < tokens.endIndex else { throw failure("The string does not end.") }
      let token = tokens[index]
      index += 1
      switch token.kind {
      case closer:
        guard directives.isEmpty else {
          throw source.failure(
            "The string ends before its \(directives.last?.ending ?? "end").", at: token.range.lowerBound)
        }
        guard isConstant else { return made(.opaque, from: start) }
        if parts.count == 1, case .interpolation(let only, _, _) = parts[0] { return made(only.form, from: start) }
        guard let text = TemplateText.joined(parts, isIndented: isIndented) else { return made(.opaque, from: start) }
        return made(.constant(.string(text)), from: start)
      case .text:
        if isConstant {
          parts.append(
            .text(try isHeredoc ? TemplateText.plain(source, token.range) : TemplateText.quoted(source, token.range)))
        } else if !isHeredoc, source.bytes[token.range].contains(UInt8(ascii: "\\")) {
          _ = try TemplateText.quoted(source, token.range)
        }
      case .openInterpolation:
        let inner = try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in
          let inner = try parser.expression()
          try parser.expect(.closeTemplate, "A closing brace")
          return inner
        }
        guard isConstant, inner.constant != nil else {
          isConstant = false
          continue
        }
        let trimsAfter = tokens[index - 1].range.count == 2
        parts.append(.interpolation(inner, trimsBefore: token.range.count == 3, trimsAfter: trimsAfter))
      case .openDirective:
        isConstant = false
        try directive(&directives)
      default: throw source.failure("The string is broken here.", at: token.range.lowerBound)
      }
    }
  }

  /// An `if` or a `for` in a template whose end is still to come.
  private enum OpenDirective {
    case `if`, `else`, `for`

    var ending: String { self == .for ? "endfor" : "endif" }
  }

  /// What is inside `%{ … }`.
  private mutating func directive(_ open: inout [OpenDirective]) throws(ParseFailure) {
    var directives = open
    try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in
      let place = parser.offset
      if parser.takeWord("if") {
        directives.append(.if)
        _ = try parser.expression()
      } else if parser.takeWord("for") {
        directives.append(.for)
        guard parser.take(.identifier) else { throw parser.failure("A name is expected here.") }
        if parser.take(.comma), !parser.take(.identifier) { throw parser.failure("A name is expected here.") }
        guard parser.takeWord("in") else { throw parser.failure("\"in\" is expected here.") }
        _ = try parser.expression()
      } else {
        try parser.endingDirective(&directives, at: place)
      }
      try parser.expect(.closeTemplate, "A closing brace")
    }
    open = directives
  }

  private mutating func endingDirective(_ open: inout [OpenDirective], at place: Int) throws(ParseFailure) {
    if takeWord("else") {
      guard open.popLast() == .if else { throw source.failure("There is no \"if\" to this \"else\".", at: place) }
      open.append(.else)
    } else if takeWord("endif") {
      guard let last = open.popLast(), last != .for else {
        throw source.failure("There is no \"if\" to this \"endif\".", at: place)
      }
    } else if takeWord("endfor") {
      guard open.popLast() == .for else { throw source.failure("There is no \"for\" to this \"endfor\".", at: place) }
    } else {
      throw failure("A directive is one of if, else, endif, for and endfor.")
    }
  }
}
