import Foundation
import Sandbox
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PortEntityTests {
  static let entities = "/v1/blueprints/instance/entities"
  let planned: JSONValue = ["identifier": "i", "title": "I", "properties": ["status": "planned", "count": 1]]

  @Test func anEntityIsCreatedWithItsStamps() async throws {
    try await Port.run { port in
      try await port.setUp()
      let answer = try await port.call("POST", Self.entities, planned)
      #expect(answer.status == 201)
      let entity = answer.body["entity"]
      #expect(entity["blueprint"] == "instance")
      #expect(entity["properties"] == planned["properties"])
      #expect(entity["createdAt"] == "2026-11-23T10:15:00.000Z")
      #expect(entity["updatedBy"] == "api-token")
      #expect(try await port.entity("instance", "i") == entity)
    }
  }

  @Test func withoutUpsertAnExistingOneIsAConflict() async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("instance", planned)
      for query in ["", "?merge=true", "?upsert=false&merge=true"] {
        #expect(try await port.call("POST", Self.entities + query, planned).status == 409)
      }
    }
  }

  @Test func anUpsertReplacesAndAMergeKeeps() async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("instance", planned)
      port.time.advance(by: 60)
      let change: JSONValue = ["identifier": "i", "properties": ["status": "applied", "inputs": ["a": 1]]]
      let merged = try await port.call("POST", Self.entities + "?upsert=true&merge=true", change)
      #expect(merged.status == 200)
      #expect(merged.body["entity"]["properties"] == ["status": "applied", "count": 1, "inputs": ["a": 1]])
      #expect(merged.body["entity"]["title"] == "I")
      #expect(merged.body["entity"]["createdAt"] == "2026-11-23T10:15:00.000Z")
      #expect(merged.body["entity"]["updatedAt"] == "2026-11-23T10:16:00.000Z")

      let whole: JSONValue = ["identifier": "i", "properties": ["inputs": ["b": 2]]]
      let values = try await port.call("POST", Self.entities + "?upsert=true&merge=true", whole).body["entity"]
      #expect(values["properties"]["inputs"] == ["b": 2], "an object is replaced whole")

      let replaced = try await port.call("POST", Self.entities + "?upsert=true", change).body["entity"]
      #expect(replaced["properties"] == change["properties"])
      #expect(replaced["title"].isNull)
      #expect(replaced["createdAt"] == "2026-11-23T10:15:00.000Z")
    }
  }

  @Test func nullClearsUnderMergeAndPatch() async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("template", ["identifier": "t"])
      var entity = planned
      entity["relations"] = ["template": "t", "uses": ["t"]]
      try await port.create("instance", entity)
      let patched = try await port.call(
        "PATCH", Self.entities + "/i",
        ["title": nil, "properties": ["count": nil], "relations": ["template": nil]])
      #expect(patched.status == 200)
      #expect(patched.body["entity"]["properties"] == ["status": "planned"])
      #expect(patched.body["entity"]["relations"] == ["uses": ["t"]])
      #expect(patched.body["entity"]["title"].isNull)
      let required = try await port.call("PATCH", Self.entities + "/i", ["properties": ["status": nil]])
      #expect(required.status == 422)
    }
  }

  @Test func putReplacesAndNeedsTheEntity() async throws {
    try await Port.run { port in
      try await port.setUp()
      #expect(try await port.call("PUT", Self.entities + "/i", planned).status == 404)
      #expect(try await port.call("PATCH", Self.entities + "/i", ["title": "x"]).status == 404)
      try await port.create("instance", planned)
      let put = try await port.call("PUT", Self.entities + "/i", ["properties": ["status": "applied"]])
      #expect(put.body["entity"]["properties"] == ["status": "applied"])
      #expect(put.body["entity"]["title"].isNull)
      let open = try await port.call("PATCH", Self.entities + "/i", ["blueprint": "instance"])
      #expect(open.status == 422, "the body of a patch is closed")
    }
  }

  @Test func aRenamedEntityKeepsItsRelations() async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("template", ["identifier": "t"])
      try await port.create("template", ["identifier": "taken"])
      var entity = planned
      entity["relations"] = ["template": "t", "uses": ["t", "taken"]]
      try await port.create("instance", entity)
      let path = "/v1/blueprints/template/entities/t"
      #expect(try await port.call("PATCH", path, ["identifier": "taken"]).status == 409)
      #expect(try await port.call("PATCH", path, ["identifier": "new"]).status == 200)
      #expect(try await port.call("GET", path).status == 404)
      #expect(try await port.entity("instance", "i")["relations"] == ["template": "new", "uses": ["new", "taken"]])
    }
  }

  @Test(arguments: [
    (#"{"count": "1"}"#, "count must be number"), (#"{"count": 11}"#, "<= 10"), (#"{"count": -1}"#, ">= 0"),
    (#"{"on": "yes"}"#, "on must be boolean"), (#"{"inputs": []}"#, "inputs must be object"),
    (#"{"tags": "x"}"#, "tags must be array"), (#"{"tags": ["a", 1]}"#, "/1 must be string"),
    (#"{"tags": ["a", "b", "c", "d"]}"#, "more than 3 items"), (#"{"status": "gone"}"#, "allowed values"),
    (#"{"link": "nowhere"}"#, "format"), (#"{"at": "yesterday"}"#, "format"), (#"{"mail": "a@b@c"}"#, "format"),
    (#"{"address": "1.2.3.400"}"#, "format"), (#"{"code": "ABC"}"#, "pattern"), (#"{"code": "abcd"}"#, "more than 3"),
    (#"{"unknown": 1}"#, "additional property 'unknown'"), (#"[]"#, "properties must be object"),
  ])
  func aPropertyThatBreaksItsSchemaIsRefused(properties: String, message: String) async throws {
    try await Port.run { port in
      try await port.setUp()
      var sent = try JSONValue(parsing: properties.utf8)
      if sent.object != nil, sent["status"].isNull { sent["status"] = "planned" }
      let answer = try await port.call("POST", Self.entities, ["identifier": "i", "properties": sent])
      #expect(answer.status == 422)
      #expect(answer.body["message"].string?.contains(message) == true)
      #expect(try await port.call("GET", Self.entities + "/i").status == 404)
    }
  }

  @Test func whatFitsItsSchemaIsTaken() async throws {
    try await Port.run { port in
      try await port.setUp()
      let properties: JSONValue = [
        "status": "planned", "inputs": ["deep": [["x": nil]]], "count": 1.5, "on": false, "tags": ["a", "b"],
        "link": "https://tfe.example/app/acme", "at": "2026-11-23T10:15:00Z", "mail": "a@b.example",
        "address": "10.0.0.1", "code": "abc",
      ]
      let entity = try await port.create("instance", ["identifier": "i", "properties": properties, "team": ["a"]])
      #expect(entity["properties"] == properties)
      #expect(entity["team"] == ["a"])
    }
  }

  @Test func requiredPropertiesAreNeededOnCreateOnly() async throws {
    try await Port.run { port in
      try await port.setUp()
      let bare: JSONValue = ["identifier": "i", "properties": ["count": 1]]
      let refused = try await port.call("POST", Self.entities + "?upsert=true&merge=true", bare)
      #expect(refused.status == 422)
      #expect(refused.body["message"].string?.contains("'status'") == true)
      try await port.create("instance", planned)
      #expect(try await port.call("POST", Self.entities + "?upsert=true&merge=true", bare).status == 200)
    }
  }

  @Test(arguments: ["a b", "", ".", "..", "a\nb", "a?b", String(repeating: "x", count: 1001)])
  func anIdentifierThatIsNoneIsRefused(identifier: String) async throws {
    try await Port.run { port in
      try await port.setUp()
      let answer = try await port.call("POST", "/v1/blueprints/template/entities", ["identifier": .string(identifier)])
      #expect(answer.status == 422)
    }
  }

  @Test(arguments: [
    "a/b", "a:b", "a%2Fb".replacing("%2F", with: "\\"), "é=+'@", "a..", String(repeating: "x", count: 1000),
  ])
  func everyLegalIdentifierIsOnePathSegment(identifier: String) async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("template", ["identifier": .string(identifier), "properties": ["owner": "o"]])
      let unreserved = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\u{0}"..."\u{7F}"))
      let segment = try #require(identifier.addingPercentEncoding(withAllowedCharacters: unreserved))
      #expect(try await port.entity("template", segment)["identifier"].string == identifier)
      #expect(try await port.call("DELETE", "/v1/blueprints/template/entities/\(segment)").status == 200)
      #expect(try await port.call("GET", "/v1/blueprints/template/entities-count").body["count"] == 0)
    }
  }

  @Test func anOmittedIdentifierIsMadeUp() async throws {
    try await Port.run { port in
      try await port.setUp()
      let identifier = try await port.create("template", ["title": "T"])["identifier"].string
      #expect(identifier?.hasPrefix("e_") == true)
      #expect(identifier?.count == 18)
    }
  }

  @Test func validationOnlyWritesNothing() async throws {
    try await Port.run { port in
      try await port.setUp()
      #expect(try await port.call("POST", Self.entities + "?validation_only=true", planned).status == 201)
      #expect(try await port.call("POST", Self.entities + "?validation_only=true", ["identifier": "i"]).status == 422)
      #expect(try await port.call("GET", Self.entities + "/i").status == 404)
      #expect(try await port.call("POST", Self.entities + "?validation_only=maybe", planned).status == 422)
    }
  }

  @Test func aRelationNeedsItsTarget() async throws {
    try await Port.run { port in
      try await port.setUp()
      var entity = planned
      entity["relations"] = ["template": "t", "uses": ["u1", "u2"]]
      let unknown = try await port.call("POST", Self.entities, entity)
      #expect(unknown.status == 404)
      #expect(unknown.body["error"] == "not_found")
      #expect(try await port.call("GET", Self.entities + "/i").status == 404)

      let created = try await port.call("POST", Self.entities + "?create_missing_related_entities=true", entity)
      #expect(created.status == 201)
      #expect(try await port.call("GET", "/v1/blueprints/template/entities-count").body["count"] == 3)
      for wrong: JSONValue in [["template": ["t"]], ["uses": "t"], ["uses": [1]], ["nope": "t"]] {
        #expect(try await port.call("PATCH", Self.entities + "/i", ["relations": wrong]).status == 422)
      }
    }
  }

  @Test func missingTargetsWithRequiredPropertiesCannotBeCreated() async throws {
    try await Port.run { port in
      try await port.setUp()
      let back: JSONValue = ["relations": ["best": ["target": "instance", "required": false, "many": false]]]
      _ = try await port.call("PATCH", "/v1/blueprints/template", back)
      let answer = try await port.call(
        "POST", "/v1/blueprints/template/entities?create_missing_related_entities=true",
        ["identifier": "t", "relations": ["best": "nobody"]])
      #expect(answer.status == 422)
      #expect(try await port.call("GET", "/v1/blueprints/template/entities-count").body["count"] == 0)
    }
  }

  @Test func dependentsHoldAnEntityOrGoWithIt() async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("template", ["identifier": "t"])
      var entity = planned
      entity["relations"] = ["template": "t"]
      try await port.create("instance", entity)
      let path = "/v1/blueprints/template/entities/t"
      #expect(try await port.call("DELETE", path).status == 409)
      #expect(try await port.call("DELETE", path + "?delete_dependents=true").status == 200)
      #expect(try await port.call("GET", Self.entities + "/i").status == 404)
      #expect(try await port.call("DELETE", path).status == 404)
    }
  }

  @Test func aBodyOverOneMebibyteIsTooLarge() async throws {
    try await Port.run { port in
      try await port.setUp()
      let text = String(repeating: "x", count: 1 << 20)
      let answer = try await port.call("POST", Self.entities, ["identifier": .string(text)])
      #expect(answer.status == 413)
      #expect(answer.body["ok"] == false)
      #expect(answer.header("X-Trace-Id") != nil)
      #expect(try await port.send("POST", Self.entities, Array("{".utf8)).status == 400)
    }
  }

  @Test func everythingIsThereAfterARestart() async throws {
    let folder = try TemporaryFolder()
    let before = try await Port.run(in: folder) { port in
      try await port.setUp()
      try await port.create("template", ["identifier": "a/b"])
      try await port.create("template", ["identifier": "gone"])
      var entity = planned
      entity["relations"] = ["template": "a/b"]
      try await port.create("instance", entity)
      _ = try await port.call("DELETE", "/v1/blueprints/template/entities/gone")
      return try await port.call("POST", "/v1/entities/search", ["combinator": "and", "rules": []]).body["entities"]
    }
    try await Port.run(in: folder) { port in
      let after = try await port.call("POST", "/v1/entities/search", ["combinator": "and", "rules": []]).body[
        "entities"]
      #expect(after == before)
      #expect(after.array?.count == 2)
      #expect(try await port.call("GET", "/v1/blueprints/instance").status == 200)
    }
  }

  @Test func aFolderServesOneSandboxAtATime() async throws {
    let folder = try TemporaryFolder()
    try await Port.run(in: folder) { _ in
      await #expect(throws: (any Error).self) { try await Port.run(in: folder) { _ in } }
    }
  }
}
