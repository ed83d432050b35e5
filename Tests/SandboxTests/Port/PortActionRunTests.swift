import Foundation
import Sandbox
import Synchronization
import TestKit
import Testing

/// The runs of actions: how they end, and what their backends report.
@Suite(.timeLimit(.minutes(1)))
struct PortActionRunTests {
  @Test func aBackendReportsUntilTheRunHasEnded() async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json("{}"))
    try await backend.serve { url in
      try await Port.run { port in
        try await port.setUpAction(Port.action(url: url + "/x"))
        let id = try await port.press()
        let path = "/v1/actions/runs/\(id)"
        try await port.expect(
          200, "PATCH", path, ["statusLabel": "planning", "link": "https://tfe/1", "externalRunId": "run-1"])
        try await port.expect(201, "POST", path + "/logs", ["message": "begun"])
        for body in [["status": "RUNNING"], ["nonsense": 1], ["link": 1], ["summary": 1]] as [JSONValue] {
          try await port.expect(422, "PATCH", path, body)
        }
        try await port.expect(422, "POST", path + "/logs", ["terminationStatus": "SUCCESS"])
        let open = try await port.run(id)
        #expect(open["status"] == "IN_PROGRESS")
        #expect(open["statusLabel"] == "planning")
        #expect(open["endedAt"].isNull)
        try await port.expect(200, "PATCH", path, ["link": ["https://tfe/1", "https://tfe/2"], "summary": "S"])
        try await port.expect(
          201, "POST", path + "/logs", ["message": "done", "terminationStatus": "SUCCESS", "statusLabel": "applied"])
        let run = try await port.run(id)
        #expect(run["status"] == "SUCCESS")
        #expect(run["statusLabel"] == "applied")
        #expect(run["link"] == ["https://tfe/1", "https://tfe/2"])
        #expect(run["summary"] == "S")
        #expect(run["endedAt"].string != nil)
        #expect(try await port.log(id) == ["begun", "done"])
        // Nothing changes it any more.
        try await port.expect(409, "PATCH", path, ["status": "FAILURE"])
        try await port.expect(409, "POST", path + "/logs", ["message": "late"])
        #expect(try await port.run(id) == run)
      }
    }
  }

  @Test func runsAreFound() async throws {
    let backend = ScriptedServer()
    backend.always("POST /x") { _ in .json("{}") }
    try await backend.serve { url in
      try await Port.run { port in
        try await port.setUpAction(Port.action(url: url + "/x"))
        let first = try await port.press(query: "?run_as=ann@example.com")
        let second = try await port.press()
        try await port.expect(
          200, "PATCH", "/v1/actions/runs/\(first)", ["externalRunId": "run-1", "status": "SUCCESS"])
        let lists = [
          "": [second, first], "?limit=1": [second], "?external_run_id=run-1": [first], "?active=true": [second],
          "?active=false": [first], "?entity=i": [second, first], "?entity=j": [],
          "?action=apply&blueprint=instance": [second, first],
          "?user_email=ann@example.com": [first], "?source=UI": [],
        ]
        for (query, found) in lists {
          let list = try await port.expect(200, "GET", "/v1/actions/runs\(query)")["runs"].array ?? []
          #expect(list.map { $0["id"].string } == found, "\(query)")
        }
        let slim = try await port.expect(200, "GET", "/v1/actions/runs?exclude=payload&exclude=context")["runs"][0]
        #expect(slim.object?["payload"] == nil)
        try await port.expect(422, "GET", "/v1/actions/runs?limit=0")
        try await port.expect(404, "GET", "/v1/actions/runs/r_none")
      }
    }
  }

  @Test func aBackendThatRefusesOrIsAwayEndsTheRun() async throws {
    let backend = ScriptedServer()
    backend.on("POST /refuses", .json(#"{"title": "wrong-state", "detail": "The run is discarded."}"#, status: 409))
    backend.on("POST /breaks", .dropped)
    try await backend.serve { url in
      try await Port.run { port in
        try await port.setUpAction(Port.action(url: url + "/{{ .inputs.reason }}"))
        let refused = try await port.press(on: "i", ["reason": "refuses"])
        #expect(try await port.run(refused) { $0["endedAt"].string != nil }["status"] == "FAILURE")
        #expect(try await port.log(refused) == ["The backend answered 409: The run is discarded."])
        let broken = try await port.press(on: "i", ["reason": "breaks"])
        #expect(try await port.run(broken) { $0["endedAt"].string != nil }["status"] == "FAILURE")
        #expect(try await port.log(broken).first?.hasPrefix("The backend cannot be reached: ") == true)
      }
    }
  }

  @Test func whatTheBackendSaidFirstStands() async throws {
    try await Port.run { port in
      let backend = ScriptedServer { request in
        // It reports before it answers.
        guard let body = try? JSONValue(parsing: request.body), let id = body["port_context"]["runId"].string else {
          return nil
        }
        _ = try? await port.expect(
          201, "POST", "/v1/actions/runs/\(id)/logs", ["message": "not allowed", "terminationStatus": "FAILURE"])
        return .json("{}", status: 403)
      }
      try await backend.serve { url in
        try await port.setUpAction(Port.action(url: url + "/x"))
        let id = try await port.press()
        #expect(try await port.run(id) { $0["pendingExecution"] == false }["status"] == "FAILURE")
        #expect(try await port.log(id) == ["not allowed"])
      }
    }
  }

  @Test(arguments: [(201, "SUCCESS"), (400, "FAILURE")])
  func aSynchronizedBackendAnswersAndThatIsTheEnd(status: Int, end: String) async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json(#"{"message": "so it is"}"#, status: status))
    try await backend.serve { url in
      try await Port.run { port in
        try await port.setUpAction(Port.action("apply", url: url + "/x", ["webhook.synchronized": true]))
        let id = try await port.press()
        let run = try await port.run(id) { $0["endedAt"].string != nil }
        #expect(run["status"].string == end)
        #expect(run["response"] == ["message": "so it is"])
        #expect(try await port.log(id) == ["The backend answered \(status): so it is"])
      }
    }
  }

  @Test func nothingIsSentBeforeTheApproval() async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json("{}"))
    try await backend.serve { url in
      try await Port.run { port in
        try await port.setUpAction(Port.action("apply", url: url + "/x", ["requiredApproval": ["type": "ANY"]]))
        let declined = try await port.press()
        #expect(try await port.run(declined)["status"] == "WAITING_FOR_APPROVAL")
        let approval = "/v1/actions/runs/\(declined)/approval"
        try await port.expect(422, "PATCH", approval, ["status": "YES"])
        let answer = try await port.expect(201, "PATCH", approval, ["status": "DECLINE", "description": "not today"])
        #expect(answer["run"]["status"] == "DECLINED")
        try await port.expect(409, "PATCH", approval, ["status": "APPROVE"])

        let approved = try await port.press()
        #expect(backend.calls == [])
        try await port.expect(201, "PATCH", "/v1/actions/runs/\(approved)/approval", ["status": "APPROVE"])
        _ = try await port.run(approved) { $0["pendingExecution"] == false }
        #expect(backend.calls == ["POST /x"])
        let approvers = try await port.expect(200, "GET", "/v1/actions/runs/\(approved)/approvers")["approvers"]
        #expect(approvers == [["userId": "api-token", "state": "APPROVED"]])
      }
    }
  }

  @Test func aRunThatAStopCaughtIsSentAtTheNextStart() async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .silence, .json("{}"))
    let folder = try TemporaryFolder()
    try await backend.serve { url in
      let id = try await Port.run(in: folder) { port in
        try await port.setUpAction(Port.action(url: url + "/x"))
        let id = try await port.press()
        while backend.calls.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        return id
      }
      try await Port.run(in: folder) { port in
        let run = try await port.run(id) { $0["pendingExecution"] == false }
        #expect(run["status"] == "IN_PROGRESS")
        let sent = try backend.requests.map { try JSONValue(parsing: $0.body) }
        #expect(sent.count == 2)
        #expect(sent.first == sent.last)
        // Actions, secrets and logs are there too.
        try await port.expect(201, "POST", "/v1/actions/runs/\(id)/logs", ["message": "one"])
        try await port.expect(201, "POST", "/v1/actions/runs/\(id)/logs", ["message": "two"])
      }
      try await Port.run(in: folder) { port in
        let (log, action) = (try await port.log(id), try await port.expect(200, "GET", "/v1/actions/apply"))
        #expect(log == ["one", "two"])
        #expect(action["action"]["title"] == "Apply now")
        #expect(backend.calls.count == 2)
      }
    }
  }

  @Test func aWriteIsTiedToTheRunThatCausedIt() async throws {
    let backend = ScriptedServer()
    backend.on("POST /x", .json("{}"))
    try await backend.serve { url in
      try await Port.run { port in
        try await port.setUpAction(Port.action(url: url + "/x"))
        let id = try await port.press()
        let entities = "/v1/blueprints/instance/entities"
        try await port.expect(200, "PATCH", entities + "/i?run_id=\(id)", ["properties": ["status": "applied"]])
        try await port.expect(
          201, "POST", entities + "?upsert=true&run_id=\(id)", ["identifier": "j", "properties": ["status": "planned"]])
        try await port.expect(200, "DELETE", entities + "/j?run_id=\(id)&delete_dependents=false")
        #expect(
          try await port.run(id)["entities"] == [
            ["identifier": "i", "blueprint": "instance", "action": "UPDATE"],
            ["identifier": "j", "blueprint": "instance", "action": "DELETE"],
          ])
        try await port.expect(404, "PATCH", entities + "/i?run_id=r_none", ["title": "no"])
        try await port.expect(200, "PATCH", "/v1/actions/runs/\(id)", ["status": "SUCCESS"])
        try await port.expect(422, "PATCH", entities + "/i?run_id=\(id)", ["title": "no"])
        #expect(try await port.entity("instance", "i")["title"] == "I")
      }
    }
  }
}
