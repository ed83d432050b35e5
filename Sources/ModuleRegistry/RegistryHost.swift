/// The host of a registry, `HOST[:PORT]`, as it is written at the beginning of a module's address.
///
/// Lower case, without the port 443, so that two spellings of one host are equal. Names beyond ASCII are written in
/// their `xn--` form.
public struct RegistryHost: Sendable, Hashable, CustomStringConvertible {
  /// The name or IPv4 address.
  public let name: String
  /// The port where it is not 443.
  public let port: Int?

  /// The public registry, which addresses without a host mean.
  public static let publicRegistry = RegistryHost(name: "registry.terraform.io", port: nil)

  private init(name: String, port: Int?) {
    (self.name, self.port) = (name, port)
  }

  /// Reads `HOST[:PORT]`: no scheme, no path, no credentials.
  public init(_ text: String) throws(InvalidAddress) {
    guard !text.contains("@") else {
      throw InvalidAddress(
        text, "has credentials in it, or a user; take them out, and change them: they may have been seen")
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let labels = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    // RFC 1123, section 2.1.
    guard parts[0].utf8.count <= 253, labels.allSatisfy(Self.isLabel) else {
      throw InvalidAddress(text, "is not a host name; write it as 'registry.example.com', without 'https://'")
    }
    switch parts.count {
    case 1: port = nil
    case 2:
      guard parts[1].utf8.count <= 5, parts[1].utf8.allSatisfy({ Self.digits.contains($0) }),
        let number = Int(parts[1]),
        1...65_535 ~= number
      else { throw InvalidAddress(text, "has a port that is not between 1 and 65535") }
      port = number == 443 ? nil : number
    default: throw InvalidAddress(text, "has more than one colon; IPv6 addresses cannot be used here")
    }
    name = parts[0].lowercased()
  }

  /// `HOST` or `HOST:PORT`.
  public var description: String { name + (port.map { ":\($0)" } ?? "") }

  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

  private static func isLabel(_ label: Substring) -> Bool {
    1...63 ~= label.utf8.count && !label.hasPrefix("-") && !label.hasSuffix("-")
      && label.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
  }
}

extension UInt8 {
  /// Whether this is an ASCII letter or digit.
  var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
