/// A repository's CODEOWNERS: who looks after which files. The last pattern that fits counts
/// (https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners).
public struct CodeOwners: Sendable, Hashable {
  private struct Rule: Sendable, Hashable {
    var pattern: [UInt8]
    var owners: String
  }

  /// Where GitHub looks for the file, in this order.
  public static let places = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"]

  private static let maximumRules = 5_000
  private var rules: [Rule] = []

  public init(_ text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      guard let pattern = words.first, !pattern.hasPrefix("#"), rules.count < Self.maximumRules,
        // GitHub takes neither of these.
        !pattern.hasPrefix("!"), !pattern.contains("[")
      else { continue }
      let owners = words.dropFirst().prefix { !$0.hasPrefix("#") }.joined(separator: ", ")
      rules.append(Rule(pattern: Array(pattern.utf8), owners: owners))
    }
  }

  /// The owners of a file, `, ` between them; `nil` for none.
  ///
  /// - Parameter path: relative to the repository, e.g. `gke-cluster/1.0.0/main.tf`.
  public func owner(of path: String) -> String? {
    let path = Array(path.utf8)
    guard let rule = rules.last(where: { Self.fits($0.pattern, path) }) else { return nil }
    return rule.owners.isEmpty ? nil : rule.owners
  }

  /// Whether a pattern fits a file or a folder above it, as gitignore(5) has it.
  private static func fits(_ pattern: [UInt8], _ path: [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    var pattern = pattern[...]
    let isFolder = pattern.last == slash
    if isFolder { pattern = pattern.dropLast() }
    let isAnchored = pattern.contains(slash)
    if pattern.first == slash { pattern = pattern.dropFirst() }
    // Most patterns are plain, and a repository may hold ten thousand modules.
    if pattern.elementsEqual("*".utf8), !isFolder, !isAnchored { return true }
    if isAnchored, !pattern.contains(where: "*?".utf8.contains) {
      guard path.starts(with: pattern) else { return false }
      return path.count == pattern.count ? !isFolder : path[pattern.count] == slash
    }
    let parts = path.split(separator: slash)
    // `docs/*` is only about what lies in docs itself.
    let isShallow = isAnchored && pattern.last == UInt8(ascii: "*") && !pattern.suffix(2).elementsEqual("**".utf8)
    for start in isAnchored ? 0...0 : 0...max(0, parts.count - 1) {
      for end in stride(from: parts.count, to: start, by: -1) {
        if isFolder, end == parts.count { continue }  // a folder is above the file
        if isShallow, end != parts.count { continue }
        let candidate = parts[start..<end].joined(separator: [slash])
        if glob(pattern, Array(candidate)[...]) { return true }
      }
    }
    return false
  }

  /// `*` and `?` stay in one part of a path, `**` does not.
  private static func glob(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    // The states of the pattern that what was read so far leads to: never more than its length.
    let pattern = Array(pattern)
    func closed(_ states: Set<Int>) -> Set<Int> {
      var all = states
      var next = Array(states)
      while let state = next.popLast() {
        guard state < pattern.count, pattern[state] == UInt8(ascii: "*") else { continue }
        var after = state + 1
        if after < pattern.count, pattern[after] == UInt8(ascii: "*") { after += 1 }
        if all.insert(after).inserted { next.append(after) }
        // `**/` may be nothing at all.
        if after == state + 2, after < pattern.count, pattern[after] == UInt8(ascii: "/"),
          all.insert(after + 1).inserted
        {
          next.append(after + 1)
        }
      }
      return all
    }
    var states = closed([0])
    for byte in text {
      var next: Set<Int> = []
      for state in states where state < pattern.count {
        switch pattern[state] {
        case UInt8(ascii: "*"):
          let isDeep = state + 1 < pattern.count && pattern[state + 1] == UInt8(ascii: "*")
          if isDeep || byte != UInt8(ascii: "/") { next.insert(state) }
        case UInt8(ascii: "?"): if byte != UInt8(ascii: "/") { next.insert(state + 1) }
        case byte: next.insert(state + 1)
        default: break
        }
      }
      states = closed(next)
      if states.isEmpty { return false }
    }
    return states.contains(pattern.count)
  }
}
