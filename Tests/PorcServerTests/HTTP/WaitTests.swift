import HCL
import PorcCore
import PorcStore
import Testing

@testable import PorcServer

/// What a run waits for, as clients hear of it.
@Suite(.timeLimit(.minutes(1)))
struct WaitTests {
  /// Whoever holds a status read open is told when the waiting begins and when it ends.
  private func next(_ run: String, after tag: String, _ test: TestServer) async throws -> TestServer.Reply {
    let reply = try await test.get("/runs/\(run)/status?wait=20", headers: ["If-None-Match": tag])
    #expect(reply.status == 200 && reply.header("ETag") != tag)
    return reply
  }

  @Test func aWaitIsToldEverywhereFromItsBeginningToItsEnd() async throws {
    try await TestServer.run {
      $0.tfe.maximumRuns = 1
    } _: { test in
      test.tfe.change { $0.planned = "planning" }
      let first = try await test.submit()
      #expect(try await test.post("/runs/\(first)/plan").status == 202)
      while test.tfe.runs.isEmpty { try await test.wait(first, for: "planning") }
      let run = try await test.submit(Samples.blueprint("db"))
      #expect(try await test.post("/runs/\(run)/plan").status == 202)
      var reply = try await test.get("/runs/\(run)/status")
      while reply.json["wait"]?["reason"] != "maximum_runs" {
        reply = try await next(run, after: reply.header("ETag") ?? "", test)
      }
      #expect(reply.json["status"] == "planning")
      #expect(
        reply.json["waiting_for"] == "its turn: one run of PORC plans or applies already (tfe.maximum_runs)")
      let wait = try #require(reply.json["wait"])
      #expect(wait["since"]?.stringValue != nil && wait["link"]?.isNull == true)
      #expect(try await test.get("/runs/\(run)/summary").json["wait"] == wait)
      #expect(try await test.get("/instances/db").json["current_run"]?["wait"] == wait)
      let list = try await test.get("/runs?instance=db").json["runs"]?.arrayValue
      #expect(list?.first?["wait"] == wait)
      let entity = try await test.server.store.desiredEntities(.instance).first { $0.identifier == "db" }
      #expect(entity?.properties["waiting_for"] == reply.json["waiting_for"])

      test.tfe.change { state in
        state.planned = "planned"
        state.runs[0].status = "planned"
      }
      while reply.json["wait"]?["reason"] != "decision" {
        reply = try await next(run, after: reply.header("ETag") ?? "", test)
      }
      #expect(reply.json["status"] == "planned")
      let link = try #require(reply.json["wait"]?["link"]?.stringValue)
      #expect(link.hasSuffix("/app/acme/workspaces/porc-db/runs/run-2"))

      let events = try #require(try await test.get("/runs/\(run)/events").json["events"]?.arrayValue)
      let event = try #require(events.first { $0["type"] == "waiting" })
      #expect(event["data"]?["wait"] == ["maximum_runs": ["limit": 1]])
      #expect(event["data"]?["since"] == wait["since"] && event["data"]?["number"] == 1)
    }
  }
}
