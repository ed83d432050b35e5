/// Checks the grammar of an expression (HCL Native Syntax Specification, "Expressions") and reads the literals in it.
struct ExpressionParser {
  let source: SourceText
  /// One expression and nothing else.
  private let tokens: ArraySlice<Token>
  private var index: Int
  /// In parentheses, brackets and interpolations newlines mean nothing; in braces they separate members.
  private var skipsNewlines = false
  private var depth = 0

  /// How many expressions may be inside each other: far more than anybody writes, far less than a thread's stack holds.
  static let maximumDepth = 100

  static func expression(
    _ source: SourceText, _ tokens: ArraySlice<Token>
  ) throws(ParseFailure) -> Expression {
    var parser = ExpressionParser(source: source, tokens: tokens, index: tokens.startIndex)
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

  private func word() -> String? {
    guard let token = token(0), token.kind == .identifier else { return nil }
    return source.text(token.range)
  }

  private mutating func takeWord(_ wanted: String) -> Bool {
    guard word() == wanted else { return false }
    advance()
    return true
  }

  private func made(_ form: Expression.Form, from start: Int) -> Expression {
    let end = index > tokens.startIndex ? tokens[index - 1].range.upperBound : start
    return Expression(range: source.range(start..<max(start, end)), form: form)
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
    var isTraversal = false
    while true {
      if take(.dot) {
        guard take(.identifier) || take(.number) || take(.star) else {
          throw failure("An attribute name is expected here.")
        }
      } else if kind == .openBracket {
        advance()
        try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in
          if !parser.take(.star) { _ = try parser.expression() }
          try parser.expect(.closeBracket, "A closing bracket")
        }
      } else {
        return isTraversal ? made(.opaque, from: start) : first
      }
      isTraversal = true
    }
  }

  private mutating func term() throws(ParseFailure) -> Expression {
    let start = offset
    switch kind {
    case .number:
      let text = token(0).map { source.text($0.range) } ?? ""
      guard let number = Number(text) else {
        throw failure("The number has more than \(Number.maximumDigits) digits.")
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
    let name = word()
    advance()
    var isPlain = true
    while take(.doubleColon) {
      isPlain = false
      guard take(.identifier) else { throw failure("A function name is expected here.") }
    }
    if kind == .openParenthesis {
      advance()
      try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in try parser.arguments() }
      return made(.opaque, from: start)
    }
    switch name {
    case "true" where isPlain: return made(.constant(.bool(true)), from: start)
    case "false" where isPlain: return made(.constant(.bool(false)), from: start)
    case "null" where isPlain: return made(.constant(.null), from: start)
    default: return made(.opaque, from: start)
    }
  }

  private mutating func arguments() throws(ParseFailure) {
    while !take(.closeParenthesis) {
      _ = try expression()
      if take(.ellipsis) {
        _ = take(.comma)
        return try expect(.closeParenthesis, "A closing parenthesis")
      }
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
      let keyRange = made(.opaque, from: start).range
      guard take(.equals) || take(.colon) else { throw failure("An equals sign or a colon is expected here.") }
      members.append(Expression.Member(key: key, keyRange: keyRange, value: try expression()))
      if !take(.comma), kind != .newline, kind != .closeBrace {
        throw failure("A comma, a new line or a closing brace is expected here.")
      }
    }
  }

  private mutating func key() throws(ParseFailure) -> String? {
    if let word = word(), let next = token(1), next.kind == .equals || next.kind == .colon {
      advance()
      return word
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
  private var isFor: Bool { word() == "for" }

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
    let isIndented =
      closer == .closeHeredoc && token(0).map { source.bytes[$0.range].dropFirst(2).first == UInt8(ascii: "-") } == true
    advance()
    var texts: [Range<Int>] = []
    var isConstant = true
    while true {
      guard index < tokens.endIndex else { throw failure("The string does not end.") }
      let token = tokens[index]
      index += 1
      switch token.kind {
      case closer:
        guard isConstant else { return made(.opaque, from: start) }
        return made(.constant(.string(try text(texts, isHeredoc: closer == .closeHeredoc, isIndented))), from: start)
      case .text: texts.append(token.range)
      case .openInterpolation:
        isConstant = false
        try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in
          _ = try parser.expression()
          try parser.expect(.closeTemplate, "A closing brace")
        }
      case .openDirective:
        isConstant = false
        try directive()
      default: throw source.failure("The string is broken here.", at: token.range.lowerBound)
      }
    }
  }

  private func text(_ texts: [Range<Int>], isHeredoc: Bool, _ isIndented: Bool) throws(ParseFailure) -> String {
    if isHeredoc { return TemplateText.heredoc(source, lines: texts, isIndented: isIndented) }
    var result = ""
    for range in texts { result += try TemplateText.quoted(source, range) }
    return result
  }

  /// What is inside `%{ … }`. Whether each `if` has its `endif` is left to Terraform.
  private mutating func directive() throws(ParseFailure) {
    try nested(skippingNewlines: true) { (parser) throws(ParseFailure) in
      switch parser.word() {
      case "if":
        parser.advance()
        _ = try parser.expression()
      case "for":
        parser.advance()
        guard parser.take(.identifier) else { throw parser.failure("A name is expected here.") }
        if parser.take(.comma), !parser.take(.identifier) { throw parser.failure("A name is expected here.") }
        guard parser.takeWord("in") else { throw parser.failure("\"in\" is expected here.") }
        _ = try parser.expression()
      case "else", "endif", "endfor": parser.advance()
      default: throw parser.failure("A directive is one of if, else, endif, for and endfor.")
      }
      try parser.expect(.closeTemplate, "A closing brace")
    }
  }
}
