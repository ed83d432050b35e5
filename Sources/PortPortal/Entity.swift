public import Foundation

/// An entity of Port's catalog.
///
/// ```json
/// {"identifier": "gke-dev-west", "title": "GKE Dev", "team": ["platform"],
///  "properties": {"region": "us-west1"}, "relations": {"template": "gke-cluster-1-0-0"}}
/// ```
public struct Entity: Sendable, Hashable {
  /// Unique in its blueprint: letters, digits and `@_.+:\/='-`, at most 1,000 characters, not `.` or `..`.
  public var identifier: String
  /// nil leaves the title alone in a merge, and clears it in a replacement; so do `icon` and `team`.
  public var title: String?
  public var icon: String?
  /// The teams that own it. Read: always a list, also where Port keeps one name.
  public var team: [String]?
  /// By property identifier; `.null` clears one in a merge. Read: calculated and mirrored properties as well.
  public var properties: [String: JSON]
  /// By relation identifier: an entity's identifier, an array of them, or `.null`.
  public var relations: [String: JSON]

  /// What Port adds to an entity when it is read. Never sent.
  public var blueprint: String?
  public var createdAt: Date?
  public var updatedAt: Date?

  public init(
    identifier: String, title: String? = nil, icon: String? = nil, team: [String]? = nil,
    properties: [String: JSON] = [:], relations: [String: JSON] = [:]
  ) {
    self.identifier = identifier
    self.title = title
    self.icon = icon
    self.team = team
    self.properties = properties
    self.relations = relations
  }
}

extension Entity: Decodable {
  private enum Key: String, CodingKey {
    case identifier, title, icon, team, properties, relations, blueprint, createdAt, updatedAt
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    self.init(
      identifier: try container.decode(String.self, forKey: .identifier),
      title: try container.decodeIfPresent(String.self, forKey: .title),
      icon: try container.decodeIfPresent(String.self, forKey: .icon),
      team: Self.teams(try container.decodeIfPresent(JSON.self, forKey: .team)),
      // Absent where a search leaves them out (`include`, `exclude`).
      properties: try container.decodeIfPresent([String: JSON].self, forKey: .properties) ?? [:],
      relations: try container.decodeIfPresent([String: JSON].self, forKey: .relations) ?? [:])
    blueprint = try container.decodeIfPresent(String.self, forKey: .blueprint)
    createdAt = try container.decodeIfPresent(String.self, forKey: .createdAt).flatMap(Self.instant)
    updatedAt = try container.decodeIfPresent(String.self, forKey: .updatedAt).flatMap(Self.instant)
  }

  private static func teams(_ value: JSON?) -> [String]? {
    switch value {
    case .string(let team): [team]
    case .array(let teams): teams.compactMap(\.string)
    default: nil
    }
  }

  static func instant(_ text: String) -> Date? {
    (try? Date(text, strategy: .iso8601.time(includingFractionalSeconds: true)))
      ?? (try? Date(text, strategy: .iso8601))
  }
}

/// What is sent of an entity. Port's own document lets a write carry more keys, but not a PATCH; none is needed.
struct EntityBody: Encodable {
  let entity: Entity
  /// Names the blueprint in the body and leaves out what the `.entities` dialect does not know.
  var plainBlueprint: String?

  private enum Key: String, CodingKey { case identifier, title, icon, team, properties, relations, blueprint }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(entity.identifier, forKey: .identifier)
    try container.encodeIfPresent(entity.title, forKey: .title)
    try container.encode(entity.properties, forKey: .properties)
    try container.encode(entity.relations, forKey: .relations)
    if let plainBlueprint {
      try container.encode(plainBlueprint, forKey: .blueprint)
    } else {
      try container.encodeIfPresent(entity.icon, forKey: .icon)
      try container.encodeIfPresent(entity.team, forKey: .team)
    }
  }
}

/// A change to an entity that exists. What is nil stays as it is; `.null` clears.
public struct EntityPatch: Sendable, Hashable, Encodable {
  /// A new identifier: renames the entity.
  public var identifier: String?
  public var title: JSON?
  public var icon: JSON?
  /// A name, an array of names, or `.null`.
  public var team: JSON?
  /// Only the keys given change; the value of a key is replaced as a whole.
  public var properties: [String: JSON]?
  public var relations: [String: JSON]?

  public init(
    identifier: String? = nil, title: JSON? = nil, icon: JSON? = nil, team: JSON? = nil,
    properties: [String: JSON]? = nil, relations: [String: JSON]? = nil
  ) {
    self.identifier = identifier
    self.title = title
    self.icon = icon
    self.team = team
    self.properties = properties
    self.relations = relations
  }
}
