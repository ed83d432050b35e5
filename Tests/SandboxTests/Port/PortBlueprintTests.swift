import Sandbox
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PortBlueprintTests {
  @Test func blueprintsAreCreatedListedAndRead() async throws {
    try await Port.run { port in
      try await port.setUp()
      let list = try await port.call("GET", "/v1/blueprints").body["blueprints"].array ?? []
      #expect(list.map { $0["identifier"] } == ["instance", "template"])
      let one = try await port.call("GET", "/v1/blueprints/instance").body["blueprint"]
      #expect(one["schema"] == Port.instance["schema"])
      #expect(one["createdAt"] == "2026-11-23T10:15:00.000Z")
      #expect(one["createdBy"] == "api-token")
      #expect(try await port.call("GET", "/v1/blueprints/none").status == 404)
    }
  }

  @Test func aSecondOneWithTheIdentifierIsRefused() async throws {
    try await Port.run { port in
      try await port.setUp()
      #expect(try await port.call("POST", "/v1/blueprints", Port.template).status == 409)
    }
  }

  @Test(arguments: [
    (#"{"title": "T", "schema": {"properties": {}}}"#, "identifier"),
    (#"{"identifier": "a b", "title": "T", "schema": {"properties": {}}}"#, "identifier"),
    (#"{"identifier": "..", "title": "T", "schema": {"properties": {}}}"#, "identifier"),
    (#"{"identifier": "x", "schema": {"properties": {}}}"#, "title"),
    (#"{"identifier": "x", "title": "T", "schema": {}}"#, "properties"),
    (#"{"identifier": "x", "title": "T", "schema": {"properties": {"a b": {"type": "string"}}}}"#, "a b"),
    (#"{"identifier": "x", "title": "T", "schema": {"properties": {"a": {"type": "integer"}}}}"#, "type"),
    (
      #"{"identifier": "x", "title": "T", "schema": {"properties": {"a": {"type": "string", "format": "uuid"}}}}"#,
      "format"
    ),
    (
      #"{"identifier": "x", "title": "T", "schema": {"properties": {"a": {"type": "string", "enumColors": {"v": "mauve"}}}}}"#,
      "enumColors"
    ),
    (#"{"identifier": "x", "title": "T", "schema": {"properties": {}, "required": ["a"]}}"#, "required"),
    (#"{"identifier": "x", "title": "T", "schema": {"properties": {}}, "relations": {"r": {"target": "x"}}}"#, "many"),
    (
      #"{"identifier": "x", "title": "T", "schema": {"properties": {}}, "mirrorProperties": {"m": {"path": "r.a"}}}"#,
      "path"
    ),
    (#"[]"#, "object"),
  ])
  func aBlueprintThatBreaksARuleIsRefused(document: String, named: String) async throws {
    try await Port.run { port in
      let answer = try await port.call("POST", "/v1/blueprints", JSONValue(parsing: document.utf8))
      #expect(answer.status == 422)
      #expect(answer.body["ok"] == false)
      #expect(answer.body["message"].string?.contains(named) == true)
    }
  }

  @Test func aRelationNeedsItsTargetFirst() async throws {
    try await Port.run { port in
      let answer = try await port.call("POST", "/v1/blueprints", Port.instance)
      #expect(answer.status == 404)
      #expect(answer.body["error"] == "not_found")
    }
  }

  @Test func twoThatPointAtEachOtherAreMadeInTwoSteps() async throws {
    try await Port.run { port in
      try await port.setUp()
      let back: JSONValue = ["relations": ["best": ["target": "instance", "required": false, "many": false]]]
      let answer = try await port.call("PATCH", "/v1/blueprints/template", back)
      #expect(answer.status == 200)
      #expect(answer.body["blueprint"]["schema"] == Port.template["schema"], "a patch leaves the rest")
      #expect(try await port.call("DELETE", "/v1/blueprints/template").status == 409)
    }
  }

  @Test func aReplacedBlueprintLosesWhatIsNotSent() async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("template", ["identifier": "t", "properties": ["owner": "o"]])
      var document = Port.template
      document["schema"] = ["properties": ["name": ["type": "string"]]]
      let answer = try await port.call("PUT", "/v1/blueprints/template", document)
      #expect(answer.body["blueprint"]["schema"]["properties"]["owner"].isNull)
      #expect(try await port.entity("template", "t")["properties"] == [:])
      #expect(try await port.call("PUT", "/v1/blueprints/none", document).status == 404)
    }
  }

  @Test func aPropertysTypeCannotChange() async throws {
    try await Port.run { port in
      try await port.setUp()
      let answer = try await port.call(
        "PATCH", "/v1/blueprints/template", ["schema": ["properties": ["owner": ["type": "array"]]]])
      #expect(answer.status == 422)
    }
  }

  @Test func aBlueprintGoesOnlyWithoutEntities() async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("instance", ["identifier": "i", "properties": ["status": "planned"]])
      #expect(try await port.call("DELETE", "/v1/blueprints/instance").status == 409)
      #expect(try await port.call("DELETE", "/v1/blueprints/instance/entities/i").status == 200)
      #expect(try await port.call("DELETE", "/v1/blueprints/instance").status == 200)
      #expect(try await port.call("GET", "/v1/blueprints/instance").status == 404)
    }
  }
}
