/// A block of a module, from either syntax.
struct Block {
  let source: SourceText
  let type: String
  let labels: [Label]
  /// From the type to the last label, as offsets in the source.
  let offsets: Range<Int>
  var attributes: [Attribute] = []
  var blocks: [Block] = []

  struct Label {
    let text: String
    let offsets: Range<Int>
  }

  var range: SourceRange { source.range(offsets) }

  func attribute(_ name: String) -> Attribute? { attributes.first { $0.name == name } }
}

/// `name = expression` in a block.
struct Attribute {
  let source: SourceText
  let name: String
  let nameOffsets: Range<Int>
  let expression: Expression
  /// Whether it stands in native syntax, where a type is no string and a reference no template.
  let isNative: Bool

  /// Where the name is.
  var nameRange: SourceRange { source.range(nameOffsets) }

  /// Where the expression is.
  var range: SourceRange { range(of: expression) }

  /// Where a part of the expression is.
  func range(of part: Expression) -> SourceRange { source.range(part.offsets) }

  /// The names of a reference such as `google.network`; nil for everything else. JSON syntax has it in a string, and
  /// Terraform 0.11 had it in one, too.
  func reference(in part: Expression) -> [String]? {
    switch part.form {
    case .reference: Self.names(source, part.offsets)
    case .constant(.string(let text)): Self.names(SourceText(Array(text.utf8)), 0..<text.utf8.count)
    default: nil
    }
  }

  private static func names(_ source: SourceText, _ offsets: Range<Int>) -> [String]? {
    let (tokens, problems) = Lexer.tokens(of: source, in: offsets)
    guard problems.isEmpty, tokens.count.isMultiple(of: 2) else { return nil }
    var names: [String] = []
    for (index, token) in tokens.dropLast().enumerated() {
      guard token.kind == (index.isMultiple(of: 2) ? .identifier : .dot) else { return nil }
      if token.kind == .identifier { names.append(source.text(token.range)) }
    }
    return names
  }
}
