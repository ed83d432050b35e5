import Foundation
import HCL
import PorcCore
import PorcStore
import PortPortal
import Synchronization
import Testing

@testable import PorcServer

/// What `porc port sync` comes to.
@Suite(.timeLimit(.minutes(1)))
struct PortWritingTests {
  private func writing(
    _ bench: PortalBench, limit: Duration = .seconds(30),
    progress: @escaping @Sendable (PortSyncProgress) -> Void = { _ in }
  ) -> PortWriting {
    PortWriting(
      settings: .sample, store: bench.store, client: bench.client, own: bench.sync, limit: limit, progress: progress)
  }

  @Test func whatDiffersIsWrittenAndCounted() async throws {
    try await PortalBench.run { bench in
      try await bench.offer([PortalBench.template])
      try await bench.submit("web")
      try await bench.write()
      bench.port.change { $0.entities["blueprint_instance"] = [:] }
      try await bench.submit("db")
      let told = Mutex<[PortSyncProgress]>([])
      let report = try await writing(bench, progress: { progress in told.withLock { $0.append(progress) } })
        .run(isRebuild: false, confirmsRemovals: false)
      #expect(report == PortSyncReport(written: 2))
      #expect(bench.port.entity("web") != nil && bench.port.entity("db") != nil)
      #expect(told.withLock(\.last) == PortSyncProgress(done: 2, total: 2))
    }
  }

  @Test func aRebuildWritesEverythingAndTouchesNothingElse() async throws {
    try await PortalBench.run { bench in
      try await bench.offer([PortalBench.template])
      for instance in ["web", "db"] { try await bench.submit(instance) }
      try await bench.write()
      bench.port.change { $0.entities = [:] }
      bench.port.change { $0.merge(["identifier": "other", "properties": ["a": 1]], into: "blueprint_instance") }
      let report = try await writing(bench).run(isRebuild: true, confirmsRemovals: false)
      #expect(report.written == 3 && report.parked.isEmpty)
      #expect(bench.port.entity("web-1-0-0", in: "blueprint_template") != nil)
      #expect(bench.port.entity("other")?["properties"] == ["a": 1])
      #expect(!bench.port.calls.contains { $0.hasPrefix("DELETE") || $0.hasSuffix("/delete") })
    }
  }

  @Test func whatPortRefusesIsToldAfterItWasTriedAgain() async throws {
    try await PortalBench.run { bench in
      bench.port.change { $0.refused = ["web", "db"] }
      for instance in ["web", "db"] { try await bench.submit(instance) }
      try await bench.write()
      bench.port.change { $0.refused = ["db"] }
      let report = try await writing(bench).run(isRebuild: false, confirmsRemovals: false)
      #expect(report.written == 1 && report.parked.map(\.subject.identifier) == ["db"])
      #expect(report.parked.first?.reason == "It breaks a rule.")
      #expect(bench.port.entity("web") != nil)
    }
  }

  @Test func muchThatShouldGoWaitsForAWord() async throws {
    try await PortalBench.run { bench in
      let templates = (1...30).map { number in
        let version = Version(major: number, minor: 0, patch: 0)
        return Template(name: "web", version: version, inputs: [], archive: "digest", source: "test")
      }
      try await bench.offer(templates)
      try await bench.write()
      try await bench.offer([])
      let held = try await writing(bench).run(isRebuild: false, confirmsRemovals: false)
      #expect(held.heldRemovals == 30 && held.written == 0)
      #expect(bench.port.entity("web-1-0-0", in: "blueprint_template") != nil)
      let gone = try await writing(bench).run(isRebuild: false, confirmsRemovals: true)
      #expect(gone.heldRemovals == 0 && gone.written == 30)
      #expect(bench.port.entity("web-1-0-0", in: "blueprint_template") == nil)
    }
  }

  @Test func aPortThatIsAwayIsGivenUpInTime() async throws {
    try await PortalBench.run { bench in
      try await bench.submit("web")
      bench.port.change { $0.isAway = true }
      let fault = try await #require(throws: Fault.self) {
        try await writing(bench, limit: .zero).run(isRebuild: true, confirmsRemovals: false)
      }
      #expect(fault.message.contains("1 are left"))
    }
  }

  /// Whenever its next attempt is, it is not there by anybody else's doing, and Port is not as it should be.
  @Test func aRemovalThatIsPostponedIsStillToldOf() async throws {
    try await PortalBench.run { bench in
      try await bench.offer([PortalBench.template])
      try await bench.write()
      try await bench.offer([])
      let gone = try await bench.store.removals(.template, confirmed: false, limit: 1)
      try await bench.store.postpone(gone[0], for: 60, rejection: nil)
      let found = try await PortComparing(settings: .sample, store: bench.store, client: bench.client).differences()
      #expect(found.removals.map(\.subject.identifier) == ["web-1-0-0"] && found.unknown.isEmpty && !found.isInSync)
    }
  }
}
