public import Foundation

/// A sortable identifier: 48 bits of time and 80 random ones in 26 characters of Crockford's base 32, here in lower case
/// (the ULID specification).
public enum ULID {
  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")

  public static func make(at time: Date, using random: inout some RandomNumberGenerator) -> String {
    let milliseconds = UInt64(max(0, time.timeIntervalSince1970 * 1000))
    var characters: [Character] = []
    for shift in stride(from: 45, through: 0, by: -5) { characters.append(alphabet[Int((milliseconds >> shift) & 31)]) }
    for _ in 0..<16 { characters.append(alphabet[Int(UInt8.random(in: 0..<32, using: &random))]) }
    return String(characters)
  }
}

extension Run.ID {
  /// What every id of ours begins with: TFE's begin with `run-`.
  public static let prefix = "porc-"

  public static func make(at time: Date, using random: inout some RandomNumberGenerator) -> Run.ID {
    Run.ID(prefix + ULID.make(at: time, using: &random))
  }
}
