/// Reads the blocks of a `.tf` file. Blocks that nobody asks for are skipped by matching their braces.
struct BlockParser {
  private let source: SourceText
  private let tokens: [Token]
  private let wanted: Set<String>
  private var index = 0
  private var problems: [ParseFailure]

  /// How many blocks may be inside each other; Terraform's own go three deep.
  private static let maximumDepth = 50

  /// - Parameter wanted: the types of the top-level blocks to read.
  static func blocks(in source: SourceText, wanted: Set<String>) -> (blocks: [Block], problems: [ParseFailure]) {
    let hasMark = source.bytes.starts(with: [0xEF, 0xBB, 0xBF])
    let (tokens, problems) = Lexer.tokens(of: source, in: (hasMark ? 3 : 0)..<source.bytes.count)
    var parser = BlockParser(source: source, tokens: tokens, wanted: wanted, problems: problems)
    if let invalid = source.firstInvalidOffset {
      parser.problems.insert(source.failure("The file is not UTF-8 here.", at: invalid), at: 0)
    }
    let blocks = parser.file()
    return (blocks, parser.problems)
  }

  private init(source: SourceText, tokens: [Token], wanted: Set<String>, problems: [ParseFailure]) {
    self.source = source
    self.tokens = tokens
    self.wanted = wanted
    self.problems = problems
  }

  /// The last token is `.end`, and nothing moves behind it.
  private var token: Token { tokens[min(index, tokens.count - 1)] }

  private var nextKind: Token.Kind { tokens[min(index + 1, tokens.count - 1)].kind }

  private mutating func advance() {
    if index < tokens.count - 1 { index += 1 }
  }

  private mutating func problem(_ message: String) {
    if problems.count < 50 { problems.append(source.failure(message, at: token.range.lowerBound)) }
  }

  private mutating func skipNewlines() {
    while token.kind == .newline { advance() }
  }

  /// The index of the first token that does not belong to what begins at `start`: a newline or a closer outside of all
  /// brackets, a closer that does not fit, or the end.
  private func end(from start: Int) -> Int {
    var closers: [Token.Kind] = []
    var place = start
    while place < tokens.count - 1 {
      let token = tokens[place]
      if closers.isEmpty, token.kind == .newline { break }
      if let closer = token.closer {
        closers.append(closer)
      } else if token.isCloser {
        guard closers.last == token.kind else { break }
        closers.removeLast()
      }
      place += 1
    }
    return place
  }

  /// Goes to the end of what cannot be understood, at least one token further.
  private mutating func recover() {
    let end = end(from: index)
    if end == index, token.kind != .newline { advance() } else { index = end }
  }

  private mutating func file() -> [Block] {
    var blocks: [Block] = []
    while true {
      skipNewlines()
      switch token.kind {
      case .end: return blocks
      case .identifier where nextKind == .equals:
        problem("An argument cannot stand outside of a block.")
        recover()
      case .identifier:
        if let block = block(depth: 0) { blocks.append(block) }
      default:
        problem("A block is expected here.")
        recover()
      }
    }
  }

  /// A block with its body; nil where it is broken or not wanted.
  private mutating func block(depth: Int) -> Block? {
    guard let header = header() else {
      recover()
      return nil
    }
    var block = header
    if (depth == 0 && !wanted.contains(block.type)) || depth > Self.maximumDepth {
      skipBody()
      return nil
    }
    body(of: &block, depth: depth)
    return block
  }

  private mutating func header() -> Block? {
    let start = token.range.lowerBound
    let type = source.text(token.range)
    var end = token.range.upperBound
    advance()
    var labels: [Block.Label] = []
    while token.kind != .openBrace {
      let labelStart = token.range.lowerBound
      switch token.kind {
      case .identifier:
        labels.append(Block.Label(text: source.text(token.range), range: source.range(token.range)))
        end = token.range.upperBound
        advance()
      case .openQuote:
        guard let text = quotedLabel() else { return nil }
        end = tokens[index - 1].range.upperBound
        labels.append(Block.Label(text: text, range: source.range(labelStart..<end)))
      default:
        problem("The opening brace of the block \"\(type)\" is expected here, on the line of its name.")
        return nil
      }
    }
    return Block(type: type, labels: labels, range: source.range(start..<end))
  }

  private mutating func quotedLabel() -> String? {
    let textToken = tokens[min(index + 1, tokens.count - 1)]
    if textToken.kind == .closeQuote {
      advance()
      advance()
      return ""
    }
    guard textToken.kind == .text, tokens[min(index + 2, tokens.count - 1)].kind == .closeQuote else {
      problem("A label is a plain string.")
      return nil
    }
    guard let text = try? TemplateText.quoted(source, textToken.range) else {
      problem("There is an unknown escape in this label.")
      return nil
    }
    for _ in 0..<3 { advance() }
    return text
  }

  private mutating func skipBody() {
    let opening = index
    index = end(from: index)
    // What begins with a brace ends behind the brace that closes it, and with what else stands on its line.
    if tokens[max(index - 1, opening)].kind != .closeBrace {
      index = opening
      problem("The block that begins here does not end as it should.")
      matchBraces()
    }
  }

  /// Goes behind the brace that closes the one at `index`, whatever other brackets do.
  private mutating func matchBraces() {
    var depth = 0
    while token.kind != .end {
      if token.kind == .openBrace { depth += 1 }
      if token.kind == .closeBrace { depth -= 1 }
      advance()
      if depth == 0 { return }
    }
  }

  private mutating func body(of block: inout Block, depth: Int) {
    advance()
    guard token.kind == .newline else { return lineBody(of: &block) }
    while true {
      skipNewlines()
      switch token.kind {
      case .closeBrace:
        advance()
        return endOfLine(after: "block")
      case .end: return problem("The file ends inside the block \"\(block.type)\".")
      case .identifier where nextKind == .equals:
        add(attribute(), to: &block)
        endOfLine(after: "argument")
      case .identifier:
        if let inner = self.block(depth: depth + 1) { block.blocks.append(inner) }
      default:
        problem("An argument or a block is expected here.")
        recover()
      }
    }
  }

  /// `{ }` or `{ name = expression }`: on one line there is place for one argument.
  private mutating func lineBody(of block: inout Block) {
    if token.kind == .identifier, nextKind == .equals { add(attribute(), to: &block) }
    if token.kind == .closeBrace {
      advance()
      return endOfLine(after: "block")
    }
    problem("A block on one line holds at most one argument and closes on that line.")
    var depth = 1
    while token.kind != .end, depth > 0 {
      if token.kind == .openBrace { depth += 1 }
      if token.kind == .closeBrace { depth -= 1 }
      advance()
    }
  }

  private mutating func endOfLine(after thing: String) {
    guard token.kind != .newline, token.kind != .end else { return }
    problem("A new line must follow the \(thing).")
    if token.kind != .closeBrace { recover() }
  }

  private mutating func add(_ attribute: Attribute, to block: inout Block) {
    if let first = block.attribute(attribute.name) {
      let message = "The argument \"\(attribute.name)\" was already set at \(first.nameRange.start)."
      problems.append(ParseFailure(message: message, position: attribute.nameRange.start))
    } else {
      block.attributes.append(attribute)
    }
  }

  private mutating func attribute() -> Attribute {
    let name = token
    advance()
    let equals = token.range
    advance()
    let start = index
    index = end(from: start)
    let slice = tokens[start..<index]
    let first = slice.first?.range.lowerBound ?? equals.upperBound
    let range = first..<max(slice.last?.range.upperBound ?? first, first)
    let expression: Expression
    do throws(ParseFailure) {
      if slice.isEmpty { throw source.failure("An expression is expected here.", at: equals.upperBound) }
      expression = try ExpressionParser.expression(source, slice)
    } catch {
      problems.append(error)
      expression = Expression(range: source.range(range), form: .opaque)
    }
    return Attribute(
      name: source.text(name.range), nameRange: source.range(name.range), expression: expression,
      native: Attribute.NativeText(source: source, range: range))
  }
}
