import Foundation
import TestKit
import Testing

/// PORC and TFE killed without warning, at any instant. What is true is taken from TFE's own request log and state, and
/// from Port: never from what PORC says of itself.
struct CrashTests {
  /// How often PORC is killed: a few times in every test run, as often as the environment says in a long one.
  private static let kills = ProcessInfo.processInfo.environment["PORC_TORTURE_KILLS"].flatMap(Int.init) ?? 30
  /// Names the instants; that of a failed run can be given again.
  private static let seed =
    ProcessInfo.processInfo.environment["PORC_TORTURE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1 << 32)

  @Test(.timeLimit(.minutes(5 + kills / 10)))
  func aPORCThatIsKilledAtAnyInstantLosesNothingAndDoesNothingTwice() async throws {
    print("kills: \(Self.kills), seed: \(Self.seed)")
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC(isTold: true)
      let developer = Developer(porc: try await place.porc())
      let living = Task { try await developer.deployUntilToldToStop() }
      var random = SplitMix(seed: Self.seed)
      // TFE keeps the newest 20,000 requests only.
      var requests: [JSON] = []
      for kill in 0..<Self.kills {
        // Any instant of a lifecycle, which takes about a second; so there is no event to wait for.
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...1200, using: &random)))
        try await place.killPORC()
        try await place.startPORC(isTold: true)
        if kill % 50 == 49 { requests += try await place.tfe().requests(after: requests.lastSequence) }
      }
      await developer.stop()
      let runs = try await living.value
      #expect(!runs.isEmpty)

      let tfe = try await place.tfe()
      let port = try await place.port()
      requests += try await tfe.requests(after: requests.lastSequence)
      #expect(requests.runsMade.sorted() == runs.map { "\($0.id)/1" }.sorted(), "seed \(Self.seed)")
      #expect(requests.confirmations.sorted() == runs.map(\.tfeRunID).sorted(), "seed \(Self.seed)")
      for run in runs {
        #expect(
          try await tfe.get("/api/v2/runs/\(run.tfeRunID)").json["data"]["attributes"]["status"] == "applied",
          "seed \(Self.seed)")
        try await port.shows(
          run.instance,
          [
            "terraform_status": "applied", "porc_run_id": .string(run.id), "run_id": .string(run.tfeRunID),
            "deployed_run_id": .string(run.tfeRunID), "outputs": ["text": .string(run.instance)],
          ])
      }
    }
  }

  /// Every server dies now and then, and the network between them fails.
  @Test(.timeLimit(.minutes(5 + kills / 10)))
  func whateverFailsEveryPlanIsOneTFERunAndEveryRunEndsApplied() async throws {
    print("kills: \(Self.kills / 2), seed: \(Self.seed)")
    let (network, portNetwork) = (FaultProxy(seed: Self.seed), FaultProxy(seed: Self.seed + 1))
    try await Installation.run { place in
      try await network.serve { tfeURL in
        try await portNetwork.serve { portURL in
          try await place.startPort()
          try await place.startTFE()
          try await place.send(.tfe, through: network, at: tfeURL)
          try await place.send(.port, through: portNetwork, at: portURL)
          try await place.startPORC()
          try await endure(place, [network, portNetwork])
        }
      }
    }
    #expect(network.failures > 0 && portNetwork.failures > 0)
  }

  private func endure(_ place: Installation, _ networks: [FaultProxy]) async throws {
    let developer = Developer(porc: try await place.porc())
    let living = Task { try await developer.deployUntilToldToStop() }
    var random = SplitMix(seed: Self.seed)
    for _ in 0..<Self.kills / 2 {
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...2500, using: &random)))
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        try await place.killTFE()
        try await place.startTFE()
      case 1:
        try await place.killPort()
        try await place.startPort()
      default:
        try await place.killPORC()
        try await place.startPORC()
      }
    }
    await developer.stop()
    let runs = try await living.value
    #expect(!runs.isEmpty)
    for network in networks { network.mend() }

    let tfe = try await place.tfe()
    let made = try await tfe.runs()
    let planned = runs.flatMap { run in (1...run.plans).map { "\(run.id)/\($0)" } }
    #expect(made.map(\.message).sorted() == planned.sorted(), "seed \(Self.seed)")
    let confirmed = try await tfe.requests().confirmations
    #expect(Set(confirmed).count == confirmed.count, "seed \(Self.seed): a plan was confirmed twice")
    let port = try await place.port()
    for run in runs {
      // Terraform may have applied all before TFE died without knowing it: then the next plan finds nothing to change.
      let end = made.first { $0.id == run.tfeRunID }?.status
      #expect(end == "applied" || (run.plans > 1 && end == "planned_and_finished"), "seed \(Self.seed)")
      try await port.shows(
        run.instance,
        [
          "terraform_status": "applied", "porc_run_id": .string(run.id), "run_id": .string(run.tfeRunID),
          "deployed_run_id": .string(run.tfeRunID), "outputs": ["text": .string(run.instance)],
        ])
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func aTFEThatIsKilledWhileItPlansMakesThatPlanAgain() async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC()
      let porc = try await place.porc()
      let gate = try Gate("again", in: place.folder, closed: [.plan])
      let submitted = try await porc.post("/runs", Blueprint.gated(named: "again", gate)).expecting(201)
      let run = try #require(submitted.json["run_id"].string)
      try await porc.post("/runs/\(run)/plan").expecting(202)
      try await gate.reached(.plan)
      try await place.killTFE()
      try await place.startTFE()
      try gate.open(.plan)
      let planned = try await DevServer.until(run, "planned", on: porc) { $0["status"] == "planned" }
      try await porc.post("/runs/\(run)/apply", ["tfe_run_id": planned["tfe_run_id"]]).expecting(202)
      try await DevServer.until(run, "applied", on: porc) { $0["status"] == "applied" }
      #expect(try await place.tfe().runsMade() == ["\(run)/1"], "the log of requests outlives the kill")
      try await place.port().shows("again", ["terraform_status": "applied", "outputs": ["text": "one"]])
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func aTFEThatIsKilledWhileItAppliesLeavesAPartialApplyThatCanBePlannedAgain() async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC()
      let porc = try await place.porc()
      let gate = try Gate("half", in: place.folder, closed: [.apply])
      let submitted = try await porc.post("/runs", Blueprint.gated(named: "half", gate)).expecting(201)
      let run = try #require(submitted.json["run_id"].string)
      try await porc.post("/runs/\(run)/plan").expecting(202)
      try await DevServer.until(run, "planned", on: porc) { $0["status"] == "planned" }
      try await porc.post("/runs/\(run)/apply").expecting(202)
      try await gate.reached(.apply)
      try await place.killTFE()
      try await place.startTFE()
      let ended = try await DevServer.until(run, "apply_failed", on: porc) { $0["is_final"] == true }
      #expect(ended["status"] == "apply_failed")
      #expect(try await porc.get("/runs/\(run)/summary").json["partial"] == true)
      let workspace = try #require(try await place.port().entity("half")?["properties"]["workspace_id"].string)
      let read = try await place.tfe().get("/api/v2/workspaces/\(workspace)").expecting(200)
      #expect(read.json["data"]["attributes"]["locked"] == false)
      try await place.port().shows("half", ["terraform_status": "apply_failed"])

      try gate.open(.apply)
      try await porc.post("/runs/\(run)/plan").expecting(202)
      try await DevServer.until(run, "planned", on: porc) { $0["status"] == "planned" }
      try await porc.post("/runs/\(run)/apply").expecting(202)
      try await DevServer.until(run, "applied", on: porc) { $0["status"] == "applied" }
      try await place.port().shows("half", ["terraform_status": "applied", "outputs": ["text": "one"]])
    }
  }
}
