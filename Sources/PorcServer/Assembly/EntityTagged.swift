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

  /// 304 without a body where the client knows it already (RFC 9110, section 13.1.2).
  func response(unlessKnown known: String?, type: String = "application/json") -> Response {
    let tags = known?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
    var response =
      tags.contains(tag) || tags == ["*"] ? Response(status: .notModified) : .bytes(body, type: type)
    response.headers[.eTag] = tag
    response.headers[.cacheControl] = "no-cache"
    return response
  }
}
