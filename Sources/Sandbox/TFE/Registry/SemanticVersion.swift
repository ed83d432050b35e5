/// A version in the sense of semver.org, ordered as it says there.
struct SemanticVersion: Codable, Sendable, Hashable, Comparable {
  /// As it was written.
  let text: String

  /// nil for what is no version; a `v` in front is none.
  init?(_ text: String) {
    let format = #/[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?/#
    guard text.utf8.count <= 128, text.wholeMatch(of: format) != nil else { return nil }
    self.text = text
  }

  init(from decoder: any Decoder) throws {
    text = try decoder.singleValueContainer().decode(String.self)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  var isPrerelease: Bool { !prerelease.isEmpty }

  private var core: [Substring] { text.prefix { $0 != "-" && $0 != "+" }.split(separator: ".") }

  private var prerelease: [Substring] {
    let rest = text.prefix { $0 != "+" }
    return rest.firstIndex(of: "-").map { rest[rest.index(after: $0)...].split(separator: ".") } ?? []
  }

  static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
    if left.core != right.core { return precedes(left.core, right.core) }
    let (a, b) = (left.prerelease, right.prerelease)
    // A release comes after its pre-releases.
    if a.isEmpty || b.isEmpty { return !a.isEmpty && b.isEmpty }
    return precedes(a, b)
  }

  private static func precedes(_ left: [Substring], _ right: [Substring]) -> Bool {
    for (a, b) in zip(left, right) where a != b {
      switch (number(a), number(b)) {
      case (let a?, let b?): if a != b { return (a.utf8.count, a) < (b.utf8.count, b) }
      case (.some, nil): return true
      case (nil, .some): return false
      case (nil, nil): return a < b
      }
    }
    return left.count < right.count
  }

  /// The digits without zeros in front, for numbers of any size; nil for what is no number.
  private static func number(_ part: Substring) -> String? {
    guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    let digits = part.drop { $0 == "0" }
    return digits.isEmpty ? "0" : String(digits)
  }
}
