/// All blueprints, entities, actions, runs, secrets and integrations, and the decisions about changing them. Changes come
/// back as values: whoever decides to keep them applies them here and stores them.
struct PortRegistry: Sendable {
  enum Change: Sendable {
    case putBlueprint(PortBlueprint)
    case removeBlueprint(String)
    case put(PortEntity)
    case remove(blueprint: String, identifier: String)
    case putAction(PortAction)
    case removeAction(String)
    case putRun(PortActionRun)
    /// With its log.
    case removeRun(String)
    case addLog(PortRunLog)
    case putSecret(PortSecret)
    case removeSecret(String)
    case putIntegration(PortIntegration)
    case removeIntegration(String)
    case setAgentStreamer(PortAgentStreamer)
  }

  private(set) var blueprints: [String: PortBlueprint] = [:]
  /// By blueprint, then by identifier.
  private(set) var entities: [String: [String: PortEntity]] = [:]
  private(set) var actions: [String: PortAction] = [:]
  private(set) var runs: [String: PortActionRun] = [:]
  /// By run, oldest first.
  private(set) var runLogs: [String: [PortRunLog]] = [:]
  private(set) var secrets: [String: PortSecret] = [:]
  private(set) var integrations: [String: PortIntegration] = [:]
  private(set) var agentStreamer = PortAgentStreamer.kafka
  /// Counts the changes.
  private(set) var version = 0

  mutating func apply(_ change: Change) {
    version += 1
    switch change {
    case .putBlueprint(let blueprint): blueprints[blueprint.identifier] = blueprint
    case .removeBlueprint(let identifier):
      blueprints[identifier] = nil
      entities[identifier] = nil
    case .put(let entity): entities[entity.blueprint, default: [:]][entity.identifier] = entity
    case .remove(let blueprint, let identifier): entities[blueprint]?[identifier] = nil
    case .putAction(let action): actions[action.identifier] = action
    case .removeAction(let identifier): actions[identifier] = nil
    case .putRun(let run): runs[run.id] = run
    case .removeRun(let id):
      runs[id] = nil
      runLogs[id] = nil
    case .addLog(let log): runLogs[log.runID, default: []].append(log)
    case .putSecret(let secret): secrets[secret.name] = secret
    case .removeSecret(let name): secrets[name] = nil
    case .putIntegration(let integration): integrations[integration.identifier] = integration
    case .removeIntegration(let identifier): integrations[identifier] = nil
    case .setAgentStreamer(let streamer): agentStreamer = streamer
    }
  }

  func blueprint(_ identifier: String) throws(PortFailure) -> PortBlueprint {
    guard let blueprint = blueprints[identifier] else { throw .notFound("Blueprint", identifier) }
    return blueprint
  }

  func entity(_ identifier: String, of blueprint: String) throws(PortFailure) -> PortEntity {
    _ = try self.blueprint(blueprint)
    guard let entity = entities[blueprint]?[identifier] else { throw .notFound("Entity", identifier) }
    return entity
  }

  /// The entities of a blueprint, ordered by identifier.
  func entities(of blueprint: String) throws(PortFailure) -> [PortEntity] {
    _ = try self.blueprint(blueprint)
    return (entities[blueprint] ?? [:]).values.sorted { $0.identifier < $1.identifier }
  }
}

extension PortRegistry {
  /// A new blueprint.
  func creating(_ document: JSONValue, _ stamp: PortStamp) throws(PortFailure) -> (PortBlueprint, [Change]) {
    let blueprint = try PortBlueprint(document)
    guard blueprints[blueprint.identifier] == nil else {
      throw .conflict("already_exists", "Blueprint with identifier \"\(blueprint.identifier)\" already exists")
    }
    try checkTargets(of: blueprint)
    let stamped = blueprint.stamped(stamp, replacing: nil)
    return (stamped, [.putBlueprint(stamped)])
  }

  /// A blueprint changed: replaced by `document`, or under merge in the top-level parts that `document` has.
  ///
  /// What entities hold of properties and relations that are gone goes too. A property's type cannot change.
  func changing(
    _ identifier: String, to document: JSONValue, merging: Bool, _ stamp: PortStamp
  ) throws(PortFailure) -> (PortBlueprint, [Change]) {
    let old = try blueprint(identifier)
    guard let sent = document.object else { throw .invalid("body must be object") }
    var whole = merging ? old.document : .object([:])
    for (name, value) in sent { whole[name] = value }
    if sent["identifier"] == nil { whole["identifier"] = .string(identifier) }
    let new = try PortBlueprint(whole)
    guard new.identifier == identifier else { throw .invalid("The sandbox does not rename blueprints") }
    for (key, schema) in new.properties {
      guard let before = old.properties[key], before["type"] != schema["type"] else { continue }
      throw .invalid("body/schema/properties/\(key)/type cannot be changed from \(before["type"].text)")
    }
    try checkTargets(of: new)
    let stamped = new.stamped(stamp, replacing: old)
    var changes = [Change.putBlueprint(stamped)]
    for var entity in (entities[identifier] ?? [:]).values {
      let (properties, relations) = (entity.properties.count, entity.relations.count)
      entity.properties = entity.properties.filter { new.properties[$0.key] != nil }
      entity.relations = entity.relations.filter { new.relations[$0.key] != nil }
      if entity.properties.count != properties || entity.relations.count != relations { changes.append(.put(entity)) }
    }
    return (stamped, changes)
  }

  /// A blueprint gone; refused while entities of it remain or other blueprints relate to it.
  func removing(blueprint identifier: String) throws(PortFailure) -> [Change] {
    _ = try blueprint(identifier)
    guard entities[identifier]?.isEmpty ?? true else {
      throw .conflict("has_dependents", "Blueprint \"\(identifier)\" still has entities")
    }
    for other in blueprints.values where other.identifier != identifier {
      guard !other.relations.values.contains(where: { $0.target == identifier }) else {
        throw .conflict("has_dependents", "Blueprint \"\(other.identifier)\" relates to \"\(identifier)\"")
      }
    }
    for action in actions.values where action.blueprint == identifier {
      throw .conflict("has_dependents", "Action \"\(action.identifier)\" is of blueprint \"\(identifier)\"")
    }
    return [.removeBlueprint(identifier)]
  }

  private func checkTargets(of blueprint: PortBlueprint) throws(PortFailure) {
    for relation in blueprint.relations.values where relation.target != blueprint.identifier {
      _ = try self.blueprint(relation.target)
    }
  }
}
