import FoundationEssentials
import PorcCore

/// One question to PORC.
struct Call: Sendable {
  enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case delete = "DELETE"
  }

  let method: Method
  let path: String
  var query: [(name: String, value: String)] = []
  var headers: [(name: String, value: String)] = []
  var body: [UInt8]?
  /// How long one attempt may take.
  var timeout = Duration.seconds(30)

  /// - Parameter path: its parts; each is encoded.
  static func get(_ path: String..., query: [(name: String, value: String)] = []) -> Call {
    var call = Call(method: .get, path: joined(path))
    call.query = query
    return call
  }

  /// A write: carries a key of its own, so that an attempt after a lost answer does nothing twice.
  static func post(_ path: String...) -> Call {
    var call = Call(method: .post, path: joined(path))
    let random = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
    call.headers.append(("Idempotency-Key", "pine-\(random)"))
    return call
  }

  /// Of what is not there any more nothing is left to remove: an attempt after a lost answer does no harm.
  static func delete(_ path: String...) -> Call { Call(method: .delete, path: joined(path)) }

  func sending(_ bytes: [UInt8], as contentType: String) -> Call {
    var call = self
    call.body = bytes
    call.headers.append(("Content-Type", contentType))
    return call
  }

  func sending(json body: some Encodable) throws -> Call {
    sending(Array(try JSONEncoder.porc.encode(body)), as: "application/json")
  }

  func asking(_ query: [(name: String, value: String)]) -> Call {
    var call = self
    call.query = query
    return call
  }

  /// What may take longer than others.
  func taking(atMost timeout: Duration) -> Call {
    var call = self
    call.timeout = timeout
    return call
  }

  func with(_ name: String, _ value: String?) -> Call {
    guard let value else { return self }
    var call = self
    call.headers.append((name, value))
    return call
  }

  /// Path and query as they go over the wire.
  var target: String {
    let query = query.map { "\($0.name)=\(Self.encoded($0.value))" }.joined(separator: "&")
    return query.isEmpty ? path : "\(path)?\(query)"
  }

  private static func joined(_ parts: [String]) -> String { parts.map { "/" + encoded($0) }.joined() }

  /// Every byte but RFC 3986's unreserved ones as `%XX`.
  private static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += "%" + (digits.count < 2 ? "0" : "") + digits
      }
    }
    return result
  }
}
