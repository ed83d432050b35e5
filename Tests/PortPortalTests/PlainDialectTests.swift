import Foundation
import PortPortal
import Retry
import TestKit
import Testing

/// The dialect of a plain registry, through the same methods.
@Suite(.timeLimit(.minutes(1)))
struct PlainDialectTests {
  private let port = PortScript()
  private let call = "POST /v1/entities"

  private func run<Value: Sendable>(_ body: (PortClient) async throws -> Value) async throws -> Value {
    try await port.run(.staticToken("fixed"), dialect: .entities, retries: .never, body)
  }

  @Test func anUpsertNamesTheBlueprintInItsBody() async throws {
    port.server.on(call, .json(#"{"ok":true}"#, status: 201))
    let entity = Entity(
      identifier: "a", title: "A", icon: "Cloud", team: ["x"], properties: ["n": 1], relations: ["r": "b"])
    let stored = try await run { try await $0.entities.upsert(entity, in: "service") }
    #expect(stored == entity)
    let request = try #require(port.requests.first)
    #expect(request.authorization == "Bearer fixed")
    #expect(request.query == "")
    #expect(
      request.json == [
        "identifier": "a", "title": "A", "blueprint": "service", "properties": ["n": 1], "relations": ["r": "b"],
      ])
  }

  @Test func anUpsertOfManyIsACallForEach() async throws {
    port.server.on(
      call, .json("{}", status: 201), .status(200), .refusal(422), .json(#"{"ok":false}"#), .refusal(503))
    let entities = ["a", "b", "c", "d", "e", "f"].map { Entity(identifier: $0) }
    let results = try await run { try await $0.entities.upsert(all: entities, in: "service") }
    #expect(results.map(\.identifier) == ["a", "b", "c", "d", "e", "f"])
    #expect(results[0].outcome == .created)
    #expect(results[1].outcome == .updated)
    #expect(results[2].error?.kind == .unprocessable)
    #expect(results.dropFirst(3).allSatisfy { $0.error?.kind == .unexpectedAnswer })
    #expect(port.calls.count == 4)
  }

  @Test func whatCannotBeSentFailsAlone() async throws {
    port.server.always(call) { _ in .status(200) }
    port.server.on("DELETE /v1/blueprints/service/entities/b", .status(200))
    let entities = [Entity(identifier: "a", properties: ["n": .number(.nan)]), Entity(identifier: "b")]
    try await run { client in
      let results = try await client.entities.upsert(all: entities, in: "service")
      #expect(results.map { $0.error?.kind } == [.badRequest, nil])
      let deletions = try await client.entities.delete(all: ["..", "b"], in: "service")
      #expect(deletions.map { $0.error?.kind } == [.badRequest, nil])
    }
  }

  @Test func readingAndDeletingAreAsInTheAPI() async throws {
    let path = "/v1/blueprints/service/entities"
    port.server.on("GET \(path)/a", .entity("a"), .status(404))
    port.server.on("DELETE \(path)/a", .status(204))
    port.server.on("DELETE \(path)/b", .status(404))
    port.server.on("POST \(path)/search", .json(#"{"ok":true,"entities":[{"identifier":"a"}]}"#))
    try await run { client async throws in
      #expect(try await client.entities.get("a", in: "service") != nil)
      #expect(try await client.entities.get("a", in: "service") == nil)
      let results = try await client.entities.delete(all: ["a", "b"], in: "service")
      #expect(results.map(\.outcome) == [.deleted, .notDeleted])
      #expect(try await client.entities.search(in: "service").collect(atMost: 5).count == 1)
    }
  }
}
