import Foundation
import HTTPTypes
import PortPortal
import Retry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct BulkTests {
  private let port = PortScript()
  private let call = "POST /v1/blueprints/service/entities/bulk"

  /// Entities named `e0`, `e1`, … with a text of the given length each.
  private func entities(_ count: Int, text: Int = 0) -> [Entity] {
    (0..<count).map {
      Entity(identifier: "e\($0)", properties: ["text": .string(String(repeating: "x", count: text))])
    }
  }

  /// The identifiers of each bulk call.
  private var batches: [[String]] {
    port.requests.map { ($0.json?["entities"]?.array ?? []).compactMap { $0["identifier"]?.string } }
  }

  /// Port's own rules: all of a call is stored, or the call is refused when `refuses` says so of one of its entities.
  private func storesAll(but refuses: @escaping @Sendable (String) -> Bool = { _ in false }, status: Int = 422) {
    port.server.always(call) { request in
      let names = (request.json?["entities"]?.array ?? []).compactMap { $0["identifier"]?.string }
      if names.contains(where: refuses) { return .refusal(status) }
      let stored = names.enumerated().map { #"{"identifier":"\#($1)","index":\#($0),"created":\#($0 == 0)}"# }
      return .json(#"{"ok":true,"entities":[\#(stored.joined(separator: ","))],"errors":[]}"#)
    }
  }

  @Test func twentyTravelTogether() async throws {
    storesAll()
    let results = try await port.run { try await $0.entities.upsert(all: entities(45), in: "service") }
    #expect(batches.map(\.count) == [20, 20, 5])
    #expect(results.map(\.identifier) == entities(45).map(\.identifier))
    #expect(results[0].outcome == .created)
    #expect(results[1].outcome == .updated)
    #expect(results.allSatisfy { $0.error == nil })
    #expect(port.requests.allSatisfy { $0.query == "upsert=true&merge=true" })
  }

  @Test func nothingToWriteIsNoCall() async throws {
    let results = try await port.run { try await $0.entities.upsert(all: [], in: "service") }
    #expect(results == [])
    #expect(port.server.calls == [])
  }

  @Test func aCallIsSplitByTheSizeThatItReallyHas() async throws {
    storesAll()
    // A small one first, which an estimate from the first entities would be misled by; and text that doubles in JSON.
    var all = entities(1) + entities(5, text: 300_000).dropFirst()
    all[2].properties["text"] = .string(String(repeating: "\"", count: 300_000))
    let results = try await port.run { try await $0.entities.upsert(all: all, in: "service") }
    #expect(batches == [["e0", "e1", "e2"], ["e3", "e4"]])
    #expect(port.requests.allSatisfy { $0.body.count < 1 << 20 })
    #expect(results.allSatisfy { $0.error == nil })
  }

  @Test func theLimitIsMetToTheByte() async throws {
    storesAll()
    let bare = #"{"entities":[{"identifier":"e0","properties":{"text":""},"relations":{}}]}"#.utf8.count
    let largest = entities(1, text: (1 << 20) - 1 - bare)
    let over = entities(1, text: (1 << 20) - bare)
    try await port.run { client async throws in
      #expect(try await client.entities.upsert(all: largest, in: "service").first?.outcome == .created)
      #expect(try await client.entities.upsert(all: over, in: "service").first?.error?.kind == .tooLarge)
    }
    #expect(port.requests.map(\.body.count) == [(1 << 20) - 1])
  }

  @Test func anEntityOverTheLimitFailsAlone() async throws {
    storesAll()
    var all = entities(3)
    all[1].properties["text"] = .string(String(repeating: "x", count: 1 << 20))
    let results = try await port.run { try await $0.entities.upsert(all: all, in: "service") }
    #expect(results.map { $0.error?.kind } == [nil, .tooLarge, nil])
    #expect(batches == [["e0"], ["e2"]])
  }

  @Test(arguments: [400, 413, 422])
  func aRefusedCallIsHalvedUntilTheGuiltyOneIsAlone(status: Int) async throws {
    storesAll(but: { $0 == "e2" }, status: status)
    let results = try await port.run { try await $0.entities.upsert(all: entities(5), in: "service") }
    #expect(results.map { $0.error?.status } == [nil, nil, status, nil, nil])
    #expect(
      batches == [["e0", "e1", "e2", "e3", "e4"], ["e0", "e1"], ["e2", "e3", "e4"], ["e2"], ["e3", "e4"]])
  }

  @Test func a207IsReadItemByItem() async throws {
    port.server.on(
      call,
      .json(
        #"""
        {"ok": true, "maxBulkSize": 20, "entities": [{"identifier": "e2", "index": 2, "created": true}],
         "errors": [{"identifier": "e0", "index": 0, "statusCode": 422, "error": "invalid", "message": "tier"},
                    {"identifier": "e1", "index": 1, "statusCode": 404, "error": "not_found", "message": "owner"},
                    {"identifier": "e3", "index": 3, "statusCode": 503, "error": "busy", "message": "later"},
                    {"identifier": "?", "index": 77, "statusCode": 500, "error": "x", "message": "y"}]}
        """#, status: 207, headers: [field("X-Trace-Id"): "trace-1"]))
    let results = try await port.run { try await $0.entities.upsert(all: entities(5), in: "service") }
    #expect(results.map { $0.error?.kind } == [.unprocessable, .notFound, nil, .server, .unexpectedAnswer])
    #expect(results.map { $0.error?.isRetryable } == [false, false, nil, true, false])
    #expect(results.allSatisfy { $0.error?.isOfItem != false })
    #expect(results[0].error?.message == "tier")
    #expect(results[0].error?.traceID == "trace-1")
    #expect(results[2].outcome == .created)
  }

  @Test func anAnswerThatNamesNoEntityIsAFailureOfTheCall() async throws {
    port.server.on(call, .json(#"{"ok": true, "entities": [], "errors": []}"#))
    let results = try await port.run { try await $0.entities.upsert(all: entities(2), in: "service") }
    #expect(results.allSatisfy { $0.error?.kind == .unexpectedAnswer && $0.error?.isOfItem == false })
  }

  @Test func oneIdentifierIsNotTwiceInACall() async throws {
    storesAll()
    let all = ["a", "b", "a", "c", "a"].map { Entity(identifier: $0) }
    let results = try await port.run { try await $0.entities.upsert(all: all, in: "service") }
    #expect(batches == [["a", "b"], ["a", "c"], ["a"]])
    #expect(results.allSatisfy { $0.error == nil })
  }

  @Test func anOutageEndsTheWorkAndNothingUnsentPassesForStored() async throws {
    storesAll()
    port.server.on(call, .refusal(503), .refusal(503), .refusal(503))
    let results = try await port.run { try await $0.entities.upsert(all: entities(45), in: "service") }
    #expect(port.calls.count == 3)
    #expect(results.count == 45)
    #expect(results.allSatisfy { $0.error?.status == 503 && $0.error?.isRetryable == true })
  }

  @Test func whatWasStoredBeforeAnOutageIsTold() async throws {
    storesAll(but: { $0 == "e20" }, status: 403)
    let results = try await port.run { try await $0.entities.upsert(all: entities(45), in: "service") }
    #expect(results.prefix(20).allSatisfy { $0.error == nil })
    #expect(results.dropFirst(20).allSatisfy { $0.error?.kind == .forbidden })
    #expect(port.calls.count == 2)
  }

  @Test func aCallThatBreaksPortDoesNotHoldUpTheOthers() async throws {
    storesAll(but: { $0 == "e3" }, status: 500)
    let results = try await port.run(retries: .never) { try await $0.entities.upsert(all: entities(25), in: "service") }
    #expect(results.prefix(20).allSatisfy { $0.error?.status == 500 })
    #expect(results.dropFirst(20).allSatisfy { $0.error == nil })
  }

  @Test func anEntityThatIsNoJSONFailsAlone() async throws {
    storesAll()
    var all = entities(2)
    all[0].properties["n"] = .number(.infinity)
    let results = try await port.run { try await $0.entities.upsert(all: all, in: "service") }
    #expect(results.map { $0.error?.kind } == [.badRequest, nil])
    #expect(batches == [["e1"]])
  }

  @Test func deletionsTravelByTheHundred() async throws {
    let call = "POST /v1/blueprints/service/bulk/entities/delete"
    port.server.always(call) { request in
      let names = (request.json?["entities"]?.array ?? []).compactMap(\.string)
      let deleted = names.filter { $0 != "e3" }.map { "\"\($0)\"" }.joined(separator: ",")
      return .json(#"{"ok":true,"deletedEntities":[\#(deleted)]}"#)
    }
    let names = entities(230).map(\.identifier)
    let results = try await port.run { try await $0.entities.delete(all: names, in: "service") }
    #expect(port.requests.map { $0.json?["entities"]?.array?.count } == [100, 100, 30])
    #expect(port.requests.allSatisfy { $0.query == "delete_dependents=false" })
    #expect(results.map(\.identifier) == names)
    #expect(results.filter { $0.outcome != .deleted } == [results[3]])
    #expect(results[3].outcome == .notDeleted)
  }

  @Test func deletionsThatFailAreToldAndAnOutageEndsThem() async throws {
    let call = "POST /v1/blueprints/service/bulk/entities/delete"
    port.server.on(call, .refusal(422), .refusal(403))
    let results = try await port.run { client in
      try await client.entities.delete(all: entities(230).map(\.identifier), in: "service")
    }
    #expect(port.calls.count == 2)
    #expect(results.count == 230)
    #expect(results.prefix(100).allSatisfy { $0.error?.kind == .unprocessable })
    #expect(results.dropFirst(100).allSatisfy { $0.error?.kind == .forbidden })
  }
}
