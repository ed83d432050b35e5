/// A version by SemVer 2.0.0: three numbers, optionally a pre-release and build metadata.
public struct Version: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
  public var major: Int
  public var minor: Int
  public var patch: Int
  /// The dot-separated identifiers after `-`; empty for a release.
  public var prerelease: [String]
  /// What follows `+`; has no weight in the order.
  public var build: String?

  /// Reads the strict form: exactly three numbers without leading zeros; a leading `v` is no part of it.
  public init?(_ text: some StringProtocol) {
    var rest = Substring(text)
    var build: String?
    if let plus = rest.firstIndex(of: "+") {
      let meta = rest[rest.index(after: plus)...]
      guard Self.identifiers(meta) != nil else { return nil }
      build = String(meta)
      rest = rest[..<plus]
    }
    var prerelease: [String] = []
    if let dash = rest.firstIndex(of: "-") {
      guard let identifiers = Self.identifiers(rest[rest.index(after: dash)...]),
        identifiers.allSatisfy({ !Self.isNumeric($0) || Self.number(Substring($0)) != nil })
      else { return nil }
      prerelease = identifiers
      rest = rest[..<dash]
    }
    let parts = rest.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap(Self.number)
    guard parts.count == 3, numbers.count == 3 else { return nil }
    (major, minor, patch) = (numbers[0], numbers[1], numbers[2])
    self.prerelease = prerelease
    self.build = build
  }

  public init(major: Int, minor: Int, patch: Int) {
    (self.major, self.minor, self.patch) = (major, minor, patch)
    prerelease = []
  }

  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let version = Version(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is no SemVer version"))
    }
    self = version
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  public var description: String {
    var text = "\(major).\(minor).\(patch)"
    if !prerelease.isEmpty { text += "-" + prerelease.joined(separator: ".") }
    if let build { text += "+" + build }
    return text
  }

  /// The order of SemVer, section 11; build metadata does not count.
  public static func < (one: Version, other: Version) -> Bool {
    let (mine, theirs) = ([one.major, one.minor, one.patch], [other.major, other.minor, other.patch])
    if mine != theirs { return mine.lexicographicallyPrecedes(theirs) }
    if one.prerelease.isEmpty || other.prerelease.isEmpty { return !one.prerelease.isEmpty && other.prerelease.isEmpty }
    for (a, b) in zip(one.prerelease, other.prerelease) where a != b {
      switch (isNumeric(a), isNumeric(b)) {
      case (true, true): return a.count != b.count ? a.count < b.count : a < b
      case (true, false): return true
      case (false, true): return false
      case (false, false): return a.utf8.lexicographicallyPrecedes(b.utf8)
      }
    }
    return one.prerelease.count < other.prerelease.count
  }

  static func number(_ text: Substring) -> Int? {
    guard isNumeric(text), text == "0" || !text.hasPrefix("0") else { return nil }
    return Int(text)
  }

  private static func isNumeric(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private static func identifiers(_ text: Substring) -> [String]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let legal = parts.allSatisfy { part in
      !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }
    return legal ? parts.map(String.init) : nil
  }
}
