import Foundation
import Sandbox
import TestKit
import Testing

/// The answers of the sandbox, held against the OpenAPI document that Port publishes.
@Suite(
  .timeLimit(.minutes(1)),
  .enabled(if: PortContract.document != nil, "Port's OpenAPI document is not beside the repository (shared/contracts)"))
struct PortContractTests {
  @Test func everyAnswerHasTheShapeThatPortPublishes() async throws {
    let contract = try #require(PortContract.document)
    let bp = "/v1/blueprints/{blueprint_identifier}"
    let good: JSONValue = [
      "identifier": "i", "title": "I", "icon": "X", "team": "a", "properties": ["status": "planned"],
      "relations": ["template": "t"],
    ]
    let query: JSONValue = ["combinator": "and", "rules": []]
    let calls: [(method: String, path: String, body: JSONValue?, template: String, status: Int)] = [
      (
        "POST", "/v1/auth/access_token",
        ["clientId": .string(Port.clientID), "clientSecret": .string(Port.clientSecret)], "/v1/auth/access_token", 200
      ),
      ("POST", "/v1/auth/access_token", ["clientId": "x", "clientSecret": "y"], "/v1/auth/access_token", 401),
      ("POST", "/v1/blueprints", Port.template, "/v1/blueprints", 201),
      ("POST", "/v1/blueprints", Port.instance, "/v1/blueprints", 201),
      ("POST", "/v1/blueprints", ["identifier": "x"], "/v1/blueprints", 422),
      ("GET", "/v1/blueprints", nil, "/v1/blueprints", 200),
      ("GET", "/v1/blueprints/instance", nil, "/v1/blueprints/{identifier}", 200),
      ("GET", "/v1/blueprints/none", nil, "/v1/blueprints/{identifier}", 404),
      ("PUT", "/v1/blueprints/template", Port.template, "/v1/blueprints/{identifier}", 200),
      ("PATCH", "/v1/blueprints/template", ["title": "T"], "/v1/blueprints/{identifier}", 200),
      ("POST", "/v1/blueprints/template/entities?upsert=true", ["identifier": "t"], bp + "/entities", 201),
      ("POST", "/v1/blueprints/instance/entities?upsert=true", good, bp + "/entities", 201),
      ("POST", "/v1/blueprints/instance/entities?upsert=true", ["identifier": "j"], bp + "/entities", 422),
      ("GET", "/v1/blueprints/instance/entities", nil, bp + "/entities", 200),
      ("GET", "/v1/blueprints/instance/entities-count", nil, bp + "/entities-count", 200),
      ("GET", "/v1/blueprints/instance/entities/i", nil, bp + "/entities/{entity_identifier}", 200),
      ("PATCH", "/v1/blueprints/instance/entities/i", ["title": "J"], bp + "/entities/{entity_identifier}", 200),
      ("PUT", "/v1/blueprints/instance/entities/i", good, bp + "/entities/{entity_identifier}", 200),
      ("POST", "/v1/blueprints/instance/entities/bulk?upsert=true", ["entities": [good]], bp + "/entities/bulk", 200),
      (
        "POST", "/v1/blueprints/instance/entities/bulk?upsert=true", ["entities": [good, ["identifier": "k"]]],
        bp + "/entities/bulk", 207
      ),
      ("POST", "/v1/blueprints/instance/entities/search", ["query": query, "limit": 1], bp + "/entities/search", 200),
      ("POST", "/v1/entities/search", query, "/v1/entities/search", 200),
      (
        "POST", "/v1/blueprints/instance/bulk/entities/delete?delete_dependents=false", ["entities": ["i"]],
        bp + "/bulk/entities/delete", 200
      ),
      (
        "DELETE", "/v1/blueprints/template/entities/t?delete_dependents=false", nil,
        bp + "/entities/{entity_identifier}", 200
      ),
      ("DELETE", "/v1/blueprints/template/entities/t", nil, bp + "/entities/{entity_identifier}", 404),
      ("DELETE", "/v1/blueprints/instance", nil, "/v1/blueprints/{identifier}", 200),
    ]
    try await Port.run { port in
      for call in calls {
        let name = "\(call.method) \(call.path) -> \(call.status)"
        let answer = try await port.call(call.method, call.path, call.body)
        #expect(answer.status == call.status, "\(name): \(answer.body.text)")
        let operation = contract.operation(call.method, call.template)
        let responses = operation["responses"]
        let schema = responses[String(call.status)]["content"]["application/json"]["schema"]
        #expect(!schema.isNull, "\(name) is declared")
        #expect(contract.problems(answer.body, schema, at: "answer") == [], "\(name)")
        if let body = call.body, (200..<300).contains(call.status) {
          let request = operation["requestBody"]["content"]["application/json"]["schema"]
          #expect(contract.problems(body, request, at: "request") == [], "\(name)")
        }
      }
    }
  }
}

/// Port's OpenAPI document, and as much of JSON Schema as is needed to read it.
struct PortContract: Sendable {
  let root: JSONValue

  static let document: PortContract? = {
    let package = URL(filePath: #filePath).appending(path: "../../../..").standardized
    let file = package.appending(path: "../shared/contracts/port-openapi.json").standardized
    return (try? Data(contentsOf: file)).flatMap { try? JSONValue(parsing: $0) }.map(PortContract.init)
  }()

  func operation(_ method: String, _ template: String) -> JSONValue { root["paths"][template][method.lowercased()] }

  /// Real entities carry more members than the document declares (`blueprint` and the stamps), and real clients need
  /// them, so objects that look like entities may have those.
  private static let beyond: Set = ["blueprint", "createdAt", "createdBy", "updatedAt", "updatedBy"]

  func problems(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
    if let reference = schema["$ref"].string {
      let target = reference.split(separator: "/").dropFirst().reduce(root) { $0[String($1)] }
      return problems(value, target, at: place)
    }
    var problems: [String] = []
    let types = schema["type"].string.map { [$0] } ?? (schema["type"].array ?? []).compactMap(\.string)
    if !types.isEmpty, !types.contains(where: { Self.isType(value, $0) }) { problems.append("\(place): not \(types)") }
    if let allowed = schema["enum"].array, !allowed.contains(value) { problems.append("\(place): not of the enum") }
    if schema.object?["const"] != nil, schema["const"] != value { problems.append("\(place): not the const") }
    // The branches of Port's oneOf are not always exclusive, so one that fits is enough there too.
    for word in ["anyOf", "oneOf"] {
      guard let branches = schema[word].array else { continue }
      if !branches.contains(where: { self.problems(value, $0, at: place).isEmpty }) {
        problems.append("\(place): fits no branch of \(word)")
      }
    }
    if let members = value.object { problems += memberProblems(members, schema, at: place) }
    if let elements = value.array, !schema["items"].isNull {
      for (index, element) in elements.enumerated() {
        problems += self.problems(element, schema["items"], at: "\(place)/\(index)")
      }
    }
    return problems
  }

  private func memberProblems(
    _ members: [String: JSONValue], _ schema: JSONValue, at place: String
  ) -> [String] {
    var problems: [String] = []
    for name in (schema["required"].array ?? []).compactMap(\.string) where members[name] == nil {
      problems.append("\(place)/\(name): absent")
    }
    let declared = schema["properties"].object ?? [:]
    for (name, member) in members {
      if let schema = declared[name] {
        problems += self.problems(member, schema, at: "\(place)/\(name)")
      } else if schema["additionalProperties"].object != nil {
        problems += self.problems(member, schema["additionalProperties"], at: "\(place)/\(name)")
      } else if schema["additionalProperties"].bool == false, !Self.beyond.contains(name) {
        problems.append("\(place)/\(name): not declared")
      }
    }
    return problems
  }

  private static func isType(_ value: JSONValue, _ type: String) -> Bool {
    switch (type, value) {
    case ("object", .object), ("array", .array), ("string", .string), ("number", .number), ("boolean", .bool),
      ("null", .null):
      true
    case ("integer", .number): value.int != nil
    default: false
    }
  }
}
