import Foundation
import HCL
import PorcCore
import PorcStore
import PortPortal
import Testing

@testable import PorcServer

/// What was changed in the portal behind PORC's back comes back, as far as it is PORC's.
struct PortalReconcilerTests {
  private func shown(_ bench: PortalBench) async throws {
    try await bench.offer([PortalBench.template])
    try await bench.submit("web")
    try await bench.submit("db")
    try await bench.write()
    #expect(try await bench.behind == 0)
  }

  @Test func whatIsAsItShouldBeIsLeftAlone() async throws {
    try await PortalBench.run { bench in
      try await shown(bench)
      bench.port.change {
        $0.merge(
          ["identifier": "web", "properties": ["cost": 7], "relations": ["team": "a"]], into: "blueprint_instance")
        $0.merge(["identifier": "other", "title": "Not ours", "properties": [:]], into: "blueprint_instance")
      }
      try await bench.reconciler.reconcile()
      #expect(try await bench.behind == 0)
    }
  }

  @Test func whatWasEditedComesBackAndOthersPropertiesStay() async throws {
    try await PortalBench.run { bench in
      try await shown(bench)
      bench.port.change {
        $0.merge(
          ["identifier": "web", "properties": ["terraform_status": "applied", "run_id": "run-made-up", "cost": 7]],
          into: "blueprint_instance")
      }
      try await bench.reconciler.reconcile()
      #expect(try await bench.behind == 1)
      try await bench.write()
      #expect(bench.shown("terraform_status") == "submitted")
      #expect(bench.shown("run_id") == nil, "what PORC shows no value for")
      #expect(bench.shown("cost") == 7)
      try await bench.reconciler.reconcile()
      #expect(try await bench.behind == 0)
    }
  }

  @Test func whatWasDeletedComesBack() async throws {
    try await PortalBench.run { bench in
      try await shown(bench)
      bench.port.change { $0.entities["blueprint_instance"]?["web"] = nil }
      bench.port.change { $0.entities["blueprint_template"] = [:] }
      try await bench.reconciler.reconcile()
      #expect(try await bench.behind == 2)
      try await bench.write()
      #expect(bench.port.entity("web") != nil)
      #expect(bench.port.entity("web-1-0-0", in: "blueprint_template") != nil)
    }
  }

  @Test func whatIsNotWantedAnyMoreDoesNotComeBack() async throws {
    try await PortalBench.run { bench in
      try await bench.offer([PortalBench.template])
      try await bench.write()
      try await bench.offer([])
      try await bench.write()
      try await bench.reconciler.reconcile()
      try await bench.write()
      #expect(bench.port.entity("web-1-0-0", in: "blueprint_template") == nil)
    }
  }

  @Test func aPortalThatIsAwayChangesNothing() async throws {
    try await PortalBench.run { bench in
      try await shown(bench)
      bench.port.change { $0.isAway = true }
      await #expect(throws: PortError.self) { try await bench.reconciler.reconcile() }
      #expect(try await bench.behind == 0)
    }
  }

  @Test func aNumberThatPortCannotHoldIsShownAsText() async throws {
    try await PortalBench.run { bench in
      try await bench.submit("web", inputs: ["size": .number(Number("1e400") ?? 0)])
      try await bench.write()
      #expect(bench.port.entity("web") != nil)
      #expect(try await bench.behind == 0)
      try await bench.reconciler.reconcile()
      #expect(try await bench.behind == 0)
    }
  }

  /// Or else it would be written again at every comparison.
  @Test func whatThePortalGivesBackIsTheSame() throws {
    let values: [Value] = [
      .number(Number("0.1") ?? 0), .number(Number("1e21") ?? 0), .number(Number("9007199254740993") ?? 0),
      .number(Number("-1.50") ?? 0), .number(Number("123456789012345678901234567890") ?? 0),
      .number(Number("0.12345678901234567890123") ?? 0), .number(Number("1e400") ?? 0),
      [.number(Number("-1e999") ?? 0)], "",
      "é\u{0}\u{1F4A9}", [], [:], [.null, 1, [:]],
      ["a": ["b": .null, "c": [1, 2.5, "x"]]], true,
    ]
    for value in values {
      let entity = PortalEntity(kind: .instance, identifier: "a", title: "A", properties: ["x": value, "y": .null])
      let sent = Entity(entity)
      // As JSON text and back, as it travels.
      let text = try JSONEncoder().encode(sent.properties)
      var back = sent
      back.properties = try JSONDecoder().decode([String: JSON].self, from: text)
      #expect(entity.keysShownOtherwise(by: back) == [], "\(value)")
      back.properties["y"] = "set there"
      #expect(entity.keysShownOtherwise(by: back) == ["y"])
    }
  }
}
