/// Terraform's version constraints: `1.2.3`, `>= 1.0, < 2.0`, `~> 1.2`. All conditions must hold; missing parts of a number
/// are zero; a pre-release fits only its exact version. As tried with Terraform 1.11.4.
public struct VersionConstraint: Sendable, Hashable, CustomStringConvertible {
  enum Relation: String, CaseIterable {
    case pessimistic = "~>", atLeast = ">=", atMost = "<=", not = "!=", above = ">", below = "<", equal = "="
  }

  struct Condition: Sendable, Hashable {
    var relation: Relation
    var version: Version
    /// How many numbers were written: `~> 1.2` lets the second grow, `~> 1.2.0` the third.
    var written: Int
  }

  let conditions: [Condition]
  public let description: String

  /// - Returns: `nil` if the text is no constraint that Terraform takes.
  public init?(_ text: String) {
    var conditions: [Condition] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let condition = Self.condition(part) else { return nil }
      conditions.append(condition)
    }
    self.conditions = conditions
    description = text
  }

  /// The only version that fits, if the constraint is an exact one.
  public var exactVersion: Version? {
    conditions.count == 1 && conditions[0].relation == .equal ? conditions[0].version : nil
  }

  /// A version that fits, where one is near those that the constraint names.
  public var someVersion: Version? {
    if let exactVersion { return exactVersion }
    let named = conditions.map(\.version)
    let above = named.map { Version(major: $0.major, minor: $0.minor, patch: $0.patch + 1) }
    let below = Version(major: 0, minor: 0, patch: 0)
    return (named + above + [below]).first(where: allows)
  }

  public func allows(_ version: Version) -> Bool {
    if let exactVersion { return version.isSame(as: exactVersion) }
    return version.prerelease.isEmpty && conditions.allSatisfy { $0.allows(version) }
  }

  private static func condition(_ text: Substring) -> Condition? {
    var rest = text.trimming()
    var relation = Relation.equal
    if let written = Relation.allCases.first(where: { rest.hasPrefix($0.rawValue) }) {
      relation = written
      rest = rest.dropFirst(written.rawValue.count).trimming()
    }
    if rest.hasPrefix("v") { rest = rest.dropFirst() }
    let core = rest.prefix { $0.isNumber || $0 == "." }
    let suffix = rest.dropFirst(core.count)
    let parts = core.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { $0.utf8.count <= 18 ? Int($0) : nil }
    guard !parts.isEmpty, numbers.count == parts.count, suffix.isEmpty || suffix.first == "-" || suffix.first == "+"
    else {
      return nil
    }
    let padded = numbers + [0, 0, 0]
    guard let version = Version("\(padded[0]).\(padded[1]).\(padded[2])\(suffix)") else { return nil }
    return Condition(relation: relation, version: version, written: numbers.count)
  }
}

extension VersionConstraint.Condition {
  func allows(_ candidate: Version) -> Bool {
    switch relation {
    case .equal: return candidate.isSame(as: version)
    case .not: return !candidate.isSame(as: version)
    case .above: return version < candidate
    case .atLeast: return !(candidate < version)
    case .below: return candidate < version
    case .atMost: return !(version < candidate)
    case .pessimistic:
      guard !(candidate < version) else { return false }
      switch written {
      case 1: return true
      case 2: return candidate.major == version.major
      case 3: return candidate.major == version.major && candidate.minor == version.minor
      default: return candidate.isSame(as: version)
      }
    }
  }
}

extension Version {
  /// Equal but for build metadata, which has no weight.
  func isSame(as other: Version) -> Bool { !(self < other) && !(other < self) }
}

extension Substring {
  fileprivate func trimming() -> Substring {
    let start = drop { $0.isWhitespace }
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return start.prefix(0) }
    return start[...last]
  }
}
