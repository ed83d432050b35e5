import Foundation
import Testing

/// Lifecycles against a TFE that rehearses trouble of every kind, by a seed. What is true is taken from TFE's own state
/// and from Port.
struct RehearsalTests {
  /// A few in every test run, as many as the environment says in a long one.
  private static let lifecycles =
    ProcessInfo.processInfo.environment["PORC_REHEARSAL_LIFECYCLES"].flatMap(Int.init) ?? 24
  private static let developers = 6

  private static let faults: JSON = [
    "seed": 20_261_126,
    "limits": ["requests_per_second": 30, "run_lists_per_minute": 30],
    "requests": [
      ["fault": "rate_limited", "rate": 0.02, "seconds": [0.2, 1], "path": "/api/v2/*"],
      ["fault": "error_before", "rate": 0.03, "path": "/api/v2/*"],
      ["fault": "error_after", "rate": 0.03, "path": "/api/v2/*"],
      ["fault": "dropped_before", "rate": 0.02],
      ["fault": "dropped_after", "rate": 0.02],
      ["fault": "slow", "rate": 0.03, "seconds": [0.1, 1]],
      ["fault": "error_after", "rate": 0.1, "method": "POST", "path": "/api/v2/runs*"],
      ["fault": "dropped_after", "rate": 0.1, "method": "POST", "path": "/api/v2/runs*"],
    ],
    "notifications": [
      ["fault": "lost", "rate": 0.15], ["fault": "late", "rate": 0.1, "seconds": [0.5, 3]],
      ["fault": "doubled", "rate": 0.1], ["fault": "reordered", "rate": 0.1, "seconds": 2],
    ],
  ]

  @Test(.timeLimit(.minutes(5 + lifecycles / 10)), arguments: [true, false])
  func everyLifecycleEndsRightNoneTwiceAndNoneStuck(isTold: Bool) async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE(faults: Self.faults)
      try await place.startPORC(["PORC_FOLLOW_INTERVAL_SECONDS": "2"], isTold: isTold)
      let porc = try await place.porc()
      let deployed = try await withThrowingTaskGroup(of: [Developer.Deployed].self) { group in
        for number in 0..<Self.developers {
          group.addTask {
            let developer = Developer(porc: porc)
            var deployed: [Developer.Deployed] = []
            for turn in stride(from: number, to: Self.lifecycles, by: Self.developers) {
              deployed.append(try await developer.deploy("rehearsed-\(turn)"))
            }
            return deployed
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(deployed.count == Self.lifecycles)

      let dealt = Set(try await place.tfe().requests().compactMap { $0["fault"].string })
      #expect(dealt.isSuperset(of: ["error_before", "error_after", "dropped_before", "dropped_after", "slow"]))
      // Without trouble from here on, to be looked at.
      try await place.stopTFE()
      try await place.startTFE()
      let runs = try await place.tfe().runs()
      #expect(runs.map(\.message).sorted() == deployed.map { "\($0.id)/1" }.sorted())
      #expect(runs.filter { $0.status != "applied" }.map(\.id) == [])
      let port = try await place.port()
      for run in deployed {
        try await port.shows(
          run.instance,
          [
            "terraform_status": "applied", "porc_run_id": .string(run.id), "run_id": .string(run.tfeRunID),
            "deployed_run_id": .string(run.tfeRunID), "outputs": ["text": .string(run.instance)],
          ])
      }
    }
  }
}
