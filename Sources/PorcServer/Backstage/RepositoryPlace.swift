/// Where something is in a repository, as far as its URL tells.
struct RepositoryPlace {
  /// The URL itself.
  let url: String
  /// `ORG/REPOSITORY`, on GitHub.
  let projectSlug: String?
  /// Before and after the commit.
  private let folder: (String, String)

  /// - Returns: `nil` for what is no plain http or https URL: Backstage would refuse the whole entity for one that it cannot
  ///   read, and would show the credentials in one that has some.
  init?(_ text: String) {
    guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return nil }
    let rest = text.dropFirst(scheme.count)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let (authority, path) = (rest[..<slash], rest[slash...])
    guard Self.isAuthority(authority),
      path.utf8.allSatisfy({ $0.isLetterOrDigit || "/._~!$&'()*+,;=:@%-".utf8.contains($0) })
    else { return nil }
    url = text
    let parts = path.split(separator: "/")
    let isOnGitHub = authority.lowercased() == "github.com" || authority.lowercased().hasPrefix("github.")
    guard isOnGitHub, parts.count >= 2 else {
      (projectSlug, folder) = (nil, (text.hasSuffix("/") ? text : text + "/", ""))
      return
    }
    let repository = parts[1].hasSuffix(".git") ? parts[1].dropLast(4) : parts[1]
    projectSlug = "\(parts[0])/\(repository)"
    // A page of GitHub's, or as PORC writes it: the repository, and the folder in it.
    let isPage = parts.count > 3 && ["tree", "blob"].contains(parts[2])
    let root = "\(scheme)\(authority)/\(parts[0])/\(repository)/tree/"
    let inside = "/" + parts.dropFirst(isPage ? 4 : 2).map { $0 + "/" }.joined()
    folder = isPage ? (root + parts[3] + inside, "") : (root, inside)
  }

  /// The folder at a commit, or else at what the repository's default branch has, with a `/` at its end.
  func folder(at commit: String?) -> String {
    guard !folder.1.isEmpty else { return folder.0 }
    let ref = commit.flatMap { $0.utf8.allSatisfy(\.isLetterOrDigit) && !$0.isEmpty ? $0 : nil } ?? "HEAD"
    return folder.0 + ref + folder.1
  }

  /// A name or an IPv4 address as the WHATWG's URL standard takes them, and perhaps a port. What ends in a number is an
  /// address there, and Punycode has to mean something.
  private static func isAuthority(_ text: Substring) -> Bool {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let host = parts.first, parts.count == 1 || UInt16(parts[1]) != nil else { return false }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    guard
      labels.allSatisfy({ label in
        (1...63).contains(label.utf8.count) && label.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
          && !label.lowercased().hasPrefix("xn--")
      }), let last = labels.last?.utf8.first
    else { return false }
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last) else { return true }
    return labels.count == 4 && labels.allSatisfy { UInt8($0).map(String.init) == String($0) }
  }
}
