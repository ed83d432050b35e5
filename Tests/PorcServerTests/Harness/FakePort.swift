import Foundation
import HCL
import PortPortal
import Synchronization
import TestKit

/// A small Port that keeps entities: upserts merge, as Port's do, and a property is cleared only by null.
final class FakePort: Sendable {
  static let secret = "port-secret-never-shown"
  static let token = "port-token-never-shown"

  struct State: Sendable {
    /// By blueprint and identifier: the properties, relations and title.
    var entities: [String: [String: Value]] = [:]
    var isAway = false
    /// Identifiers that it refuses, with status 422.
    var refused: Set<String> = []
    /// Identifiers that break it, with status 500.
    var breaking: Set<String> = []
    /// Identifiers for which a gateway before it answers in its stead when they come alone, and its status.
    var cutOff: Set<String> = []
    var gatewayStatus = 504
    /// The status of single entities in a bulk call; 0: they are left out of the answer.
    var items: [String: Int] = [:]
    /// Blueprints that it does not have.
    var lacking: Set<String> = []
    /// Whether an entity is refused, with status 404, while what it relates to is not there.
    var checksRelations = false
    /// Whether a PATCH may take a property's value away.
    var takesNulls = true
    /// Presses of buttons, by their ids.
    var actionRuns: [String: ActionRun] = [:]
  }

  let server = ScriptedServer()
  let state = Mutex(State())

  static let blueprints = ["blueprint_template", "blueprint_instance"]

  /// - Parameter identifiers: of the entities that can be read, changed and deleted one by one.
  init(identifiers: [String] = ["web", "db", "web-1-0-0", "web-2-0-0"]) {
    on("POST /v1/auth/access_token") { _, _ in
      .json(#"{"ok":true,"accessToken":"\#(Self.token)","expiresIn":10800,"tokenType":"Bearer"}"#)
    }
    on("POST /v1/entities") { request, state in
      let entity = request.value
      let identifier = entity["identifier"]?.stringValue ?? ""
      if state.refused.contains(identifier) { return .json(#"{"ok":false,"error":"invalid"}"#, status: 422) }
      state.merge(entity, into: entity["blueprint"]?.stringValue ?? "")
      return .json(#"{"ok":true}"#)
    }
    for blueprint in Self.blueprints {
      script(blueprint)
      for identifier in identifiers { script(blueprint, identifier) }
    }
  }

  func change(_ change: (inout State) -> Void) { state.withLock { state in change(&state) } }

  /// An entity as it is there, `{"title", "properties", "relations"}`.
  func entity(_ identifier: String, in blueprint: String = "blueprint_instance") -> Value? {
    state.withLock { $0.entities[blueprint]?[identifier] }
  }

  func count(in blueprint: String) -> Int { state.withLock { $0.entities[blueprint]?.count ?? 0 } }

  /// The calls, but those for tokens.
  var calls: [String] { server.calls.filter { $0 != "POST /v1/auth/access_token" } }

  typealias Handler = @Sendable (ScriptedServer.Request, inout State) -> ScriptedServer.Answer

  func on(_ call: String, _ handler: @escaping Handler) {
    server.always(call) { [self] request in
      state.withLock { state in state.isAway ? .status(503) : handler(request, &state) }
    }
  }

  private func script(_ blueprint: String) {
    let path = "/v1/blueprints/\(blueprint)"
    on("GET \(path)") { _, state in
      if state.lacking.contains(blueprint) { return Self.missing }
      return .json(#"{"ok":true,"blueprint":{"identifier":"\#(blueprint)"}}"#)
    }
    on("POST \(path)/entities/bulk") { request, state in
      var stored: [Value] = []
      var errors: [Value] = []
      let entities = request.value["entities"]?.arrayValue ?? []
      if entities.contains(where: { state.breaking.contains($0["identifier"]?.stringValue ?? "") }) {
        return .status(500)
      }
      if state.lacking.contains(blueprint) { return Self.missing }
      if entities.count == 1, state.cutOff.contains(entities[0]["identifier"]?.stringValue ?? "") {
        return .status(state.gatewayStatus)
      }
      for (index, entity) in entities.enumerated() {
        let identifier = entity["identifier"]?.stringValue ?? ""
        let target = entity["relations"]?["blueprint"]?.stringValue
        let isLost = state.checksRelations && target != nil && state.entities[Self.blueprints[0]]?[target ?? ""] == nil
        if let status = state.refused.contains(identifier) ? 422 : isLost ? 404 : state.items[identifier] {
          guard status > 0 else { continue }
          errors.append([
            "identifier": .string(identifier), "index": .number(Number(index)), "statusCode": .number(Number(status)),
            "error": "invalid", "message": "It breaks a rule.",
          ])
        } else {
          stored.append([
            "identifier": .string(identifier), "index": .number(Number(index)),
            "created": .bool(state.entities[blueprint]?[identifier] == nil),
          ])
          state.merge(entity, into: blueprint)
        }
      }
      let answer: Value = ["ok": true, "entities": .array(stored), "errors": .array(errors)]
      return .json(answer.json(), status: errors.isEmpty ? 200 : 207)
    }
    on("POST /v1/blueprints/\(blueprint)/bulk/entities/delete") { request, state in
      let asked = (request.value["entities"]?.arrayValue ?? []).compactMap(\.stringValue)
      let deleted = asked.filter { state.entities[blueprint]?.removeValue(forKey: $0) != nil }
      return .json(Value.object(["ok": true, "deletedEntities": .array(deleted.map(Value.string))]).json())
    }
    on("POST \(path)/entities/search") { _, state in
      let entities = (state.entities[blueprint] ?? [:]).map { identifier, entity in
        Value.object((entity.objectValue ?? [:]).merging(["identifier": .string(identifier)]) { $1 })
      }
      return .json(Value.object(["ok": true, "entities": .array(entities)]).json())
    }
  }

  private static let missing = ScriptedServer.Answer.json(
    #"{"ok":false,"error":"not_found","message":"No."}"#, status: 404)

  private func script(_ blueprint: String, _ identifier: String) {
    let path = "/v1/blueprints/\(blueprint)/entities/\(identifier)"
    let missing = Self.missing
    on("GET \(path)") { _, state in
      guard let entity = state.entities[blueprint]?[identifier]?.objectValue else { return missing }
      let shown = Value.object(entity.merging(["identifier": .string(identifier)]) { $1 })
      return .json(Value.object(["ok": true, "entity": shown]).json())
    }
    on("PATCH \(path)") { request, state in
      if state.cutOff.contains(identifier) { return .status(state.gatewayStatus) }
      guard state.entities[blueprint]?[identifier] != nil else { return missing }
      let values = request.value["properties"]?.objectValue?.values.map { $0 } ?? []
      if !state.takesNulls, values.contains(.null) { return .json(#"{"ok":false,"error":"invalid"}"#, status: 422) }
      var change = request.value.objectValue ?? [:]
      change["identifier"] = .string(identifier)
      state.merge(.object(change), into: blueprint)
      return .json(#"{"ok":true,"entity":{"identifier":"\#(identifier)"}}"#)
    }
    on("PUT \(path)") { request, state in
      guard state.entities[blueprint]?.removeValue(forKey: identifier) != nil else { return missing }
      state.merge(request.value, into: blueprint)
      return .json(#"{"ok":true,"entity":{"identifier":"\#(identifier)"}}"#)
    }
    on("DELETE \(path)") { _, state in
      guard state.entities[blueprint]?.removeValue(forKey: identifier) != nil else { return missing }
      return .json(#"{"ok":true}"#)
    }
  }
}

extension FakePort.State {
  /// What is named replaces what was there; null clears.
  mutating func merge(_ entity: Value, into blueprint: String) {
    let identifier = entity["identifier"]?.stringValue ?? ""
    let before = entities[blueprint]?[identifier]
    func merged(_ key: String) -> Value {
      let old = before?[key]?.objectValue ?? [:]
      return .object(old.merging(entity[key]?.objectValue ?? [:]) { $1 }.filter { !$0.value.isNull })
    }
    entities[blueprint, default: [:]][identifier] = [
      "title": entity["title"] ?? before?["title"] ?? .null, "properties": merged("properties"),
      "relations": merged("relations"),
    ]
  }
}
