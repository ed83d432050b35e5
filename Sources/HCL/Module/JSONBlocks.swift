/// Reads the blocks of a `.tf.json` file (HCL JSON Syntax Specification). There an object's keys are a block's labels,
/// arrays may stand wherever several blocks may, and only the kind of block tells arguments from inner blocks.
enum JSONBlocks {
  /// How many labels the wanted blocks have, and which inner blocks matter.
  private static let schema: [String: (labels: Int, inner: Set<String>)] = [
    "variable": (1, ["validation"]), "output": (1, []), "module": (1, []), "terraform": (0, ["required_providers"]),
    "provider": (1, []), "resource": (2, []), "data": (2, []), "ephemeral": (2, []),
  ]

  static func blocks(in source: SourceText) -> (blocks: [Block], problems: [ParseFailure]) {
    let root: SourceValue
    do throws(ParseFailure) {
      root = try JSONText.parse(source, allowingRepeatedKeys: true)
    } catch {
      return ([], [error])
    }
    var collector = Collector(source: source)
    collector.root(root)
    return (collector.blocks, collector.problems)
  }

  private struct Collector {
    let source: SourceText
    var blocks: [Block] = []
    var problems: [ParseFailure] = []

    mutating func root(_ root: SourceValue) {
      if case .null = root.content { problem(root, "the blocks of a module") }
      for member in bodyMembers(root) {
        guard let schema = JSONBlocks.schema[member.key] else {
          blocks.append(Block(source: source, type: member.key, labels: [], offsets: member.keyRange.offsets))
          continue
        }
        collect(
          member.value, member.key, schema.inner, missingLabels: schema.labels, labels: [], member.keyRange.offsets
        ) {
          $0.blocks.append($1)
        }
      }
    }

    /// Goes down through the labels; calls `found` with each block.
    private mutating func collect(
      _ value: SourceValue, _ type: String, _ inner: Set<String>, missingLabels: Int, labels: [Block.Label],
      _ offsets: Range<Int>, found: (inout Collector, Block) -> Void
    ) {
      if missingLabels > 0 {
        if case .null = value.content { problem(value, "names of \"\(type)\" blocks") }
        for member in members(value, of: "names of \"\(type)\" blocks") {
          let label = Block.Label(text: member.key, offsets: member.keyRange.offsets)
          collect(
            member.value, type, inner, missingLabels: missingLabels - 1, labels: labels + [label], label.offsets,
            found: found)
        }
        return
      }
      switch value.content {
      case .null: return
      case .array(let bodies):
        for body in bodies { found(&self, block(body, type, inner, labels, offsets)) }
      default: found(&self, block(value, type, inner, labels, offsets))
      }
    }

    private mutating func block(
      _ body: SourceValue, _ type: String, _ inner: Set<String>, _ labels: [Block.Label], _ offsets: Range<Int>
    ) -> Block {
      var block = Block(source: source, type: type, labels: labels, offsets: offsets)
      var places: [String: SourcePosition] = [:]
      for member in bodyMembers(body) {
        if inner.contains(member.key) {
          var found: [Block] = []
          collect(member.value, member.key, [], missingLabels: 0, labels: [], member.keyRange.offsets) {
            found.append($1)
          }
          block.blocks += found
        } else if let first = places[member.key] {
          guard problems.count < 50 else { continue }
          let message = "The argument \"\(member.key)\" was already set at \(first)."
          problems.append(ParseFailure(message: message, position: member.keyRange.start))
        } else {
          places[member.key] = member.keyRange.start
          checkKeys(of: member.value)
          block.attributes.append(
            Attribute(
              source: source, name: member.key, nameOffsets: member.keyRange.offsets,
              expression: Expression(member.value), isNative: false))
        }
      }
      return block
    }

    /// Only blocks may come twice, not the keys of a value.
    private mutating func checkKeys(of value: SourceValue) {
      switch value.content {
      case .array(let elements): for element in elements { checkKeys(of: element) }
      case .object(let members):
        var places: [String: SourcePosition] = [:]
        for member in members {
          if let first = places.updateValue(member.keyRange.start, forKey: member.key), problems.count < 50 {
            let message = "The key \"\(member.key)\" was already there at \(first)."
            problems.append(ParseFailure(message: message, position: member.keyRange.start))
          }
          checkKeys(of: member.value)
        }
      case .null, .bool, .number, .string: break
      }
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
