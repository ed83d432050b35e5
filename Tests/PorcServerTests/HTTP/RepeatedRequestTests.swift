import HCL
import PorcCore
import Testing

@testable import PorcServer

/// Every write can be repeated, every read can be asked whether it is still the same.
@Suite(.timeLimit(.minutes(1)))
struct RepeatedRequestTests {
  @Test func theSameKeyGetsTheSameBytes() async throws {
    try await TestServer.run { test in
      let key = ["Idempotency-Key": "k-1"]
      let first = try await test.post("/runs", Samples.blueprint(), headers: key)
      let again = try await test.post("/runs", Samples.blueprint(), headers: key)
      #expect(first.status == 201 && again.status == 201)
      #expect(first.bytes == again.bytes && first.header("Location") == again.header("Location"))
      #expect(try await test.get("/runs").json["runs"]?.arrayValue?.count == 1)

      let run = try #require(first.json["run_id"]?.stringValue)
      let planned = try await test.post("/runs/\(run)/plan", headers: ["Idempotency-Key": "k-2"])
      try await test.wait(run, for: "planned")
      let replayed = try await test.post("/runs/\(run)/plan", headers: ["Idempotency-Key": "k-2"])
      #expect(planned.status == 202 && planned.bytes == replayed.bytes)
      #expect(test.tfe.runs.count == 1)
    }
  }

  @Test func aKeyBelongsToOneRequestAndOneCaller() async throws {
    try await TestServer.run { test in
      let key = ["Idempotency-Key": "k-1"]
      _ = try await test.post("/runs", Samples.blueprint(), headers: key)
      let other = try await test.post("/runs", Samples.blueprint("db"), headers: key)
      #expect(other.status == 422 && other.code == "idempotency-key-reused")
      let run = try await test.submit()
      let elsewhere = try await test.post("/runs/\(run)/plan", headers: key)
      #expect(elsewhere.status == 422 && elsewhere.code == "idempotency-key-reused")
      let somebody = try await test.token("somebody", .submit)
      #expect(try await test.post("/runs", Samples.blueprint("db"), token: somebody, headers: key).status == 201)
    }
  }

  @Test func aRefusalIsNotKept() async throws {
    try await TestServer.run { test in
      let key = ["Idempotency-Key": "k-1"]
      let refused = try await test.post("/runs", "kind: none", headers: key)
      let mended = try await test.post("/runs", Samples.blueprint(), headers: key)
      #expect(refused.status == 422 && mended.status == 201)
    }
  }

  @Test(arguments: [" ", "a b", "ü", String(repeating: "x", count: 301)])
  func aKeyThatIsNoneIsRefused(key: String) async throws {
    try await TestServer.run { test in
      let reply = try await test.post("/runs", Samples.blueprint(), headers: ["Idempotency-Key": key])
      #expect(reply.status == 400 && reply.code == "malformed-request")
      #expect(try await test.get("/runs").json["runs"] == [])
    }
  }

  @Test func manyAtOnceAreOne() async throws {
    try await TestServer.run { test in
      let replies = try await withThrowingTaskGroup { group in
        for _ in 0..<12 {
          group.addTask {
            try await test.post("/runs", Samples.blueprint(), headers: ["Idempotency-Key": "same"])
          }
        }
        return try await group.reduce(into: [TestServer.Reply]()) { $0.append($1) }
      }
      #expect(Set(replies.map(\.status)) == [201])
      #expect(Set(replies.map(\.bytes)).count == 1)
      #expect(try await test.get("/runs").json["runs"]?.arrayValue?.count == 1)
    }
  }

  @Test func whatIsKnownIsNotSentAgain() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      let first = try await test.get("/runs/\(run)/status")
      let tag = try #require(first.header("ETag"))
      for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
        let same = try await test.get("/runs/\(run)/status", headers: ["If-None-Match": known])
        #expect(same.status == 304 && same.bytes.isEmpty && same.header("ETag") == tag, "\(known)")
      }
      #expect(try await test.get("/runs/\(run)/status", headers: ["If-None-Match": "\"other\""]).status == 200)
      _ = try await test.post("/runs/\(run)/cancel")
      let changed = try await test.get("/runs/\(run)/status", headers: ["If-None-Match": tag])
      #expect(changed.status == 200 && changed.header("ETag") != tag && changed.json["status"] == "canceled")
    }
  }

  @Test(arguments: ["", "W/"])
  func aLongPollEndsWithTheChange(weak: String) async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      let tag = try #require(try await test.get("/runs/\(run)/status").header("ETag"))
      let start = ContinuousClock.now
      async let known = test.get("/runs/\(run)/status?wait=50", headers: ["If-None-Match": weak + tag])
      async let unknown = test.get("/runs/\(run)/status?wait=50")
      // Both are waiting when the log has none of them yet but has this one.
      _ = try await test.get("/runs/\(run)/summary")
      _ = try await test.post("/runs/\(run)/cancel")
      let woken = try await known
      #expect(woken.json["status"] == "canceled")
      // It may have come after the change; then it waits for the next one.
      _ = try await test.post("/runs/\(run)/plan")
      let other = try await unknown
      #expect(other.status == 200)
      #expect(ContinuousClock.now - start < .seconds(20))
    }
  }

  @Test func aLongPollEndsWithItsTime() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      let tag = try #require(try await test.get("/runs/\(run)/status").header("ETag"))
      let start = ContinuousClock.now
      let reply = try await test.get("/runs/\(run)/status?wait=1", headers: ["If-None-Match": tag])
      #expect(reply.status == 304)
      #expect(ContinuousClock.now - start >= .seconds(1))
    }
  }
}
