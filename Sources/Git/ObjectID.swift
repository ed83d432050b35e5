/// The name of a commit, tree, blob or tag: the hash of its content, in lower-case hexadecimal. 40 digits, or 64 in a
/// repository with SHA-256.
public struct ObjectID: Sendable, Hashable, LosslessStringConvertible, Codable {
  public let description: String

  /// Nil for anything but 40 or 64 hexadecimal digits.
  public init?(_ description: String) {
    guard Self.isWellFormed(description.utf8) else { return nil }
    self.description = description.lowercased()
  }

  /// From the bytes that a tree holds.
  init(raw bytes: ArraySlice<UInt8>) {
    let digits = Array("0123456789abcdef".utf8)
    description = String(unsafeUninitializedCapacity: bytes.count * 2) { text in
      for (index, byte) in bytes.enumerated() {
        text[index * 2] = digits[Int(byte >> 4)]
        text[index * 2 + 1] = digits[Int(byte & 15)]
      }
      return bytes.count * 2
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let id = Self(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no object id")
    }
    self = id
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// Whether it is of a repository with SHA-256.
  var isSHA256: Bool { description.utf8.count == 64 }

  private static func isWellFormed(_ text: String.UTF8View) -> Bool {
    (text.count == 40 || text.count == 64)
      && text.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
  }
}
