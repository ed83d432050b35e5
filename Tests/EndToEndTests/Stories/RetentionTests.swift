import Foundation
import Testing

/// What was destroyed stays visible for a while, then goes.
@Suite(.devServer("--retention-seconds", "1"), .timeLimit(.minutes(1)))
struct RetentionTests {
  @Test func whatWasDestroyedGoesAndItsHistoryStays() async throws {
    let dev = try DevServer.current()
    let run = try await dev.deploy(Blueprint.service(named: "brief"))
    let workspace = try await dev.summary(run)["workspace"]["id"].string ?? ""
    let removal = try await dev.planDestroy("brief")
    try await dev.apply(removal)
    try await eventually("the entity goes") { try await dev.entity("brief") == nil ? true : nil }
    try await eventually("the workspace goes") {
      try await dev.tfe.get("/api/v2/workspaces/\(workspace)").status == 404 ? true : nil
    }
    #expect(
      try await dev.tfeWrites().contains { $0.hasSuffix("/workspaces/\(workspace)/actions/safe-delete") },
      "TFE was asked to delete it only if nothing is left in it")

    for run in [run, removal] {
      let summary = try await dev.summary(run)
      #expect(summary["status"] == "applied" && summary["instance"]["identifier"] == "brief")
      #expect(try await dev.events(run).last == "apply_finished")
      try await dev.porc.get("/runs/\(run)/logs").expecting(200)
    }
    #expect(try await dev.porc.get("/runs?instance=brief").json["runs"].array.count == 2)
    #expect(try await dev.porc.get("/instances").json["instances"].array.allSatisfy { $0["identifier"] != "brief" })

    // The name is free again, for any template.
    try await dev.deploy(Blueprint.of("other", named: "brief", ["region": "a", "text": "again"]))
    try await dev.shows("brief", ["terraform_status": "applied", "outputs": ["other": "again"]])
  }

  @Test func whatWasSubmittedAgainStays() async throws {
    let dev = try DevServer.current()
    try await dev.deploy(Blueprint.service(named: "revived"))
    let removal = try await dev.planDestroy("revived")
    try await dev.apply(removal)
    let next = try await dev.deploy(Blueprint.service(named: "revived", text: "two"))
    // Another one's removal is due later than this one's would have been.
    try await dev.deploy(Blueprint.service(named: "later"))
    try await dev.apply(try await dev.planDestroy("later"))
    try await eventually("the later one goes") { try await dev.entity("later") == nil ? true : nil }
    try await dev.shows("revived", ["terraform_status": "applied", "porc_run_id": .string(next)])
    try await dev.porc.get("/instances/revived").expecting(200)
  }
}
