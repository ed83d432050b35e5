/// Why a pattern is refused, and where.
struct PatternFailure: Error {
  let message: String
  let fix: String
  /// The character of the pattern, from 1.
  let position: Int
}

/// Reads a regular expression of ECMA-262 with the flag `u`, with liberties that engines take without that flag:
/// any ASCII punctuation may be escaped, and `]`, `}`, a `{` that begins no repetition and a `-` beside a class such as `\w`
/// stand for themselves.
struct PatternParser {
  private let scalars: [Unicode.Scalar]
  private var offset = 0
  private var depth = 0
  /// What looks ahead or behind; those inside others come first.
  private(set) var looks: [PatternLook] = []

  /// Of more of them each match would need much memory.
  private static let maximumLooks = 20

  /// Groups inside each other.
  private static let maximumDepth = 50

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
  }

  mutating func pattern() throws(PatternFailure) -> PatternSyntax {
    let pattern = try choice()
    if next != nil { throw failure("the ')' closes no group", "Write \\) for the character.") }
    return pattern
  }

  private var next: Unicode.Scalar? { offset < scalars.count ? scalars[offset] : nil }

  private func peek(_ text: String) -> Bool {
    scalars[offset...].starts(with: text.unicodeScalars)
  }

  private mutating func take(_ text: String) -> Bool {
    guard peek(text) else { return false }
    offset += text.unicodeScalars.count
    return true
  }

  private func failure(_ message: String, _ fix: String, at place: Int? = nil) -> PatternFailure {
    PatternFailure(message: message, fix: fix, position: (place ?? offset) + 1)
  }

  private mutating func choice() throws(PatternFailure) -> PatternSyntax {
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(PatternFailure) -> PatternSyntax {
    var parts: [PatternSyntax] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      let start = offset
      let part = try atom()
      parts.append(try repeated(part, from: start))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func repeated(_ part: PatternSyntax, from start: Int) throws(PatternFailure) -> PatternSyntax {
    let place = offset
    guard let (atLeast, atMost) = try quantifier() else { return part }
    switch part {
    case .edge, .look: throw failure("there is nothing here to repeat", "Remove the repetition.", at: place)
    default: break
    }
    _ = take("?")  // lazy or greedy: whether there is a match is the same
    if let next, "*+?".unicodeScalars.contains(next) {
      throw failure("a repetition cannot be repeated", "Put what is repeated into a group: (?:…).")
    }
    if let atMost, atMost < atLeast {
      throw failure("the repetition ends before it begins", "Swap its bounds.", at: place)
    }
    return .repeated(part, atLeast: atLeast, atMost: atMost)
  }

  private mutating func quantifier() throws(PatternFailure) -> (Int, Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    guard peek("{") else { return nil }
    let start = offset
    offset += 1
    let atLeast = try number()
    let hasComma = take(",")
    let atMost = hasComma ? try number() : atLeast
    guard take("}"), atLeast != nil || (hasComma && atMost != nil) else {
      offset = start
      return nil
    }
    // Some engines read it as {0,n}, ECMA-262 as text.
    guard let atLeast else { throw failure("a repetition needs a lower bound", "Write {0,n}.", at: start) }
    return (atLeast, atMost)
  }

  private mutating func number() throws(PatternFailure) -> Int? {
    let start = offset
    while let next, ("0"..."9").contains(next) { offset += 1 }
    guard offset > start else { return nil }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[start..<offset])
    guard let number = Int(String(text)), number <= Pattern.maximumSize else {
      throw failure("the repetition counts too far", "Repeat \(Pattern.maximumSize) times at most.", at: start)
    }
    return number
  }

  private mutating func atom() throws(PatternFailure) -> PatternSyntax {
    let start = offset
    guard let scalar = next else { return .sequence([]) }
    offset += 1
    switch scalar {
    case "^": return .edge(.start)
    case "$": return .edge(.end)
    case ".": return .one(ScalarSet(ScalarSet.lineEnds, isNegated: true))
    case "[": return .one(try characterClass(from: start))
    case "(": return try group(from: start)
    case "\\":
      if take("b") { return .edge(.wordEdge) }
      if take("B") { return .edge(.noWordEdge) }
      return .one(try escape(from: start, inClass: false).set)
    case "*", "+", "?":
      throw failure("there is nothing here to repeat", "Write \\\(scalar) for the character.", at: start)
    case "{":
      offset = start
      if try quantifier() != nil {
        throw failure("there is nothing here to repeat", "Write \\{ for the character.", at: start)
      }
      offset = start + 1
      return .one(ScalarSet(scalar))
    default: return .one(ScalarSet(scalar))
    }
  }

  private mutating func group(from start: Int) throws(PatternFailure) -> PatternSyntax {
    var look: (isAhead: Bool, isNegated: Bool)?
    if take("?=") {
      look = (true, false)
    } else if take("?!") {
      look = (true, true)
    } else if take("?<=") {
      look = (false, false)
    } else if take("?<!") {
      look = (false, true)
    } else if take("?<") {
      while let next, next != ">" { offset += 1 }
      guard take(">") else { throw failure("the name of the group does not end", "Close it with '>'.", at: start) }
    } else if peek("?"), !take("?:") {
      throw failure(
        "this kind of group is not one of ECMA-262, or sets flags, which is not supported",
        "Use (…), (?:…), (?=…), (?!…), (?<=…) or (?<!…); for any case write [aA].", at: start)
    }
    depth += 1
    defer { depth -= 1 }
    if depth > Self.maximumDepth {
      throw failure(
        "groups are more than \(Self.maximumDepth) deep here", "Use fewer groups inside each other.", at: start)
    }
    let body = try choice()
    guard take(")") else { throw failure("the group does not end", "Close it with ')'.", at: start) }
    guard let look else { return body }
    if looks.count == Self.maximumLooks {
      throw failure(
        "the pattern looks ahead or behind more than \(Self.maximumLooks) times", "Use fewer of these groups.",
        at: start)
    }
    looks.append(PatternLook(body: body, isAhead: look.isAhead))
    return .look(looks.count - 1, isNegated: look.isNegated)
  }
}

extension PatternParser {
  /// What an escape or a member of a class stands for: one character, which may begin a range, or a set of them.
  private enum Member {
    case scalar(UInt32)
    case ranges([ScalarSet.Range])
    case property(ScalarProperty)

    var set: ScalarSet {
      switch self {
      case .scalar(let code): ScalarSet([code...code])
      case .ranges(let ranges): ScalarSet(ranges)
      case .property(let property): ScalarSet([], properties: [property])
      }
    }
  }

  private mutating func characterClass(from start: Int) throws(PatternFailure) -> ScalarSet {
    let isNegated = take("^")
    var ranges: [ScalarSet.Range] = []
    var properties: [ScalarProperty] = []
    func add(_ member: Member) {
      switch member {
      case .scalar(let code): ranges.append(code...code)
      case .ranges(let more): ranges += more
      case .property(let property): properties.append(property)
      }
    }
    while !take("]") {
      if peek("[:") {
        throw failure(
          "classes such as [:alpha:] are not part of ECMA-262",
          "Write a-zA-Z, \\d, \\s or \\p{L}; \\[ for the character.")
      }
      let place = offset
      let low = try classMember(from: start)
      guard peek("-"), offset + 1 < scalars.count, scalars[offset + 1] != "]" else {
        add(low)
        continue
      }
      offset += 1
      let high = try classMember(from: start)
      if case .scalar(let first) = low, case .scalar(let last) = high {
        guard first <= last else { throw failure("the range ends before it begins", "Swap its ends.", at: place) }
        ranges.append(first...last)
      } else {
        for member in [low, .scalar(0x2D), high] { add(member) }
      }
    }
    return ScalarSet(ranges, properties: properties, isNegated: isNegated)
  }

  private mutating func classMember(from start: Int) throws(PatternFailure) -> Member {
    let place = offset
    guard let scalar = next else { throw failure("the class does not end", "Close it with ']'.", at: start) }
    offset += 1
    return scalar == "\\" ? try escape(from: place, inClass: true) : .scalar(scalar.value)
  }

  /// What follows a backslash at `start`.
  private mutating func escape(from start: Int, inClass: Bool) throws(PatternFailure) -> Member {
    guard let scalar = next else {
      throw failure("the pattern ends in a backslash", "Write \\\\ for the character.", at: start)
    }
    offset += 1
    switch scalar {
    case "d": return .ranges(ScalarSet.digits)
    case "D": return .ranges(ScalarSet.complement(ScalarSet.digits))
    case "w": return .ranges(ScalarSet.wordCharacters)
    case "W": return .ranges(ScalarSet.complement(ScalarSet.wordCharacters))
    case "s": return .ranges(ScalarSet.spaces)
    case "S": return .ranges(ScalarSet.complement(ScalarSet.spaces))
    case "p", "P": return .property(try property(from: start, isNegated: scalar == "P"))
    case "t": return .scalar(0x09)
    case "n": return .scalar(0x0A)
    case "v": return .scalar(0x0B)
    case "f": return .scalar(0x0C)
    case "r": return .scalar(0x0D)
    case "b" where inClass: return .scalar(0x08)
    case "0":
      if let next, ("0"..."9").contains(next) {
        throw failure("octal escapes are not supported", "Write \\xHH.", at: start)
      }
      return .scalar(0)
    case "1"..."9", "k":
      throw failure(
        "references back to a group are not supported: their matching can take forever",
        "Write the pattern without them.",
        at: start)
    case "x": return .scalar(try hexadecimal(2, from: start))
    case "u": return .scalar(try unicodeEscape(from: start))
    case "c":
      guard let letter = next, letter.isASCII, letter.properties.isAlphabetic else {
        throw failure("a letter must follow \\c", "Write \\\\c for the characters.", at: start)
      }
      offset += 1
      return .scalar(letter.value & 0x1F)
    case "A", "Z", "z":
      throw failure("\\\(scalar) is not part of ECMA-262", "Write ^ for the start and $ for the end.", at: start)
    case let other where !other.isASCII || !(other.properties.isAlphabetic || ("0"..."9").contains(other)):
      return .scalar(other.value)
    default:
      throw failure(
        "there is no escape \\\(scalar)", "Write \\\\\(scalar) for the two characters, or \(scalar) for the one.",
        at: start)
    }
  }

  private mutating func unicodeEscape(from start: Int) throws(PatternFailure) -> UInt32 {
    if take("{") {
      let digits = scalars[offset...].prefix { $0 != "}" }
      guard let code = UInt32(digits.map { String($0) }.joined(), radix: 16), code <= 0x10FFFF else {
        throw failure(
          "hexadecimal digits up to 10FFFF must stand in the braces", "Write for example \\u{1F600}.", at: start)
      }
      offset += digits.count
      guard take("}") else { throw failure("the escape does not end", "Close it with '}'.", at: start) }
      return code
    }
    let high = try hexadecimal(4, from: start)
    guard (0xD800..<0xDC00).contains(high), take("\\u") else { return high }
    let low = try hexadecimal(4, from: start)
    guard (0xDC00..<0xE000).contains(low) else {
      throw failure("half a surrogate pair stands here", "Write \\u{…} with the whole character.", at: start)
    }
    return 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
  }

  private mutating func hexadecimal(_ count: Int, from start: Int) throws(PatternFailure) -> UInt32 {
    let digits = scalars[offset...].prefix(count)
    guard digits.count == count, digits.allSatisfy(\.properties.isASCIIHexDigit),
      let code = UInt32(digits.map { String($0) }.joined(), radix: 16)
    else { throw failure("\(count) hexadecimal digits must follow", "Write for example \\x41 or \\u0041.", at: start) }
    offset += count
    return code
  }

  private mutating func property(from start: Int, isNegated: Bool) throws(PatternFailure) -> ScalarProperty {
    guard take("{") else {
      throw failure("a name in braces must follow \\p", "Write for example \\p{Letter}.", at: start)
    }
    let name = scalars[offset...].prefix { $0 != "}" }.map { String($0) }.joined()
    offset += name.unicodeScalars.count
    guard take("}"), let property = ScalarProperty(name, isNegated: isNegated) else {
      throw failure(
        "this Unicode property is not known or not supported, as scripts are",
        "Use a general category such as \\p{L} or \\p{Nd}, or a property such as \\p{Alphabetic}.", at: start)
    }
    return property
  }
}
