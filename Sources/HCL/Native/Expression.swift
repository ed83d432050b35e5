/// As much of an expression as can be known without evaluating anything.
struct Expression {
  /// Where it is in its source.
  let offsets: Range<Int>
  let form: Form

  indirect enum Form {
    case constant(Value)
    case tuple([Expression])
    case object([Member])
    /// A name, or names with dots between them.
    case reference
    /// Correct as far as grammar goes, but a call, an operator, an interpolation …
    case opaque
  }

  struct Member {
    /// Nil where the key is no constant.
    let key: String?
    let keyOffsets: Range<Int>
    let value: Expression
  }

  /// The value, if every part of it is a literal. Of an object's equal keys the last one counts, as in HCL.
  var constant: Value? {
    switch form {
    case .constant(let value): return value
    case .reference, .opaque: return nil
    case .tuple(let elements):
      var values: [Value] = []
      for element in elements {
        guard let value = element.constant else { return nil }
        values.append(value)
      }
      return .array(values)
    case .object(let members):
      var values: [String: Value] = [:]
      for member in members {
        guard let key = member.key, let value = member.value.constant else { return nil }
        values[key] = value
      }
      return .object(values)
    }
  }

  /// The same for what JSON syntax says literally.
  init(_ source: SourceValue) {
    offsets = source.range.offsets
    switch source.content {
    case .null, .bool, .number, .string: form = .constant(source.value)
    case .array(let elements): form = .tuple(elements.map(Expression.init))
    case .object(let members):
      form = .object(
        members.map { Member(key: $0.key, keyOffsets: $0.keyRange.offsets, value: Expression($0.value)) })
    }
  }

  init(offsets: Range<Int>, form: Form) {
    self.offsets = offsets
    self.form = form
  }
}

extension SourceRange {
  var offsets: Range<Int> { start.offset..<max(start.offset, end.offset) }
}
