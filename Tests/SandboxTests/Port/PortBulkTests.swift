import Sandbox
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PortBulkTests {
  static let bulk = "/v1/blueprints/instance/entities/bulk?upsert=true&merge=true"

  func entities(_ count: Int) -> JSONValue {
    .array((0..<count).map { ["identifier": "i\($0)", "properties": ["status": "planned"]] })
  }

  @Test func aBulkWritesEachEntity() async throws {
    try await Port.run { port in
      try await port.setUp()
      let first = try await port.call("POST", Self.bulk, ["entities": entities(20)])
      #expect(first.status == 200)
      #expect(first.body["ok"] == true)
      #expect(first.body["errors"] == [])
      #expect(first.body["entities"][19] == ["identifier": "i19", "index": 19, "created": true])
      let again = try await port.call("POST", Self.bulk, ["entities": entities(2)])
      #expect(again.body["entities"][0]["created"] == false)
    }
  }

  @Test func whatFailsInABulkDoesNotHoldTheRest() async throws {
    try await Port.run { port in
      try await port.setUp()
      let items: JSONValue = [
        ["identifier": "good", "blueprint": "instance", "properties": ["status": "planned"]],
        ["identifier": "bad", "properties": ["status": "nonsense"]],
        ["identifier": "lost", "properties": ["status": "planned"], "relations": ["template": "nobody"]],
      ]
      let answer = try await port.call("POST", Self.bulk, ["entities": items])
      #expect(answer.status == 207)
      #expect(answer.body["ok"] == false)
      #expect(answer.body["entities"] == [["identifier": "good", "index": 0, "created": true]])
      let errors = answer.body["errors"].array ?? []
      #expect(errors.map { $0["identifier"] } == ["bad", "lost"])
      #expect(errors.map { $0["index"] } == [1, 2])
      #expect(errors.map { $0["statusCode"] } == [422, 404])
      #expect(errors.last?["error"] == "not_found")
      #expect(try await port.call("GET", "/v1/blueprints/instance/entities-count").body["count"] == 1)
    }
  }

  @Test func aBulkHasOneToTwentyEntities() async throws {
    try await Port.run { port in
      try await port.setUp()
      #expect(try await port.call("POST", Self.bulk, ["entities": entities(21)]).status == 422)
      #expect(try await port.call("POST", Self.bulk, ["entities": []]).status == 422)
      #expect(try await port.call("POST", Self.bulk, ["entities": entities(1), "x": 1]).status == 422)
      let unknown = try await port.call("POST", "/v1/blueprints/none/entities/bulk", ["entities": entities(1)])
      #expect(unknown.status == 404)
      #expect(try await port.call("GET", "/v1/blueprints/instance/entities-count").body["count"] == 0)
    }
  }

  @Test func aBulkDeletionTakesWhatIsThere() async throws {
    try await Port.run { port in
      try await port.setUp()
      _ = try await port.call("POST", Self.bulk, ["entities": entities(3)])
      let path = "/v1/blueprints/instance/bulk/entities/delete"
      let answer = try await port.call("POST", path, ["entities": ["i0", "nobody", "i2"]])
      #expect(answer.status == 200)
      #expect(answer.body["deletedEntities"] == ["i0", "i2"])
      #expect(try await port.call("GET", "/v1/blueprints/instance/entities").body["entities"].array?.count == 1)
      #expect(try await port.call("POST", path, ["entities": []]).status == 422)
    }
  }

  @Test func aBulkDeletionIsAllOrNothingWithDependents() async throws {
    try await Port.run { port in
      try await port.setUp()
      for identifier in ["t", "free"] { try await port.create("template", ["identifier": .string(identifier)]) }
      try await port.create(
        "instance", ["identifier": "i", "properties": ["status": "planned"], "relations": ["uses": ["t"]]])
      let path = "/v1/blueprints/template/bulk/entities/delete"
      #expect(try await port.call("POST", path, ["entities": ["free", "t"]]).status == 409)
      #expect(try await port.call("GET", "/v1/blueprints/template/entities-count").body["count"] == 2)
      #expect(try await port.call("POST", path + "?delete_dependents=true", ["entities": ["free", "t"]]).status == 200)
      #expect(try await port.call("GET", "/v1/blueprints/instance/entities-count").body["count"] == 0)
    }
  }

  @Test func thePlainDialectFindsTheEntityByItsIdentifier() async throws {
    try await Port.run { port in
      try await port.setUp()
      let unknown: JSONValue = ["identifier": "x", "properties": ["status": "planned"]]
      #expect(try await port.call("POST", "/v1/entities", unknown).status == 404)

      var entity = unknown
      entity["blueprint"] = "instance"
      #expect(try await port.call("POST", "/v1/entities", entity).status == 201)
      let merged = try await port.call("POST", "/v1/entities", ["identifier": "x", "properties": ["count": 2]])
      #expect(merged.status == 200)
      #expect(merged.body["entity"]["properties"] == ["status": "planned", "count": 2])

      try await port.create("template", ["identifier": "x"])
      let ambiguous = try await port.call("POST", "/v1/entities", unknown)
      #expect(ambiguous.status == 409)
      #expect(ambiguous.body["message"].string?.contains("instance, template") == true)
      #expect(try await port.call("POST", "/v1/entities", entity).status == 200)
      #expect(try await port.call("POST", "/v1/entities", ["properties": [:]]).status == 422)
    }
  }
}
