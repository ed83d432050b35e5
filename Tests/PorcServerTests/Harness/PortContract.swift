import Foundation
import PortPortal
import TestKit

/// Port's OpenAPI document, and as much of JSON Schema as is needed to hold requests against it.
struct PortContract: Sendable {
  let root: JSON

  init() throws {
    let file = URL(filePath: #filePath).appending(path: "../../../Contracts/port-openapi.json").standardized
    root = try JSONDecoder().decode(JSON.self, from: try Data(contentsOf: file))
  }

  /// What is wrong with a request: a route that is not there, or a body that Port would refuse.
  func problems(_ request: ScriptedServer.Request) -> [String] {
    let segments = request.path.split(separator: "/")
    let templates = (root["paths"]?.object ?? [:]).filter { template, operations in
      let parts = template.split(separator: "/")
      return operations[request.method.lowercased()] != nil && parts.count == segments.count
        && zip(parts, segments).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
    }
    // `/actions/runs` is no action named `runs`.
    guard let route = templates.min(by: { $0.key.count { $0 == "{" } < $1.key.count { $0 == "{" } })?.value else {
      return ["\(request.call): no such route"]
    }
    let content = route[request.method.lowercased()]?["requestBody"]?["content"]
    guard let schema = content?["application/json"]?["schema"] else { return [] }
    guard let body = try? JSONDecoder().decode(JSON.self, from: Data(request.body)) else {
      return ["\(request.call): no JSON body"]
    }
    return problems(body, schema, at: request.call)
  }

  private func problems(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
    if let reference = schema["$ref"]?.string {
      let target = reference.split(separator: "/").dropFirst().reduce(root as JSON?) { $0?[String($1)] }
      return target.map { self.problems(value, $0, at: place) } ?? ["\(place): unknown \(reference)"]
    }
    var found: [String] = []
    let types = schema["type"]?.string.map { [$0] } ?? (schema["type"]?.array ?? []).compactMap(\.string)
    if !types.isEmpty, !types.contains(where: { Self.isType(value, $0) }) { found.append("\(place): not \(types)") }
    if let allowed = schema["enum"]?.array, !allowed.contains(value) { found.append("\(place): not of the enum") }
    if let limit = schema["maxLength"], case .integer(let most) = limit, let text = value.string, text.count > most {
      found.append("\(place): longer than \(most)")
    }
    // The branches of Port's oneOf are not always exclusive, so one that fits is enough there too.
    for word in ["anyOf", "oneOf"] {
      guard let branches = schema[word]?.array else { continue }
      let fits = branches.map { problems(value, $0, at: place) }
      if !fits.contains([]) { found.append("\(place): fits no branch of \(word) (\(fits))") }
    }
    if let members = value.object { found += memberProblems(members, schema, at: place) }
    if let elements = value.array, let items = schema["items"] {
      for (index, element) in elements.enumerated() {
        found += problems(element, items, at: "\(place)/\(index)")
      }
    }
    return found
  }

  private func memberProblems(_ members: [String: JSON], _ schema: JSON, at place: String) -> [String] {
    let missing = (schema["required"]?.array ?? []).compactMap(\.string).filter { members[$0] == nil }
    var found = missing.map { "\(place)/\($0): absent" }
    for (name, member) in members {
      if let declared = schema["properties"]?[name] {
        found += problems(member, declared, at: "\(place)/\(name)")
      } else if let others = schema["additionalProperties"], others.object != nil {
        found += problems(member, others, at: "\(place)/\(name)")
      } else if schema["additionalProperties"] == false {
        found.append("\(place)/\(name): not declared")
      }
    }
    return found
  }

  private static func isType(_ value: JSON, _ type: String) -> Bool {
    switch (type, value) {
    case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool), ("null", .null),
      ("number", .number), ("number", .integer), ("integer", .integer):
      true
    default: false
    }
  }
}
