import FoundationEssentials
import NIOCore

/// A resource that can be made from its JSON:API object.
protocol Resource: Sendable {
  init(_ source: ResourceSource) throws
}

/// A JSON:API resource object while it is being read:
/// `{"id", "type", "attributes": {…}, "relationships": {NAME: {"data": {"id", "type"}}}}`.
///
/// Reads by key and ignores the rest, so new fields do no harm.
struct ResourceSource {
  let id: String
  let type: String
  private let attributes: KeyedDecodingContainer<JSONKey>?
  private let relationships: KeyedDecodingContainer<JSONKey>?
  private let included: Included

  init(_ object: KeyedDecodingContainer<JSONKey>, included: Included) throws {
    id = try object.decode(String.self, forKey: "id")
    type = try object.decode(String.self, forKey: "type")
    attributes = try? object.nestedContainer(keyedBy: JSONKey.self, forKey: "attributes")
    relationships = try? object.nestedContainer(keyedBy: JSONKey.self, forKey: "relationships")
    self.included = included
  }

  /// An attribute that must be there.
  func require<T: Decodable>(_ key: JSONKey, as type: T.Type = T.self) throws -> T {
    guard let attributes else {
      throw DecodingError.keyNotFound(key, .init(codingPath: [], debugDescription: "no attributes"))
    }
    return try attributes.decode(T.self, forKey: key)
  }

  /// An attribute that may be absent or null.
  func optional<T: Decodable>(_ key: JSONKey, as type: T.Type = T.self) throws -> T? {
    try attributes?.decodeIfPresent(T.self, forKey: key)
  }

  /// All attributes, for resources that are nothing but a bag of them.
  func everyAttribute() throws -> [String: JSONValue] {
    guard let attributes else { return [:] }
    return try Dictionary(
      uniqueKeysWithValues: attributes.allKeys.map {
        ($0.stringValue, try attributes.decode(JSONValue.self, forKey: $0))
      })
  }

  /// A flag that is false where it is absent or null.
  func flag(_ key: JSONKey) throws -> Bool { try optional(key) ?? false }

  /// A time; absent where it is null or not one.
  func date(_ key: JSONKey) throws -> Date? {
    try optional(key, as: String.self).flatMap(Date.init(tfeTimestamp:))
  }

  /// The object `status-timestamps`: when each status was reached.
  func timestamps() throws -> [String: Date] {
    try optional("status-timestamps", as: [String: String?].self)?
      .compactMapValues { $0.flatMap(Date.init(tfeTimestamp:)) } ?? [:]
  }

  /// The id of a to-one relationship.
  func one(_ key: JSONKey) -> String? { (try? identifier(key))?.id }

  /// Id and type of a to-one relationship that may lead to resources of several types.
  func reference(_ key: JSONKey) -> ResourceIdentifier? { try? identifier(key) }

  /// The ids of a to-many relationship.
  func many(_ key: JSONKey) -> [String] { ((try? identifiers(key)) ?? []).map(\.id) }

  /// The object of a to-one relationship, where the document includes it.
  func included<R: Resource>(_ key: JSONKey, as type: R.Type = R.self) throws -> R? {
    guard let identifier = try? identifier(key), let source = included.sources[identifier] else { return nil }
    return try R(source)
  }

  /// The objects of a to-many relationship that the document includes.
  func includedAll<R: Resource>(_ key: JSONKey, as type: R.Type = R.self) throws -> [R] {
    try ((try? identifiers(key)) ?? []).compactMap { included.sources[$0] }.map { try R($0) }
  }

  private func identifier(_ key: JSONKey) throws -> ResourceIdentifier? {
    try relationships?.nestedContainer(keyedBy: JSONKey.self, forKey: key)
      .decodeIfPresent(ResourceIdentifier.self, forKey: "data")
  }

  private func identifiers(_ key: JSONKey) throws -> [ResourceIdentifier]? {
    try relationships?.nestedContainer(keyedBy: JSONKey.self, forKey: key)
      .decodeIfPresent([ResourceIdentifier].self, forKey: "data")
  }
}

struct ResourceIdentifier: Codable, Hashable {
  var id: String
  var type: String
}

/// The `included` objects of a document, found by identifier. A class, because they refer to each other.
final class Included {
  fileprivate(set) var sources: [ResourceIdentifier: ResourceSource] = [:]

  init(_ document: KeyedDecodingContainer<JSONKey>) throws {
    guard document.contains("included"), try !document.decodeNil(forKey: "included") else { return }
    var list = try document.nestedUnkeyedContainer(forKey: "included")
    while !list.isAtEnd {
      let source = try ResourceSource(list.nestedContainer(keyedBy: JSONKey.self), included: self)
      sources[ResourceIdentifier(id: source.id, type: source.type)] = source
    }
  }
}

/// `{"data": {…}, "included": […]}`
struct SingleDocument<R: Resource>: Decodable {
  let resource: R

  init(from decoder: any Decoder) throws {
    let document = try decoder.container(keyedBy: JSONKey.self)
    let included = try Included(document)
    let data = try document.nestedContainer(keyedBy: JSONKey.self, forKey: "data")
    // The index and its entries refer to each other; they are needed for this one decoding.
    defer { included.sources = [:] }
    resource = try R(ResourceSource(data, included: included))
  }
}

/// `{"data": [{…}], "included": […], "meta": {"pagination": {"next-page": 2}}}`
struct ListDocument<R: Resource>: Decodable {
  let resources: [R]
  let nextPage: Int?

  init(from decoder: any Decoder) throws {
    let document = try decoder.container(keyedBy: JSONKey.self)
    let included = try Included(document)
    defer { included.sources = [:] }
    var list = try document.nestedUnkeyedContainer(forKey: "data")
    var resources: [R] = []
    while !list.isAtEnd {
      resources.append(
        try R(ResourceSource(list.nestedContainer(keyedBy: JSONKey.self), included: included)))
    }
    self.resources = resources
    let meta = try? document.nestedContainer(keyedBy: JSONKey.self, forKey: "meta")
    let pagination = try? meta?.nestedContainer(keyedBy: JSONKey.self, forKey: "pagination")
    nextPage = try pagination?.decodeIfPresent(Int.self, forKey: "next-page")
  }
}

/// A JSON:API request: `{"data": {"type", "attributes": {…}, "relationships": {…}}}`.
struct RequestDocument {
  var type: String
  var id: String?
  /// Those that are `nil` are left out; null is `.null`.
  var attributes: [String: JSONValue?] = [:]
  var relationships: [String: JSONValue?] = [:]

  static func one(_ type: String, _ id: String?) -> JSONValue? {
    id.map { ["data": ["type": .string(type), "id": .string($0)]] }
  }

  func body() throws -> Call.Body {
    var data: [String: JSONValue] = ["type": .string(type), "attributes": .object(attributes.compactMapValues { $0 })]
    data["id"] = id.map(JSONValue.string)
    let relationships = relationships.compactMapValues { $0 }
    if !relationships.isEmpty { data["relationships"] = .object(relationships) }
    return try .json(["data": .object(data)], contentType: "application/vnd.api+json")
  }
}

extension Call.Body {
  /// A JSON body; keys are sorted, so that equal requests are equal bytes.
  static func json(_ value: JSONValue, contentType: String) throws -> Call.Body {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Call.Body(contentType: contentType, bytes: ByteBuffer(bytes: try encoder.encode(value)))
  }

  /// The optional body of an action: `{"comment": "…"}`.
  static func comment(_ text: String?) throws -> Call.Body? {
    try text.map { try json(["comment": .string($0)], contentType: "application/vnd.api+json") }
  }
}

/// A member name of a JSON object.
struct JSONKey: CodingKey, ExpressibleByStringLiteral {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringLiteral value: String) { stringValue = value }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Date {
  /// A timestamp of the API: RFC 3339, with or without fractions of a second.
  init?(tfeTimestamp text: String) {
    let plain = Date.ISO8601FormatStyle()
    let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let date = (try? fractional.parse(text)) ?? (try? plain.parse(text)) else { return nil }
    self = date
  }
}
