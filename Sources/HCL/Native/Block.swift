/// A block of a module, from either syntax.
struct Block {
  let type: String
  let labels: [Label]
  /// From the type to the last label.
  let range: SourceRange
  var attributes: [Attribute] = []
  var blocks: [Block] = []

  struct Label {
    let text: String
    let range: SourceRange
  }

  func attribute(_ name: String) -> Attribute? { attributes.first { $0.name == name } }
}

/// `name = expression` in a block.
struct Attribute {
  let name: String
  let nameRange: SourceRange
  let expression: Expression
  /// In native syntax where the expression's text is; nil in JSON syntax.
  let native: NativeText?

  struct NativeText {
    let source: SourceText
    let range: Range<Int>

    var text: String { source.text(range) }
  }
}
