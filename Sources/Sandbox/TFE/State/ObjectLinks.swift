import Crypto
import FoundationEssentials

/// URLs that carry their own right and need no token, as TFE's object storage gives out:
/// `/_archivist/KIND/ID/EXPIRY/SIGNATURE`.
struct ObjectLinks: Sendable {
  /// What such a URL reads or writes.
  enum Kind: String, CaseIterable, Sendable {
    case uploadConfiguration = "upload-configuration"
    case configuration, state
    case uploadState = "upload-state"
    case stateJSON = "state-json"
    case uploadStateJSON = "upload-state-json"
    case planLog = "plan-log"
    case applyLog = "apply-log"
    case planJSON = "plan-json"
    case uploadModule = "upload-module"
    case module

    /// How long a URL is good for: 25 hours, but one minute for a plan's JSON, as TFE has it.
    var lifetime: TimeInterval { self == .planJSON ? 60 : 25 * 3600 }

    var path: String { "/_archivist/\(rawValue)/" }
  }

  private let key: SymmetricKey

  /// Reads the signing key, or makes it.
  init(_ folder: DataFolder) throws {
    if let bytes = try DurableFile.read(folder.key), bytes.count == 32 {
      key = SymmetricKey(data: bytes)
    } else {
      key = SymmetricKey(size: .bits256)
      try key.withUnsafeBytes { try DurableFile.write(Array($0), to: folder.key) }
    }
  }

  func url(_ kind: Kind, _ id: String, origin: String, now: Date = .now) -> String {
    let expiry = String(Int(now.timeIntervalSince1970 + kind.lifetime))
    return "\(origin)\(kind.path)\(id)/\(expiry)/\(signature(kind, id, expiry))"
  }

  /// Whether a URL was given out here and is still good.
  func isValid(_ kind: Kind, _ id: String, expiry: String, signature: String, now: Date = .now) -> Bool {
    guard let seconds = Int(expiry), Double(seconds) >= now.timeIntervalSince1970 else { return false }
    return SecretText.equal(signature, self.signature(kind, id, expiry))
  }

  private func signature(_ kind: Kind, _ id: String, _ expiry: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Data("\(kind.rawValue)/\(id)/\(expiry)".utf8), using: key)
    return hexadecimal(code)
  }
}

/// Texts that a stranger may try to guess.
enum SecretText {
  /// Compares in a time that does not tell where the texts differ.
  static func equal(_ left: String, _ right: String) -> Bool {
    let left = Array(SHA256.hash(data: Data(left.utf8)))
    let right = Array(SHA256.hash(data: Data(right.utf8)))
    return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
