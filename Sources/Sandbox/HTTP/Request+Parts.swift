import Hummingbird

/// The parameters of a query, decoded, in the order they were sent.
struct Query: Sendable {
  let items: [(name: String, value: String)]

  init(_ query: String?) {
    items = (query ?? "").split(separator: "&").map { item in
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (PercentCoding.decodeForm(parts[0]), parts.count > 1 ? PercentCoding.decodeForm(parts[1]) : "")
    }
  }

  /// The first value of the parameter `name`; nil where it was not sent.
  subscript(_ name: String) -> String? { items.first { $0.name == name }?.value }

  /// All values of the parameter `name`.
  func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

  /// The parameter `name` as a list: `a,b`, without blanks and empty parts; nil where it was not sent or is empty.
  func list(_ name: String) -> [String]? {
    guard let value = self[name] else { return nil }
    let parts = value.split(separator: ",").map { part in String(part.trimmingPrefix(while: { $0 == " " })) }
    return parts.isEmpty ? nil : parts
  }
}

extension Request {
  var query: Query { Query(uri.query) }

  /// `http://HOST:PORT` as the client knows this server: what links in answers begin with.
  var origin: String { "http://\(head.authority ?? "localhost")" }
}

extension BasicRequestContext {
  /// A part of the path, percent-decoded after the path was split, so that `%2F` is a slash inside the part.
  func path(_ name: String) -> String { PercentCoding.decode(parameters.get(name) ?? "") }
}

/// RFC 3986 percent-encoding. What is badly encoded stays as it is.
enum PercentCoding {
  static func decode(_ text: some StringProtocol) -> String { decode(Array(text.utf8), plusIsSpace: false) }

  /// As in a query, where `+` is a space.
  static func decodeForm(_ text: some StringProtocol) -> String { decode(Array(text.utf8), plusIsSpace: true) }

  /// Everything but RFC 3986's unreserved characters encoded.
  static func encode(_ text: String) -> String {
    var output = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        output.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let hex = String(byte, radix: 16, uppercase: true)
        output += "%" + (hex.count == 1 ? "0" : "") + hex
      }
    }
    return output
  }

  private static func decode(_ bytes: [UInt8], plusIsSpace: Bool) -> String {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "%"), index + 2 < bytes.count, bytes[index + 1] != UInt8(ascii: "+"),
        let value = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
      {
        output.append(value)
        index += 3
      } else {
        output.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
        index += 1
      }
    }
    return String(decoding: output, as: UTF8.self)
  }
}
