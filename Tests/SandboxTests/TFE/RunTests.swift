import Foundation
import Sandbox
import Testing

@Suite(.timeLimit(.minutes(2))) struct RunTests {
  @Test func aRunIsPlannedConfirmedAndApplied() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      let created = try await tfe.createRun(workspace, version, ["message": "porc-1/1"])
      #expect(created.status == 201 && created.attributes["message"] == "porc-1/1")
      let planned = try await tfe.wait(for: created.id, ["planned"])
      #expect(planned.attributes["has-changes"] == true)
      #expect(planned.attributes["actions"]["is-confirmable"] == true)
      let plan = planned.json["included"].array?.first { $0["type"] == "plans" } ?? .null
      #expect(plan["attributes"]["status"] == "finished")
      #expect(plan["attributes"]["resource-additions"] == 1)
      #expect(try await tfe.get("/workspaces/\(workspace)").attributes["locked"] == true)

      #expect(try await tfe.post("/runs/\(created.id)/actions/apply", ["comment": "go"]).status == 202)
      let applied = try await tfe.wait(for: created.id, ["applied"])
      for name in ["plan-queued-at", "planning-at", "planned-at", "confirmed-at", "applying-at", "applied-at"] {
        #expect(applied.attributes["status-timestamps"][name].string != nil, "\(name)")
      }
      #expect(try await tfe.post("/runs/\(created.id)/actions/apply").status == 409)
      #expect(try await tfe.outputs(workspace) == ["o": "a", "s": nil])
      let shown = try await tfe.get("/workspaces/\(workspace)?include=current_run,outputs")
      #expect(shown.attributes["locked"] == false && shown.attributes["resource-count"] == 1)
      #expect(shown.json["included"].array?.contains { $0["id"].string == created.id } == true)

      let log = try await tfe.log(created.id, "apply")
      #expect(log.hasPrefix("\u{2}Terraform v") && log.contains("\"type\":\"apply_complete\""))
      let header = log.split(separator: "\n", omittingEmptySubsequences: false)[2]
      #expect(header == "Initializing plugins and modules...")
    }
  }

  @Test func runsOfAWorkspaceTakeTheirTurn() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      let first = try await tfe.startRun(workspace, version)
      try await tfe.wait(for: first, ["planned"])
      let second = try await tfe.createRun(workspace, version)
      let third = try await tfe.createRun(workspace, version)
      #expect(second.attributes["status"] == "pending" && second.attributes["position-in-queue"] == 1)
      #expect(third.attributes["position-in-queue"] == 2)
      #expect(
        try await tfe.get("/workspaces/\(workspace)").data["relationships"]["current-run"]["data"]["id"].string == first
      )

      let planOnly = try await tfe.startRun(workspace, version, ["plan-only": true])
      try await tfe.wait(for: planOnly, ["planned_and_finished"])
      let saved = try await tfe.startRun(workspace, version, ["save-plan": true])
      try await tfe.wait(for: saved, ["planned_and_saved"])
      #expect(try await tfe.status(second.id) == "pending")

      #expect(try await tfe.post("/runs/\(first)/actions/discard").status == 202)
      #expect(try await tfe.status(first) == "discarded")
      try await tfe.wait(for: second.id, ["planned"])
      #expect(try await tfe.status(third.id) == "pending")

      #expect(try await tfe.post("/runs/\(third.id)/actions/force-execute").status == 202)
      #expect(try await tfe.status(second.id) == "discarded")
      try await tfe.wait(for: third.id, ["planned"])
      #expect(try await tfe.post("/runs/\(third.id)/actions/force-execute").status == 403)

      // A saved plan waits for the holder, and its apply makes other saved plans out of date.
      let other = try await tfe.startRun(workspace, version, ["save-plan": true])
      try await tfe.wait(for: other, ["planned_and_saved"])
      #expect(try await tfe.post("/runs/\(saved)/actions/apply").status == 202)
      #expect(try await tfe.status(saved) == "confirmed")
      #expect(try await tfe.post("/runs/\(third.id)/actions/cancel").status == 202)
      try await tfe.wait(for: saved, ["applied"])
      #expect(try await tfe.status(other) == "discarded")
    }
  }

  @Test func aLockHoldsRunsBack() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      #expect(try await tfe.post("/workspaces/\(workspace)/actions/lock", ["reason": "mine"]).status == 200)
      #expect(try await tfe.post("/workspaces/\(workspace)/actions/lock").status == 409)
      let run = try await tfe.startRun(workspace, version)
      #expect(try await tfe.status(run) == "pending")
      #expect(try await tfe.post("/workspaces/\(workspace)/actions/unlock").status == 200)
      try await tfe.wait(for: run, ["planned"])
      let refused = try await tfe.post("/workspaces/\(workspace)/actions/unlock")
      #expect(refused.status == 409 && refused.detail.contains("is locked by Run"))
      #expect(try await tfe.post("/workspaces/\(workspace)/actions/lock").status == 409)
    }
  }

  @Test func whatCannotBePlannedIsErroredAndSaysWhy() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let bad = try await tfe.startRun(
        workspace, tfe.upload(workspace, ["main.tf": "output \"x\" {\n  value = var.no\n}"]))
      try await tfe.wait(for: bad, ["errored"])
      #expect(try await tfe.log(bad, "plan").contains("Reference to undeclared input variable"))
      let syntax = try await tfe.startRun(workspace, tfe.upload(workspace, ["main.tf": "}{"]))
      try await tfe.wait(for: syntax, ["errored"])
      #expect(try await tfe.log(syntax, "plan").contains("Error"))
    }
  }

  @Test func aTerraformThatIsNotThereFailsTheRun() async throws {
    try await TFE.run(terraform: "/no/such/terraform") { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one))
      try await tfe.wait(for: run, ["errored"])
      #expect(try await tfe.log(run, "plan").contains("'/no/such/terraform' was not found"))
    }
  }

  @Test func theStateOfAFailedApplyIsKept() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let files = [
        "main.tf": """
        resource "terraform_data" "made" {}
        resource "terraform_data" "fails" {
          depends_on = [terraform_data.made]
          provisioner "local-exec" {
            command = "exit 3"
          }
        }
        """
      ]
      let run = try await tfe.startRun(workspace, tfe.upload(workspace, files), ["auto-apply": true])
      let errored = try await tfe.wait(for: run, ["errored"])
      let apply = errored.json["included"].array?.first { $0["type"] == "applies" } ?? .null
      #expect(apply["attributes"]["status"] == "errored")
      #expect(apply["relationships"]["state-versions"]["data"].array?.count == 1)
      let refused = try await tfe.post("/workspaces/\(workspace)/actions/safe-delete")
      #expect(refused.status == 409 && refused.detail.contains("still managing resources"))
      // A destroy needs no upload: it takes the workspace's own configuration.
      let destroy = try await tfe.startRun(workspace, nil, ["is-destroy": true, "auto-apply": true])
      try await tfe.wait(for: destroy, ["applied"])
      #expect(try await tfe.post("/workspaces/\(workspace)/actions/safe-delete").status == 204)
      #expect(try await tfe.get("/workspaces/\(workspace)").status == 404)
      #expect(try await tfe.get("/runs/\(run)").status == 404)
    }
  }

  @Test func anApplyCanBeCanceledAndItsStateIsKept() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.endless), ["auto-apply": true])
      try await tfe.waitForEndlessApply(run)
      #expect(try await tfe.post("/runs/\(run)/actions/force-cancel").status == 409)
      #expect(try await tfe.post("/runs/\(run)/actions/cancel").status == 202)
      try await tfe.wait(for: run, ["canceled"])
      #expect(try await tfe.log(run, "apply").contains("The run was canceled."))
      let state = try await tfe.get("/workspaces/\(workspace)/current-state-version")
      #expect(state.attributes["resources"].array?.contains { $0["name"] == "first" } == true)
      #expect(try await tfe.post("/runs/\(run)/actions/cancel").status == 409)
      #expect(try await tfe.get("/workspaces/\(workspace)").attributes["locked"] == false)
    }
  }

  /// A terraform whose apply does not heed an interrupt.
  private static let stubborn =
    "case $1 in apply) trap '' INT; echo stubborn; while :; do sleep 0.05; done;; esac; exec terraform \"$@\""

  @Test func aStubbornApplyCanBeKilledAfterTheCoolOff() async throws {
    try await withTemporaryFolder { folder in
      try await TFE.run(terraform: Script.write(Self.stubborn, in: folder), coolOff: .milliseconds(200)) { tfe in
        let workspace = try await tfe.createWorkspace("demo")
        let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one), ["auto-apply": true])
        try await tfe.waitForLog(run, "apply", "stubborn")
        #expect(try await tfe.post("/runs/\(run)/actions/cancel").status == 202)
        #expect(try await tfe.get("/runs/\(run)").attributes["force-cancel-available-at"].string != nil)
        while try await tfe.get("/runs/\(run)").attributes["actions"]["is-force-cancelable"] != true {
          try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await tfe.post("/runs/\(run)/actions/force-cancel").status == 202)
        try await tfe.wait(for: run, ["force_canceled"])
      }
    }
  }

  @Test func aForcedCancelWaitsForTheCoolOffAndAStopForNobody() async throws {
    try await withTemporaryFolder { folder in
      let terraform = try Script.write(Self.stubborn, in: folder)
      try await TFE.run(terraform: terraform, coolOff: .seconds(3600), stopGrace: .milliseconds(300)) { tfe in
        let workspace = try await tfe.createWorkspace("demo")
        let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one), ["auto-apply": true])
        try await tfe.waitForLog(run, "apply", "stubborn")
        #expect(try await tfe.post("/runs/\(run)/actions/cancel").status == 202)
        #expect(try await tfe.post("/runs/\(run)/actions/force-cancel").status == 409)
        #expect(try await tfe.status(run) == "applying")
      }
    }
  }

  @Test func aPendingAndAPlannedRunCanBeCanceled() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      let first = try await tfe.startRun(workspace, version)
      try await tfe.wait(for: first, ["planned"])
      let second = try await tfe.startRun(workspace, version)
      #expect(try await tfe.post("/runs/\(second)/actions/cancel").status == 202)
      #expect(try await tfe.status(second) == "canceled")
      #expect(try await tfe.log(second, "plan").contains("canceled before it was planned"))
      #expect(try await tfe.post("/runs/\(first)/actions/cancel").status == 202)
      #expect(try await tfe.status(first) == "canceled")
    }
  }

  @Test func noMoreRunsThanAllowedAreWorkedOnAtOnce() async throws {
    try await TFE.run(concurrency: 1) { tfe in
      let one = try await tfe.createWorkspace("one")
      let two = try await tfe.createWorkspace("two")
      let first = try await tfe.startRun(one, tfe.upload(one, Configuration.endless), ["auto-apply": true])
      try await tfe.waitForEndlessApply(first)
      let second = try await tfe.startRun(two, tfe.upload(two, Configuration.one))
      #expect(try await tfe.status(second) == "plan_queued")
      #expect(try await tfe.post("/runs/\(first)/actions/cancel").status == 202)
      try await tfe.wait(for: second, ["planned"])
    }
  }

  @Test func anUploadThatAsksForItQueuesARun() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo", ["auto-apply": true])
      _ = try await tfe.upload(workspace, Configuration.one, ["auto-queue-runs": true])
      let runs = try await tfe.get("/workspaces/\(workspace)/runs").data.array ?? []
      #expect(runs.count == 1)
      try await tfe.wait(for: runs.first?["id"].string ?? "", ["applied"])
    }
  }

  @Test func plainTextOutputIsCountedToo() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo", ["structured-run-output-enabled": false])
      let applied = try await tfe.apply(workspace, Configuration.one)
      let plan = applied.json["included"].array?.first { $0["type"] == "plans" } ?? .null
      #expect(plan["attributes"]["resource-additions"] == 1)
      #expect(try await tfe.log(applied.id, "apply").contains("Apply complete! Resources: 1 added"))
    }
  }

  @Test func aWorkingDirectoryIsTheRoot() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo", ["working-directory": "live/dev"])
      let files = [
        "live/dev/main.tf": "module \"m\" {\n  source = \"../../m\"\n}\noutput \"o\" {\n  value = module.m.o\n}\n",
        "m/main.tf": "output \"o\" {\n  value = \"from m\"\n}\n",
      ]
      try await tfe.apply(workspace, files)
      #expect(try await tfe.outputs(workspace) == ["o": "from m"])
      let missing = try await tfe.startRun(workspace, tfe.upload(workspace, ["main.tf": ""]))
      try await tfe.wait(for: missing, ["errored"])
      #expect(try await tfe.log(missing, "plan").contains("'live/dev' is not in the configuration"))
    }
  }
}

extension TFE {
  func waitForLog(_ run: String, _ phase: String, _ text: String) async throws {
    try await wait(for: run, phase == "plan" ? ["planning"] : ["applying"])
    let answer = try await get("/runs/\(run)")
    let type = phase == "plan" ? "plans" : "applies"
    let id = answer.data["relationships"][phase]["data"]["id"].string ?? ""
    let url = try await get("/\(type)/\(id)").attributes["log-read-url"].string ?? ""
    while try await !get(url).text.contains(text) { try await Task.sleep(for: .milliseconds(10)) }
  }

  func waitForEndlessApply(_ run: String) async throws {
    try await waitForLog(run, "apply", "Executing: ")
  }
}

/// Programs that stand in for terraform, or in front of it.
enum Script {
  static func write(_ body: String, named name: String = "terraform", in folder: String) throws -> String {
    let path = folder + "/" + name
    // The real one is found without this folder on the PATH.
    try Data("#!/bin/sh\n\(body)\n".utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }
}
