import Foundation
import HCL
import HTTPTypes
import PorcCore
import PorcStore
import PortPortal
import Synchronization
import TestKit
import Testing

@testable import PorcServer

/// The portal comes to show what it should, whatever happens on the way.
struct PortalSyncTests {
  private static let bulk = "POST /v1/blueprints/blueprint_instance/entities/bulk"

  @Test func templatesComeBeforeTheInstancesThatRelateToThem() async throws {
    try await PortalBench.run { bench in
      try await bench.submit()
      try await bench.offer([PortalBench.template])
      try await bench.write()
      #expect(
        bench.port.calls.filter { $0.hasSuffix("bulk") } == [
          "POST /v1/blueprints/blueprint_template/entities/bulk", Self.bulk,
        ])
      #expect(bench.port.entity("web")?["relations"]?["blueprint"] == "web-1-0-0")
      #expect(bench.port.entity("web-1-0-0", in: "blueprint_template")?["properties"]?["owner"] == "platform")
      #expect(try await bench.behind == 0)
    }
  }

  @Test func manyEntitiesTravelInFewCalls() async throws {
    try await PortalBench.run { bench in
      for number in 0..<45 { try await bench.submit("web-\(number)") }
      // Those of instances that are new there are read once, to see what is to be cleared: they are not scripted here.
      try await bench.write()
      #expect(bench.port.calls.count { $0 == Self.bulk } == 3)
    }
  }

  @Test func whatHasNoValueAnyMoreIsCleared() async throws {
    try await PortalBench.run { bench in
      let first = try await bench.submit()
      try await bench.command(first, .build)
      try await bench.hear(first, .buildFailed(Failure("broken")))
      try await bench.write()
      #expect(bench.shown("last_error") == "broken")

      let before = bench.port.calls.count
      try await bench.command(first, .build)
      try await bench.write()
      #expect(bench.shown("last_error") == nil && bench.shown("terraform_status") == "building")
      let patches = bench.port.server.requests.filter { $0.method == "PATCH" }
      #expect(patches.last?.value["properties"]?["last_error"] == .null)
      #expect(
        Array(bench.port.calls.dropFirst(before)) == ["PATCH /v1/blueprints/blueprint_instance/entities/web"])
    }
  }

  /// An entity that was there before PORC wrote it: what PORC shows no value for is cleared, the rest is left alone.
  @Test func leftOversOfAnEarlierLifeAreCleared() async throws {
    try await PortalBench.run { bench in
      bench.port.change {
        $0.entities["blueprint_instance"] = [
          "web": ["title": "old", "properties": ["run_id": "run-old", "cost": 7], "relations": [:]]
        ]
      }
      try await bench.submit()
      try await bench.write()
      #expect(bench.shown("run_id") == nil)
      #expect(bench.shown("cost") == 7)
    }
  }

  @Test func whatThePortalRefusesHoldsUpNothingElse() async throws {
    try await PortalBench.run { bench in
      bench.port.change { $0.refused = ["web"] }
      try await bench.submit("web")
      try await bench.submit("db")
      try await bench.write()
      #expect(bench.port.entity("db") != nil && bench.port.entity("web") == nil)
      let status = try await bench.store.portalStatus(.instance, "web")
      #expect(status?.rejection == "It breaks a rule." && status?.behindSince != nil)
      #expect(try await bench.store.portalStatus(.instance, "db") == PortalStatus(behindSince: nil, rejection: nil))

      bench.port.change { $0.refused = [] }
      bench.pass(60)
      try await bench.write()
      #expect(bench.port.entity("web") != nil)
      #expect(try await bench.behind == 0)
    }
  }

  /// While the portal is away it is asked at least every two seconds, however long it takes, and by one call at a time.
  @Test func aPortalThatIsBackIsRightWithinSeconds() async throws {
    try await PortalBench.run { bench in
      bench.port.change { $0.isAway = true }
      for number in 0..<50 { try await bench.submit("web-\(number)") }
      _ = try await bench.sync.pass()
      for attempt in 1...20 {
        let before = bench.port.server.calls.count
        guard case .away(let rest) = try await bench.sync.pass() else {
          Issue.record("attempt \(attempt): it is not away")
          return
        }
        #expect(rest <= .seconds(2), "attempt \(attempt)")
        #expect(bench.port.server.calls.count == before + 1, "attempt \(attempt)")
      }
      #expect(bench.health.reading.reason?.contains("503") == true)
      #expect(try await bench.store.portalBacklog().parked == 0)
      bench.port.change { $0.isAway = false }
      try await bench.write()
      #expect(try await bench.behind == 0)
      #expect(bench.health.reading.reason == nil && bench.health.reading.written == 50)
    }
  }

  /// What was missed is not made up for: only the newest state is written.
  @Test func theNewestStateWins() async throws {
    try await PortalBench.run { bench in
      bench.port.change { $0.isAway = true }
      let id = try await bench.submit()
      _ = try await bench.sync.pass()
      try await bench.command(id, .build)
      _ = try await bench.sync.pass()
      try await bench.command(id, .cancel(by: PortalBench.caller))
      let before = bench.port.calls.count
      bench.port.change { $0.isAway = false }
      try await bench.write()  // a newer state waits for nothing
      #expect(bench.shown("terraform_status") == "canceled")
      #expect(bench.port.calls.dropFirst(before).count { $0 == Self.bulk } == 1)
    }
  }

  /// A state that comes while the one before is on its way is not taken for acknowledged.
  @Test func aStateThatCameMeanwhileIsWrittenToo() async throws {
    try await PortalBench.run { bench in
      let id = try await bench.submit()
      let differences = try await bench.store.differences(.instance, limit: 10)
      try await bench.command(id, .build)
      try await bench.store.acknowledge(differences)
      #expect(try await bench.behind == 1)
      try await bench.write()
      #expect(bench.shown("terraform_status") == "building")
    }
  }

  @Test func whatIsGoneIsDeletedThere() async throws {
    try await PortalBench.run { bench in
      try await bench.offer([PortalBench.template])
      try await bench.write()
      try await bench.offer([])
      bench.port.change { $0.isAway = true }
      _ = try await bench.sync.pass()
      #expect(try await bench.behind == 1)
      bench.port.change { $0.isAway = false }
      bench.pass(2)
      try await bench.write()
      #expect(bench.port.entity("web-1-0-0", in: "blueprint_template") == nil)
      #expect(try await bench.behind == 0)

      // And what is not there any more is deleted too, without a complaint.
      try await bench.offer([PortalBench.template])
      try await bench.write()
      bench.port.change { $0.entities = [:] }
      try await bench.offer([])
      try await bench.write()
      #expect(try await bench.behind == 0)
    }
  }

  @Test func aPlainRegistryIsToldOneByOneWithNulls() async throws {
    try await PortalBench.run(.entities) { bench in
      let id = try await bench.submit("web")
      try await bench.submit("db")
      try await bench.command(id, .build)
      try await bench.hear(id, .buildFailed(Failure("broken")))
      bench.port.change { $0.refused = ["db"] }
      try await bench.write()
      #expect(bench.shown("last_error") == "broken")
      #expect(bench.port.entity("db") == nil)
      try await bench.command(id, .build)
      try await bench.write()
      #expect(bench.shown("last_error") == nil)
      #expect(Set(bench.port.calls) == ["POST /v1/entities"])
      let body = try #require(bench.port.server.requests.last?.value)
      #expect(body["blueprint"] == "blueprint_instance" && body["identifier"] == "web")
      #expect(body["properties"]?["last_error"] == .null)
      #expect(bench.port.server.requests.allSatisfy { $0.headers[.authorization] == "Bearer \(FakePort.token)" })
    }
  }

  /// One entity breaks the portal whenever it is in a call: it comes to go alone, and the others get through.
  @Test func anEntityThatBreaksThePortalTakesNoOthersWithIt() async throws {
    try await PortalBench.run { bench in
      bench.port.change { $0.breaking = ["web-7"] }
      for number in 0..<30 { try await bench.submit("web-\(number)") }
      try await bench.write()
      bench.pass(60)
      try await bench.write()
      #expect(try await bench.behind == 1)
      #expect(bench.port.entity("web-8") != nil && bench.port.entity("web-7") == nil)
      bench.port.change { $0.breaking = [] }
      bench.pass(60)
      try await bench.write()
      #expect(try await bench.behind == 0)
    }
  }

  @Test func manyRemovalsWaitForAWord() async throws {
    try await PortalBench.run { bench in
      let names = (0..<40).map { "t-\($0)" }
      let templates = names.map { name in
        var template = PortalBench.template
        template = Template(name: name, version: template.version, inputs: [], archive: "digest", source: "test")
        return template
      }
      try await bench.offer(templates)
      try await bench.write()
      try await bench.offer(Array(templates.prefix(21)))
      try await bench.write()
      #expect(bench.port.count(in: "blueprint_template") == 21, "nineteen are few")

      try await bench.offer([templates[0]])
      try await bench.write()
      #expect(bench.port.count(in: "blueprint_template") == 21)
      #expect(bench.health.reading.held == 20)
      #expect(
        try await bench.store.portalBacklog()
          == PortalBacklog(
            count: 20, behindSince: try await bench.store.portalBacklog().behindSince, parked: 0, removals: 20))
      #expect(try await bench.store.confirmRemovals() == 20)
      try await bench.write()
      #expect(bench.port.count(in: "blueprint_template") == 1)
      #expect(bench.health.reading.held == 0)
      #expect(try await bench.behind == 0)
    }
  }

  /// Where it is not taken in a PATCH, what is there is written again without it.
  @Test func aPortalThatTakesNoNullsIsClearedByWritingTheRest() async throws {
    try await PortalBench.run { bench in
      bench.port.change { $0.takesNulls = false }
      let id = try await bench.submit()
      try await bench.command(id, .build)
      try await bench.hear(id, .buildFailed(Failure("broken")))
      try await bench.write()
      bench.port.change { $0.merge(["identifier": "web", "properties": ["cost": 7]], into: "blueprint_instance") }
      try await bench.command(id, .build)
      try await bench.write()
      #expect(bench.shown("last_error") == nil && bench.shown("terraform_status") == "building")
      #expect(bench.shown("cost") == 7)
      #expect(try await bench.behind == 0)
    }
  }

  /// Long after the first ones: no PATCH, no read, one call for all that changed.
  @Test func aChangeOfStateCostsOneCall() async throws {
    try await PortalBench.run { bench in
      let id = try await bench.submit()
      try await bench.write()
      let before = bench.port.calls.count
      try await bench.command(id, .build)
      try await bench.write()
      #expect(Array(bench.port.calls.dropFirst(before)) == [Self.bulk])
    }
  }

  /// An entity of which Port says that it may not, cannot or will not, or says nothing, is refused like any other.
  @Test(arguments: [403, 501, 503, 0])
  func aTemplateThatThePortalDoesNotTakeHoldsUpNoInstance(status: Int) async throws {
    try await PortalBench.run { bench in
      try await bench.offer([PortalBench.template])
      bench.port.change { $0.items = ["web-1-0-0": status] }
      for number in 0..<4 {
        try await bench.submit("app-\(number)")
        try await bench.persist(3)
        #expect(bench.port.entity("app-\(number)") != nil)
      }
      #expect(bench.health.reading.reason == nil)
      #expect(try await bench.store.portalStatus(.template, "web-1-0-0")?.rejection != nil)
      try await bench.submit("web")
      try await bench.persist(1)
      #expect(bench.port.entity("web") != nil, "what comes later is not held up at all")

      bench.port.change { $0.items = [:] }
      bench.pass(60)
      try await bench.write()
      #expect(try await bench.behind == 0)
    }
  }

  /// What goes alone, since values are cleared, and never gets through.
  @Test(arguments: [["web"], ["web", "db"]])
  func anInstanceThatIsAlwaysCutOffHoldsUpNoOther(names: [String]) async throws {
    try await PortalBench.run { bench in
      var runs: [PorcCore.Run.ID] = []
      for name in names {
        let run = try await bench.submit(name)
        try await bench.command(run, .build)
        try await bench.hear(run, .buildFailed(Failure("broken")))
        runs.append(run)
      }
      try await bench.write()
      bench.port.change { $0.cutOff = Set(names) }
      for run in runs { try await bench.command(run, .build) }
      for number in 0..<10 {
        try await bench.submit("app-\(number)")
        try await bench.persist(3)
        #expect(bench.port.entity("app-\(number)") != nil)
      }
      #expect(bench.health.reading.reason == nil)
      #expect(try await bench.store.parkedEntities(limit: 9).map(\.identifier).sorted() == names.sorted())
      let calls = bench.port.calls.count
      for _ in 0..<5 { try await bench.persist(1) }
      #expect(bench.port.calls.count == calls, "it is left alone for a while")

      bench.pass(60)
      try await bench.submit("last")
      try await bench.persist(1)
      #expect(bench.port.entity("last") != nil, "and does not even delay others when it is tried")
      bench.port.change { $0.cutOff = [] }
      bench.pass(60)
      try await bench.write()
      #expect(try await bench.behind == 0)
      #expect(bench.shown("last_error") == nil)
    }
  }

  /// Too many calls are nobody's fault, whoever met the limit.
  @Test func whatMeetsALimitIsNotHeldAgainstIt() async throws {
    try await PortalBench.run { bench in
      bench.port.change { ($0.cutOff, $0.gatewayStatus) = (["web"], 429) }
      try await bench.submit("web")
      for number in 0..<8 {
        try await bench.persist(2)
        try await bench.submit("app-\(number)")
        try await bench.persist(1)
        #expect(bench.port.entity("app-\(number)") != nil)
      }
      let due = try await bench.store.differences(.instance, limit: 9)
      #expect(due.map(\.identifier) == ["web"] && due.map(\.attempts) == [0])
      #expect(try await bench.store.portalBacklog().parked == 0)
    }
  }

  /// One that is alone is asked again and again, and then that is the portal.
  @Test func aPortalIsAwayWhereNothingElseIsToBeTried() async throws {
    try await PortalBench.run { bench in
      try await bench.submit()
      bench.port.change { $0.isAway = true }
      try await bench.persist(3)
      #expect(bench.health.reading.reason?.contains("503") == true)
      bench.port.change { $0.isAway = false }
      try await bench.write()
      #expect(try await bench.behind == 0)
    }
  }

  /// Its entities wait as a whole: none is to blame, and there is one call at a time.
  @Test func entitiesWhoseBlueprintIsNotThereYetGoTogetherOnceItIs() async throws {
    try await PortalBench.run { bench in
      bench.port.change { $0.lacking = ["blueprint_instance"] }
      for number in 0..<45 { try await bench.submit("web-\(number)") }
      try await bench.persist(4)
      #expect(bench.port.calls.count { $0 == Self.bulk } <= 6)
      #expect(bench.health.reading.reason?.contains("404") == true)
      #expect(try await bench.store.portalBacklog().parked == 0)
      try await bench.offer([PortalBench.template])
      try await bench.persist(1)
      #expect(bench.port.entity("web-1-0-0", in: "blueprint_template") != nil, "that one is there")

      bench.port.change { $0.lacking = [] }
      let before = bench.port.calls.count
      while try await bench.behind > 0 {
        if case .away(let rest) = try await bench.sync.pass() { try await Task.sleep(for: rest) }
      }
      #expect(bench.port.calls.count - before == 3)
      #expect(bench.health.reading.reason == nil)
    }
  }

  /// They break no call, so they travel together, and at once when what they wait for is there.
  @Test func instancesThatWaitForTheirTemplateGoTogether() async throws {
    try await PortalBench.run { bench in
      bench.port.change { $0.checksRelations = true }
      for number in 0..<45 { try await bench.submit("web-\(number)") }
      for _ in 0..<8 {
        bench.pass(60)
        let before = bench.port.calls.count
        try await bench.write()
        #expect(bench.port.calls.count - before == 3)
      }
      try await bench.offer([PortalBench.template])
      try await bench.write()
      #expect(try await bench.behind == 0)
    }
  }

  /// What is written and should go in the next moment is not removed while the write is on its way.
  @Test func anEntityIsInOneCallAtATime() async throws {
    try await PortalBench.run { bench in
      try await bench.offer([PortalBench.template])
      let written = try await bench.store.differences(.template, limit: 9)
      try await bench.offer([])
      let gone = try await bench.store.removals(.template, confirmed: false, limit: 9)
      let writes = PortalCall.writes(written, isPlain: false) { _ in false }
      #expect(writes == [.upsert(written)] && gone.count == 1)
      #expect(PortalCall.removals(gone, besides: writes) { _ in false } == [])
      #expect(PortalCall.removals(gone, besides: []) { _ in false } == [.remove(gone)])
    }
  }

  @Test func aSetUpThatThePortalRefusesIsTriedAgainBesideTheWriting() async throws {
    try await PortalBench.run { bench in
      try await bench.submit()
      let (tries, told) = AsyncStream.makeStream(of: Int.self)
      let count = Mutex(0)
      let path = "GET /v1/blueprints/blueprint_instance"
      bench.port.server.on(path, .json(#"{"ok":false,"error":"forbidden"}"#, status: 403))
      let sync = bench.sync.setting { [client = bench.client] in
        told.yield(
          count.withLock { count in
            count += 1
            return count
          })
        _ = try await client.blueprints.get("blueprint_instance")
      }
      let running = Task { try await sync.run() }
      #expect(await tries.first { $0 == 2 } == 2)
      while bench.port.entity("web") == nil { await Task.yield() }
      running.cancel()
      _ = await running.result
    }
  }
}
