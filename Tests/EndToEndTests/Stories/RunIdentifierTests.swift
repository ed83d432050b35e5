import Foundation
import TestKit
import Testing

/// Wherever a run is named, PORC's id and TFE's both work, under `/run/` and under `/runs/`; TFE's also says which plan.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct RunIdentifierTests {
  @Test(arguments: ["run", "runs"], ["PORC's id", "TFE's id"])
  func everyRouteOfARunTakesEitherId(spelling: String, kind: String) async throws {
    let dev = try DevServer.current()
    let name = "\(spelling)-\(kind.prefix(1).lowercased())"
    let run = try await dev.submit(Blueprint.service(named: name))
    var tfeRun = try await dev.plan(run)["tfe_run_id"].string ?? ""
    var path: String { "/\(spelling)/\(kind == "PORC's id" ? run : tfeRun)" }

    for part in ["", "/summary", "/status"] {
      let answer = try await dev.porc.get(path + part).expecting(200)
      #expect(answer.json["run_id"] == .string(run) && answer.json["tfe_run_id"] == .string(tfeRun))
      #expect(answer.json["superseded_by"] == .null)
    }
    #expect(try await dev.porc.get(path + "/logs").expecting(200).text.contains("Plan: 2 to add"))
    let events = try await dev.porc.get(path + "/events").expecting(200).json["events"].array
    #expect(!events.isEmpty && events.allSatisfy { $0["run_id"] == .string(run) })

    // Already so, or refused for a reason that knows the run.
    #expect(try await dev.porc.post(path + "/build").expecting(202).json["run_id"] == .string(run))
    #expect(try await dev.porc.post(path + "/cancel").expecting(409).problem == "wrong-state")
    #expect(try await dev.porc.post(path + "/override", ["reason": "so"]).expecting(409).problem == "wrong-state")
    #expect(try await dev.porc.post(path + "/approve").expecting(403).text.contains(run))

    try await dev.porc.post(path + "/discard").expecting(202)
    try await dev.until(run, is: "discarded")
    try await dev.porc.post(path + "/plan").expecting(202)
    tfeRun = try await dev.until(run, is: "planned")["tfe_run_id"].string ?? ""
    try await dev.porc.post(path + "/apply").expecting(202)
    try await dev.until(run, is: "applied")
    #expect(try await dev.porc.get(path + "/logs").text.contains("Apply complete!"))
    try await dev.shows(name, ["terraform_status": "applied", "deployed_run_id": .string(tfeRun)])
  }

  @Test func pineTakesEitherIdToo() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "by-pine"))
    let tfeRun = try await dev.plan(run)["tfe_run_id"].string ?? ""
    #expect(try await dev.pine("status", tfeRun, "--json").exiting(0).json["run_id"] == .string(run))
    try await dev.pine("apply", "--run-id", tfeRun).exiting(0)
    #expect(try await dev.pine("summary", "--run-id", tfeRun, "--json").exiting(0).json["status"] == "applied")
    try await dev.pine("status", "--run-id", "run-doesnotexist").exiting(4)
  }

  @Test func theLogOfAnEarlierPlanIsItsOwn() async throws {
    let dev = try DevServer.current()
    let note = try dev.folder.write("first", to: "note")
    let run = try await dev.submit(Blueprint.of("noted", named: "noted", ["note": .string(note.path)]))
    let first = try await dev.plan(run)["tfe_run_id"].string ?? ""
    try dev.folder.write("second", to: "note")
    let second = try await dev.plan(run)["tfe_run_id"].string ?? ""
    #expect(try await dev.porc.get("/runs/\(first)/logs").text.contains("The note says first."))
    for id in [run, second] {
      #expect(try await dev.porc.get("/runs/\(id)/logs").text.contains("The note says second."))
    }
    var streamed = ""
    for try await event in try await dev.porc.events("/runs/\(first)/logs?phase=plan") where event.name == "log" {
      streamed += event.data
    }
    #expect(streamed.contains("The note says first."))
  }

  @Test func anEarlierPlanIsReadButNeverApplied() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "superseded"))
    let first = try await dev.plan(run)["tfe_run_id"].string ?? ""
    let second = try await dev.plan(run)["tfe_run_id"].string ?? ""
    #expect(first != second)
    #expect(try await dev.tfeStatus(first) == "discarded")

    for part in ["", "/summary", "/status"] {
      let old = try await dev.porc.get("/run/\(first)\(part)").expecting(200).json
      #expect(old["run_id"] == .string(run) && old["tfe_run_id"] == .string(first))
      #expect(old["superseded_by"] == .string(second))
    }
    let before = try await dev.status(run)
    let refusals = [
      try await dev.porc.post("/runs/\(first)/apply"),
      try await dev.porc.post("/runs/\(run)/apply", ["tfe_run_id": .string(first)]),
      try await dev.porc.post("/runs/\(first)/approve"),
      try await dev.porc.post("/runs/\(first)/discard"),
    ]
    for refusal in refusals {
      try refusal.expecting(409)
      #expect(refusal.problem == "plan-superseded" && refusal.json["superseded_by"] == .string(second))
    }
    try await dev.pine("apply", "--run-id", first).exiting(5)
    #expect(try await dev.status(run) == before)
    #expect(try await dev.tfeStatus(second) == "planned")
    let writes = try await dev.tfeWrites()
    #expect(!writes.contains { $0.hasSuffix("\(first)/actions/apply") || $0.hasSuffix("\(second)/actions/apply") })
    try await dev.shows("superseded", ["terraform_status": "planned", "run_id": .string(second)])

    try await dev.porc.post("/run/\(second)/apply").expecting(202)
    try await dev.until(run, is: "applied")
  }
}
