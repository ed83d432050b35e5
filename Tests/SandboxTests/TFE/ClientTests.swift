import Foundation
import Sandbox
import Testing

/// What clients other than the CLI ask for: the Go and the Python client, and the Terraform provider for TFE.
@Suite(.timeLimit(.minutes(2))) struct ClientTests {
  @Test func aRunHasCommentsAndEvents() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one))
      try await tfe.wait(for: run, ["planned"])
      let said = try await tfe.post(
        "/runs/\(run)/comments", ["data": ["type": "comments", "attributes": ["body": "looks good"]]])
      #expect(said.status == 201)
      #expect(try await tfe.get("/comments/\(said.id)").attributes["body"] == "looks good")
      #expect(try await tfe.post("/runs/\(run)/comments", ["data": ["attributes": [:]]]).status == 422)
      #expect(try await tfe.post("/runs/\(run)/actions/discard", ["comment": "not today"]).status == 202)
      let comments = try await tfe.get("/runs/\(run)/comments").data.array ?? []
      #expect(comments.map { $0["attributes"]["body"] } == ["looks good", "not today"])

      // What is refused leaves no comment behind.
      #expect(try await tfe.post("/runs/\(run)/actions/apply", ["comment": "too late"]).status == 409)
      #expect(try await tfe.get("/runs/\(run)/comments").data.array?.count == 2)

      let events = try await tfe.get("/runs/\(run)/run-events").data.array ?? []
      let actions = events.compactMap { $0["attributes"]["action"].string }
      #expect(actions.first == "queued" && actions.last == "discarded" && actions.contains("planned"), "\(actions)")
      let last = try await tfe.get("/run-events/\(events.last?["id"].string ?? "")")
      #expect(last.data == events.last)
      let named = try await tfe.get("/runs/\(run)").data["relationships"]
      #expect(named["run-events"]["data"].array?.count == events.count && named["comments"]["data"].array?.count == 2)
      #expect(try await tfe.get("/run-events/re-x-queued").status == 404)
    }
  }

  @Test func anEarlierStateComesBack() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      try await tfe.apply(workspace, Configuration.one)
      let first = try await tfe.get("/workspaces/\(workspace)/current-state-version")
      try await tfe.apply(workspace, Configuration.one, ["variables": [["key": "a", "value": "\"b\""]]])
      let second = try await tfe.get("/workspaces/\(workspace)/current-state-version")
      #expect(try await tfe.outputs(workspace)["o"] == "b")
      func back(to id: String) async throws -> TFE.Answer {
        try await tfe.send(
          "PATCH", "/workspaces/\(workspace)/state-versions",
          [
            "data": [
              "type": "state-versions",
              "relationships": [
                "rollback-state-version": ["data": ["type": "state-versions", "id": .string(id)]]
              ],
            ]
          ])
      }
      #expect(try await back(to: first.id).status == 409)
      #expect(try await tfe.post("/workspaces/\(workspace)/actions/lock").status == 200)
      #expect(try await back(to: "sv-none").status == 422)
      let made = try await back(to: first.id)
      #expect(made.status == 201 && made.id != first.id)
      #expect(made.attributes["serial"].int == second.attributes["serial"].int.map { $0 + 1 })
      #expect(try await tfe.post("/workspaces/\(workspace)/actions/unlock").status == 200)
      #expect(try await tfe.outputs(workspace)["o"] == "a")
      // Terraform goes on from there.
      try await tfe.apply(workspace, Configuration.one, ["variables": [["key": "a", "value": "\"c\""]]])
      #expect(try await tfe.outputs(workspace)["o"] == "c")
    }
  }

  @Test func theQueueTellsWhoIsAheadAndHowMuchRuns() async throws {
    try await TFE.run(concurrency: 2) { tfe in
      var running: [String] = []
      for name in ["one", "two"] {
        let workspace = try await tfe.createWorkspace(name)
        let version = try await tfe.upload(workspace, Configuration.endless)
        running.append(try await tfe.startRun(workspace, version, ["auto-apply": true]))
      }
      for run in running { try await tfe.waitForEndlessApply(run) }
      let three = try await tfe.createWorkspace("three")
      let version = try await tfe.upload(three, Configuration.one)
      let queued = try await tfe.startRun(three, version)
      let four = try await tfe.createWorkspace("four")
      let second = try await tfe.startRun(four, tfe.upload(four, Configuration.one))
      let pending = try await tfe.startRun(three, version)
      #expect(try await tfe.status(queued) == "plan_queued")
      #expect(try await tfe.get("/runs/\(queued)").attributes["position-in-queue"] == 0)
      #expect(try await tfe.get("/runs/\(second)").attributes["position-in-queue"] == 1)
      #expect(try await tfe.get("/runs/\(pending)").attributes["position-in-queue"] == 1)

      let capacity = try await tfe.get("/organizations/acme/capacity")
      #expect(capacity.attributes["running"] == 2 && capacity.attributes["pending"] == 3)
      let queue = try await tfe.get("/organizations/acme/runs/queue").data.array ?? []
      #expect(Set(queue.prefix(2).map { $0["id"].string }) == Set(running))
      #expect(queue.dropFirst(2).map { $0["id"].string } == [queued, second, pending])
      #expect(queue.map { $0["attributes"]["position-in-queue"].int } == [0, 1, 2, 3, 4])

      // A place that becomes free goes to whoever waits longest.
      #expect(try await tfe.post("/runs/\(running[0])/actions/cancel").status == 202)
      try await tfe.wait(for: queued, ["planned"])
      #expect(try await tfe.get("/runs/\(queued)").attributes["position-in-queue"] == 0)
      try await tfe.wait(for: second, ["planned"])
      #expect(try await tfe.status(pending) == "pending")
      #expect(try await tfe.get("/organizations/acme/capacity").attributes["running"] == 1)
      for run in [running[1], queued, pending] { _ = try await tfe.post("/runs/\(run)/actions/cancel") }
    }
  }

  @Test func whoMadeARunIsTold() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one, ["auto-queue-runs": true])
      let uploaded = try await tfe.newestRuns().first?.id ?? ""
      let made = try await tfe.startRun(workspace, version)
      func ids(_ source: String) async throws -> [String] {
        (try await tfe.get("/workspaces/\(workspace)/runs?filter[source]=\(source)").data.array ?? [])
          .compactMap { $0["id"].string }
      }
      #expect(try await ids("tfe-api") == [made])
      #expect(try await ids("tfe-configuration-version") == [uploaded])
      #expect(try await ids("terraform%2Bcloud").isEmpty)
      let link = try await tfe.get("/runs/\(made)/configuration-version/download")
      #expect(link.status == 302)
      let direct = try await tfe.get("/configuration-versions/\(version)/download").location ?? ""
      #expect(try await tfe.get(link.location ?? "").body == tfe.get(direct).body)
    }
  }

  @Test func aChangeThatNamesTagsReplacesThem() async throws {
    try await TFE.run { tfe in
      func tags(_ keys: [String]) -> JSONValue {
        ["tag-bindings": ["data": .array(keys.map { ["attributes": ["key": .string($0), "value": "v"]] })]]
      }
      func keys(_ path: String) async throws -> Set<String> {
        Set((try await tfe.get(path).data.array ?? []).compactMap { $0["attributes"]["key"].string })
      }
      let made = try await tfe.post(
        "/organizations/acme/workspaces",
        ["data": ["attributes": ["name": "demo"], "relationships": tags(["a", "b"])]])
      let path = "/workspaces/\(made.id)"
      // A change of something else leaves them.
      _ = try await tfe.send("PATCH", path, ["data": ["attributes": ["description": "d"]]])
      #expect(try await keys(path + "/tag-bindings") == ["a", "b"])
      _ = try await tfe.send("PATCH", path, ["data": ["relationships": tags(["b", "c"])]])
      #expect(try await keys(path + "/tag-bindings") == ["b", "c"])
      _ = try await tfe.send("PATCH", path + "/tag-bindings", tags(["d"])["tag-bindings"])
      #expect(try await keys(path + "/tag-bindings") == ["b", "c", "d"])
      _ = try await tfe.send("PATCH", path, ["data": ["relationships": tags([])]])
      #expect(try await keys(path + "/tag-bindings") == [])

      let project = try await tfe.post("/organizations/acme/projects", ["data": ["attributes": ["name": "Team A"]]])
      let moved = try await tfe.post(
        "/projects/\(project.id)/relationships/workspaces",
        ["data": [["type": "workspaces", "id": .string(made.id)]]])
      #expect(moved.status == 204)
      #expect(try await tfe.get(path).data["relationships"]["project"]["data"]["id"].string == project.id)
      #expect(
        try await tfe.post("/projects/\(project.id)/relationships/workspaces", ["data": [["id": "ws-x"]]]).status == 404
      )
    }
  }
}
