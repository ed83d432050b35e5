public import HCL
import Yams

/// A document that cannot be read at all, or that breaks rules: every finding at once.
public struct DocumentProblems: Error, Sendable, Equatable {
  /// In the order of the document; those that have no place in it come last.
  public let findings: [Finding]

  public init(_ findings: [Finding]) {
    let placed = findings.enumerated().sorted { one, other in
      let places = [one, other].map { ($0.element.line ?? .max, $0.element.column ?? .max, $0.offset) }
      return places[0] < places[1]
    }
    self.findings = placed.map(\.element)
  }
}

extension DocumentProblems: FaultConvertible {
  public var fault: Fault {
    let count = findings.count { $0.severity == .error }
    return Fault(
      .invalidInput, "The blueprint has \(count == 1 ? "1 error" : "\(count) errors") to mend.",
      fix: "Mend each finding and submit it again.", findings: findings)
  }
}

/// Reads YAML and JSON with the position of every value.
public enum DocumentText {
  public enum Format: Sendable { case json, yaml, either }

  /// Beyond these a document is refused: they bound what one request may cost.
  static let maximumValues = 50_000
  static let maximumDepth = 100
  static let maximumAliases = 10

  public static func read(_ bytes: some Collection<UInt8>, as format: Format) throws(DocumentProblems) -> SourceValue {
    var text = Array(bytes)
    // Some editors begin a file with a byte order mark, which nobody sees.
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { text.removeFirst(3) }
    let source = try values(text, as: format)
    if let number = source.firstHugeNumber { throw DocumentProblems([.hugeNumber(at: number.range.start)]) }
    return source
  }

  private static func values(_ text: [UInt8], as format: Format) throws(DocumentProblems) -> SourceValue {
    let looksLikeJSON = text.first { !" \t\r\n".utf8.contains($0) }.map { $0 == UInt8(ascii: "{") } ?? false
    switch format {
    case .json: return try json(text)
    case .yaml: return try something(in: yaml(text))
    case .either:
      guard looksLikeJSON else { return try something(in: yaml(text)) }
      // A YAML document may begin with a brace too.
      if let source = try? json(text) { return source }
      do throws(DocumentProblems) { return try something(in: yaml(text)) } catch { return try json(text) }
    }
  }

  private static func something(in source: SourceValue?) throws(DocumentProblems) -> SourceValue {
    if let source { return source }
    throw DocumentProblems([Finding(at: "", "The document is empty.", fix: "Describe what you need in it.")])
  }

  private static func json(_ bytes: [UInt8]) throws(DocumentProblems) -> SourceValue {
    do throws(ParseFailure) {
      return try JSONText.parse(bytes, maximumDepth: maximumDepth)
    } catch {
      throw DocumentProblems([
        Finding(
          at: "", "The document is not JSON: \(error.message)", fix: "Mend the syntax there.",
          line: error.position.line, column: error.position.column)
      ])
    }
  }

  /// - Returns: `nil` if there is nothing but space and comments.
  static func yaml(_ bytes: [UInt8]) throws(DocumentProblems) -> SourceValue? {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw DocumentProblems([Finding(at: "", "The document is not UTF-8 text.", fix: "Save it as UTF-8.")])
    }
    if let place = YAMLDepth.tooDeep(bytes, maximum: maximumDepth) {
      throw DocumentProblems([
        Finding(at: "", "The document is nested too deeply.", fix: "Flatten it.", line: place)
      ])
    }
    if let place = YAMLAliases.tooMany(bytes, maximum: maximumAliases) {
      throw DocumentProblems([
        Finding(at: "", "The document uses aliases too often.", fix: "Write the values out.", line: place)
      ])
    }
    do {
      let parser = try Parser(yaml: text, resolver: .basic)
      guard let root = try parser.nextRoot() else { return nil }
      if let second = try parser.nextRoot() {
        throw DocumentProblems([
          Finding(
            at: "", "There are several YAML documents in it.", fix: "Send one document at a time.",
            line: second.mark?.line, column: second.mark?.column)
        ])
      }
      var budget = maximumValues
      return try YAMLValues.source(root, depth: 0, budget: &budget)
    } catch let problems as DocumentProblems {
      throw problems
    } catch let error as YamlError {
      throw DocumentProblems([YAMLValues.finding(error)])
    } catch {
      throw DocumentProblems([Finding(at: "", "The document is not YAML.", fix: "Mend the syntax.")])
    }
  }
}

/// Yams' nodes as values, with scalars resolved by YAML 1.2's core schema: `yes` and `on` are text, `1_000` is text.
private enum YAMLValues {
  static func source(_ node: Node, depth: Int, budget: inout Int) throws(DocumentProblems) -> SourceValue {
    budget -= 1
    let range = SourceRange(node.mark)
    guard budget > 0, depth < DocumentText.maximumDepth else {
      throw DocumentProblems([
        Finding(
          at: "", "The document holds too many values, or is nested too deeply.", fix: "Make it smaller.",
          line: node.mark?.line, column: node.mark?.column)
      ])
    }
    switch node {
    case .scalar(let scalar):
      guard let content = content(scalar) else { throw DocumentProblems([.hugeNumber(at: range.start)]) }
      return SourceValue(range: range, content: content)
    case .sequence(let sequence):
      var elements: [SourceValue] = []
      for element in sequence { elements.append(try source(element, depth: depth + 1, budget: &budget)) }
      return SourceValue(range: range, content: .array(elements))
    case .mapping(let mapping):
      var members: [SourceValue.Member] = []
      for (key, value) in mapping {
        guard case .scalar(let name) = key else {
          throw DocumentProblems([
            Finding(
              at: "", "A key in it is not text.", fix: "Use text as keys.", line: key.mark?.line,
              column: key.mark?.column)
          ])
        }
        members.append(
          SourceValue.Member(
            key: name.string, keyRange: SourceRange(key.mark),
            value: try source(value, depth: depth + 1, budget: &budget)))
      }
      return SourceValue(range: range, content: .object(members))
    case .alias:
      throw DocumentProblems([
        Finding(at: "", "An alias in it has no anchor.", fix: "Write the value out.", line: node.mark?.line)
      ])
    }
  }

  /// - Returns: `nil` for a number that is too large to be one.
  private static func content(_ scalar: Node.Scalar) -> SourceValue.Content? {
    guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
    switch scalar.string {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default:
      if let number = Number(scalar.string) { return .number(number) }
      return isNumeric(scalar.string) ? nil : .string(scalar.string)
    }
  }

  /// Whether a text is written like a decimal number.
  private static func isNumeric(_ text: String) -> Bool {
    text.utf8.allSatisfy { "0123456789.eE+-".utf8.contains($0) } && Double(text) != nil && text.utf8.first != 0x2B
      && text.utf8.first != 0x2E && text.utf8.last != 0x2E
  }

  static func finding(_ error: YamlError) -> Finding {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return Finding(
        at: "", "The document is not YAML: \(problem).", fix: "Mend the syntax there.", line: mark.line,
        column: mark.column)
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = duplicates.sorted().map { "'\($0)'" }.joined(separator: ", ")
      return Finding(
        at: "", "The document has the same key twice: \(names).", fix: "Keep one of them.", line: context.mark.line,
        column: context.mark.column)
    default:
      return Finding(at: "", "The document is not YAML.", fix: "Mend the syntax.")
    }
  }
}

extension Finding {
  fileprivate static func hugeNumber(at place: SourcePosition) -> Finding {
    Finding(
      at: "", "The number there is too large, or has too many digits.",
      fix: "Write one below 1e308 with at most \(Number.maximumDigits) digits, or put it in quotes.", line: place.line,
      column: place.column)
  }
}

extension SourceValue {
  /// A number that no double can come near: JSON's readers cannot take it.
  fileprivate var firstHugeNumber: SourceValue? {
    switch content {
    case .number(let number): number.doubleValue.isFinite ? nil : self
    case .array(let elements): elements.lazy.compactMap(\.firstHugeNumber).first
    case .object(let members): members.lazy.compactMap(\.value.firstHugeNumber).first
    default: nil
    }
  }
}

/// libyaml's composer descends once for every level: hostile nesting is refused before it starts.
private enum YAMLDepth {
  /// - Returns: the line where brackets or indentation pass `maximum` levels, from 1.
  static func tooDeep(_ bytes: [UInt8], maximum: Int) -> Int? {
    var (line, depth, dashes, isIndentation) = (1, 0, 0, true)
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\n"): (line, dashes, isIndentation) = (line + 1, 0, true)
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
      case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"): if isIndentation { dashes += 1 }
      case UInt8(ascii: " "), UInt8(ascii: "\t"): break
      default: isIndentation = false
      }
      // Brackets inside text count too; text with that many unclosed ones is not worth the risk.
      if depth > maximum * 10 || dashes > maximum { return line }
    }
    return nil
  }
}

/// Aliases of aliases grow exponentially, and Yams compares keys, whole mappings among them, before we can count anything: few
/// aliases keep the worst of it below forty times the document.
private enum YAMLAliases {
  /// - Returns: the line of the first alias beyond `maximum`, from 1. In text, `*x` counts too, if there was a `&x` before it.
  static func tooMany(_ bytes: [UInt8], maximum: Int) -> Int? {
    var anchors: Set<ArraySlice<UInt8>> = []
    var (line, count, index) = (1, 0, 0)
    while index < bytes.count {
      let byte = bytes[index]
      let isStart = index == 0 || !isName(bytes[index - 1])
      index += 1
      if byte == UInt8(ascii: "\n") { line += 1 }
      guard isStart, byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*") else { continue }
      let name = bytes[index...].prefix(while: isName)
      guard !name.isEmpty else { continue }
      if byte == UInt8(ascii: "&") {
        anchors.insert(name)
      } else if anchors.contains(name) {
        count += 1
        if count > maximum { return line }
      }
      index = name.endIndex
    }
    return nil
  }

  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}

extension SourceRange {
  fileprivate init(_ mark: Mark?) {
    let start = SourcePosition(line: mark?.line ?? 1, column: mark?.column ?? 1, offset: 0)
    self.init(start: start, end: start)
  }
}
