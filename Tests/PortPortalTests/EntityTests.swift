import Foundation
import PortPortal
import Retry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EntityTests {
  private let port = PortScript()
  private let collection = "/v1/blueprints/service/entities"

  @Test func anUpsertMergesUnlessToldToReplace() async throws {
    port.server.always("POST \(collection)") { _ in
      .json(#"{"ok":true,"entity":{"identifier":"a","title":"A","properties":{"tier":"gold"}}}"#, status: 201)
    }
    let entity = Entity(
      identifier: "a", title: "A", icon: "Service", team: ["x"], properties: ["tier": "gold", "size": nil],
      relations: ["owner": "me", "uses": ["b", "c"]])
    try await port.run { client in
      let stored = try await client.entities.upsert(entity, in: "service")
      #expect(stored.title == "A")
      #expect(stored.properties == ["tier": "gold"])
      try await client.entities.upsert(entity, in: "service", .replacing)
      try await client.entities.upsert(
        entity, in: "service",
        UpsertOptions(createMissingRelatedEntities: true, validationOnly: true, runID: "r_1&x"))
    }
    #expect(
      port.requests.map(\.query) == [
        "upsert=true&merge=true", "upsert=true&merge=false",
        "upsert=true&merge=true&create_missing_related_entities=true&validation_only=true&run_id=r_1%26x",
      ])
    #expect(
      port.requests.first?.json == [
        "identifier": "a", "title": "A", "icon": "Service", "team": ["x"],
        "properties": ["tier": "gold", "size": nil], "relations": ["owner": "me", "uses": ["b", "c"]],
      ])
  }

  @Test func whatPortAddsIsRead() async throws {
    port.server.on(
      "GET \(collection)/a",
      .json(
        #"""
        {"ok": true, "entity": {"identifier": "a", "title": null, "team": "platform", "icon": null,
         "properties": {"count": 9007199254740993, "ratio": 0.5, "live": true, "none": null, "more": {"list": [1, "x"]}},
         "relations": {"owner": null}, "blueprint": "service", "createdAt": "2026-01-02T03:04:05.678Z",
         "updatedAt": "2026-01-02T03:04:06Z", "createdBy": "u", "unknown": [1]}}
        """#))
    let entity = try #require(try await port.run { try await $0.entities.get("a", in: "service") })
    #expect(entity.blueprint == "service")
    #expect(entity.team == ["platform"])
    #expect(entity.createdAt == Date(timeIntervalSince1970: 1_767_323_045.678))
    #expect(entity.updatedAt == Date(timeIntervalSince1970: 1_767_323_046))
    #expect(
      entity.properties == [
        "count": 9_007_199_254_740_993, "ratio": 0.5, "live": true, "none": nil, "more": ["list": [1, "x"]],
      ])
    #expect(entity.relations == ["owner": nil])
  }

  @Test(arguments: [
    ("a/b", "a%2Fb"), ("a:b+c=d@e", "a%3Ab%2Bc%3Dd%40e"), ("café", "caf%C3%A9"), (#"a\b'c"#, "a%5Cb%27c"),
    ("50%2F", "50%252F"), ("日本", "%E6%97%A5%E6%9C%AC"), ("..a", "..a"), ("a?b#c", "a%3Fb%23c"),
  ])
  func anIdentifierIsOneSegment(identifier: String, segment: String) async throws {
    port.server.on("GET \(collection)/\(segment)", .entity("x"))
    port.server.on("DELETE /v1/blueprints/\(segment)/entities/\(segment)", .json(#"{"ok":true}"#))
    try await port.run { client async throws in
      #expect(try await client.entities.get(identifier, in: "service") != nil)
      #expect(try await client.entities.delete(identifier, in: identifier))
    }
  }

  @Test(arguments: ["", ".", ".."])
  func anIdentifierThatWouldNameSomethingElseIsNotSent(identifier: String) async throws {
    try await port.run { client in
      let error = try await portError { try await client.entities.delete(identifier, in: "service") }
      #expect(error?.kind == .badRequest)
      #expect(error?.status == nil)
      #expect(try await portError { try await client.entities.get("a", in: identifier) }?.kind == .badRequest)
      let results = try await client.entities.upsert(all: [Entity(identifier: "a")], in: identifier)
      #expect(results.first?.error?.kind == .badRequest)
    }
    #expect(port.calls == [])
  }

  @Test func aPatchNamesOnlyWhatChangesAndCanClear() async throws {
    port.server.on("PATCH \(collection)/a", .entity("a"))
    try await port.run { client in
      try await client.entities.patch(
        "a", in: "service", EntityPatch(title: .null, properties: ["tier": nil, "n": 1]), runID: "r_1")
    }
    #expect(port.requests.first?.json == ["title": nil, "properties": ["tier": nil, "n": 1]])
    #expect(port.requests.first?.query == "run_id=r_1")
  }

  @Test func aPutReplacesAndMayRename() async throws {
    port.server.on("PUT \(collection)/a", .entity("b"))
    let stored = try await port.run { client in
      try await client.entities.put("a", in: "service", Entity(identifier: "b"))
    }
    #expect(stored.identifier == "b")
    #expect(port.requests.first?.json == ["identifier": "b", "properties": [:], "relations": [:]])
  }

  @Test func absenceIsBelievedOnlyFromPortItself() async throws {
    port.server.on("GET \(collection)/a", .refusal(404, "not_found"), .status(404, body: Array("no page".utf8)))
    port.server.on("DELETE \(collection)/a", .refusal(404, "not_found"), .status(404))
    try await port.run { client async throws in
      #expect(try await client.entities.get("a", in: "service") == nil)
      #expect(try await portError { try await client.entities.get("a", in: "service") }?.kind == .notFound)
      #expect(try await client.entities.delete("a", in: "service") == false)
      #expect(try await portError { try await client.entities.delete("a", in: "service") }?.kind == .notFound)
    }
  }

  @Test func aDeletionWhoseAnswerWasLostIsDone() async throws {
    port.server.on("DELETE \(collection)/a", .brokenOff, .refusal(404, "not_found"))
    let deleted = try await port.run { client in
      try await client.entities.delete("a", in: "service", deletingDependents: true)
    }
    #expect(!deleted)
    #expect(port.requests.map(\.query) == ["delete_dependents=true", "delete_dependents=true"])
  }

  @Test func aBodyOverPortsLimitIsNotSent() async throws {
    let entity = Entity(identifier: "a", properties: ["text": .string(String(repeating: "\n", count: 600_000))])
    let error = try await port.run { client in
      try await portError { try await client.entities.upsert(entity, in: "service") }
    }
    #expect(error?.kind == .tooLarge)
    #expect(error?.isRetryable == false)
    #expect(port.calls == [])
  }

  @Test func aNumberThatJSONCannotExpressIsNotSent() async throws {
    let entity = Entity(identifier: "a", properties: ["n": .number(.nan)])
    let error = try await port.run { client in
      try await portError { try await client.entities.upsert(entity, in: "service") }
    }
    #expect(error?.kind == .badRequest)
    #expect(port.calls == [])
  }
}

@Suite(.timeLimit(.minutes(1)))
struct SearchTests {
  private let port = PortScript()
  private let call = "POST /v1/blueprints/service/entities/search"

  private func page(_ identifiers: [String], next: String?) -> ScriptedServer.Answer {
    let entities = identifiers.map { #"{"identifier":"\#($0)"}"# }.joined(separator: ",")
    return .json(#"{"ok":true,"entities":[\#(entities)]\#(next.map { #","next":"\#($0)""# } ?? "")}"#)
  }

  @Test func aSearchFollowsTheCursorToItsEnd() async throws {
    port.server.on(call, page(["a", "b"], next: "n1"), page([], next: "n2"), page(["c"], next: nil))
    let query = EntityQuery(
      rules: ["combinator": "and", "rules": []], include: ["$identifier"], pageSize: 5000)
    let found = try await port.run { try await $0.entities.search(in: "service", query).collect(atMost: 3) }
    #expect(found.map(\.identifier) == ["a", "b", "c"])
    let rest: [String: JSON] = [
      "query": ["combinator": "and", "rules": []], "include": ["$identifier"], "limit": 1000,
    ]
    #expect(
      port.requests.map(\.json)
        == [nil, "n1", "n2"].map { cursor in
          .object(rest.merging(cursor.map { ["from": .string($0)] } ?? [:]) { $1 })
        })
  }

  @Test func pagesAreFetchedOnlyAsTheyAreRead() async throws {
    port.server.on(call, page(["a", "b"], next: "n1"))
    try await port.run { client in
      for try await entity in client.entities.search(in: "service") where entity.identifier == "b" { break }
    }
    #expect(port.calls == [call])
  }

  @Test func aPartNeverPassesForTheWhole() async throws {
    port.server.on(call, page(["a", "b"], next: "n1"), .refusal(500))
    port.server.always(call) { _ in .refusal(500) }
    try await port.run { client async throws in
      let search = client.entities.search(in: "service")
      #expect(try await portError { try await search.collect(atMost: 9) }?.kind == .server)
      port.server.on(call, page(["a", "b"], next: nil))
      #expect(try await portError { try await search.collect(atMost: 1) }?.kind == .tooLarge)
    }
  }

  @Test(arguments: [["same"], ["a", "b"], ["a", "b", "c"]])
  func cursorsThatComeAgainAreAnError(cursors: [String]) async throws {
    for cursor in cursors + [cursors[0]] { port.server.on(call, page([], next: cursor)) }
    let error = try await port.run { client in
      try await portError { try await client.entities.search(in: "service").collect(atMost: 9) }
    }
    #expect(error?.kind == .unexpectedAnswer)
  }
}
