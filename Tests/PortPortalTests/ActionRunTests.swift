import Foundation
import PortPortal
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ActionRunTests {
  private let port = PortScript()
  private let path = "/v1/actions/runs/r_1%2F2"
  private let stored =
    #"{"id": "r_1/2", "status": "IN_PROGRESS", "statusLabel": "Planning", "externalRunId": "run-1", "link": ["https://tfe"], "source": "UI"}"#

  @Test func anActionRunIsRead() async throws {
    port.server.on("GET \(path)", .json(#"{"ok":true,"run":\#(stored)}"#), .refusal(404, "not_found"), .refusal(404))
    try await port.run { client async throws in
      let run = try #require(try await client.actionRuns.get("r_1/2"))
      #expect(
        run == Portal.ActionRun(id: "r_1/2", status: "IN_PROGRESS", statusLabel: "Planning", externalRunID: "run-1"))
      #expect(!run.isEnded)
      #expect(try await client.actionRuns.get("r_1/2") == nil)
      // A 404 without Port's code proves nothing.
      #expect(try await portError { try await client.actionRuns.get("r_1/2") }?.kind == .notFound)
    }
    #expect(Set(port.requests.map(\.query)) == ["version=v2"])
  }

  @Test(arguments: [
    ("SUCCESS", true), ("FAILURE", true), ("DECLINED", true), ("WAITING_FOR_APPROVAL", false), ("NEW", false),
  ])
  func someStatusesEndIt(status: String, isEnded: Bool) {
    #expect(Portal.ActionRun(id: "r", status: status).isEnded == isEnded)
  }

  @Test func anUpdateSendsTheNamedPartsOnlyAndIsRepeated() async throws {
    port.server.on("PATCH \(path)", .refusal(503), .json(#"{"ok":true,"run":\#(stored)}"#))
    port.server.on("PATCH \(path)", .json(#"{"ok":true,"run":\#(stored)}"#))
    try await port.run { client in
      let update = Portal.ActionRun.Update(statusLabel: "Planning", link: ["https://tfe"], externalRunID: "run-1")
      try await client.actionRuns.update("r_1/2", update)
      try await client.actionRuns.update("r_1/2", .init(status: .failure, summary: "No."))
    }
    let told: JSON = ["statusLabel": "Planning", "link": ["https://tfe"], "externalRunId": "run-1"]
    #expect(port.requests.map(\.json) == [told, told, ["status": "FAILURE", "summary": "No."]])
    #expect(Portal.ActionRun.Update().isEmpty && !Portal.ActionRun.Update(status: .success).isEmpty)
  }

  /// Port does not say which code that is.
  @Test(arguments: [400, 403, 409, 410, 422])
  func aRefusalAfterTheEndIsFinal(status: Int) async throws {
    port.server.on("PATCH \(path)", .refusal(status))
    let error = try await port.run { client in
      try await portError { try await client.actionRuns.update("r_1/2", .init(status: .success)) }
    }
    #expect(error?.status == status && error?.isRetryable == false)
    #expect(port.calls.count == 1)
  }

  @Test func aLineIsAddedAndRepeatedOnlyWhenPortHasSurelyDoneNothing() async throws {
    let log =
      #"{"id": "l1", "runId": "r_1/2", "message": "Hello", "createdBy": "porc", "createdAt": "2026-01-02T03:04:05.678Z"}"#
    port.server.on(
      "POST \(path)/logs", .refusal(429), .json(#"{"ok":true,"runLog":\#(log)}"#, status: 201), .refusal(502))
    try await port.run { client in
      try await client.actionRuns.addLog("Hello", to: "r_1/2")
      #expect(try await portError { try await client.actionRuns.addLog("Hello", to: "r_1/2") }?.status == 502)
    }
    #expect(port.requests.map(\.json) == [["message": "Hello"], ["message": "Hello"], ["message": "Hello"]])
    #expect(port.requests.allSatisfy { $0.query.isEmpty })
  }

  @Test func theWholeLogIsReadPageByPage() async throws {
    func page(_ numbers: Range<Int>) -> ScriptedServer.Answer {
      let logs = numbers.map {
        #"{"id": "l\#($0)", "runId": "r", "message": "m\#($0)", "createdBy": "p", "createdAt": "2026-01-02T03:04:05Z"}"#
      }
      return .json(#"{"ok":true,"runLogs":[\#(logs.joined(separator: ","))]}"#)
    }
    port.server.on("GET \(path)/logs", page(0..<50), page(50..<100), page(100..<101))
    try await port.run { client async throws in
      #expect(try await client.actionRuns.logs(of: "r_1/2").map(\.message) == (0..<101).map { "m\($0)" })
    }
    #expect(port.requests.map(\.query) == ["limit=50&offset=0", "limit=50&offset=50", "limit=50&offset=100"])
  }

  @Test func runsAreFoundByWhatTheirBackendCallsThem() async throws {
    port.server.on("GET /v1/actions/runs", .json(#"{"ok":true,"runs":[\#(stored)]}"#))
    try await port.run { client async throws in
      #expect(try await client.actionRuns.list(externalRunID: "run 1").map(\.id) == ["r_1/2"])
    }
    #expect(port.requests.first?.query == "external_run_id=run%201&limit=100&version=v2")
  }
}
