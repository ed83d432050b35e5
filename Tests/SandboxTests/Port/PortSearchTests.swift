import Sandbox
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PortSearchTests {
  /// Four instances: a (planned, 1), b (applied, 2, tags x y, template t), c (applied, no count), d (planned, later).
  func withInstances(_ body: (Port) async throws -> Void) async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("template", ["identifier": "t", "title": "Tee"])
      let b: JSONValue = ["status": "applied", "count": 2, "tags": ["x", "y"], "link": "https://b.example"]
      for (identifier, title, properties, relations): (JSONValue, JSONValue, JSONValue, JSONValue) in [
        ("a", "Alpha", ["status": "planned", "count": 1, "at": "2026-01-01T00:00:00Z"], [:]),
        ("b", "Beta", b, ["template": "t"]),
        ("c", "Gamma", ["status": "applied", "at": "2030-01-01T00:00:00+00:00"], [:]),
      ] {
        let entity: JSONValue = [
          "identifier": identifier, "title": title, "properties": properties, "relations": relations,
        ]
        try await port.create("instance", entity)
      }
      port.time.advance(by: 3600)
      try await port.create("instance", ["identifier": "d", "properties": ["status": "planned"]])
      try await body(port)
    }
  }

  func rule(_ property: String, _ comparison: String, _ value: JSONValue? = nil) -> JSONValue {
    var rule: JSONValue = ["property": .string(property), "operator": .string(comparison)]
    if let value { rule["value"] = value }
    return rule
  }

  @Test func eachOperatorFindsWhatItSays() async throws {
    let cases: [(JSONValue, String)] = [
      (rule("status", "=", "applied"), "bc"), (rule("status", "!=", "applied"), "ad"), (rule("count", ">", 1), "b"),
      (rule("count", ">=", 1), "ab"), (rule("count", "<", 2), "a"), (rule("count", "<=", 2.0), "ab"),
      (rule("$updatedAt", ">", "2026-11-23T10:20:00Z"), "d"), (rule("$title", "contains", "et"), "b"),
      (rule("tags", "contains", "x"), "b"), (rule("$title", "doesNotContains", "a"), "d"),
      (rule("tags", "containsAny", ["q", "y"]), "b"), (rule("$title", "beginsWith", "Al"), "a"),
      (rule("$title", "doesNotBeginsWith", "Al"), "bcd"), (rule("$title", "endsWith", "ma"), "c"),
      (rule("$title", "doesNotEndsWith", "ma"), "abd"), (rule("$identifier", "in", ["a", "d", "z"]), "ad"),
      (rule("$identifier", "notIn", ["a", "d"]), "bc"),
      (rule("at", "between", ["from": "2025-12-31T00:00:00Z", "to": "2026-02-01T00:00:00.000Z"]), "a"),
      (rule("$createdAt", "notBetween", ["from": "2026-11-23T10:00:00Z", "to": "2026-11-23T11:00:00Z"]), "d"),
      (rule("count", "isEmpty"), "cd"), (rule("count", "isNotEmpty"), "ab"), (rule("at", "isExpired"), "a"),
      (rule("at", "isNotExpired"), "c"), (rule("template", "=", "t"), "b"), (rule("$blueprint", "=", "template"), ""),
      (rule("$createdBy", "=", "api-token"), "abcd"), (rule("$datasource", "=", "porc/1"), "abcd"),
      (["operator": "relatedTo", "blueprint": "template", "value": "t"], "b"),
      (["operator": "relatedTo", "blueprint": "template", "value": ["t"], "required": true], ""),
      (["operator": "relatedTo", "blueprint": "template", "value": "t", "direction": "downstream"], ""),
      (rule("$updatedAt", "between", ["preset": "today"]), "abcd"),
      (rule("$updatedAt", "=", ["preset": "yesterday"]), ""),
      (rule("at", "between", ["preset": "lastMonth"]), ""), (rule("at", "notBetween", ["preset": "lastMonth"]), "abcd"),
      (["combinator": "or", "rules": [rule("count", "=", 1), rule("count", "=", 2)]], "ab"),
      (
        [
          "combinator": "or",
          "rules": [
            rule("$title", "isEmpty"),
            ["combinator": "and", "rules": [rule("status", "=", "applied"), rule("count", "isEmpty")]],
          ],
        ], "cd"
      ),
    ]
    try await withInstances { port in
      for (rule, expected) in cases {
        let answer = try await port.call(
          "POST", "/v1/blueprints/instance/entities/search", ["query": ["combinator": "and", "rules": [rule]]])
        let found = (answer.body["entities"].array ?? []).compactMap { $0["identifier"].string }.joined()
        #expect(found == expected, "\(rule.text)")
      }
    }
  }

  @Test func relationsAreFollowedBothWaysAndFar() async throws {
    try await withInstances { port in
      var box = Port.template
      box["identifier"] = "box"
      box["relations"] = ["holds": ["target": "instance", "required": true, "many": true]]
      try await port.expect(201, "POST", "/v1/blueprints", box)
      try await port.create("box", ["identifier": "x", "relations": ["holds": ["b", "c"]]])
      func found(_ rule: JSONValue) async throws -> [String?] {
        let answer = try await port.expect(200, "POST", "/v1/entities/search", ["combinator": "and", "rules": [rule]])
        return (answer["entities"].array ?? []).map { $0["identifier"].string }
      }
      #expect(try await found(["operator": "relatedTo", "blueprint": "template", "value": "t"]) == ["x", "b"])
      let down: JSONValue = ["operator": "relatedTo", "blueprint": "box", "value": "x", "direction": "downstream"]
      #expect(try await found(down) == ["b", "c", "t"])
      var required = down
      required["required"] = true
      #expect(try await found(required) == ["b", "c"])
    }
  }

  @Test(arguments: [
    #"{"rules": []}"#, #"{"combinator": "xor", "rules": []}"#, #"{"combinator": "and"}"#,
    #"{"combinator": "and", "rules": [{"property": "a", "operator": "~", "value": 1}]}"#,
    #"{"combinator": "and", "rules": [{"operator": "=", "value": 1}]}"#,
    #"{"combinator": "and", "rules": [{"property": "a", "operator": "="}]}"#,
    #"{"combinator": "and", "rules": [{"property": "a", "operator": "in", "value": "x"}]}"#,
    #"{"combinator": "and", "rules": [{"operator": "relatedTo", "value": "x"}]}"#,
    #"{"combinator": "and", "rules": [{"operator": "relatedTo", "blueprint": "b", "value": "x", "direction": "up"}]}"#,
    #"{"combinator": "and", "rules": [{"property": "a", "operator": "matchAny", "value": ["x"]}]}"#,
    #"{"combinator": "and", "rules": [{"property": "a", "operator": "between", "value": {"preset": "someday"}}]}"#,
    #"{"combinator": "and", "rules": [{"property": "a", "operator": "=", "value": {"property": "b", "context": "user"}}]}"#,
    #"{"combinator": "and", "rules": [{"property": {"property": "b", "context": "user"}, "operator": "=", "value": 1}]}"#,
  ])
  func aQueryThatIsNotUnderstoodIsRefused(query: String) async throws {
    let query = try JSONValue(parsing: query.utf8)
    try await Port.run { port in
      try await port.setUp()
      let one = try await port.call("POST", "/v1/blueprints/instance/entities/search", ["query": query])
      #expect(one.status == 422)
      #expect(try await port.call("POST", "/v1/entities/search", query).status == 422)
    }
  }

  @Test func pagesFollowEachOtherWithoutGapsOrRepeats() async throws {
    try await withInstances { port in
      let path = "/v1/blueprints/instance/entities/search"
      let first = try await port.call("POST", path, ["limit": 2])
      #expect(first.body["entities"].array?.map { $0["identifier"] } == ["a", "b"])
      _ = try await port.call("DELETE", "/v1/blueprints/instance/entities/a")
      let second = try await port.call("POST", path, ["limit": 2, "from": first.body["next"]])
      #expect(second.body["entities"].array?.map { $0["identifier"] } == ["c", "d"])
      #expect(second.body["next"].isNull)
      for wrong: JSONValue in [["limit": 0], ["limit": 1001], ["limit": "x"], ["from": "%"], ["page": 1]] {
        #expect(try await port.call("POST", path, wrong).status == 422)
      }
    }
  }

  @Test func onlyWhatIsWantedComesBack() async throws {
    try await withInstances { port in
      let path = "/v1/blueprints/instance/entities/search"
      let query: JSONValue = ["combinator": "and", "rules": [rule("$identifier", "=", "b")]]
      let some = try await port.call(
        "POST", path, ["query": query, "include": ["$title", "count", "relations.template"]])
      #expect(
        some.body["entities"][0] == [
          "identifier": "b", "blueprint": "instance", "title": "Beta", "properties": ["count": 2],
          "relations": ["template": "t"],
        ])
      let rest = try await port.call(
        "POST", path, ["query": query, "exclude": ["properties.link", "tags", "$createdAt"]])
      #expect(rest.body["entities"][0]["properties"] == ["status": "applied", "count": 2])
      #expect(rest.body["entities"][0]["createdAt"].isNull)
      let one = try await port.call("GET", "/v1/blueprints/instance/entities/b?include=properties.status&include=title")
      #expect(one.body["entity"]["properties"] == ["status": "applied"])
      #expect(one.body["entity"]["updatedAt"].isNull)
    }
  }

  @Test func aSearchOverAllNamesTheBlueprints() async throws {
    try await withInstances { port in
      let query: JSONValue = ["combinator": "or", "rules": [rule("$identifier", "in", ["t", "a"])]]
      let answer = try await port.call("POST", "/v1/entities/search?include[]=$title", query)
      #expect(answer.body["ok"] == true)
      #expect(answer.body["matchingBlueprints"] == ["instance", "template"])
      #expect(answer.body["entities"].array?.map { $0["title"] } == ["Alpha", "Tee"])
    }
  }
}
