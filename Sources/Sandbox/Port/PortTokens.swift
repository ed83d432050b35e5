import Crypto
import FoundationEssentials
import Synchronization

/// Access tokens as Port hands them out: JWTs that live three hours, one at a time for the credentials, so that asking
/// again returns the same one with less time left.
final class PortTokens: Sendable {
  struct Token: Sendable {
    let value: String
    let expiresAt: Date
  }

  static let lifetime: TimeInterval = 10_800

  /// What is accepted.
  struct Credentials: Sendable {
    let clientID: String
    let clientSecret: String
    let apiToken: String?
  }

  private let credentials: Credentials
  private let journal: Journal
  private let current: Mutex<Token?>

  init(_ credentials: Credentials, journal: Journal) {
    self.credentials = credentials
    self.journal = journal
    let stored = journal.documents("token").first.map { String(decoding: $0, as: UTF8.self) }
    current = Mutex(nil)
    if let stored, let expiry = expiry(of: stored) {
      current.withLock { $0 = Token(value: stored, expiresAt: expiry) }
    }
  }

  /// The token for the credentials; nil where they are wrong.
  func token(clientID: String, clientSecret: String, now: Date) async throws -> Token? {
    guard Self.areEqual(clientID, credentials.clientID), Self.areEqual(clientSecret, credentials.clientSecret) else {
      return nil
    }
    let token = current.withLock { current in
      if let current, current.expiresAt > now { return current }
      let new = issue(now)
      current = new
      journal.put("token", "current", Array(new.value.utf8))
      return new
    }
    try await journal.settle()
    return token
  }

  /// Who `header` (`Bearer TOKEN`) speaks for; nil where it is not accepted.
  func author(_ header: String?, now: Date) -> String? {
    guard let header, header.lowercased().hasPrefix("bearer ") else { return nil }
    let token = String(header.dropFirst("bearer ".count))
    if let apiToken = credentials.apiToken, Self.areEqual(token, apiToken) { return "api-token" }
    guard let expiry = expiry(of: token), expiry > now else { return nil }
    return credentials.clientID
  }

  private func issue(_ now: Date) -> Token {
    // Whole seconds, as JWTs have them.
    let issued = Int(now.timeIntervalSince1970)
    let claims: JSONValue = [
      "orgId": "org_sandbox", "isMachine": true, "personalToken": false, "iss": "port-sandbox", "iat": .init(issued),
      "exp": .init(issued + Int(Self.lifetime)), "jti": .string(PortIdentifier.random()),
    ]
    let head: JSONValue = ["alg": "HS256", "typ": "JWT"]
    let signed = "\(Self.base64(head.bytes)).\(Self.base64(claims.bytes))"
    return Token(
      value: "\(signed).\(Self.base64(Array(signature(signed))))",
      expiresAt: Date(timeIntervalSince1970: Double(issued) + Self.lifetime))
  }

  /// When a token of ours ends; nil for what we did not sign.
  private func expiry(of token: String) -> Date? {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    guard Self.areEqual(String(parts[2]), Self.base64(Array(signature("\(parts[0]).\(parts[1])")))),
      let claims = Self.unbase64(parts[1]), let end = (try? JSONValue(parsing: claims))?["exp"].int
    else { return nil }
    return Date(timeIntervalSince1970: Double(end))
  }

  private func signature(_ text: String) -> HMAC<SHA256>.MAC {
    HMAC<SHA256>.authenticationCode(
      for: Data(text.utf8), using: SymmetricKey(data: Data(credentials.clientSecret.utf8)))
  }

  /// Takes the same time wherever the two differ: digests are compared in constant time.
  private static func areEqual(_ left: String, _ right: String) -> Bool {
    SHA256.hash(data: Data(left.utf8)) == SHA256.hash(data: Data(right.utf8))
  }

  /// RFC 4648, section 5, without padding.
  private static func base64(_ bytes: [UInt8]) -> String {
    String(
      Data(bytes).base64EncodedString().compactMap { (character: Character) -> Character? in
        switch character {
        case "+": "-"
        case "/": "_"
        case "=": nil
        default: character
        }
      })
  }

  private static func unbase64(_ text: Substring) -> Data? {
    let plain = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
  }
}
