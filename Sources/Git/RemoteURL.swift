/// Where a repository is. It holds no credentials, and nothing in it can become an option or a command of git's.
public struct RemoteURL: Sendable, Hashable, CustomStringConvertible {
  /// What is accepted beside `https` and `ssh`.
  public struct Permission: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// `file:///srv/modules.git` and `/srv/modules.git`: any folder that this process may read.
    public static let localPaths = Permission(rawValue: 1)
    /// `http` to other hosts than this one: everybody on the way can read and change it.
    public static let plainHTTP = Permission(rawValue: 2)
  }

  /// Why a text is no `RemoteURL`. It never contains the text, which may have a password in it.
  public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
  }

  enum Scheme: String, Sendable { case https, http, ssh, file }

  let scheme: Scheme
  /// Lower case, with a port where it is not the scheme's own; empty for a path.
  let host: String
  /// As it is given to git.
  let text: String
  /// For showing and storing: one spelling for one place, as far as that can be told, and without `.git`.
  public let publicURL: String

  public var description: String { publicURL }

  /// - Parameters:
  ///   - text: `https://host/path`, `ssh://user@host/path`, `user@host:path`, or what `allowing` permits.
  ///   - allowing: what is accepted beside `https` and `ssh`.
  public init(_ text: String, allowing: Permission = []) throws(Problem) {
    guard !text.isEmpty, text.utf8.count <= 2_000 else { throw Problem("It is empty or over 2,000 bytes.") }
    guard text.unicodeScalars.allSatisfy({ !$0.properties.isWhitespace || $0 == " " }),
      !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { throw Problem("It has control characters in it.") }
    guard !text.hasPrefix("-") else { throw Problem("It starts with '-'.") }

    if text.hasPrefix("/") {
      self = try Self.local(text, allowing)
    } else if let mark = text.firstRange(of: "://") {
      let rest = text[mark.upperBound...]
      switch text[..<mark.lowerBound].lowercased() {
      case "https": self = try Self.web(.https, rest)
      case "http":
        self = try Self.web(.http, rest)
        guard allowing.contains(.plainHTTP) || isLoopback else {
          throw Problem("'http' can be read and changed by everybody on the way. Use 'https'.")
        }
      case "ssh": self = try Self.ssh(rest)
      case "file":
        guard rest.hasPrefix("/") else { throw Problem("A 'file' URL has three slashes: 'file:///srv/modules.git'.") }
        self = try Self.local(String(rest), allowing)
      default: throw Problem("Only 'https' and 'ssh' are understood.")
      }
    } else {
      self = try Self.secureCopy(text)
    }
  }

  private init(scheme: Scheme, host: String, text: String, publicURL: String) {
    (self.scheme, self.host, self.text, self.publicURL) = (scheme, host, text, publicURL)
  }

  /// Whether it is a service of this very machine.
  var isLoopback: Bool {
    ["localhost", "[::1]"].contains { host == $0 || host.hasPrefix($0 + ":") }
      || host.hasPrefix("127.") && host.utf8.allSatisfy { (0x30...0x3A).contains($0) || $0 == 0x2E }
  }

  private static func local(_ path: String, _ allowing: Permission) throws(Problem) -> RemoteURL {
    guard allowing.contains(.localPaths) else { throw Problem("Paths of this machine are not allowed here.") }
    let parts = path.split(separator: "/").filter { $0 != "." }
    guard !parts.isEmpty, !parts.contains("..") else { throw Problem("The path has '..' in it, or is empty.") }
    let clean = "/" + parts.joined(separator: "/")
    return RemoteURL(scheme: .file, host: "", text: clean, publicURL: "file://" + withoutSuffix(clean))
  }

  private static func web(_ scheme: Scheme, _ rest: Substring) throws(Problem) -> RemoteURL {
    let (authority, path) = try split(rest)
    guard !authority.contains("@") else {
      throw Problem(credentialsInside)
    }
    let host = try host(authority, standardPort: scheme == .https ? "443" : "80")
    let url = "\(scheme.rawValue)://\(host)\(path)"
    return RemoteURL(scheme: scheme, host: host, text: url, publicURL: withoutSuffix(url))
  }

  private static func ssh(_ rest: Substring) throws(Problem) -> RemoteURL {
    let (authority, path) = try split(rest)
    let (user, place) = try user(authority)
    let url = "ssh://\(user)\(try host(place, standardPort: "22"))\(path)"
    return RemoteURL(
      scheme: .ssh, host: try host(place, standardPort: "22"), text: url, publicURL: withoutSuffix(url))
  }

  /// `git@host:path`, whose path is relative to the user's home there.
  private static func secureCopy(_ text: String) throws(Problem) -> RemoteURL {
    guard let colon = text.firstIndex(of: ":") else {
      throw Problem("It is neither a URL nor of the form 'user@host:path'.")
    }
    let path = text[text.index(after: colon)...]
    // 'user:password@host:path' would be the host 'user'.
    guard text[..<colon].contains("@") || !path.contains("@") else { throw Problem(credentialsInside) }
    // 'ext::sh -c …' and its like are commands.
    guard !path.hasPrefix(":") else { throw Problem("Only 'https' and 'ssh' are understood.") }
    guard !path.hasPrefix("-") else { throw Problem("The path starts with '-'.") }
    _ = try checked("/" + path)
    let (user, place) = try user(text[..<colon])
    let host = try host(place, standardPort: "")
    let url = "\(user)\(host):\(path)"
    return RemoteURL(scheme: .ssh, host: host, text: url, publicURL: withoutSuffix(url))
  }

  private static let credentialsInside =
    "Credentials do not belong into a URL. Take them out of it, and change them: they may have been seen."

  private static func split(_ rest: Substring) throws(Problem) -> (authority: Substring, path: String) {
    guard let slash = rest.firstIndex(of: "/") else { throw Problem("It has no path.") }
    return (rest[..<slash], try checked(rest[slash...]))
  }

  /// The user of ssh with its `@`; no user is an empty text.
  private static func user(_ authority: Substring) throws(Problem) -> (user: String, place: Substring) {
    guard let at = authority.lastIndex(of: "@") else { return ("", authority) }
    let user = authority[..<at]
    guard !user.contains(":") else {
      throw Problem(credentialsInside)
    }
    guard !user.isEmpty, !user.hasPrefix("-"), user.utf8.allSatisfy({ isWord($0) || $0 == 0x2E || $0 == 0x2D }) else {
      throw Problem("The user's name before the '@' is not understood.")
    }
    return (user + "@", authority[authority.index(after: at)...])
  }

  private static func host(_ authority: Substring, standardPort: String) throws(Problem) -> String {
    var name = authority
    var port: Substring = ""
    if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
      name = authority[..<colon]
      port = authority[authority.index(after: colon)...]
      guard let number = Int(port), (1...65_535).contains(number), port.utf8.allSatisfy({ (0x30...0x39).contains($0) })
      else { throw Problem("The port is not a number from 1 to 65535.") }
    }
    let isAddress = name.hasPrefix("[") && name.hasSuffix("]")
    let letters = isAddress ? name.dropFirst().dropLast() : name
    let isFine = letters.utf8.allSatisfy {
      isWord($0) || $0 == 0x2E || (isAddress ? $0 == 0x3A : $0 == 0x2D)
    }
    guard !letters.isEmpty, isFine, !letters.hasPrefix("-") else { throw Problem("The host's name is not understood.") }
    return name.lowercased() + (port.isEmpty || port == standardPort ? "" : ":\(port)")
  }

  private static func checked(_ path: Substring) throws(Problem) -> String {
    guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C }) else {
      throw Problem("The path has spaces, backslashes or letters in it that have to be percent-encoded.")
    }
    guard !path.contains("?"), !path.contains("#") else {
      throw Problem("It has a query or a fragment: a repository has neither.")
    }
    for (index, byte) in path.utf8.enumerated() where byte == 0x25 {
      let code = Int(path.utf8.dropFirst(index + 1).prefix(2).map { String(UnicodeScalar($0)) }.joined(), radix: 16)
      guard let code, code >= 0x20, code != 0x7F else { throw Problem("It has control characters in it.") }
    }
    let parts = path.split(separator: "/")
    guard !parts.isEmpty, !parts.contains("..") else { throw Problem("The path has '..' in it, or is empty.") }
    return String(path)
  }

  private static func checked(_ path: String) throws(Problem) -> String { try checked(path[...]) }

  private static func withoutSuffix(_ url: String) -> String {
    var url = url[...]
    while url.hasSuffix("/") { url = url.dropLast() }
    // '/srv/modules/.git' is a folder of that name.
    return String(url.hasSuffix(".git") && !url.hasSuffix("/.git") ? url.dropLast(4) : url)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F
  }
}

extension RemoteURL.Problem {
  fileprivate init(_ description: String) { self.description = description }
}
