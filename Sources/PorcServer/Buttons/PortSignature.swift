import Crypto
import Foundation
import HTTPTypes

/// Port's signature of a webhook: `x-port-signature` is `v1,` and the base64 of HMAC-SHA-256 over `x-port-timestamp`
/// (seconds since 1970), a dot and the bytes of the body. The key is a client secret of the organization.
struct PortSignature: Sendable, Equatable {
  private let timestamp: String
  private let time: Date
  private let code: Data

  /// How far the clocks, and a delivery's way, may be apart.
  static let tolerance: TimeInterval = 300

  /// Whether a request claims to be signed, well or badly.
  static func isClaimed(by headers: HTTPFields) -> Bool {
    headers[.portSignature] != nil || headers[.portTimestamp] != nil
  }

  /// - Returns: `nil` where there is none, or what is there cannot be one.
  init?(_ headers: HTTPFields) {
    guard let timestamp = headers[.portTimestamp], let header = headers[.portSignature],
      (1...16).contains(timestamp.utf8.count), timestamp.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let seconds = TimeInterval(timestamp)
    else { return nil }
    let parts = header.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "v1", let code = Data(base64Encoded: String(parts[1])),
      code.count == SHA256.byteCount
    else { return nil }
    self.timestamp = timestamp
    time = Date(timeIntervalSince1970: seconds)
    self.code = code
  }

  func isFresh(at now: Date) -> Bool { abs(now.timeIntervalSince(time)) <= Self.tolerance }

  /// Whether one of the secrets signs these bytes; compared in constant time.
  ///
  /// - Parameter agent: whether Port's agent may have sent them, which signs another form than it sends.
  func signs(_ body: [UInt8], with secrets: [String], agent: Bool = false) -> Bool {
    if isMade(over: body, secrets) { return true }
    guard agent, let signed = AgentForm.signed(body) else { return false }
    return isMade(over: signed, secrets)
  }

  private func isMade(over body: [UInt8], _ secrets: [String]) -> Bool {
    let signed = Array("\(timestamp).".utf8) + body
    return secrets.contains { secret in
      HMAC<SHA256>.isValidAuthenticationCode(
        code, authenticating: signed, using: SymmetricKey(data: Data(secret.utf8)))
    }
  }
}

/// What Port's agent signs: the JSON that it sends without white space between the tokens, and in ASCII alone. It sends
/// spaces after `:` and `,`. Keys keep their order and numbers their spelling, so nothing is decoded.
enum AgentForm {
  /// - Returns: `nil` for what is not UTF-8.
  static func signed(_ body: [UInt8]) -> [UInt8]? {
    guard let text = String(validating: body, as: UTF8.self) else { return nil }
    var signed: [UInt8] = []
    signed.reserveCapacity(body.count)
    var isInString = false
    var isEscaped = false
    for scalar in text.unicodeScalars {
      guard isInString else {
        if [" ", "\t", "\r", "\n"].contains(scalar) { continue }
        isInString = scalar == "\""
        append(scalar, to: &signed)
        continue
      }
      append(scalar, to: &signed)
      if isEscaped {
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
      } else if scalar == "\"" {
        isInString = false
      }
    }
    return signed
  }

  /// As Python's `json.dumps` writes it: what is not printable ASCII as `\u` and lower-case hexadecimal, in UTF-16.
  private static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
    guard !(0x20...0x7E).contains(scalar.value) else { return bytes.append(UInt8(scalar.value)) }
    for unit in UTF16.encode(scalar) ?? UTF16.EncodedScalar() {
      bytes += Array("\\u".utf8) + [UInt8(unit >> 8), UInt8(unit & 0xFF)].hex.utf8
    }
  }
}

extension HTTPField.Name {
  // Each is a token by RFC 9110, section 5.6.2.
  fileprivate static let portSignature = Self("x-port-signature")!
  fileprivate static let portTimestamp = Self("x-port-timestamp")!
}
