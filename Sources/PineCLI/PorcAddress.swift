import FoundationEssentials
import PorcCore

/// Where PORC is, the token for it, and who said so.
///
/// Flags come first, then `PORC_URL` and `PORC_TOKEN`, then what `porc dev` left in its data folder: `.porc/dev.json` in
/// the working folder or a parent, or in the folder that `PORC_DATA` names.
struct PorcAddress: Sendable {
  /// Without a slash at the end.
  let url: String
  let urlSource: String
  /// Absent where nothing names one.
  let token: String?
  let tokenSource: String?

  init(_ options: GlobalOptions, _ invocation: Invocation) throws {
    let environment = invocation.environment
    let development = try Development(invocation)
    let given =
      options.porcURL.map { ($0, "--porc-url") } ?? environment.value("PORC_URL").map { ($0, "PORC_URL") }
      ?? development.map { ($0.porc, $0.file) }
    guard let given else {
      throw Complaint.usage(
        "It is not known where PORC is.",
        fix: "Set PORC_URL, give --porc-url, or run pine where 'porc dev' keeps its data.")
    }
    (url, urlSource) = (try Self.checked(given.0, from: given.1, environment), given.1)
    if urlSource == development?.file, !Self.isLoopback(url), environment["PORC_ALLOW_HTTP"] != "1" {
      // A folder from somewhere else must not lead a person's token away.
      throw Complaint.usage(
        "\(urlSource) names \(url), which is not on this machine.", fix: "Say it yourself: --porc-url \(url)")
    }
    if let file = options.tokenFile {
      (token, tokenSource) = (try Self.token(in: invocation.absolute(file)), file)
    } else if let value = environment.value("PORC_TOKEN") {
      (token, tokenSource) = (try Self.token(value, from: "PORC_TOKEN"), "PORC_TOKEN")
    } else if let development, Self.withoutSlash(development.porc) == url {
      // That token is for that PORC alone.
      (token, tokenSource) = (try Self.token(in: development.tokenFile), development.tokenFile)
    } else {
      (token, tokenSource) = (nil, nil)
    }
  }

  /// What `porc dev` leaves: `{"porc": URL, "token_file": PATH}`.
  private struct Development {
    var porc: String
    var tokenFile: String
    var file: String

    private struct Document: Decodable {
      var porc: String
      var tokenFile: String
      enum CodingKeys: String, CodingKey {
        case porc
        case tokenFile = "token_file"
      }
    }

    init?(_ invocation: Invocation) throws {
      guard let file = Self.file(invocation) else { return nil }
      guard let data = FileManager.default.contents(atPath: file),
        let document = try? JSONDecoder().decode(Document.self, from: data)
      else {
        throw Complaint.usage("\(file) cannot be read.", fix: "Start 'porc dev' again, or set PORC_URL and PORC_TOKEN.")
      }
      self.file = file
      porc = document.porc
      let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
      tokenFile = document.tokenFile.hasPrefix("/") ? document.tokenFile : "\(folder)/\(document.tokenFile)"
    }

    private static func file(_ invocation: Invocation) -> String? {
      if let folder = invocation.environment.value("PORC_DATA") {
        let file = invocation.absolute(folder) + "/dev.json"
        return FileManager.default.fileExists(atPath: file) ? file : nil
      }
      var folder = invocation.workingDirectory[...]
      while true {
        let file = "\(folder)/.porc/dev.json"
        if FileManager.default.fileExists(atPath: file) { return file }
        guard let slash = folder.lastIndex(of: "/") else { return nil }
        folder = folder[..<slash]
      }
    }
  }

  // MARK: The URL

  private static func checked(_ text: String, from source: String, _ environment: [String: String]) throws -> String {
    let url = withoutSlash(text)
    guard let parsed = URL(string: url), let scheme = parsed.scheme?.lowercased(), ["http", "https"].contains(scheme),
      let host = parsed.host(percentEncoded: true), !host.isEmpty, parsed.user(percentEncoded: true) == nil,
      parsed.query(percentEncoded: true) == nil, parsed.fragment(percentEncoded: true) == nil
    else {
      throw Complaint.usage(
        "'\(text)' (\(source)) is no address of PORC.", fix: "Give one such as https://porc.example.com.")
    }
    if scheme == "http", !isLoopback(url), environment["PORC_ALLOW_HTTP"] != "1" {
      throw Complaint.usage(
        "\(url) (\(source)) is not encrypted, so everybody on the way could read the token.",
        fix: "Use https, or set PORC_ALLOW_HTTP=1 if the network is your own.")
    }
    return url
  }

  private static func withoutSlash(_ text: String) -> String {
    String(text.reversed().drop { $0 == "/" }.reversed())
  }

  /// Whether the address can only be this machine: `localhost`, `127.0.0.0/8` or `::1`.
  private static func isLoopback(_ url: String) -> Bool {
    guard let host = URL(string: url)?.host(percentEncoded: true)?.lowercased() else { return false }
    if ["localhost", "::1", "[::1]"].contains(host) { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  // MARK: The token

  private static func token(in file: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw Fault(.notSignedIn, "The token file \(file) cannot be read.", fix: "Name another with --token-file.")
    }
    return try token(String(decoding: data, as: UTF8.self), from: file)
  }

  /// A token goes into a header: one word of visible ASCII.
  private static func token(_ text: String, from source: String) throws -> String {
    let token = text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
    guard !token.isEmpty, token.allSatisfy({ $0.asciiValue.map { (0x21...0x7E).contains($0) } ?? false }) else {
      throw Fault(.notSignedIn, "\(source) does not hold a token.", fix: "Make one with 'porc token create'.")
    }
    return String(token)
  }
}

extension [String: String] {
  /// The variable's value, where it is set and not empty.
  func value(_ name: String) -> String? {
    guard let value = self[name], !value.isEmpty else { return nil }
    return value
  }
}
