import Foundation

/// One call of Port's API, before credentials and host.
struct Request: Sendable {
  enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
  }

  /// When the same call may be sent again after a failure.
  enum Repetition: Sendable {
    /// Sending it twice does no more than sending it once.
    case harmless
    /// Only after a 429: then Port has done nothing.
    case onlyIfRefused
  }

  /// Port refuses bodies over 1 MiB on every route (413).
  static let bodyLimit = 1 << 20

  let method: Method
  /// Percent-encoded, beginning with `/v1`.
  let path: String
  let query: String
  let body: Data?
  let repetition: Repetition

  /// - Parameter path: the segments after `/v1`, not encoded: `["blueprints", "service", "entities", "a/b:c"]`.
  /// - Throws: `PortError` (`badRequest`) where a segment is empty, `.` or `..`: the URL would then name something else,
  ///   such as the whole collection instead of one entity.
  init(
    _ method: Method, _ path: [String], query: [(name: String, value: String)] = [], body: Data? = nil,
    repetition: Repetition = .harmless
  ) throws(PortError) {
    self.method = method
    self.path = path.reduce(into: "/v1") { $0 += "/" + Self.encoded($1) }
    self.query = query.map { "\($0.name)=\(Self.encoded($0.value))" }.joined(separator: "&")
    self.body = body
    self.repetition = repetition
    if let segment = path.first(where: { ["", ".", ".."].contains($0) }) {
      throw PortError(.badRequest, "'\(segment)' is not an identifier.", of: self)
    }
  }

  /// The same with a value as its JSON body.
  init(
    _ method: Method, _ path: [String], query: [(name: String, value: String)] = [], json: some Encodable,
    repetition: Repetition = .harmless
  ) throws(PortError) {
    let bare = try Request(method, path, query: query, repetition: repetition)
    self = try Request(
      method, path, query: query, body: try Self.encode(json, for: bare), repetition: repetition)
  }

  /// The path, and the query where there is one.
  var target: String { query.isEmpty ? path : "\(path)?\(query)" }

  /// JSON as it is sent: one spelling for one value, so that sizes and bodies are the same each time.
  ///
  /// - Throws: `PortError` (`badRequest`) for a number that JSON cannot express.
  static func encode(_ value: some Encodable, for request: Request) throws(PortError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return try encoder.encode(value)
    } catch {
      throw PortError(.badRequest, "The request cannot be written as JSON: \(error)", of: request)
    }
  }

  /// `text` as one segment or query value: everything but RFC 3986's unreserved characters is escaped, so a slash, a
  /// colon or a plus in an identifier stays part of it.
  private static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.reduce(into: "") { result, byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
  }
}
