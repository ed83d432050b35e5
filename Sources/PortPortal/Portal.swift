/// Port's own nouns, where the bare word means something else to whoever uses this module.
public enum Portal {
  /// A kind of entity: its properties and how it relates to others.
  ///
  /// ```json
  /// {"identifier": "service", "title": "Service", "icon": "Service",
  ///  "schema": {"properties": {"tier": {"type": "string", "enum": ["gold", "basic"]}}, "required": []},
  ///  "relations": {"team": {"title": "Team", "target": "team", "required": false, "many": false}}}
  /// ```
  public struct Blueprint: Sendable, Hashable {
    /// At most 100 characters: letters, digits and `@_.+:\/-`.
    public var identifier: String
    public var title: String
    public var description: String?
    public var icon: String?
    public var schema: Schema
    public var relations: [String: Relation]
    /// Read through relations: `{"path": "template.version", "title": "…"}` by identifier.
    public var mirrorProperties: [String: JSON]
    /// Computed by Port with jq.
    public var calculationProperties: [String: JSON]
    /// Computed by Port over related entities, about every 15 minutes.
    public var aggregationProperties: [String: JSON]
    /// `{"type": "Direct"}`, or `{"type": "Inherited", "path": "…"}`.
    public var ownership: JSON?

    public init(
      identifier: String, title: String, description: String? = nil, icon: String? = nil, schema: Schema,
      relations: [String: Relation] = [:], mirrorProperties: [String: JSON] = [:],
      calculationProperties: [String: JSON] = [:], aggregationProperties: [String: JSON] = [:],
      ownership: JSON? = nil
    ) {
      self.identifier = identifier
      self.title = title
      self.description = description
      self.icon = icon
      self.schema = schema
      self.relations = relations
      self.mirrorProperties = mirrorProperties
      self.calculationProperties = calculationProperties
      self.aggregationProperties = aggregationProperties
      self.ownership = ownership
    }
  }
}

extension Portal.Blueprint {
  /// The properties of its entities, each as Port's JSON Schema dialect: `{"type": "string", "format": "url", …}`.
  public struct Schema: Sendable, Hashable, Codable {
    public var properties: [String: JSON]
    public var required: [String]

    public init(properties: [String: JSON], required: [String] = []) {
      self.properties = properties
      self.required = required
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      properties = try container.decode([String: JSON].self, forKey: .properties)
      required = try container.decodeIfPresent([String].self, forKey: .required) ?? []
    }
  }

  /// A pointer to an entity of another blueprint, or to several.
  public struct Relation: Sendable, Hashable, Codable {
    public var title: String?
    /// The other blueprint's identifier.
    public var target: String
    public var required: Bool
    public var many: Bool
    public var description: String?
    public var type: String?

    public init(
      title: String? = nil, target: String, required: Bool = false, many: Bool = false, description: String? = nil
    ) {
      self.title = title
      self.target = target
      self.required = required
      self.many = many
      self.description = description
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      title = try container.decodeIfPresent(String.self, forKey: .title)
      target = try container.decode(String.self, forKey: .target)
      required = try container.decodeIfPresent(Bool.self, forKey: .required) ?? false
      many = try container.decodeIfPresent(Bool.self, forKey: .many) ?? false
      description = try container.decodeIfPresent(String.self, forKey: .description)
      type = try container.decodeIfPresent(String.self, forKey: .type)
    }
  }

  /// The parts of a blueprint to change. What is nil stays as it is; what is given is sent as a whole.
  public struct Patch: Sendable, Hashable, Encodable {
    public var title: String?
    public var description: String?
    public var icon: String?
    public var schema: Schema?
    public var relations: [String: Relation]?
    public var mirrorProperties: [String: JSON]?
    public var calculationProperties: [String: JSON]?
    public var aggregationProperties: [String: JSON]?
    public var ownership: JSON?

    public init(
      title: String? = nil, description: String? = nil, icon: String? = nil, schema: Schema? = nil,
      relations: [String: Relation]? = nil, mirrorProperties: [String: JSON]? = nil,
      calculationProperties: [String: JSON]? = nil, aggregationProperties: [String: JSON]? = nil,
      ownership: JSON? = nil
    ) {
      self.title = title
      self.description = description
      self.icon = icon
      self.schema = schema
      self.relations = relations
      self.mirrorProperties = mirrorProperties
      self.calculationProperties = calculationProperties
      self.aggregationProperties = aggregationProperties
      self.ownership = ownership
    }
  }
}

extension Portal.Blueprint: Codable {
  private enum CodingKeys: String, CodingKey {
    case identifier, title, description, icon, schema, relations, mirrorProperties, calculationProperties
    case aggregationProperties, ownership
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      identifier: try container.decode(String.self, forKey: .identifier),
      title: try container.decodeIfPresent(String.self, forKey: .title) ?? "",
      description: try container.decodeIfPresent(String.self, forKey: .description),
      icon: try container.decodeIfPresent(String.self, forKey: .icon),
      schema: try container.decodeIfPresent(Schema.self, forKey: .schema) ?? Schema(properties: [:]),
      relations: try container.decodeIfPresent([String: Relation].self, forKey: .relations) ?? [:],
      mirrorProperties: try container.decodeIfPresent([String: JSON].self, forKey: .mirrorProperties) ?? [:],
      calculationProperties: try container.decodeIfPresent([String: JSON].self, forKey: .calculationProperties) ?? [:],
      aggregationProperties: try container.decodeIfPresent([String: JSON].self, forKey: .aggregationProperties) ?? [:],
      ownership: try container.decodeIfPresent(JSON.self, forKey: .ownership))
  }
}
