import Testing

@testable import Sandbox

@Suite struct NotificationFaultTests {
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
