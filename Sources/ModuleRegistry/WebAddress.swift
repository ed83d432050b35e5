/// An `http` or `https` address, taken apart. Path and query stay as they were written, since signatures depend on it.
struct WebAddress: Sendable, Hashable {
  /// Why a text is not one.
  enum Problem: Error, Hashable {
    case malformed
    /// Neither http nor https.
    case scheme(String)
    /// A user name or password before the host.
    case credentials
  }

  let scheme: String
  /// Lower case; an IPv6 address has its brackets.
  let host: String
  /// The port where it is not the scheme's own.
  let port: Int?
  /// Begins with a slash.
  var path: String
  /// Without its question mark.
  var query: String?

  init(_ text: String) throws(Problem) {
    // A space or a line end would end the request line, and browsers and servers disagree on a backslash.
    guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }) else { throw .malformed }
    guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { throw .malformed }
    scheme = text[..<colon].lowercased()
    guard scheme == "https" || scheme == "http" else { throw .scheme(scheme) }
    var rest = text[text.index(colon, offsetBy: 3)...]
    if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    (host, port) = try Self.hostAndPort(authority, scheme: scheme)
    rest = rest[authority.endIndex...]
    let mark = rest.firstIndex(of: "?")
    let path = rest[..<(mark ?? rest.endIndex)]
    self.path = path.isEmpty ? "/" : String(path)
    query = mark.map { String(rest[rest.index(after: $0)...]) }
  }

  init(scheme: String, host: RegistryHost, path: String) {
    (self.scheme, self.host, self.path, query) = (scheme, host.name, path, nil)
    // A RegistryHost leaves out 443, which http does not; and an address leaves out its scheme's own.
    port = scheme == "https" ? host.port : host.port == 80 ? nil : (host.port ?? 443)
  }

  /// `scheme://host[:port]`: what a token belongs to.
  var origin: String { "\(scheme)://\(host)" + (port.map { ":\($0)" } ?? "") }
  /// The whole address.
  var text: String { origin + path + (query.map { "?\($0)" } ?? "") }
  /// The address without its query, for errors and logs.
  var shown: String { origin + path }
  /// What may be shown of an address whose path can be a secret too.
  var shownAsSecret: String { origin + "/…" }

  /// Whether a request may go there: https, and plain http within this machine where that is allowed.
  func isAllowed(plainHTTP: Bool) -> Bool { scheme == "https" || (plainHTTP && isLoopback) }

  /// Whether the host is this machine, as far as its name tells.
  var isLoopback: Bool {
    if host == "localhost" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// What `reference` means in a document at this address: RFC 3986, section 5.2.
  func resolving(_ reference: String) throws(Problem) -> WebAddress {
    let name = reference.prefix { $0 != ":" && $0 != "/" && $0 != "?" && $0 != "#" }
    if name.endIndex < reference.endIndex, reference[name.endIndex] == ":" { return try WebAddress(reference) }
    if reference.hasPrefix("//") { return try WebAddress("\(scheme):\(reference)") }
    // The parser above checks the characters and splits path and query.
    let written = try WebAddress("\(origin)/" + reference)
    var result = self
    result.query = written.query
    let path = written.path.dropFirst()
    if path.isEmpty {
      if written.query == nil { result.query = query }
    } else if path.hasPrefix("/") {
      result.path = Self.withoutDots(path)
    } else {
      let folder = self.path.lastIndex(of: "/").map { self.path[...$0] } ?? "/"
      result.path = Self.withoutDots(folder + path)
    }
    return result
  }

  /// Takes `.` and `..` out of a path that begins with a slash. Doubled slashes stay: they part a subfolder.
  private static func withoutDots(_ path: some StringProtocol) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    var kept: [String] = []
    for part in parts where part != "." {
      if part == ".." { _ = kept.popLast() } else { kept.append(String(part)) }
    }
    if let last = parts.last, last == "." || last == ".." { kept.append("") }
    return "/" + kept.joined(separator: "/")
  }

  private static func hostAndPort(_ authority: Substring, scheme: String) throws(Problem) -> (String, Int?) {
    guard !authority.contains("@") else { throw .credentials }
    var host = authority
    var port: Int?
    if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
      host = authority[..<colon]
      let digits = authority[authority.index(after: colon)...]
      guard digits.utf8.count <= 5, digits.allSatisfy({ "0"..."9" ~= $0 }), let number = Int(digits),
        1...65_535 ~= number
      else { throw .malformed }
      port = number == (scheme == "https" ? 443 : 80) ? nil : number
    }
    let inner = host.hasPrefix("[") && host.hasSuffix("]") ? host.dropFirst().dropLast() : host[...]
    let isBracketed = inner.startIndex != host.startIndex
    let allowed: (UInt8) -> Bool = { byte in
      byte.isLetterOrDigit || byte == UInt8(ascii: ".")
        || (isBracketed ? byte == UInt8(ascii: ":") : byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_"))
    }
    guard !inner.isEmpty, inner.utf8.allSatisfy(allowed) else { throw .malformed }
    return (host.lowercased(), port)
  }
}
