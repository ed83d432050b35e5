/// An entity as Port keeps it.
struct PortEntity: Sendable {
  let blueprint: String
  var identifier: String
  var title: String?
  var icon: String?
  /// Text or a list of texts; null for none.
  var team: JSONValue = .null
  var properties: [String: JSONValue] = [:]
  /// One identifier, or a list of them.
  var relations: [String: JSONValue] = [:]
  var createdAt: String
  var createdBy: String
  var updatedAt: String
  var updatedBy: String
  /// The user agent of whoever wrote it last. It is searched for, and not shown.
  var datasource: String

  /// An empty one.
  init(_ identifier: String, of blueprint: String, _ stamp: PortStamp) {
    self.blueprint = blueprint
    self.identifier = identifier
    (createdAt, createdBy) = (stamp.time, stamp.author)
    (updatedAt, updatedBy) = (stamp.time, stamp.author)
    datasource = stamp.datasource
  }

  /// Reads ``stored`` back.
  init?(_ json: JSONValue) {
    guard let blueprint = json["blueprint"].string, let identifier = json["identifier"].string else { return nil }
    self.blueprint = blueprint
    self.identifier = identifier
    title = json["title"].string
    icon = json["icon"].string
    team = json["team"]
    properties = json["properties"].object ?? [:]
    relations = json["relations"].object ?? [:]
    createdAt = json["createdAt"].string ?? ""
    createdBy = json["createdBy"].string ?? ""
    updatedAt = json["updatedAt"].string ?? ""
    updatedBy = json["updatedBy"].string ?? ""
    datasource = json["_datasource"].string ?? ""
  }

  /// What Port answers.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "identifier": .string(identifier), "blueprint": .string(blueprint), "properties": .object(properties),
      "relations": .object(relations), "createdAt": .string(createdAt), "createdBy": .string(createdBy),
      "updatedAt": .string(updatedAt), "updatedBy": .string(updatedBy),
    ]
    members["title"] = title.map(JSONValue.string)
    members["icon"] = icon.map(JSONValue.string)
    members["team"] = team.isNull ? [] : team
    return .object(members)
  }

  /// What is kept: ``json``, and what is not shown.
  var stored: JSONValue {
    var document = json
    document["_datasource"] = .string(datasource)
    return document
  }

  /// The identifiers that a relation points at.
  func targets(of relation: String) -> [String] {
    switch relations[relation] {
    case .string(let identifier)?: [identifier]
    case .array(let identifiers)?: identifiers.compactMap(\.string)
    default: []
    }
  }
}

extension PortEntity {
  /// Takes over what `body` says: all of it, or under merge what it names. Null clears. Property values are replaced
  /// whole, also those that are objects or lists.
  mutating func take(_ body: JSONValue) throws(PortFailure) {
    guard let members = body.object else { throw .invalid("body must be object") }
    if let value = members["title"] { title = try Self.text(value, "title") }
    if let value = members["icon"] { icon = try Self.text(value, "icon") }
    if let value = members["team"] {
      switch value {
      case .null, .string: team = value
      case .array(let names) where names.allSatisfy({ $0.string != nil }): team = value
      default: throw .invalid("body/team must be a string or a list of strings; the sandbox resolves no queries")
      }
    }
    if let value = members["properties"] {
      guard let sent = value.object else { throw .invalid("body/properties must be object") }
      for (key, value) in sent { Self.set(key, of: &properties, to: value) }
    }
    if let value = members["relations"] {
      guard let sent = value.object else { throw .invalid("body/relations must be object") }
      for (key, value) in sent { Self.set(key, of: &relations, to: value) }
    }
  }

  private static func set(_ key: String, of members: inout [String: JSONValue], to value: JSONValue) {
    if value.isNull { members.removeValue(forKey: key) } else { members[key] = value }
  }

  private static func text(_ value: JSONValue, _ name: String) throws(PortFailure) -> String? {
    guard value.isNull || value.string != nil else { throw .invalid("body/\(name) must be string") }
    return value.string
  }

  /// The parts of ``json`` that are wanted. Paths are `$title`, `title`, `properties`, `properties.x`, `relations.x`, or
  /// the bare key of a property or relation. The identifier and the blueprint always stay.
  func json(including include: [String]?, excluding exclude: [String]) -> JSONValue {
    var members = json.object ?? [:]
    if let include {
      let kept = include.map(Self.path)
      members = members.filter { name, _ in
        ["identifier", "blueprint", "properties", "relations"].contains(name) || kept.contains { $0.top == name }
      }
      for name in ["properties", "relations"] where !kept.contains(where: { $0.top == name && $0.key == nil }) {
        let keys = kept.compactMap { $0.top == name || $0.top == nil ? $0.key : nil }
        members[name] = members[name]?.object.map { .object($0.filter { keys.contains($0.key) }) }
      }
    }
    for path in exclude.map(Self.path) {
      for name in path.top.map({ [$0] }) ?? ["properties", "relations"] {
        guard let key = path.key else {
          members.removeValue(forKey: name)
          continue
        }
        members[name] = members[name]?.object.map { .object($0.filter { $0.key != key }) }
      }
    }
    return .object(members)
  }

  private static let topNames = [
    "identifier", "title", "icon", "team", "blueprint", "properties", "relations", "createdAt", "createdBy",
    "updatedAt", "updatedBy",
  ]

  /// A path as a top-level member, a key within it, or both; a bare key may be of either `properties` or `relations`.
  private static func path(_ text: String) -> (top: String?, key: String?) {
    let text = text.hasPrefix("$") ? String(text.dropFirst()) : text
    if topNames.contains(text) { return (text, nil) }
    for name in ["properties", "relations"] where text.hasPrefix(name + ".") {
      return (name, String(text.dropFirst(name.count + 1)))
    }
    return (nil, text)
  }
}
