import Crypto
import FoundationEssentials

/// How Port signs what it sends: `x-port-signature` is `v1,` and the base64 of HMAC-SHA256 over `TIMESTAMP.BODY`, keyed by
/// the client secret (Port's documentation, "Webhook security").
struct WebhookSignature: Sendable {
  let timestamp: String
  let value: String

  init(of body: [UInt8], at now: Date, secret: String) {
    timestamp = String(Int(now.timeIntervalSince1970))
    var code = HMAC<SHA256>(key: SymmetricKey(data: Data(secret.utf8)))
    code.update(data: Data("\(timestamp).".utf8))
    code.update(data: Data(body))
    value = "v1," + Data(code.finalize()).base64EncodedString()
  }
}

extension JSONValue {
  /// The document as Python's `json.dumps` writes it, which Port's agent uses: characters beyond ASCII as `\uXXXX`, in
  /// lower case. The agent signs the form without spaces and sends the one with a space after each `:` and `,`.
  func pythonBytes(spaced: Bool) -> [UInt8] {
    switch self {
    case .array(let elements):
      return Self.joined(elements.map { $0.pythonBytes(spaced: spaced) }, "[", "]", spaced: spaced)
    case .object(let members):
      let parts = members.sorted { $0.key < $1.key }.map { key, value in
        JSONValue.string(key).pythonBytes(spaced: spaced) + (spaced ? ": " : ":").utf8
          + value.pythonBytes(spaced: spaced)
      }
      return Self.joined(parts, "{", "}", spaced: spaced)
    case .string:
      return Array(
        String(decoding: bytes, as: UTF8.self).utf16.flatMap { unit -> [UInt8] in
          guard unit >= 0x7F else { return [UInt8(unit)] }
          let hex = String(unit, radix: 16)
          return Array(("\\u" + String(repeating: "0", count: 4 - hex.count) + hex).utf8)
        })
    default: return bytes
    }
  }

  private static func joined(_ parts: [[UInt8]], _ open: String, _ close: String, spaced: Bool) -> [UInt8] {
    Array(open.utf8) + parts.joined(separator: (spaced ? ", " : ",").utf8) + Array(close.utf8)
  }
}
