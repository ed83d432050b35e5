import FoundationEssentials

extension PortRegistry {
  /// How many entities of a blueprint are shown; the others are found by searching.
  private static let maximumEntities = 200
  private static let maximumRuns = 30
  private static let maximumLogLines = 50
  /// Longer texts are cut.
  private static let maximumText = 2000

  /// What the page shows:
  ///
  ///     {blueprints: [{identifier, title, properties, relations, total, found, entities: [ENTITY and its actions]}],
  ///      actions: [{identifier, title, description, operation, blueprint, inputs, required, needsApproval}],
  ///      runs: [RUN and its log]}
  ///
  /// Blueprints with actions come first, and those that relate to others before these.
  func pageState(matching query: String, now: Date) -> JSONValue {
    let words = query.lowercased().split(separator: " ")
    let buttons = actions.values.filter(\.isPublished).sorted { ($0.title, $0.identifier) < ($1.title, $1.identifier) }
    let owners = Set(buttons.compactMap(\.blueprint))
    let ordered = blueprints.values.sorted { first, second in
      let (isFirst, isSecond) = (owners.contains(first.identifier), owners.contains(second.identifier))
      if isFirst != isSecond { return isFirst }
      if first.relations.count != second.relations.count { return first.relations.count > second.relations.count }
      return first.identifier < second.identifier
    }
    return [
      "blueprints": .array(ordered.map { section($0, words, buttons, now: now) }),
      "actions": .array(buttons.map(Self.button)),
      "runs": .array(runsByAge.prefix(Self.maximumRuns).map(shown)),
    ]
  }

  private func section(
    _ blueprint: PortBlueprint, _ words: [Substring], _ buttons: [PortAction], now: Date
  ) -> JSONValue {
    let all = (entities[blueprint.identifier] ?? [:]).values
    let found = words.isEmpty ? Array(all) : all.filter { Self.contains($0, words) }
    let shown = found.sorted { $0.identifier < $1.identifier }.prefix(Self.maximumEntities).map { entity in
      var json = Self.cut(entity.json)
      json["actions"] = .array(
        buttons.filter { $0.applies(to: entity, in: self, now: now) }.map { .string($0.identifier) })
      return json
    }
    return [
      "identifier": .string(blueprint.identifier), "title": blueprint.document["title"],
      "properties": .object(blueprint.properties), "relations": blueprint.document["relations"],
      "total": .init(all.count), "found": .init(found.count), "entities": .array(shown),
    ]
  }

  /// Whether all words are in an entity's names or texts.
  private static func contains(_ entity: PortEntity, _ words: [Substring]) -> Bool {
    let texts = [entity.identifier, entity.title ?? ""] + entity.properties.values.compactMap(\.string)
    let text = texts.joined(separator: "\n").lowercased()
    return words.allSatisfy { text.contains($0) }
  }

  private static func button(_ action: PortAction) -> JSONValue {
    [
      "identifier": .string(action.identifier), "title": .string(action.title),
      "description": action.document["description"], "operation": .string(action.operation.rawValue),
      "blueprint": .init(action.blueprint), "inputs": .object(action.inputs.properties),
      "required": .array(action.inputs.required.map { .string($0) }), "needsApproval": .bool(action.needsApproval),
    ]
  }

  private func shown(_ run: PortActionRun) -> JSONValue {
    var json = Self.cut(run.json)
    json["payload"] = nil
    json["log"] = .array((runLogs[run.id] ?? []).suffix(Self.maximumLogLines).map { Self.cut($0.json) })
    return json
  }

  private static func cut(_ value: JSONValue) -> JSONValue {
    switch value {
    case .string(let text) where text.count > maximumText: .string(text.prefix(maximumText) + "…")
    case .array(let elements): .array(elements.map(cut))
    case .object(let members): .object(members.mapValues(cut))
    default: value
    }
  }
}
