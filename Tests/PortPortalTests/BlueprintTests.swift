import Foundation
import PortPortal
import Retry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct BlueprintTests {
  private let port = PortScript()
  private let stored = #"""
    {"identifier": "service", "title": "Service", "icon": "Service", "createdAt": "2026-01-02T03:04:05.678Z",
     "schema": {"properties": {"tier": {"type": "string", "enum": ["gold"], "enumColors": {"gold": "gold"}}}},
     "relations": {"team": {"title": "Team", "target": "team", "required": false, "many": true}},
     "mirrorProperties": {"lead": {"path": "team.lead", "title": "Lead"}}, "calculationProperties": {}}
    """#
  private let service = Portal.Blueprint(
    identifier: "service", title: "Service", icon: "Service",
    schema: .init(properties: ["tier": ["type": "string", "enum": ["gold"], "enumColors": ["gold": "gold"]]]),
    relations: ["team": .init(title: "Team", target: "team", many: true)],
    mirrorProperties: ["lead": ["path": "team.lead", "title": "Lead"]])

  @Test func blueprintsAreRead() async throws {
    port.server.on("GET /v1/blueprints", .json(#"{"ok":true,"blueprints":[\#(stored)]}"#))
    port.server.on("GET /v1/blueprints/service", .json(#"{"ok":true,"blueprint":\#(stored)}"#))
    port.server.on("GET /v1/blueprints/a%2Fb", .refusal(404, "not_found"))
    try await port.run { client async throws in
      #expect(try await client.blueprints.list() == [service])
      #expect(try await client.blueprints.get("service") == service)
      #expect(try await client.blueprints.get("a/b") == nil)
    }
  }

  @Test func aBlueprintIsCreatedWithAllThatPortRequires() async throws {
    port.server.on("POST /v1/blueprints", .json(#"{"ok":true,"blueprint":\#(stored)}"#, status: 201))
    let answer = try await port.run { try await $0.blueprints.create(service, catalogPage: false) }
    #expect(answer == service)
    #expect(port.requests.first?.query == "create_catalog_page=false")
    let body = try #require(port.requests.first?.json)
    #expect(body["identifier"] == "service")
    #expect(body["schema"]?["required"] == [])
    #expect(body["relations"] == ["team": ["title": "Team", "target": "team", "required": false, "many": true]])
    #expect(body["description"] == nil)
  }

  @Test func aCreationIsRepeatedOnlyWhenPortHasSurelyDoneNothing() async throws {
    port.server.on("POST /v1/blueprints", .refusal(429), .refusal(503))
    let error = try await port.run { client in
      try await portError { try await client.blueprints.create(service) }
    }
    #expect(error?.status == 503)
    #expect(port.calls.count == 2)
  }

  @Test func anUpdateSendsTheNamedPartsOnly() async throws {
    port.server.on(
      "PATCH /v1/blueprints/service", .refusal(503), .json(#"{"ok":true,"blueprint":\#(stored)}"#))
    try await port.run { client in
      try await client.blueprints.update("service", .init(relations: [:]))
    }
    #expect(port.requests.map(\.json) == [["relations": [:]], ["relations": [:]]])
  }

  /// A part is sent as a whole, so what is not known here must not get lost on the way.
  @Test func aRelationKeepsWhatOthersSaidOfIt() async throws {
    let relation = #"{"target":"team","many":false,"required":true,"description":"Who owns it.","type":"ownership"}"#
    let blueprint = #"{"identifier":"service","schema":{"properties":{}},"relations":{"team":\#(relation)}}"#
    port.server.on("GET /v1/blueprints/service", .json(#"{"ok":true,"blueprint":\#(blueprint)}"#))
    port.server.on("PATCH /v1/blueprints/service", .json(#"{"ok":true,"blueprint":\#(blueprint)}"#))
    try await port.run { client in
      let relations = try #require(try await client.blueprints.get("service")).relations
      try await client.blueprints.update("service", .init(relations: relations))
    }
    let sent = port.requests.last?.json?["relations"]?["team"]
    #expect(sent == (try JSONDecoder().decode(JSON.self, from: Data(relation.utf8))))
  }
}
