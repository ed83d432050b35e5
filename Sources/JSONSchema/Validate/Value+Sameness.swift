import HCL

extension Value {
  /// Whether JSON Schema takes two values for the same: like `==`, but strings are compared character by character, where
  /// Swift takes `é` for the same as `e` with an accent.
  ///
  /// - Parameter work: lowered by one for each part. It goes no deeper than the flatter value.
  func isSame(as other: Value, _ work: inout Int) -> Bool {
    work -= 1
    switch (self, other) {
    case (.null, .null): return true
    case (.bool(let left), .bool(let right)): return left == right
    case (.number(let left), .number(let right)): return left == right
    case (.string(let left), .string(let right)): return left.utf8.elementsEqual(right.utf8)
    case (.array(let left), .array(let right)):
      guard left.count == right.count else { return false }
      for (left, right) in zip(left, right) where !left.isSame(as: right, &work) { return false }
      return true
    case (.object(let left), .object(let right)):
      guard left.count == right.count else { return false }
      for (key, left) in left {
        guard let right = right[key], left.isSame(as: right, &work) else { return false }
      }
      return true
    default: return false
    }
  }

  /// Bytes that are equal for equal values and for no others. Nil if the value is nested more than `depth` deep.
  func fingerprint(depth: Int = SchemaCompiler.maximumDepth) -> [UInt8]? {
    switch self {
    case .array(let elements):
      guard depth > 0 else { return nil }
      var bytes = [UInt8(ascii: "[")]
      for element in elements {
        guard let inner = element.fingerprint(depth: depth - 1) else { return nil }
        bytes += inner + [UInt8(ascii: ",")]
      }
      return bytes
    case .object(let members):
      guard depth > 0 else { return nil }
      var bytes = [UInt8(ascii: "{")]
      for (key, member) in SchemaCompiler.sorted(members) {
        guard let inner = member.fingerprint(depth: depth - 1) else { return nil }
        bytes += Array(Value.string(key).json().utf8) + [UInt8(ascii: ":")] + inner + [UInt8(ascii: ",")]
      }
      return bytes
    default: return Array(json().utf8)
    }
  }
}
