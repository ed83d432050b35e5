import Crypto

/// What the bytes of an archive must hash to: go-getter's `checksum` parameter.
public struct Checksum: Sendable, Hashable, CustomStringConvertible {
  /// The kinds that go-getter knows.
  public enum Algorithm: String, Sendable, Hashable {
    case md5, sha1, sha256, sha512
  }

  /// How it is computed.
  public let algorithm: Algorithm
  /// Lower-case hexadecimal.
  public let value: String

  /// Reads `sha256:HEX`, or `HEX` alone, whose length then tells the kind. Nil for anything else, such as
  /// `file:ADDRESS`, which names a file of checksums.
  public init?(_ text: String) {
    let parts = text.lowercased().split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let lengths: [(Algorithm, Int)] = [(.md5, 32), (.sha1, 40), (.sha256, 64), (.sha512, 128)]
    guard let hex = parts.last, hex.utf8.allSatisfy({ $0.isLetterOrDigit && $0 <= UInt8(ascii: "f") }),
      let found = lengths.first(where: { $0.1 == hex.utf8.count })?.0,
      parts.count == 1 || parts[0] == found.rawValue
    else { return nil }
    (algorithm, value) = (found, String(hex))
  }

  /// `sha256:HEX`.
  public var description: String { "\(algorithm.rawValue):\(value)" }

  /// Whether `bytes` hash to it.
  public func matches(_ bytes: [UInt8]) -> Bool {
    switch algorithm {
    case .md5: hex(Insecure.MD5.hash(data: bytes)) == value
    case .sha1: hex(Insecure.SHA1.hash(data: bytes)) == value
    case .sha256: hex(SHA256.hash(data: bytes)) == value
    case .sha512: hex(SHA512.hash(data: bytes)) == value
    }
  }

  private func hex(_ digest: some Digest) -> String {
    digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
