import FoundationEssentials
import NIOCore
import NIOHTTP1

/// One call as a resource describes it, before it has an address.
struct Call {
  enum Method: String {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
  }

  enum Target {
    /// Path segments below the API's root, not yet percent-encoded.
    case api([String])
    /// An address with its own secret, and the words that stand for it in errors and logs.
    case signed(SignedURL, name: String)
  }

  var method: Method
  var target: Target
  var query: [(name: String, value: String)] = []
  var body: Body?
  /// Whether sending it twice does no more than sending it once.
  var isRepeatable: Bool
  /// Which of TFE's limits it is under.
  var scope = CallScope.general
  /// Whether it carries a lot of data: ``Client/Configuration/transferTimeout`` then bounds it.
  var isTransfer = false
  /// Whether the answer may be a redirect to a signed address, which is then read.
  var mayRedirect = false

  struct Body {
    var contentType: String
    var bytes: ByteBuffer
  }

  init(_ method: Method, _ path: String..., query: [(name: String, value: String)] = []) {
    self.method = method
    self.target = .api(path)
    self.query = query
    // RFC 9110, section 9.2.2; TFE's PATCH sets attributes to values, which is idempotent too.
    self.isRepeatable = method != .post
  }

  init(_ method: Method, signed url: SignedURL, name: String) {
    self.method = method
    self.target = .signed(url, name: name)
    self.isRepeatable = method != .post
  }

  /// Asks for related resources in the same answer.
  mutating func include(_ names: [String]) {
    if !names.isEmpty { query.append(("include", names.joined(separator: ","))) }
  }

  func with(_ body: Body?) -> Call {
    var copy = self
    copy.body = body
    return copy
  }

  func with(_ document: RequestDocument) throws -> Call { with(try document.body()) }

  /// What errors and logs call the target: the path without the query, or a name where the address is a secret.
  func name(root: String) -> String {
    switch target {
    case .api(let path): root + PercentEncoding.path(path)
    case .signed(_, let name): "(\(name))"
    }
  }
}

/// What came back, read to its end.
struct Answer: Sendable {
  var status: Int
  var headers: HTTPHeaders
  var body: ByteBuffer

  var bytes: [UInt8] { Array(body.readableBytesView) }
  var data: Data { Data(body.readableBytesView) }
}

/// RFC 3986, section 2: everything but the unreserved characters is escaped.
enum PercentEncoding {
  static func encode(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let hex = String(byte, radix: 16, uppercase: true)
        result += byte < 16 ? "%0\(hex)" : "%\(hex)"
      }
    }
    return result
  }

  static func path(_ segments: [String]) -> String {
    segments.map(encode).joined(separator: "/")
  }

  static func query(_ items: [(name: String, value: String)]) -> String {
    items.map { "\(encode($0.name))=\(encode($0.value))" }.joined(separator: "&")
  }
}
