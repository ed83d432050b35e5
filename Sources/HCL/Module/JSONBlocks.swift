/// Reads the blocks of a `.tf.json` file (HCL JSON Syntax Specification). There an object's keys are a block's labels,
/// arrays may stand wherever several blocks may, and only the kind of block tells arguments from inner blocks.
enum JSONBlocks {
  /// How many labels the wanted blocks have, and which inner blocks matter.
  private static let schema: [String: (labels: Int, inner: Set<String>)] = [
    "variable": (1, ["validation"]), "output": (1, []), "module": (1, []), "terraform": (0, ["required_providers"]),
  ]

  static func blocks(in source: SourceText) -> (blocks: [Block], problems: [ParseFailure]) {
    let root: SourceValue
    do throws(ParseFailure) {
      root = try JSONText.parse(source, allowingRepeatedKeys: true)
    } catch {
      return ([], [error])
    }
    var collector = Collector()
    collector.root(root)
    return (collector.blocks, collector.problems)
  }

  private struct Collector {
    var blocks: [Block] = []
    var problems: [ParseFailure] = []

    mutating func root(_ root: SourceValue) {
      for member in bodyMembers(root) {
        guard let schema = JSONBlocks.schema[member.key] else { continue }
        collect(member.value, member.key, schema.inner, missingLabels: schema.labels, labels: [], member.keyRange) {
          $0.blocks.append($1)
        }
      }
    }

    /// Goes down through the labels; calls `found` with each block.
    private mutating func collect(
      _ value: SourceValue, _ type: String, _ inner: Set<String>, missingLabels: Int, labels: [Block.Label],
      _ range: SourceRange, found: (inout Collector, Block) -> Void
    ) {
      if missingLabels > 0 {
        for member in members(value, of: "names of \"\(type)\" blocks") {
          let label = Block.Label(text: member.key, range: member.keyRange)
          collect(
            member.value, type, inner, missingLabels: missingLabels - 1, labels: labels + [label], member.keyRange,
            found: found)
        }
        return
      }
      switch value.content {
      case .null: return
      case .array(let bodies):
        for body in bodies { found(&self, block(body, type, inner, labels, range)) }
      default: found(&self, block(value, type, inner, labels, range))
      }
    }

    private mutating func block(
      _ body: SourceValue, _ type: String, _ inner: Set<String>, _ labels: [Block.Label], _ range: SourceRange
    ) -> Block {
      var block = Block(type: type, labels: labels, range: range)
      for member in bodyMembers(body) {
        if inner.contains(member.key) {
          var found: [Block] = []
          collect(member.value, member.key, [], missingLabels: 0, labels: [], member.keyRange) { found.append($1) }
          block.blocks += found
        } else if let first = block.attribute(member.key) {
          let message = "The argument \"\(member.key)\" was already set at \(first.nameRange.start)."
          problems.append(ParseFailure(message: message, position: member.keyRange.start))
        } else {
          block.attributes.append(
            Attribute(
              name: member.key, nameRange: member.keyRange, expression: Expression(member.value), native: nil))
        }
      }
      return block
    }

    /// The members of a body: `"//"` is a comment there.
    private mutating func bodyMembers(_ value: SourceValue) -> [SourceValue.Member] {
      members(value, of: "the arguments of a block").filter { $0.key != "//" }
    }

    /// The members of an object, or of all objects in an array.
    private mutating func members(_ value: SourceValue, of what: String) -> [SourceValue.Member] {
      switch value.content {
      case .object(let members): return members
      case .null: return []
      case .array(let elements):
        return elements.flatMap { element -> [SourceValue.Member] in
          if case .object(let members) = element.content { return members }
          problem(element, what)
          return []
        }
      default:
        problem(value, what)
        return []
      }
    }

    private mutating func problem(_ value: SourceValue, _ what: String) {
      guard problems.count < 50 else { return }
      problems.append(
        ParseFailure(message: "An object with \(what) is expected here.", position: value.range.start))
    }
  }
}
