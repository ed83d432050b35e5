import Foundation
import PorcCore
import PorcStore
import TestKit
import Testing

@testable import PorcServer

/// What the server makes of TFE's limits.
@Suite(.timeLimit(.minutes(1)))
struct CallBudgetTests {
  /// The value of a series on `/metrics`.
  private func metric(_ series: String, _ test: TestServer) async throws -> Double? {
    Self.value(series, in: try await test.get("/metrics").text)
  }

  private static func value(_ series: String, in metrics: String) -> Double? {
    metrics.split(separator: "\n").first { $0.hasPrefix(series + " ") }.flatMap { Double($0.split(separator: " ")[1]) }
  }

  private func waitFor(_ series: String, atLeast value: Double, _ test: TestServer) async throws {
    while try await metric(series, test) ?? 0 < value { try await Task.sleep(for: .milliseconds(5)) }
  }

  @Test func anApplyIsTheNextCallHoweverManyPollsWait() async throws {
    let names = (1...9).map { "web-\($0)" }
    try await TestServer.run(instances: names + ["db"]) { test in
      let applied = try await test.planned(Samples.blueprint("db"))
      test.tfe.change { $0.planned = "planning" }
      var follows: [RunJob] = []
      for name in names {
        let run = try await test.submit(Samples.blueprint(name))
        _ = try await test.post("/runs/\(run)/plan")
        follows.append(RunJob(.follow, run: PorcCore.Run.ID(run), plan: 1))
      }
      while test.tfe.runs.count < 10 { try await Task.sleep(for: .milliseconds(5)) }
      // One poll is refused, and with it all lanes that poll wait; one poll more than there are lanes is due.
      test.tfe.change { $0.refusal = 20 }
      try await test.server.store.wake(follows)
      // Before the refusal they wait as well, each for its turn of a moment.
      try await waitFor("porc_tfe_calls_refused_total{scope=\"general\"}", atLeast: 1, test)
      try await waitFor("porc_tfe_calls_waiting{priority=\"poll\"}", atLeast: 7, test)

      #expect(try await test.post("/runs/\(applied)/apply").status == 202)
      var stopped = test.tfe.calls.count
      var isBehind = false
      while !test.tfe.calls.contains(where: { $0.hasSuffix("/actions/apply") }) {
        guard !isBehind else {
          try await Task.sleep(for: .milliseconds(5))
          continue
        }
        stopped = test.tfe.calls.count
        let metrics = try await test.get("/metrics").text
        isBehind =
          Self.value("porc_tfe_calls_waiting{priority=\"apply\"}", in: metrics) == 1
          && Self.value("porc_tfe_calls_waiting{priority=\"poll\"}", in: metrics) ?? 0 >= 7
      }
      // What is sent some milliseconds apart may overtake on its way. Where the refusal was over before the apply was asked
      // for, the machine was too slow for it to meet the others.
      let before = test.tfe.calls.dropFirst(stopped).prefix { !$0.hasSuffix("/actions/apply") }
      #expect(before.count { $0.hasPrefix("GET runs/") } <= (isBehind ? 3 : 9), "\(before)")
      try await test.wait(applied, for: "applied")
      #expect(try await metric("porc_tfe_calls_refused_total{scope=\"general\"}", test) == 1)
    }
  }

  @Test func eachCallHasThePriorityOfItsJob() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      _ = try await test.post("/runs/\(run)/apply")
      try await test.wait(run, for: "applied")
      let other = try await test.planned(Samples.blueprint("db"))
      _ = try await test.post("/runs/\(other)/discard")
      try await test.wait(other, for: "discarded")

      var made: [String: Double] = [:]
      for priority in ["apply", "cancel", "plan", "poll", "background"] {
        made[priority] = try await metric("porc_tfe_calls_total{priority=\"\(priority)\"}", test)
      }
      #expect(made["apply"] == 1)
      #expect(made["cancel"] == 2, "it is read, then discarded")
      #expect(made["background"] == 0)
      #expect(made["poll"] ?? 0 >= 4)
      #expect(
        made.values.reduce(0, +) == Double(test.tfe.calls.count + 1), "with the discovery, and without uploads and logs"
      )
    }
  }

  @Test func theMetricsTellTheBudget() async throws {
    try await TestServer.run { test in
      let text = try await test.get("/metrics").text
      for line in [
        "# TYPE porc_tfe_calls_limit gauge", "porc_tfe_calls_limit{scope=\"general\"} 1000",
        "porc_tfe_calls_limit{scope=\"run_lists\"} 30", "porc_tfe_calls_remaining{scope=\"general\"} 333",
        "porc_tfe_calls_remaining{scope=\"run_lists\"} 10", "# TYPE porc_tfe_calls_waiting gauge",
        "porc_tfe_calls_waiting{priority=\"apply\"} 0", "porc_tfe_calls_waiting{priority=\"background\"} 0",
        "porc_tfe_calls_longest_wait_seconds 0.0", "# TYPE porc_tfe_calls_total counter",
        "porc_tfe_calls_total{priority=\"cancel\"} 0", "# TYPE porc_tfe_calls_refused_total counter",
        "porc_tfe_calls_refused_total{scope=\"general\"} 0", "porc_tfe_calls_refused_total{scope=\"run_lists\"} 0",
      ] {
        #expect(text.contains("\n\(line)\n"), "\(line)")
      }
    }
  }

  @Test func withoutALimitThereIsNoneOnTheMetrics() async throws {
    try await TestServer.run({ $0.tfe.callsPerSecond = 0 }) { test in
      let text = try await test.get("/metrics").text
      #expect(!text.contains("porc_tfe_calls_limit") && !text.contains("porc_tfe_calls_remaining"))
      #expect(text.contains("\nporc_tfe_calls_waiting{priority=\"poll\"} 0\n"))
    }
  }
}
