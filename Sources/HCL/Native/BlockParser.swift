/// Reads the blocks of a `.tf` file. The grammar of all of them is checked; what nobody asks for is not kept.
struct BlockParser {
  /// What to keep of a block.
  enum Interest {
    case everything
    /// These arguments and nothing else.
    case arguments(Set<String>)
  }

  private let source: SourceText
  private let tokens: [Token]
  private let interests: [String: Interest]
  private var index = 0
  private var problems: [ParseFailure]

  /// How many blocks may be inside each other; Terraform's own go three deep.
  private static let maximumDepth = 50
  private static let maximumProblems = 50

  /// - Parameter interests: what to keep of the top-level blocks by their types; of others there is only the header.
  static func blocks(
    in source: SourceText, _ interests: [String: Interest]
  ) -> (blocks: [Block], problems: [ParseFailure]) {
    let hasMark = source.bytes.starts(with: [0xEF, 0xBB, 0xBF])
    let (tokens, problems) = Lexer.tokens(of: source, in: (hasMark ? 3 : 0)..<source.bytes.count)
    var parser = BlockParser(source: source, tokens: tokens, interests: interests, problems: problems)
    let blocks = parser.file()
    return (blocks, parser.problems)
  }

  private init(source: SourceText, tokens: [Token], interests: [String: Interest], problems: [ParseFailure]) {
    self.source = source
    self.tokens = tokens
    self.interests = interests
    self.problems = problems
  }

  /// The last token is `.end`, and nothing moves behind it.
  private var token: Token { tokens[min(index, tokens.count - 1)] }

  private var nextKind: Token.Kind { tokens[min(index + 1, tokens.count - 1)].kind }

  private mutating func advance() {
    if index < tokens.count - 1 { index += 1 }
  }

  private mutating func problem(_ message: String, at offset: Int? = nil) {
    guard problems.count < Self.maximumProblems else { return }
    problems.append(source.failure(message, at: offset ?? token.range.lowerBound))
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
        if let block = block(depth: 0, .everything) { blocks.append(block) }
      default:
        problem("A block is expected here.")
        recover()
      }
    }
  }

  /// A block with its body; nil where it is broken.
  private mutating func block(depth: Int, _ interest: Interest) -> Block? {
    guard var block = header() else {
      recover()
      return nil
    }
    guard depth <= Self.maximumDepth else {
      problem("Blocks are more than \(Self.maximumDepth) deep here.")
      matchBraces()
      return nil
    }
    body(of: &block, depth: depth, depth == 0 ? interests[block.type] ?? .arguments([]) : interest)
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
        labels.append(Block.Label(text: source.text(token.range), offsets: token.range))
        end = token.range.upperBound
        advance()
      case .openQuote:
        guard let text = quotedLabel() else { return nil }
        end = tokens[index - 1].range.upperBound
        labels.append(Block.Label(text: text, offsets: labelStart..<end))
      default:
        problem("The opening brace of the block \"\(type)\" is expected here, on the line of its name.")
        return nil
      }
    }
    return Block(source: source, type: type, labels: labels, offsets: start..<end)
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

  private mutating func body(of block: inout Block, depth: Int, _ interest: Interest) {
    var places: [String: Int] = [:]
    advance()
    switch token.kind {
    case .newline, .closeBrace, .end: break
    default: return lineBody(of: &block, interest)
    }
    while true {
      skipNewlines()
      switch token.kind {
      case .closeBrace:
        advance()
        return endOfLine(after: "block")
      case .end: return problem("The file ends inside the block \"\(block.type)\".")
      case .identifier where nextKind == .equals:
        attribute(of: &block, interest, &places)
        endOfLine(after: "argument")
      case .identifier:
        guard let inner = self.block(depth: depth + 1, interest) else { continue }
        if case .everything = interest { block.blocks.append(inner) }
      default:
        problem("An argument or a block is expected here.")
        recover()
      }
    }
  }

  /// `{ name = expression }`: on one line there is place for one argument.
  private mutating func lineBody(of block: inout Block, _ interest: Interest) {
    var places: [String: Int] = [:]
    if token.kind == .identifier, nextKind == .equals { attribute(of: &block, interest, &places) }
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

  /// Reads an argument and adds it to the block if it is of interest.
  ///
  /// - Parameter places: where each of the block's arguments was set.
  private mutating func attribute(of block: inout Block, _ interest: Interest, _ places: inout [String: Int]) {
    let nameOffsets = token.range
    let name = source.text(nameOffsets)
    let isWanted =
      switch interest {
      case .everything: true
      case .arguments(let names): names.contains(name)
      }
    let expression = value(checkingOnly: !isWanted)
    if let first = places[name] {
      problem("The argument \"\(name)\" was already set at \(source.position(at: first)).", at: nameOffsets.lowerBound)
      return
    }
    places[name] = nameOffsets.lowerBound
    guard isWanted else { return }
    block.attributes.append(
      Attribute(source: source, name: name, nameOffsets: nameOffsets, expression: expression, isNative: true))
  }

  /// What stands behind a name and its equals sign.
  private mutating func value(checkingOnly: Bool) -> Expression {
    advance()
    let equals = token.range
    advance()
    let start = index
    index = end(from: start)
    let slice = tokens[start..<index]
    let first = slice.first?.range.lowerBound ?? equals.upperBound
    do throws(ParseFailure) {
      if slice.isEmpty { throw source.failure("An expression is expected here.", at: equals.upperBound) }
      return try ExpressionParser.expression(source, slice, checkingOnly: checkingOnly)
    } catch {
      if problems.count < Self.maximumProblems { problems.append(error) }
      let end = max(slice.last?.range.upperBound ?? first, first)
      return Expression(offsets: first..<end, form: .opaque)
    }
  }
}
