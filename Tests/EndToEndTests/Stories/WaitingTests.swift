import Foundation
import TestKit
import Testing

/// "Why is it waiting?", in every place where people look: the status, the portal, `pine why`.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct WaitingTests {
  private func lock(_ action: String, _ workspace: String, _ dev: DevServer, _ reason: String = "") async throws {
    try await dev.tfe.post("/api/v2/workspaces/\(workspace)/actions/\(action)", ["reason": .string(reason)])
      .expecting(200)
  }

  private func workspace(_ run: String, _ dev: DevServer) async throws -> String {
    try #require(try await dev.summary(run)["workspace"]["id"].string)
  }

  @Test func aLockedWorkspaceIsToldUntilItIsUnlocked() async throws {
    let dev = try DevServer.current()
    let first = try await dev.deploy(Blueprint.service(named: "locked"))
    let workspace = try await workspace(first, dev)
    try await lock("lock", workspace, dev, "an audit")
    let before = try await dev.tfe.requests().lastSequence

    let run = try await dev.submit(Blueprint.service(named: "locked", text: "two"))
    try await dev.ask("plan", run)
    let waiting = try await dev.until(run, "waiting for the lock") { $0["wait"]["reason"] == "workspace_locked" }
    let sentence =
      "the workspace 'porc-locked', which is locked by sandbox (\"an audit\"); unlock it in Terraform Enterprise"
    #expect(waiting["status"] == "planning" && waiting["waiting_for"] == .string(sentence))
    #expect(waiting["wait"]["locked_by"] == "sandbox" && waiting["wait"]["lock_reason"] == "an audit")
    #expect(waiting["wait"]["link"].string?.hasSuffix("/app/porc-dev/workspaces/porc-locked") == true)
    try await dev.shows("locked", ["waiting_for": .string(sentence)])
    let why = try await dev.pine("why", "locked").exiting(0)
    #expect(why.output.contains("It waits for \(sentence)."), "\(why)")
    let json = try await dev.pine("why", "--run-id", run, "--json").exiting(0).json
    #expect(json["wait"] == waiting["wait"])
    let looks = try await dev.tfe.requests(after: before).filter {
      $0["method"] == "GET" && $0["path"].string?.hasPrefix("/api/v2/workspaces/\(workspace)?") == true
    }
    #expect(looks.count <= 1, "one look at all workspaces tells of it, or one of its own")

    try await lock("unlock", workspace, dev)
    let planned = try await dev.until(run, is: "planned")
    #expect(planned["wait"]["reason"] == "decision")
    try await dev.shows("locked", ["waiting_for": "somebody to apply or discard the plan"])
  }

  @Test func aRunOfSomebodyElseInFrontIsNamedWithItsPage() async throws {
    let dev = try DevServer.current()
    let first = try await dev.deploy(Blueprint.service(named: "behind"))
    let workspace = try await workspace(first, dev)
    // By hand, with the configuration that is there, and other inputs.
    let made = try await dev.tfe.post(
      "/api/v2/runs",
      [
        "data": [
          "type": "runs", "attributes": ["message": "by hand", "is-destroy": true],
          "relationships": ["workspace": ["data": ["type": "workspaces", "id": .string(workspace)]]],
        ]
      ]
    ).expecting(201)
    let foreign = try #require(made.json["data"]["id"].string)
    try await eventually("it is planned") { try await dev.tfeStatus(foreign) == "planned" ? true : nil }

    let run = try await dev.submit(Blueprint.service(named: "behind", text: "two"))
    try await dev.ask("plan", run)
    let waiting = try await dev.until(run, "behind the other") { $0["wait"]["reason"] == "tfe_run_ahead" }
    #expect(waiting["wait"]["tfe_run_id"] == .string(foreign) && waiting["wait"]["run_id"] == .null)
    #expect(waiting["wait"]["link"].string?.hasSuffix("/workspaces/porc-behind/runs/\(foreign)") == true)
    #expect(waiting["waiting_for"].string?.contains("the run \(foreign) in Terraform Enterprise") == true)
    let why = try await dev.pine("why", "behind").exiting(0)
    #expect(why.output.contains("/runs/\(foreign)"), "\(why)")

    try await dev.tfe.post("/api/v2/runs/\(foreign)/actions/discard").expecting(202)
    try await dev.until(run, is: "planned")
  }

  @Test func aWorkspaceThatIsRenamedInTFEIsFollowedByItsLinks() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("renamed", of: dev, closed: .plan)
    let run = try await dev.submit(Blueprint.gated(named: "renamed", gate))
    try await dev.ask("plan", run)
    try await gate.reached(.plan)
    let workspace = try await workspace(run, dev)
    try await dev.tfe.send(
      "PATCH /api/v2/workspaces/\(workspace)",
      .json(["data": ["type": "workspaces", "attributes": ["name": "of-somebody"]]])
    ).expecting(200)
    try gate.open(.plan)
    try await dev.until(run, is: "planned")
    let summary = try await dev.summary(run)
    #expect(summary["workspace"]["name"] == "of-somebody")
    #expect(summary["tfe_link"].string?.contains("/workspaces/of-somebody/runs/") == true)
    try await dev.shows("renamed", ["tfe_link": summary["tfe_link"]])
    try await dev.apply(run)
  }

  @Test func aWorkspaceThatIsDeletedInTFEIsToldAndMadeAnewByTheNextPlan() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "deleted"))
    try await dev.plan(run)
    let workspace = try await workspace(run, dev)
    try await dev.tfe.send("DELETE /api/v2/workspaces/\(workspace)").expecting(204)
    try await dev.until(run, is: "plan_failed")
    let error = try await dev.summary(run)["error"]
    #expect(error["summary"] == "The workspace 'porc-deleted' is not there any more in Terraform Enterprise")
    let why = try await dev.pine("why", "deleted").exiting(0)
    #expect(why.output.contains("It has ended, and waits for nothing."), "\(why)")
    #expect(why.output.contains("is not there any more in Terraform Enterprise"), "\(why)")

    try await dev.plan(run)
    #expect(try await self.workspace(run, dev) != workspace)
    try await dev.apply(run)
  }
}

/// The same of what PORC itself makes wait, and of a TFE that is away.
@Suite(.timeLimit(.minutes(1)))
struct WaitingInstallationTests {
  @Test func moreRunsThanTFEIsToHaveAtOnceSayThatTheyWaitForTheirTurn() async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC(["TFE_MAXIMUM_RUNS": "1"])
      let porc = try await place.porc()
      let gate = try Gate("first", in: place.folder, closed: [.plan])
      let first = try await Self.planning(Blueprint.gated(named: "first", gate), on: porc)
      try await gate.reached(.plan)
      let second = try await Self.planning(Blueprint.service(named: "second"), on: porc)
      let waiting = try await DevServer.until(second, "waiting for its turn", on: porc) {
        $0["wait"]["reason"] == "maximum_runs"
      }
      let sentence = "its turn: one run of PORC plans or applies already (tfe.maximum_runs)"
      #expect(waiting["waiting_for"] == .string(sentence))
      try await place.port().shows("second", ["waiting_for": .string(sentence)])
      try gate.open(.plan)
      for run in [first, second] {
        try await DevServer.until(run, "planned", on: porc) { $0["status"] == "planned" }
      }
    }
  }

  /// A TFE that is down costs time and nothing else.
  @Test func runsSaySinceWhenTFECannotBeReachedAndGoOnByThemselves() async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC()
      let porc = try await place.porc()
      let planned = try await Self.planning(Blueprint.service(named: "planned"), on: porc)
      try await DevServer.until(planned, "planned", on: porc) { $0["status"] == "planned" }
      try await place.stopTFE()

      let start = Date()
      let new = try await Self.planning(Blueprint.service(named: "new"), on: porc)
      try await porc.post("/runs/\(planned)/apply").expecting(202)
      for (run, instance) in [(new, "new"), (planned, "planned")] {
        let status = try await DevServer.until(run, "waiting for TFE", on: porc) {
          $0["wait"]["reason"] == "tfe_unreachable"
        }
        let since = try #require(status["wait"]["since"].string)
        let time = try Date(since, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        #expect(time >= start.addingTimeInterval(-1) && time <= Date())
        let sentence =
          "Terraform Enterprise, which cannot be reached since \(since.prefix(19))Z; PORC tries again by itself"
        #expect(status["waiting_for"] == .string(sentence))
        try await place.port().shows(instance, ["waiting_for": .string(sentence)])
        let why = try await place.pine("why", instance).exiting(0)
        #expect(why.output.contains("cannot be reached since"), "\(why)")
      }

      try await place.startTFE()
      try await DevServer.until(new, "planned", on: porc) { $0["status"] == "planned" }
      try await DevServer.until(planned, "applied", on: porc) { $0["status"] == "applied" }
      #expect(try await place.tfe().runsMade().sorted() == ["\(new)/1", "\(planned)/1"].sorted())
      try await place.port().shows("planned", ["terraform_status": "applied", "waiting_for": "nothing"])
      try await place.port().shows("new", ["waiting_for": "somebody to apply or discard the plan"])
    }
  }

  private static func planning(_ blueprint: JSON, on porc: API) async throws -> String {
    let submitted = try await porc.post("/runs", blueprint).expecting(201)
    let run = try #require(submitted.json["run_id"].string)
    try await porc.post("/runs/\(run)/plan").expecting(202)
    return run
  }
}
