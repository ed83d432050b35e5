import Foundation
import TestKit
import Testing

/// TFE, Port and PORC as processes of their own, any of which may be away.
@Suite(.timeLimit(.minutes(1)))
struct OutageTests {
  @Test func aPortalThatWasAwayAllTheTimeIsRightSoonAfterItIsBack() async throws {
    try await Installation.run { place in
      // Port has been there once, so that PORC's blueprints are in it; then it goes.
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC()
      let porc = try await place.porc()
      try await eventually("Port has the templates") {
        try await porc.get("/metrics").text.contains("porc_portal_behind 0\n") ? true : nil
      }
      try await place.stopPort()

      let run = try await Self.deploy(Blueprint.service(named: "unseen"), on: porc)
      let gone = try await Self.deploy(Blueprint.service(named: "unseen-too"), on: porc)
      let summary = try await porc.get("/runs/\(run)/summary").expecting(200).json
      #expect(summary["portal"]["in_sync"] == false && summary["portal"]["behind_since"] != .null)
      let metrics = try await porc.get("/metrics").expecting(200).text
      #expect(metrics.contains("porc_portal_behind 2"))

      let start = Date()
      try await place.startPort()
      let port = try await place.port()
      try await port.shows(
        "unseen",
        [
          "terraform_status": "applied", "porc_run_id": .string(run), "deployed_blueprint": "service-1-0-0",
          "outputs": ["text": "one"], "region": "eu-west",
        ])
      try await port.shows("unseen-too", ["terraform_status": "applied", "porc_run_id": .string(gone)])
      for instance in ["unseen", "unseen-too"] {
        let written = try #require(try await port.entity(instance)?["updatedAt"].string)
        let time = try Date(written, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        #expect(time.timeIntervalSince(start) < 5)
      }
      try await eventually("PORC knows that it is in sync") {
        try await porc.get("/runs/\(run)/summary").json["portal"]["in_sync"] == true ? true : nil
      }
    }
  }

  @Test func aTFEThatIsAwayIsWaitedFor() async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC()
      let porc = try await place.porc()
      try await place.stopTFE()
      let answer = try await porc.post("/runs", Blueprint.service(named: "patient")).expecting(201)
      let run = try #require(answer.json["run_id"].string)
      try await porc.post("/runs/\(run)/plan").expecting(202)
      try await DevServer.until(run, "planning", on: porc) { $0["status"] == "planning" }
      try await place.startTFE()
      try await DevServer.until(run, "planned", on: porc) { $0["status"] == "planned" }
      #expect(try await place.tfe().runsMade() == ["\(run)/1"])
    }
  }

  /// When PORC is killed.
  enum Moment: String, CaseIterable, CustomTestStringConvertible {
    case atOnce, whileTerraformPlans
    var testDescription: String { rawValue }
  }

  @Test(arguments: Moment.allCases)
  func aPORCThatIsKilledWhilePlanningGoesOnWithThatPlan(moment: Moment) async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC()
      let gate = try Gate("killed", in: place.folder, closed: [.plan])
      let submitted = try await place.porc().post("/runs", Blueprint.gated(named: "killed", gate)).expecting(201)
      let run = try #require(submitted.json["run_id"].string)
      try await place.porc().post("/runs/\(run)/plan").expecting(202)
      if moment == .whileTerraformPlans { try await gate.reached(.plan) }
      try await place.killPORC()

      try await place.startPORC()
      try await gate.reached(.plan)
      try gate.open(.plan)
      let porc = try await place.porc()
      try await DevServer.until(run, "planned", on: porc) { $0["status"] == "planned" }
      #expect(try await place.tfe().runsMade() == ["\(run)/1"])
      try await porc.post("/runs/\(run)/apply").expecting(202)
      try await DevServer.until(run, "applied", on: porc) { $0["status"] == "applied" }
      try await place.port().shows("killed", ["terraform_status": "applied", "porc_run_id": .string(run)])
    }
  }

  @Test func aPORCThatIsKilledWhileApplyingHearsHowItEnded() async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC()
      let gate = try Gate("killed", in: place.folder, closed: [.apply])
      let submitted = try await place.porc().post("/runs", Blueprint.gated(named: "killed", gate)).expecting(201)
      let run = try #require(submitted.json["run_id"].string)
      try await place.porc().post("/runs/\(run)/plan").expecting(202)
      try await DevServer.until(run, "planned", on: place.porc()) { $0["status"] == "planned" }
      try await place.porc().post("/runs/\(run)/apply").expecting(202)
      try await gate.reached(.apply)
      try await place.killPORC()
      try gate.open(.apply)

      try await place.startPORC()
      try await DevServer.until(run, "applied", on: place.porc()) { $0["status"] == "applied" }
      #expect(try await place.tfe().writes().filter { $0.hasSuffix("/actions/apply") }.count == 1)
      try await place.port().shows(
        "killed", ["terraform_status": "applied", "porc_run_id": .string(run), "outputs": ["text": "one"]])
    }
  }

  static func deploy(_ blueprint: JSON, on porc: API) async throws -> String {
    let submitted = try await porc.post("/runs", blueprint).expecting(201)
    let run = try #require(submitted.json["run_id"].string)
    try await porc.post("/runs/\(run)/plan").expecting(202)
    try await DevServer.until(run, "planned", on: porc) { $0["status"] == "planned" }
    try await porc.post("/runs/\(run)/apply").expecting(202)
    try await DevServer.until(run, "applied", on: porc) { $0["status"] == "applied" }
    return run
  }
}
