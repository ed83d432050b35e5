extension TypeConstraint {
  /// Reads a type constraint as Terraform 1.11 does: `list(object({ name = string }))`, alone also `list` and `map`.
  ///
  /// The default of an optional attribute must be a literal and convert to the attribute's type.
  public init(parsing text: String) throws(ParseFailure) {
    let source = SourceText(Array(text.utf8))
    self = try Self.parse(source, in: 0..<source.bytes.count)
  }

  /// The type constraint in a part of a text; positions are those of the whole text.
  static func parse(_ source: SourceText, in range: Range<Int>) throws(ParseFailure) -> TypeConstraint {
    let (tokens, problems) = Lexer.tokens(of: source, in: range)
    if let problem = problems.first { throw problem }
    var parser = TypeParser(source: source, tokens: tokens)
    return try parser.whole()
  }
}

private struct TypeParser {
  let source: SourceText
  let tokens: [Token]
  var index = 0
  var depth = 0

  static let maximumDepth = 100

  private var token: Token { tokens[min(index, tokens.count - 1)] }

  private var kind: Token.Kind { token.kind }

  private func failure(_ message: String) -> ParseFailure { source.failure(message, at: token.range.lowerBound) }

  private mutating func take(_ wanted: Token.Kind) -> Bool {
    guard kind == wanted, wanted != .end else { return false }
    index += 1
    return true
  }

  private mutating func expect(_ wanted: Token.Kind, _ name: String) throws(ParseFailure) {
    guard take(wanted) else { throw failure("\(name) is expected here.") }
  }

  private mutating func skipNewlines() {
    while take(.newline) {}
  }

  private mutating func word(_ name: String) throws(ParseFailure) -> String {
    guard kind == .identifier else { throw failure("\(name) is expected here.") }
    defer { index += 1 }
    return source.text(token.range)
  }

  mutating func whole() throws(ParseFailure) -> TypeConstraint {
    skipNewlines()
    let result: TypeConstraint
    if let bare = bareCollection() { result = bare } else { result = try type() }
    skipNewlines()
    guard kind == .end else { throw failure("The type should end here.") }
    return result
  }

  /// `list` and `map` without an argument: an old way to say `list(any)` and `map(any)`, only for the whole type.
  private mutating func bareCollection() -> TypeConstraint? {
    guard kind == .identifier, tokens[(index + 1)...].allSatisfy({ $0.kind == .newline || $0.kind == .end }) else {
      return nil
    }
    switch source.text(token.range) {
    case "list":
      index += 1
      return .list(.any)
    case "map":
      index += 1
      return .map(.any)
    default: return nil
    }
  }

  private mutating func type() throws(ParseFailure) -> TypeConstraint {
    if kind == .openQuote { throw failure("A type stands without quotes.") }
    let place = token.range.lowerBound
    let name = try word("A type")
    switch name {
    case "any", "string", "number", "bool":
      if kind == .openParenthesis { throw failure("The type \"\(name)\" takes no arguments.") }
    case "list", "set", "map", "object", "tuple":
      guard kind == .openParenthesis else {
        throw source.failure("The type \"\(name)\" needs an argument in parentheses.", at: place)
      }
    case "optional":
      throw source.failure("Only an attribute of an object type can be optional.", at: place)
    default:
      let known = ["any", "bool", "list", "map", "number", "object", "set", "string", "tuple"]
      let hint = Suggestion.closest(to: name, among: known).map { " Did you mean \"\($0)\"?" } ?? ""
      throw source.failure("There is no type \"\(name)\".\(hint)", at: place)
    }
    switch name {
    case "any": return .any
    case "string": return .string
    case "number": return .number
    case "bool": return .bool
    case "list": return .list(try argument { (parser) throws(ParseFailure) in try parser.type() })
    case "set": return .set(try argument { (parser) throws(ParseFailure) in try parser.type() })
    case "map": return .map(try argument { (parser) throws(ParseFailure) in try parser.type() })
    case "tuple": return .tuple(try argument { (parser) throws(ParseFailure) in try parser.elements() })
    default: return .object(try argument { (parser) throws(ParseFailure) in try parser.attributes() })
    }
  }

  /// What stands in parentheses, where newlines mean nothing and a comma may come last.
  private mutating func argument<Result>(
    _ body: (inout TypeParser) throws(ParseFailure) -> Result
  ) throws(ParseFailure) -> Result {
    depth += 1
    defer { depth -= 1 }
    if depth > Self.maximumDepth { throw failure("Types are more than \(Self.maximumDepth) deep here.") }
    index += 1
    skipNewlines()
    let result = try body(&self)
    skipNewlines()
    if take(.comma) { skipNewlines() }
    try expect(.closeParenthesis, "A closing parenthesis")
    return result
  }

  private mutating func elements() throws(ParseFailure) -> [TypeConstraint] {
    try expect(.openBracket, "An opening bracket")
    var elements: [TypeConstraint] = []
    while true {
      skipNewlines()
      if take(.closeBracket) { return elements }
      elements.append(try type())
      skipNewlines()
      if !take(.comma), kind != .closeBracket { throw failure("A comma or a closing bracket is expected here.") }
    }
  }

  private mutating func attributes() throws(ParseFailure) -> [TypeConstraint.Attribute] {
    try expect(.openBrace, "An opening brace")
    var attributes: [TypeConstraint.Attribute] = []
    var names: Set<String> = []
    while true {
      skipNewlines()
      if take(.closeBrace) { return attributes }
      let place = token.range.lowerBound
      let name = try word("The name of an attribute, without quotes,")
      guard names.insert(name).inserted else {
        throw source.failure("The attribute \"\(name)\" is there twice.", at: place)
      }
      guard take(.equals) || take(.colon) else { throw failure("An equals sign or a colon is expected here.") }
      attributes.append(try attribute(name))
      if !take(.comma), kind != .newline, kind != .closeBrace {
        throw failure("A comma, a new line or a closing brace is expected here.")
      }
    }
  }

  private mutating func attribute(_ name: String) throws(ParseFailure) -> TypeConstraint.Attribute {
    guard kind == .identifier, source.text(token.range) == "optional" else {
      return TypeConstraint.Attribute(name: name, type: try type())
    }
    index += 1
    guard kind == .openParenthesis else { throw failure("\"optional\" needs a type in parentheses.") }
    return try argument { (parser) throws(ParseFailure) in
      let type = try parser.type()
      parser.skipNewlines()
      guard parser.take(.comma) else { return TypeConstraint.Attribute(name: name, type: type, isOptional: true) }
      parser.skipNewlines()
      if parser.kind == .closeParenthesis { return TypeConstraint.Attribute(name: name, type: type, isOptional: true) }
      let value = try parser.constant(of: name, type)
      return TypeConstraint.Attribute(name: name, type: type, isOptional: true, default: value)
    }
  }

  private mutating func constant(of name: String, _ type: TypeConstraint) throws(ParseFailure) -> Value {
    let place = token.range.lowerBound
    let expression = try ExpressionParser.expression(source, tokens.dropLast(), at: &index, skippingNewlines: true)
    guard let value = expression.constant else {
      throw source.failure("The default of the attribute \"\(name)\" is not a plain literal.", at: place)
    }
    if let finding = type.convert(value).findings.first(where: { $0.severity == .error }) {
      throw source.failure(
        "The default of the attribute \"\(name)\" does not fit its type: \(finding.message)", at: place)
    }
    return value
  }
}
