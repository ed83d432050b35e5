extension ModuleLocation {
  /// Reads the value of `X-Terraform-Get`, an address in go-getter's notation:
  /// `[GETTER::]ADDRESS[//SUBFOLDER][?QUERY]`, or a relative URL that begins with `/`, `./` or `../`.
  ///
  /// - Parameters:
  ///   - source: the value.
  ///   - base: the address that was asked, which a relative URL is relative to, as for Terraform.
  ///   - plainHTTP: whether http may be used within this machine.
  init(source: String, relativeTo base: WebAddress, plainHTTP: Bool) {
    do {
      var source = source
      if ["/", "./", "../"].contains(where: source.hasPrefix) {
        source = try base.resolving(source).text
      }
      self = try GetterSource(source).location(plainHTTP: plainHTTP)
    } catch {
      self = .unsupported("'\(GetterSource.shown(source))' cannot be used: \(Self.reason(error)).")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as GetterSource.Problem: error.reason
    case WebAddress.Problem.scheme(let scheme): "'\(scheme)' addresses are not read, only https"
    case WebAddress.Problem.credentials: "it has credentials in it"
    default: "it is not an address"
    }
  }
}

/// An address in go-getter's notation, split.
private struct GetterSource {
  struct Problem: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  /// What stands before `::`.
  var getter: String?
  var address: String
  var subfolder: String?
  var query: [QueryItem]

  /// Splits as go-getter's `SourceDirSubdir` does: the subfolder begins at the first `//` behind the scheme's.
  init(_ source: String) throws {
    var rest = source[...]
    let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }
    if !word.isEmpty, rest[word.endIndex...].hasPrefix("::") {
      getter = String(word)
      rest = rest[word.endIndex...].dropFirst(2)
    }
    let mark = rest.firstIndex(of: "?") ?? rest.endIndex
    query = QueryItem.items(rest[mark...].dropFirst())
    rest = rest[..<mark]
    let scheme = rest.firstRange(of: "://")
    let start = scheme?.upperBound ?? rest.startIndex
    if let slashes = rest[start...].firstRange(of: "//") {
      subfolder = try Self.subfolder(rest[slashes.upperBound...])
      rest = rest[..<slashes.lowerBound]
    }
    address = String(rest)
    // What go-getter's detector makes of it.
    if getter == nil, scheme == nil, address.hasPrefix("github.com/") {
      let parts = address.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 3 else { throw Problem("a repository on GitHub is github.com/OWNER/NAME") }
      getter = "git"
      address = "https://" + address + (address.hasSuffix(".git") ? "" : ".git")
    }
  }

  func location(plainHTTP: Bool) throws -> ModuleLocation {
    switch getter {
    case nil: .archive(try archive(plainHTTP))
    case "git": .git(try repository(plainHTTP))
    case .some(let getter): throw Problem("sources of the kind '\(getter)' are not read, only git and https")
    }
  }

  private func archive(_ plainHTTP: Bool) throws -> ModuleArchive {
    var web = try allowed(plainHTTP)
    let format = try value(of: "archive").flatMap { $0.isEmpty ? nil : $0 } ?? suffix(of: web.path)
    let known: ModuleArchive.Format? =
      switch format {
      case "tar.gz", "tgz": .tarGzip
      case "zip": .zip
      default: nil
      }
    guard let known else {
      throw Problem(format.isEmpty ? "it does not say that it is a tar.gz or zip archive" : "'\(format)' is not read")
    }
    let checksum = try value(of: "checksum").map { text in
      guard let checksum = Checksum(text) else { throw Problem("its checksum is of a kind that cannot be verified") }
      return checksum
    }
    // go-getter takes its own parameters out before it asks the server; the others stay as they are.
    let others = query.filter { !["archive", "checksum", "filename"].contains($0.name) }
    web.query = others.isEmpty ? nil : others.map(\.text).joined(separator: "&")
    return ModuleArchive(web: web, format: known, subfolder: subfolder, checksum: checksum)
  }

  private func repository(_ plainHTTP: Bool) throws -> ModuleRepository {
    let web = try allowed(plainHTTP)
    if let other = query.first(where: { $0.name != "ref" && $0.name != "depth" }) {
      throw Problem("its parameter '\(other.name.prefix(40))' is not known here")
    }
    let ref = try value(of: "ref")
    if let ref {
      // git would take it for an option, or refuse it: git-check-ref-format.
      guard !ref.isEmpty, !ref.hasPrefix("-"), ref.utf8.count <= 255,
        ref.utf8.allSatisfy({ 0x21...0x7E ~= $0 && !"\\:^~?*[{".utf8.contains($0) }), !ref.contains("..")
      else { throw Problem("its ref is not the name of a commit, tag or branch") }
    }
    return ModuleRepository(url: web.text, ref: ref, subfolder: subfolder)
  }

  private func allowed(_ plainHTTP: Bool) throws -> WebAddress {
    let web = try WebAddress(address)
    guard web.isAllowed(plainHTTP: plainHTTP) else { throw WebAddress.Problem.scheme(web.scheme) }
    return web
  }

  /// A parameter's value. Given twice, it could mean one thing here and another elsewhere.
  private func value(of name: String) throws -> String? {
    let found = query.filter { $0.name == name }
    guard found.count <= 1 else { throw Problem("it has the parameter '\(name)' twice") }
    return found.first?.value
  }

  private func suffix(of path: String) -> String {
    ["tar.gz", "tgz", "zip"].first { path.hasSuffix(".\($0)") } ?? ""
  }

  private static func subfolder(_ text: Substring) throws -> String? {
    let parts = text.split(separator: "/").filter { $0 != "." }
    guard !parts.contains(".."), text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }) else {
      throw Problem("its subfolder is not below its root")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "/")
  }

  /// A source without credentials and query; of web addresses the host alone, since a path can be a secret too.
  static func shown(_ source: String) -> String {
    var text = String(source.prefix { $0 != "?" && $0 != "#" }.prefix(200).map { $0.isASCII ? $0 : "?" })
    text.unicodeScalars.removeAll { $0.value < 0x20 || $0.value == 0x7F }
    let start = text.firstRange(of: "://")?.upperBound ?? text.firstRange(of: "::")?.upperBound ?? text.startIndex
    if let at = text[start...].lastIndex(of: "@") {
      text.removeSubrange(start...at)
    }
    let isWeb = text.hasPrefix("http://") || text.hasPrefix("https://")
    guard isWeb, let slash = text[start...].firstIndex(of: "/") else { return text }
    return text[...slash] + "…"
  }
}

/// One `name=value` of a query.
private struct QueryItem {
  /// As it was written.
  let text: String
  let name: String
  let value: String

  static func items(_ query: some StringProtocol) -> [QueryItem] {
    query.split(separator: "&").map { item in
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return QueryItem(text: String(item), name: decoded(parts[0]), value: parts.count > 1 ? decoded(parts[1]) : "")
    }
  }

  private static func decoded(_ text: some StringProtocol) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
