extension PortRegistry {
  /// What a write does with an entity that exists, or does not.
  enum WriteMode: Sendable {
    /// Refused where it exists.
    case create
    /// Created, or replaced whole.
    case replaceOrCreate
    /// Created, or changed in what is sent.
    case mergeOrCreate
    /// Replaced whole; refused where it does not exist.
    case replace
    /// Changed in what is sent; refused where it does not exist.
    case merge

    var merges: Bool { self == .mergeOrCreate || self == .merge }
  }

  struct Written: Sendable {
    let entity: PortEntity
    let isNew: Bool
    let changes: [Change]
  }

  /// What writing `body` as an entity leads to.
  ///
  /// - Parameters:
  ///   - identifier: of the entity meant; nil where the body says it.
  ///   - createsMissing: whether unknown relation targets are created empty.
  func writing(
    _ body: JSONValue, of blueprintID: String, identifier: String? = nil, _ mode: WriteMode,
    createsMissing: Bool = false,
    _ stamp: PortStamp
  ) throws(PortFailure) -> Written {
    let blueprint = try blueprint(blueprintID)
    guard let sent = body.object else { throw .invalid("body must be object") }
    let name = try newName(sent["identifier"], for: identifier)
    let existing = entities[blueprintID]?[identifier ?? name]
    switch mode {
    case .create where existing != nil:
      throw .conflict("already_exists", "Entity with identifier \"\(name)\" already exists")
    case .replace where existing == nil, .merge where existing == nil: throw .notFound("Entity", identifier ?? name)
    default: break
    }
    var entity = PortEntity(name, of: blueprintID, stamp)
    if let existing {
      if mode.merges { entity = existing }
      (entity.createdAt, entity.createdBy) = (existing.createdAt, existing.createdBy)
      (entity.identifier, entity.updatedAt, entity.updatedBy) = (name, stamp.time, stamp.author)
      entity.datasource = stamp.datasource
    }
    try entity.take(body)
    try check(entity, sent: sent, against: blueprint)
    var changes = try missingTargets(
      of: entity, sent: sent["relations"]?.object ?? [:], blueprint, create: createsMissing, stamp)
    if let existing, existing.identifier != name { changes += try renaming(existing, to: name) }
    changes.append(.put(entity))
    return Written(entity: entity, isNew: existing == nil, changes: changes)
  }

  private func newName(_ sent: JSONValue?, for identifier: String?) throws(PortFailure) -> String {
    guard let sent, !sent.isNull else { return identifier ?? PortIdentifier.random() }
    guard let name = sent.string, PortIdentifier.isEntity(name) else {
      throw .invalid("body/identifier must be an entity identifier; the sandbox resolves no queries")
    }
    return name
  }

  private func check(
    _ entity: PortEntity, sent: [String: JSONValue], against blueprint: PortBlueprint
  ) throws(PortFailure) {
    for (key, value) in (sent["properties"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let schema = blueprint.properties[key] else {
        throw .invalid("body/properties must NOT have additional property '\(key)'")
      }
      if !value.isNull, let problem = PropertyCheck.problem(value, schema) {
        throw .invalid("body/properties/\(key) \(problem)")
      }
    }
    for key in blueprint.required where entity.properties[key] == nil {
      throw .invalid("body/properties must have required property '\(key)'")
    }
    for (key, value) in (sent["relations"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let relation = blueprint.relations[key] else {
        throw .invalid("body/relations must NOT have additional property '\(key)'")
      }
      switch value {
      case .null: break
      case .string(let target) where !relation.isMany && PortIdentifier.isEntity(target): break
      case .array(let targets)
      where relation.isMany && targets.allSatisfy({ PortIdentifier.isEntity($0.string ?? "") }): break
      default:
        throw .invalid("body/relations/\(key) must be \(relation.isMany ? "a list of identifiers" : "an identifier")")
      }
    }
    for (key, relation) in blueprint.relations where relation.isRequired && entity.targets(of: key).isEmpty {
      throw .invalid("body/relations must have required property '\(key)'")
    }
  }

  /// The empty entities to create for relation targets that do not exist; refused unless they may be created.
  private func missingTargets(
    of entity: PortEntity, sent: [String: JSONValue], _ blueprint: PortBlueprint, create: Bool, _ stamp: PortStamp
  ) throws(PortFailure) -> [Change] {
    var changes: [Change] = []
    for key in sent.keys.sorted() {
      guard let target = blueprint.relations[key]?.target else { continue }
      for identifier in entity.targets(of: key) where entities[target]?[identifier] == nil {
        if target == entity.blueprint, identifier == entity.identifier { continue }
        guard create else { throw .notFound("Entity", identifier) }
        let targetBlueprint = try self.blueprint(target)
        let missing = PortEntity(identifier, of: target, stamp)
        try check(missing, sent: [:], against: targetBlueprint)
        changes.append(.put(missing))
      }
    }
    return changes
  }

  /// Everything that changes with an entity's identifier but the entity itself.
  private func renaming(_ entity: PortEntity, to name: String) throws(PortFailure) -> [Change] {
    guard entities[entity.blueprint]?[name] == nil else {
      throw .conflict("already_exists", "Entity with identifier \"\(name)\" already exists")
    }
    var changes = [Change.remove(blueprint: entity.blueprint, identifier: entity.identifier)]
    let renamed = { (value: JSONValue) in value == .string(entity.identifier) ? JSONValue.string(name) : value }
    for (var referrer, keys) in referrers(of: entity.blueprint, entity.identifier) {
      for key in keys {
        referrer.relations[key] = referrer.relations[key].map { value in
          value.array.map { .array($0.map(renamed)) } ?? renamed(value)
        }
      }
      changes.append(.put(referrer))
    }
    return changes
  }

  /// The other entities that relate to one, each with the keys of the relations that do.
  private func referrers(of blueprint: String, _ identifier: String) -> [(PortEntity, [String])] {
    blueprints.values.flatMap { other -> [(PortEntity, [String])] in
      let keys = other.relations.filter { $0.value.target == blueprint }.map(\.key)
      if keys.isEmpty { return [] }
      return (entities[other.identifier] ?? [:]).values.compactMap { entity in
        guard (entity.blueprint, entity.identifier) != (blueprint, identifier) else { return nil }
        let pointing = keys.filter { entity.targets(of: $0).contains(identifier) }
        return pointing.isEmpty ? nil : (entity, pointing)
      }
    }
  }

  /// Entities gone, and with them, or not at all, those that relate to them.
  func removing(
    entities identifiers: [String], of blueprint: String, withDependents: Bool
  ) throws(PortFailure) -> [Change] {
    var gone: Set<Key> = []
    var queue = identifiers.map { Key(blueprint: blueprint, identifier: $0) }
    let asked = Set(queue)
    while let key = queue.popLast() {
      guard gone.insert(key).inserted else { continue }
      for (dependent, _) in referrers(of: key.blueprint, key.identifier) {
        let other = Key(blueprint: dependent.blueprint, identifier: dependent.identifier)
        guard withDependents || asked.contains(other) else {
          throw .conflict(
            "has_dependents", "Entity \"\(key.identifier)\" is related to by \"\(dependent.identifier)\"")
        }
        queue.append(other)
      }
    }
    return gone.map { .remove(blueprint: $0.blueprint, identifier: $0.identifier) }
  }

  /// What an entity is called, in all of Port.
  struct Key: Hashable {
    let blueprint: String
    let identifier: String
  }

  /// Whether relations lead from one entity to another, by however many steps, but not by none.
  func leads(from start: Key, to end: Key, onlyRequired: Bool) -> Bool {
    var seen: Set<Key> = []
    var queue = [start]
    while let key = queue.popLast() {
      guard let entity = entities[key.blueprint]?[key.identifier] else { continue }
      for (name, relation) in blueprints[key.blueprint]?.relations ?? [:] where relation.isRequired || !onlyRequired {
        for target in entity.targets(of: name) {
          let next = Key(blueprint: relation.target, identifier: target)
          if next == end { return true }
          if seen.insert(next).inserted { queue.append(next) }
        }
      }
    }
    return false
  }
}
