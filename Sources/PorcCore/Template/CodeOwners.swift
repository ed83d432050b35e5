/// A repository's CODEOWNERS: who looks after which files. The last pattern that fits counts
/// (https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners).
///
/// The file is a stranger's, and is asked once for each of perhaps ten thousand modules: so it has limits.
public struct CodeOwners: Sendable, Hashable {
  private struct Rule: Sendable, Hashable {
    var pattern: OwnerPattern
    var owners: String
  }

  /// Where GitHub looks for the file, in this order.
  public static let places = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"]

  /// In bytes. GitHub takes no larger one.
  public static let maximumSize = 3 << 20
  private static let maximumRules = 5_000
  /// Of these each costs a look at every part of a path.
  private static let maximumWildRules = 1_000
  private var rules: [Rule] = []

  /// Whether it is over a limit: then it says nothing, since the rules that count most stand at its end.
  public private(set) var isTooLarge = false

  /// One that is over a limit.
  public static var tooLarge: CodeOwners {
    var owners = CodeOwners([])
    owners.isTooLarge = true
    return owners
  }

  public init(_ text: [UInt8]) {
    guard text.count <= Self.maximumSize else {
      isTooLarge = true
      return
    }
    var wild = 0
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      guard let first = words.first, !first.hasPrefix("#"),
        // GitHub takes neither of these.
        !first.hasPrefix("!"), !first.contains("[")
      else { continue }
      let pattern = OwnerPattern(Array(first.utf8))
      if pattern.isWild { wild += 1 }
      guard first.utf8.count <= OwnerPattern.maximumLength, rules.count < Self.maximumRules,
        wild <= Self.maximumWildRules
      else {
        (rules, isTooLarge) = ([], true)
        return
      }
      let owners = words.dropFirst().prefix { !$0.hasPrefix("#") }.joined(separator: ", ")
      rules.append(Rule(pattern: pattern, owners: owners))
    }
  }

  /// The owners of a file, `, ` between them; `nil` for none.
  ///
  /// - Parameter path: relative to the repository, e.g. `gke-cluster/1.0.0/main.tf`.
  public func owner(of path: String) -> String? {
    let bytes = Array(path.utf8)
    let parts = bytes.split(separator: UInt8(ascii: "/"))
    guard let rule = rules.last(where: { $0.pattern.fits(bytes, parts) }) else { return nil }
    return rule.owners.isEmpty ? nil : rule.owners
  }
}
