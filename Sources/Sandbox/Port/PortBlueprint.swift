/// A blueprint: what entities of it may hold. The document is kept as it was sent, with Port's stamps.
struct PortBlueprint: Sendable {
  struct Relation: Sendable {
    let target: String
    let isRequired: Bool
    let isMany: Bool
  }

  let identifier: String
  /// Port's JSON of it.
  private(set) var document: JSONValue
  /// The schema of each property.
  let properties: [String: JSONValue]
  let required: [String]
  let relations: [String: Relation]

  static let types = ["string", "number", "boolean", "object", "array"]
  static let formats = [
    "date-time", "url", "email", "idn-email", "ipv4", "ipv6", "markdown", "yaml", "user", "blueprints", "team", "timer",
    "proto", "labeled-url",
  ]
  static let enumColors = [
    "blue", "turquoise", "orange", "purple", "pink", "yellow", "green", "red", "gold", "silver", "paleBlue", "darkGray",
    "lightGray", "bronze", "lime", "olive", "brown",
  ]

  /// Reads a document, as sent or as stored.
  init(_ document: JSONValue) throws(PortFailure) {
    guard case .object = document else { throw .invalid("body must be object") }
    guard let identifier = document["identifier"].string, PortIdentifier.isBlueprint(identifier) else {
      throw .invalid("body/identifier must be a blueprint identifier")
    }
    guard let title = document["title"].string, (1...100).contains(title.count) else {
      throw .invalid("body/title must be a string of 1 to 100 characters")
    }
    guard document["description"].isNull || (document["description"].string?.count ?? .max) <= 200 else {
      throw .invalid("body/description must be a string of at most 200 characters")
    }
    guard let properties = document["schema"]["properties"].object else {
      throw .invalid("body/schema must have required property 'properties'")
    }
    for (key, schema) in properties { try Self.check(schema, key: key) }
    let required = (document["schema"]["required"].array ?? []).compactMap(\.string)
    for key in required where properties[key] == nil {
      throw .invalid("body/schema/required names '\(key)', which is not a property")
    }
    var relations: [String: Relation] = [:]
    for (key, relation) in document["relations"].object ?? [:] {
      guard PortIdentifier.isKey(key) else { throw .invalid("body/relations/\(key) is not a valid key") }
      guard let target = relation["target"].string, let isRequired = relation["required"].bool,
        let isMany = relation["many"].bool
      else { throw .invalid("body/relations/\(key) must have 'target', 'required' and 'many'") }
      relations[key] = Relation(target: target, isRequired: isRequired, isMany: isMany)
    }
    for (key, mirror) in document["mirrorProperties"].object ?? [:] {
      guard let first = mirror["path"].string?.split(separator: ".").first, relations[String(first)] != nil else {
        throw .invalid("body/mirrorProperties/\(key)/path must begin with a relation")
      }
    }
    self.identifier = identifier
    self.document = document
    self.properties = properties
    self.required = required
    self.relations = relations
  }

  private static func check(_ schema: JSONValue, key: String) throws(PortFailure) {
    let place = "body/schema/properties/\(key)"
    guard PortIdentifier.isKey(key) else { throw .invalid("\(place) is not a valid key") }
    guard let type = schema["type"].string, types.contains(type) else {
      throw .invalid("\(place)/type must be one of \(types.joined(separator: ", "))")
    }
    guard schema["format"].isNull || formats.contains(schema["format"].string ?? "") else {
      throw .invalid("\(place)/format must be one of \(formats.joined(separator: ", "))")
    }
    guard schema["title"].isNull || (schema["title"].string?.count ?? .max) <= 100 else {
      throw .invalid("\(place)/title must be a string of at most 100 characters")
    }
    for colors in [schema["enumColors"], schema["items"]["enumColors"]] {
      for (value, color) in colors.object ?? [:] where !enumColors.contains(color.string ?? "") {
        throw .invalid("\(place)/enumColors/\(value) must be one of \(enumColors.joined(separator: ", "))")
      }
    }
    if let pattern = schema["pattern"].string, (try? Regex(pattern)) == nil {
      throw .invalid("\(place)/pattern must be a regular expression")
    }
  }

  /// The same with the stamps of a write.
  func stamped(_ stamp: PortStamp, replacing old: PortBlueprint?) -> PortBlueprint {
    var copy = self
    copy.document["createdAt"] = old?.document["createdAt"] ?? .string(stamp.time)
    copy.document["createdBy"] = old?.document["createdBy"] ?? .string(stamp.author)
    copy.document["updatedAt"] = .string(stamp.time)
    copy.document["updatedBy"] = .string(stamp.author)
    return copy
  }
}

/// Who writes, and when.
struct PortStamp: Sendable {
  /// RFC 3339 in UTC with milliseconds.
  let time: String
  let author: String
  /// The writer's user agent: Port's `$datasource`.
  let datasource: String
  /// The action run that the write belongs to.
  var run: String?
}
