import Crypto
public import Foundation
public import HCL
public import PorcCore

/// Keeps the values of sensitive inputs from everybody who has the database but not the key.
///
/// Sealed inputs are: the format's version (1 byte, 1), the id of the key (8 ASCII characters, the first hex digits of
/// its SHA-256), then what AES-GCM makes of the JSON (nonce 12 bytes, ciphertext, tag 16 bytes; NIST SP 800-38D). The
/// header and the run's id are authenticated too, so that sealed inputs open for no other run.
public struct InputVault: Sendable {
  private static let version: UInt8 = 1
  private static let keySize = 32
  private static let keyIDSize = 8

  /// Which key it is, without saying anything of the key: 8 hex digits.
  public let keyID: String
  private let sealingKey: SymmetricKey
  private let digestKey: SymmetricKey
  private let secretKey: SymmetricKey
  private let derivationKey: SymmetricKey

  /// - Parameter key: 32 random bytes.
  /// - Throws: ``InputVaultError/badKey(_:fix:)``.
  public init(key: Data) throws {
    guard key.count == Self.keySize else {
      throw InputVaultError.badKey(
        "A secret key has \(Self.keySize) bytes; this one has \(key.count).", fix: "Make one: openssl rand -base64 32.")
    }
    keyID = String(hex(SHA256.hash(data: key)).prefix(Self.keyIDSize))
    // One purpose, one key (RFC 5869).
    func derived(_ purpose: String) -> SymmetricKey {
      HKDF<SHA256>.deriveKey(
        inputKeyMaterial: SymmetricKey(data: key), info: Data(purpose.utf8), outputByteCount: Self.keySize)
    }
    sealingKey = derived("porc inputs seal 1")
    digestKey = derived("porc inputs digest 1")
    secretKey = derived("porc secrets seal 1")
    derivationKey = derived("porc secrets derive 1")
  }

  /// Reads a key as ``makeKeyFile(at:)`` writes it.
  ///
  /// - Throws: ``InputVaultError/badKey(_:fix:)``, also if others than its owner may read the file.
  public init(keyFile path: String) throws {
    try self.init(key: InputKeyFile.read(path))
  }

  /// Makes a new key: 32 random bytes as base64 in a file of mode 0600.
  ///
  /// - Throws: ``InputVaultError/badKey(_:fix:)`` if there is a file already: a key is never overwritten.
  public static func makeKeyFile(at path: String) throws {
    let key = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
    try InputKeyFile.write(key, to: path)
  }

  /// Encrypts inputs so that only ``open(_:of:)`` for the same run reads them.
  public func seal(_ inputs: [String: Value], for run: Run.ID) throws -> Data {
    let header = Data([Self.version]) + Data(keyID.utf8)
    let box = try AES.GCM.seal(
      Data(Value.object(inputs).json().utf8), using: sealingKey, authenticating: header + Data(run.rawValue.utf8))
    return header + box.nonce + box.ciphertext + box.tag
  }

  /// - Throws: ``InputVaultError/otherKey(_:)`` if they were sealed with another key, ``InputVaultError/damaged(_:)``
  ///   if they were changed or belong to another run.
  public func open(_ data: Data, of run: Run.ID) throws -> [String: Value] {
    let headerSize = 1 + Self.keyIDSize
    guard data.count > headerSize, data.first == Self.version else { throw InputVaultError.damaged(run) }
    let header = Data(data.prefix(headerSize))
    guard header.dropFirst().elementsEqual(keyID.utf8) else {
      throw InputVaultError.otherKey(String(decoding: header.dropFirst(), as: UTF8.self))
    }
    do {
      let text = try AES.GCM.open(
        AES.GCM.SealedBox(combined: Data(data.dropFirst(headerSize))), using: sealingKey,
        authenticating: header + Data(run.rawValue.utf8))
      // Not a JSONDecoder: every digit of a number counts. What is sealed is an object, one level around the inputs.
      guard let inputs = try JSONText.parse(text, maximumDepth: 1_000).value.objectValue else {
        throw InputVaultError.damaged(run)
      }
      return inputs
    } catch {
      // Which check failed is nobody's business, and there is only one thing to do about any.
      throw InputVaultError.damaged(run)
    }
  }

  /// Encrypts a secret of PORC's own, such as a source's token, so that only ``openSecret(_:of:)`` with the same owner
  /// reads it.
  public func sealSecret(_ secret: Value, of owner: String) throws -> Data {
    try AES.GCM.seal(Data(secret.json().utf8), using: secretKey, authenticating: Data(owner.utf8)).combined ?? Data()
  }

  /// - Throws: an error that says nothing of the secret, if it was sealed with another key or for another owner.
  public func openSecret(_ data: Data, of owner: String) throws -> Value {
    let text = try AES.GCM.open(
      AES.GCM.SealedBox(combined: data), using: secretKey, authenticating: Data(owner.utf8))
    return try JSONText.parse(text).value
  }

  /// A secret that is nowhere kept, since the key and its name tell it again: HMAC-SHA256 over the name, in hex.
  ///
  /// - Parameter name: says what it is for, and for whom: `tfe-notification/ws-1`.
  public func derivedSecret(_ name: String) -> String {
    hex(HMAC<SHA256>.authenticationCode(for: Data(name.utf8), using: derivationKey))
  }

  /// Tells whether inputs are the same, to those who have the key only: HMAC-SHA256 over their canonical JSON, in hex.
  public func digest(_ inputs: [String: Value]) -> String {
    hex(HMAC<SHA256>.authenticationCode(for: Data(Value.object(inputs).json().utf8), using: digestKey))
  }
}

/// Why sensitive inputs cannot be sealed or opened.
public enum InputVaultError: Error, Sendable, Equatable {
  /// The key, or its file, cannot be used: what, and what to do.
  case badKey(String, fix: String)
  /// They were sealed with the key of this id.
  case otherKey(String)
  case damaged(Run.ID)

  /// One sentence.
  public var message: String {
    switch self {
    case .badKey(let message, _): message
    case .otherKey(let id): "The sensitive inputs were encrypted with another key, whose id is '\(id)'."
    case .damaged(let run): "The stored sensitive inputs of the run \(run) are damaged."
    }
  }

  /// What to do.
  public var fix: String {
    switch self {
    case .badKey(_, let fix): fix
    case .otherKey: "Set PORC_SECRET_KEY_FILE to the file with that key, or submit the blueprint again."
    case .damaged: "Submit the blueprint again."
    }
  }
}

private func hex(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
