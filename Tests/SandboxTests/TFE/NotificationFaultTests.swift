import TestKit
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(2))) struct NotificationFaultTests {
  /// What a receiver hears of a run that is planned, whose first notification meets `fault`.
  private static func heard(_ fault: JSONValue, until count: Int) async throws -> [String] {
    var rule = fault
    (rule["rate"], rule["times"]) = (1, 1)
    let plan: JSONValue = ["seed": 1, "notifications": [rule]]
    let receiver = Receiver()
    try await TFE.run(faults: FaultPlan(parsing: plan.bytes)) { tfe in
      try await receiver.serve { url in
        let workspace = try await tfe.createWorkspace("demo")
        let triggers: JSONValue = ["run:created", "run:planning", "run:needs_attention"]
        _ = try await tfe.configure("/workspaces/\(workspace)", url: url, ["triggers": triggers])
        _ = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one))
        // Both, since a late one may come last.
        for trigger in ["run:created", "run:needs_attention"] where fault["fault"] != "lost" || trigger != "run:created"
        {
          try await receiver.wait(for: trigger)
        }
      }
    }
    let heard = receiver.notifications.map(\.trigger)
    #expect(heard.count == count && heard.first == "verification")
    return Array(heard.dropFirst())
  }

  @Test func aDeliveryIsLostDoubledLateOrOutOfOrder() async throws {
    let (created, planning, attention) = ("run:created", "run:planning", "run:needs_attention")
    #expect(try await Self.heard(["fault": "lost"], until: 3) == [planning, attention])
    #expect(try await Self.heard(["fault": "doubled"], until: 5) == [created, created, planning, attention])
    #expect(try await Self.heard(["fault": "reordered"], until: 4) == [planning, created, attention])
    let late = try await Self.heard(["fault": "late", "seconds": 2], until: 4)
    #expect(late.first == planning && late.contains(created))
  }

  @Test func theSeedDecidesWhatBecomesOfADelivery() throws {
    func fates(seed: Int) throws -> [NotificationFaults.Fate] {
      let plan: JSONValue = [
        "seed": .init(seed),
        "notifications": [
          ["fault": "lost", "rate": 0.2], ["fault": "late", "rate": 0.2, "seconds": [1, 5]],
          ["fault": "doubled", "rate": 0.2], ["fault": "reordered", "rate": 1, "times": 3, "seconds": 2],
        ],
      ]
      let faults = NotificationFaults(try FaultPlan(parsing: plan.bytes))
      return (0..<300).map { _ in faults.next() }
    }
    let first = try fates(seed: 5)
    #expect(try fates(seed: 5) == first)
    #expect(try fates(seed: 6) != first)
    // By four standard deviations.
    #expect((32...88).contains(first.count { $0 == .lost }))
    #expect(first.contains(.doubled) && first.contains(.sent))
    #expect(first.count { $0 == .reordered(within: .seconds(2)) } == 3)
    for case .late(let duration) in first { #expect((1...5).contains(duration / .seconds(1))) }
  }
}
