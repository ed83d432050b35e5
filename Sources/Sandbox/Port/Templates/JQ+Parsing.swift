extension JQ {
  /// Why a text is no jq, or more jq than is known here.
  struct SyntaxError: Error { let reason: String }

  /// Reads a whole expression.
  init(parsing text: String) throws(SyntaxError) {
    var reader = JQReader(text)
    self = try reader.pipe()
    reader.skipSpace()
    if let rest = reader.next { throw reader.failure("'\(rest)' is not expected") }
  }
}

/// Reads jq, the loosest operator first: `|`, `,`, `//`, `or`, `and`, comparisons, sums, products.
private struct JQReader {
  typealias Failure = JQ.SyntaxError

  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var depth = 0
  private static let maximumDepth = 100

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  func failure(_ reason: String) -> Failure { Failure(reason: "\(reason) at character \(position + 1)") }

  mutating func pipe() throws(Failure) -> JQ {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw failure("it is nested too deeply") }
    let left = try comma()
    return take("|") ? .pipe(left, try pipe()) : left
  }

  private mutating func comma() throws(Failure) -> JQ {
    var left = try alternative()
    while take(",") { left = .both(left, try alternative()) }
    return left
  }

  private mutating func alternative() throws(Failure) -> JQ {
    let left = try disjunction()
    return take("//") ? .alternative(left, try alternative()) : left
  }

  private mutating func disjunction() throws(Failure) -> JQ {
    var left = try conjunction()
    while take(word: "or") { left = .operation(.or, left, try conjunction()) }
    return left
  }

  private mutating func conjunction() throws(Failure) -> JQ {
    var left = try comparison()
    while take(word: "and") { left = .operation(.and, left, try comparison()) }
    return left
  }

  private mutating func comparison() throws(Failure) -> JQ {
    let left = try sum()
    for symbol in [JQ.Operator.equal, .notEqual, .lessOrEqual, .greaterOrEqual, .less, .greater]
    where take(symbol.rawValue) {
      return .operation(symbol, left, try sum())
    }
    return left
  }

  private mutating func sum() throws(Failure) -> JQ {
    var left = try product()
    while true {
      if take("+") {
        left = .operation(.add, left, try product())
      } else if take("-") {
        left = .operation(.subtract, left, try product())
      } else {
        return left
      }
    }
  }

  private mutating func product() throws(Failure) -> JQ {
    var left = try postfix()
    while true {
      if take("*") {
        left = .operation(.multiply, left, try postfix())
      } else if !isAhead("//"), take("/") {
        left = .operation(.divide, left, try postfix())
      } else if take("%") {
        left = .operation(.remainder, left, try postfix())
      } else {
        return left
      }
    }
  }

  private mutating func postfix() throws(Failure) -> JQ {
    var term = try self.term()
    while true {
      if take("?") {
        term = .attempt(term)
      } else if isAhead("[") {
        term = try brackets(of: term)
      } else if isAhead("."), position + 1 < scalars.count, isWordStart(scalars[position + 1]) {
        position += 1
        term = .member(of: term, .literal(.string(word())))
      } else if isAhead(".\"") || isAhead(".[") {
        position += 1
        term = isAhead("[") ? try brackets(of: term) : .member(of: term, try string())
      } else {
        return term
      }
    }
  }

  /// `[KEY]`, `[FROM:TO]` or `[]` after a term.
  private mutating func brackets(of term: JQ) throws(Failure) -> JQ {
    try expect("[")
    if take("]") { return .each(term) }
    if take(":") {
      let end = try pipe()
      try expect("]")
      return .slice(of: term, from: nil, to: end)
    }
    let key = try pipe()
    if take(":") {
      let end = isAhead("]") ? nil : try pipe()
      try expect("]")
      return .slice(of: term, from: key, to: end)
    }
    try expect("]")
    return .member(of: term, key)
  }

  private mutating func term() throws(Failure) -> JQ {
    skipSpace()
    guard let first = next else { throw failure("something is missing") }
    switch first {
    case "(":
      position += 1
      let inner = try pipe()
      try expect(")")
      return inner
    case "[":
      position += 1
      if take("]") { return .list(nil) }
      let inner = try pipe()
      try expect("]")
      return .list(inner)
    case "{": return try object()
    case "\"": return try string()
    case ".":
      position += 1
      // No space may be between the dot and what follows it.
      if let next, isWordStart(next) { return .member(of: .identity, .literal(.string(word()))) }
      if next == "\"" { return .member(of: .identity, try string()) }
      if next == "." { throw failure("'..' is not known here") }
      return .identity
    case "-":
      position += 1
      return .operation(.subtract, .literal(0), try postfix())
    case "0"..."9": return try number()
    default: return try named()
    }
  }

  private mutating func number() throws(Failure) -> JQ {
    let start = position
    while let next, next == "." || next == "e" || next == "E" || ("0"..."9").contains(next) { position += 1 }
    var digits = String.UnicodeScalarView()
    digits.append(contentsOf: scalars[start..<position])
    guard let value = try? JSONValue(parsing: String(digits).utf8) else { throw failure("a number is badly written") }
    return .literal(value)
  }

  /// A keyword or a function.
  private mutating func named() throws(Failure) -> JQ {
    let start = position
    if next == "@" { position += 1 }
    let name = (start < position ? "@" : "") + word()
    switch name {
    case "true": return .literal(true)
    case "false": return .literal(false)
    case "null": return .literal(nil)
    case "if": return try condition()
    default: break
    }
    guard let function = JQ.Function(rawValue: name) else {
      position = start
      throw failure(name.isEmpty ? "'\(scalars[start])' is not expected" : "'\(name)' is not known here")
    }
    var arguments: [JQ] = []
    if take("(") {
      arguments.append(try pipe())
      while take(";") { arguments.append(try pipe()) }
      try expect(")")
    }
    guard arguments.count == function.arity else {
      throw failure("'\(name)' is known here with \(function.arity == 0 ? "no argument" : "one argument")")
    }
    return .call(function, arguments)
  }

  private mutating func condition() throws(Failure) -> JQ {
    let test = try pipe()
    guard take(word: "then") else { throw failure("'then' is missing") }
    let then = try pipe()
    if take(word: "elif") { return .condition(test, then: then, else: try condition()) }
    let otherwise = take(word: "else") ? try pipe() : .identity
    guard take(word: "end") else { throw failure("'end' is missing") }
    return .condition(test, then: then, else: otherwise)
  }

  private mutating func object() throws(Failure) -> JQ {
    try expect("{")
    var members: [JQ.Member] = []
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      let key: JQ
      var short: JQ?
      if take("(") {
        key = try pipe()
        try expect(")")
      } else {
        key = next == "\"" ? try string() : .literal(.string(word()))
        if case .literal(.string("")) = key { throw failure("a key is missing") }
        short = .member(of: .identity, key)
      }
      if take(":") {
        members.append(JQ.Member(key: key, value: try alternative()))
      } else if let short {
        members.append(JQ.Member(key: key, value: short))
      } else {
        throw failure("':' is missing")
      }
    } while take(",")
    try expect("}")
    return .object(members)
  }

  /// A text in quotes, with JSON's escapes and `\( )`.
  private mutating func string() throws(Failure) -> JQ {
    try expect("\"")
    var parts: [JQ] = []
    var raw = "\""
    func literal(_ raw: String) throws(Failure) -> JQ {
      guard let value = try? JSONValue(parsing: (raw + "\"").utf8) else { throw failure("a text is badly written") }
      return .literal(value)
    }
    while let scalar = next {
      position += 1
      switch scalar {
      case "\"":
        let last = try literal(raw)
        return parts.isEmpty ? last : .text(parts + [last])
      case "\\" where next == "(":
        position += 1
        parts.append(try literal(raw))
        raw = "\""
        parts.append(try pipe())
        try expect(")")
      case "\\":
        raw.unicodeScalars.append(scalar)
        if let next { raw.unicodeScalars.append(next) }
        position += 1
      default: raw.unicodeScalars.append(scalar)
      }
    }
    throw failure("a text has no end")
  }

  // MARK: Tokens

  mutating func skipSpace() {
    while let next, next.properties.isWhitespace { position += 1 }
  }

  /// Whether a symbol comes next; nothing is taken but space.
  private mutating func isAhead(_ symbol: String) -> Bool {
    skipSpace()
    return scalars[position...].starts(with: symbol.unicodeScalars)
  }

  private mutating func take(_ symbol: String) -> Bool {
    guard isAhead(symbol) else { return false }
    position += symbol.unicodeScalars.count
    return true
  }

  private mutating func take(word: String) -> Bool {
    guard isAhead(word) else { return false }
    let end = position + word.unicodeScalars.count
    if end < scalars.count, isWordStart(scalars[end]) || ("0"..."9").contains(scalars[end]) { return false }
    position = end
    return true
  }

  private mutating func expect(_ symbol: String) throws(Failure) {
    guard take(symbol) else { throw failure("'\(symbol)' is missing") }
  }

  private mutating func word() -> String {
    var word = String.UnicodeScalarView()
    while let next, isWordStart(next) || (!word.isEmpty && ("0"..."9").contains(next)) {
      word.append(next)
      position += 1
    }
    return String(word)
  }

  private func isWordStart(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }
}
