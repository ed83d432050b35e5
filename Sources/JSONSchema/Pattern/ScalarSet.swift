/// The characters that one place of a pattern takes: `a`, `.`, `\d`, `[^a-z]`, `\p{Letter}`.
struct ScalarSet: Sendable {
  typealias Range = ClosedRange<UInt32>

  /// One bit for each of the first 128 characters, negation included: most texts ask nothing else.
  private let ascii: (low: UInt64, high: UInt64)
  /// In order, without overlaps.
  private let ranges: [Range]
  private let properties: [ScalarProperty]
  private let isNegated: Bool

  init(_ ranges: [Range], properties: [ScalarProperty] = [], isNegated: Bool = false) {
    self.ranges = Self.merged(ranges)
    self.properties = properties
    self.isNegated = isNegated
    var (low, high): (UInt64, UInt64) = (0, 0)
    for code in UInt32(0)..<128 where Self.isListed(code, self.ranges, properties) != isNegated {
      if code < 64 { low |= 1 << UInt64(code) } else { high |= 1 << UInt64(code - 64) }
    }
    ascii = (low, high)
  }

  init(_ scalar: Unicode.Scalar) {
    self.init([scalar.value...scalar.value])
  }

  func contains(_ code: UInt32) -> Bool {
    if code < 64 { return ascii.low >> UInt64(code) & 1 == 1 }
    if code < 128 { return ascii.high >> UInt64(code - 64) & 1 == 1 }
    return Self.isListed(code, ranges, properties) != isNegated
  }

  private static func isListed(_ code: UInt32, _ ranges: [Range], _ properties: [ScalarProperty]) -> Bool {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < code { low = middle + 1 } else { high = middle }
    }
    if low < ranges.count, ranges[low].contains(code) { return true }
    guard !properties.isEmpty, let scalar = Unicode.Scalar(code) else { return false }
    return properties.contains { $0.holds(for: scalar) }
  }

  private static func merged(_ ranges: [Range]) -> [Range] {
    var merged: [Range] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}

// The classes as ECMA-262 defines them ("CharacterClassEscape"): `\d` and `\w` are ASCII, `\s` is Unicode's white space
// with the line ends and the byte order mark.
extension ScalarSet {
  static let everything: Range = 0...0x10FFFF
  static let digits: [Range] = [0x30...0x39]
  static let wordCharacters: [Range] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
  static let spaces: [Range] = [
    0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
    0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
  ]
  static let lineEnds: [Range] = [0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]

  static func isWordCharacter(_ code: UInt32) -> Bool {
    code < 128 && wordCharacters.contains { $0.contains(code) }
  }

  /// All that `ranges`, which are in order, leave out.
  static func complement(_ ranges: [Range]) -> [Range] {
    var gaps: [Range] = []
    var next = everything.lowerBound
    for range in ranges {
      if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
      next = range.upperBound + 1
    }
    if next <= everything.upperBound { gaps.append(next...everything.upperBound) }
    return gaps
  }
}
