import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// A strong entity tag (RFC 9110, section 8.8.3).
struct EntityTag: Sendable {
  /// In its quotes.
  let text: String

  /// - Parameter opaque: visible ASCII characters without quotes.
  init(_ opaque: String) { text = "\"\(opaque)\"" }

  /// Whether an `If-None-Match` names it. Proxies that compress make tags weak; the comparison is (RFC 9110, section
  /// 13.1.2).
  func isKnown(by header: String?) -> Bool {
    let tags = (header ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    return tags == ["*"] || tags.contains { $0 == text || $0 == "W/" + text }
  }
}

/// A representation with its strong entity tag.
struct EntityTagged: Sendable {
  let body: Data
  let tag: EntityTag

  init(_ body: Data) {
    self.body = body
    tag = EntityTag(SHA256.hash(data: body).prefix(12).hex)
  }

  /// 304 without a body where the client knows it already (RFC 9110, section 13.1.2).
  func response(unlessKnown known: String?, type: String = "application/json") -> Response {
    var response = tag.isKnown(by: known) ? Response(status: .notModified) : .bytes(body, type: type)
    response.headers[.eTag] = tag.text
    response.headers[.cacheControl] = "no-cache"
    return response
  }
}
