import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// A representation with its strong entity tag.
struct EntityTagged: Sendable {
  let body: Data
  let tag: String

  init(_ body: Data) {
    self.body = body
    tag = "\"\(SHA256.hash(data: body).prefix(12).hex)\""
  }

  /// Whether an `If-None-Match` names it. Proxies that compress make tags weak; the comparison is (RFC 9110, section
  /// 13.1.2).
  func isKnown(by header: String?) -> Bool {
    let tags = (header ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    return tags == ["*"] || tags.contains { $0 == tag || $0 == "W/" + tag }
  }

  /// 304 without a body where the client knows it already (RFC 9110, section 13.1.2).
  func response(unlessKnown known: String?, type: String = "application/json") -> Response {
    var response = isKnown(by: known) ? Response(status: .notModified) : .bytes(body, type: type)
    response.headers[.eTag] = tag
    response.headers[.cacheControl] = "no-cache"
    return response
  }
}
