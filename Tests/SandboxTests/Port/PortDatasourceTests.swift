import Sandbox
import TestKit
import Testing

/// What an integration wrote, asked for by its user agent.
@Suite(.timeLimit(.minutes(1)))
struct PortDatasourceTests {
  static let path = "/v1/blueprints/entities/datasource-entities"

  @Test func whatAnIntegrationWroteComesInPages() async throws {
    try await Port.run { port in
      try await port.setUp()
      for identifier in ["b", "a", "c"] { try await port.create("template", ["identifier": .string(identifier)]) }
      try await port.create("instance", ["identifier": "z", "properties": ["status": "planned"]])
      var query: JSONValue = ["datasource_prefix": "por", "datasource_suffix": "/1", "limit": 3]
      let first = try await port.expect(200, "POST", Self.path, query)
      #expect(first["entities"].array?.map { $0["identifier"] } == ["z", "a", "b"])
      #expect(first["entities"].array?.map { $0["blueprint"] } == ["instance", "template", "template"])
      query["from"] = first["next"]
      let second = try await port.expect(200, "POST", Self.path, query)
      #expect(second["entities"].array?.map { $0["identifier"] } == ["c"])
      #expect(second["next"].isNull)
    }
  }

  @Test func whatOthersWroteIsLeftOut() async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("template", ["identifier": "t"])
      for (prefix, suffix) in [("orc", "/1"), ("por", "/2"), ("porc/1/", "")] {
        let query: JSONValue = ["datasource_prefix": .string(prefix), "datasource_suffix": .string(suffix)]
        #expect(try await port.expect(200, "POST", Self.path, query)["entities"] == [])
      }
    }
  }

  /// Times as Python writes them.
  @Test func whatWasWrittenSinceIsLeftOut() async throws {
    try await Port.run { port in
      try await port.setUp()
      try await port.create("template", ["identifier": "old"])
      port.time.advance(by: 60)
      try await port.create("template", ["identifier": "new"])
      for (before, found) in [
        ("2026-11-23T10:15:30+00:00", ["old"]), ("2026-11-23T10:15:30.123456+00:00", ["old"]),
        ("2026-11-23T10:16:00.000001+00:00", ["old", "new"]), ("2026-11-23T10:15:00Z", []),
      ] as [(String, Set<String>)] {
        let query: JSONValue = ["datasource_prefix": "p", "datasource_suffix": "", "before": .string(before)]
        let entities = try await port.expect(200, "POST", Self.path, query)["entities"].array ?? []
        #expect(Set(entities.compactMap { $0["identifier"].string }) == found, "\(before)")
      }
    }
  }

  @Test(
    arguments: [
      [:], ["datasource_prefix": "p"], ["datasource_prefix": "p", "datasource_suffix": "", "limit": 5001],
      ["datasource_prefix": "p", "datasource_suffix": "", "before": "yesterday"],
      ["datasource_prefix": "p", "datasource_suffix": "", "x": 1],
    ] as [JSONValue])
  func aQueryThatIsNoneIsRefused(query: JSONValue) async throws {
    try await Port.run { port in try await port.expect(422, "POST", Self.path, query) }
  }

  @Test func aBlueprintMayBeCalledEntities() async throws {
    try await Port.run { port in
      var blueprint = Port.template
      blueprint["identifier"] = "entities"
      try await port.expect(201, "POST", "/v1/blueprints", blueprint)
      try await port.expect(200, "GET", "/v1/blueprints/entities")
      try await port.expect(201, "POST", "/v1/blueprints/entities/entities", ["identifier": "e"])
      try await port.expect(200, "POST", "/v1/blueprints/entities/entities/search", [:])
    }
  }
}
