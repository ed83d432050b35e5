import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Which entities somebody wants.
struct BackstageQuery: Hashable, Sendable {
  var kind: BackstageEntity.Kind?
  var hasTemplates = true
  var hasInstances = true
  /// A page of so many.
  var page: Page?
  /// After this one, and at most so many.
  var cursor: RenderedEntity.Key?
  var limit: Int?

  struct Page: Hashable {
    var number: Int
    var count: Int
  }

  fileprivate func wants(_ entity: RenderedEntity) -> Bool {
    if let kind, entity.key.kind != kind { return false }
    if let cursor, entity.key <= cursor { return false }
    if let page, entity.page(of: page.count) != page.number { return false }
    if entity.key.kind == .system { return true }
    return entity.isTemplate ? hasTemplates : hasInstances
  }
}

/// The entities of one moment.
final class BackstageSnapshot: Sendable {
  /// By kind and then by name.
  private let entities: [RenderedEntity]
  private let selections = Mutex<[BackstageQuery: Selection]>([:])

  private struct Selection {
    var places: [Int]
    var next: RenderedEntity.Key?
    var digest: String
  }

  /// More of them are asked for only by who reads page by page, once each.
  private static let maximumSelections = 64

  init(_ entities: [RenderedEntity]) {
    self.entities = entities
  }

  enum Format: String, Sendable { case json, yaml }

  /// The answer, all of whose bytes are there already; 304 where the client knows them.
  func response(_ query: BackstageQuery, _ format: Format, unlessKnown known: String?) -> Response {
    let selection = selection(query)
    let tag = Self.tag(selection, format)
    var headers: HTTPFields = [
      .eTag: tag.text, .cacheControl: "private, no-cache", .referrerPolicy: "no-referrer",
    ]
    if tag.isKnown(by: known) { return Response(status: .notModified, headers: headers) }
    headers[.contentType] = format == .json ? "application/json" : "application/yaml"
    let parts = BackstageParts(
      entities: entities, places: selection.places, next: selection.next?.cursor, format: format)
    return Response(status: .ok, headers: headers, body: ResponseBody(contentLength: parts.count, parts.write))
  }

  /// The strong tag of the bytes that ``response(_:_:unlessKnown:)`` answers.
  func tag(_ query: BackstageQuery, _ format: Format) -> EntityTag { Self.tag(selection(query), format) }

  private static func tag(_ selection: Selection, _ format: Format) -> EntityTag {
    EntityTag("\(format.rawValue)-\(selection.digest)")
  }

  private func selection(_ query: BackstageQuery) -> Selection {
    if let known = selections.withLock({ $0[query] }) { return known }
    var places = entities.indices.filter { query.wants(entities[$0]) }
    var next: RenderedEntity.Key?
    if let limit = query.limit, places.count > limit {
      places.removeSubrange(limit...)
      next = places.last.map { entities[$0].key }
    }
    var hash = SHA256()
    for place in places { entities[place].digest.withUnsafeBytes { hash.update(bufferPointer: $0) } }
    hash.update(data: Data((next?.cursor ?? "").utf8))
    let selection = Selection(places: places, next: next, digest: hash.finalize().prefix(12).hex)
    selections.withLock { selections in
      if selections.count >= Self.maximumSelections { selections.removeAll() }
      selections[query] = selection
    }
    return selection
  }
}

extension RenderedEntity.Key {
  /// As it is sent for the next page.
  var cursor: String { "\(kind.rawValue):\(name)" }

  init?(cursor: String) {
    let parts = cursor.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let kind = BackstageEntity.Kind(rawValue: String(parts[0])) else { return nil }
    self.init(kind: kind, name: String(parts[1]))
  }
}

/// The bytes of an answer, in their order, without a copy of them all.
private struct BackstageParts: Sendable {
  let entities: [RenderedEntity]
  let places: [Int]
  let start: String
  /// Before an entity: the first, and any other.
  let before: (String, String)
  let end: String

  /// So much goes out at once.
  private static let chunk = 64 * 1024

  init(entities: [RenderedEntity], places: [Int], next: String?, format: BackstageSnapshot.Format) {
    self.entities = entities
    self.places = places
    switch format {
    case .json:
      // A name has no character that JSON would escape.
      start = "{\"items\":["
      before = ("\n", ",\n")
      end = "\n],\"next\":\(next.map { "\"\($0)\"" } ?? "null")}\n"
    case .yaml:
      // Without a document it is not nothing: that would look like an answer that was cut off.
      start = places.isEmpty ? "# There is nothing here.\n" : ""
      before = ("---\n", "\n---\n")
      end = places.isEmpty ? "" : "\n"
    }
  }

  var count: Int {
    let marks = places.isEmpty ? 0 : before.0.utf8.count + (places.count - 1) * before.1.utf8.count
    return start.utf8.count + marks + places.reduce(0) { $0 + entities[$1].bytes.readableBytes } + end.utf8.count
  }

  func write(_ writer: inout any ResponseBodyWriter) async throws {
    var buffer = ByteBuffer(string: start)
    for (number, place) in places.enumerated() {
      buffer.writeString(number == 0 ? before.0 : before.1)
      buffer.writeImmutableBuffer(entities[place].bytes)
      guard buffer.readableBytes >= Self.chunk else { continue }
      try await writer.write(buffer)
      buffer = ByteBuffer()
      buffer.reserveCapacity(Self.chunk + 8192)
    }
    buffer.writeString(end)
    try await writer.write(buffer)
    try await writer.finish(nil)
  }
}

extension HTTPField.Name {
  /// Referrer Policy, section 4.1.
  static let referrerPolicy = HTTPField.Name("Referrer-Policy")!  // a literal token, valid by RFC 9110
}
