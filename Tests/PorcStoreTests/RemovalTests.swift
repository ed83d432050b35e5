import Foundation
import PorcCore
import PorcStore
import Testing

/// The end of an instance, and what comes after.
@Suite struct RemovalTests {
  private let vm = Instance.ID("vm")

  @Test(arguments: StoreKind.all)
  func aDestroyedInstanceIsRemovedWhenItsRetentionEnds(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.apply("porc-1", tfeRunID: "run-1")
    #expect(try await bench.store.remove(vm, finishing: nil) == false, "it lives")
    try await bench.destroy("vm", as: "porc-2", tfeRunID: "run-2")
    #expect(try await bench.store.situation(of: vm)?.instance.destroyedAt != nil)
    #expect(try await bench.claimOnly(.removeInstance) == nil)
    #expect(try await bench.store.untilNextDue() == Bench.retention)

    bench.clock.advance(by: Bench.retention)
    let lease = try #require(try await bench.claim())
    #expect(lease.kind == .removeInstance)
    #expect(try await bench.store.remove(vm, finishing: lease))
    #expect(try await bench.store.situation(of: vm) == nil)
    #expect(try await bench.store.instances(after: nil, limit: 10).isEmpty)
    #expect(try await bench.store.untilNextDue() == nil)
    #expect(try await bench.store.desiredEntities(.instance).isEmpty)
    #expect(try await bench.differences(limit: 10).map(\.desired) == [nil])
    #expect(try await bench.store.remove(vm, finishing: nil) == false, "twice is once")
    await #expect(throws: StoreError.leaseLost) { try await bench.store.remove(vm, finishing: lease) }

    #expect(try await bench.store.runs(RunFilter(instance: vm), after: nil, limit: 10).count == 2)
    #expect(try await bench.events(of: "porc-1").first == "submitted")
    #expect(try await bench.store.locate("run-1")?.situation.instance.destroyedAt != nil)
  }

  @Test(arguments: StoreKind.all)
  func aNameThatIsUsedAgainBeginsFromNothing(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.apply("porc-1", tfeRunID: "run-1")
    try await bench.destroy("vm", as: "porc-2", tfeRunID: "run-2")
    #expect(try await bench.store.remove(vm, finishing: nil))

    let recorded = try await bench.submit("vm", as: "porc-3", template: "other")
    #expect(recorded.situation.runs.keys.map(\.rawValue) == ["porc-3"])
    #expect(recorded.situation.instance.life == 1)
    #expect(recorded.situation.instance.workspace == nil)
    #expect(try await bench.store.instances(after: nil, limit: 10) == [recorded.situation])
    #expect(try await bench.store.desiredEntities(.instance).count == 1)

    // A run of the life before cannot reach into this one.
    await #expect(throws: Refusal.self) { try await bench.command("porc-1", .plan(PlanRequest(by: .anna))) }
    let old = try #require(try await bench.store.locate("porc-1"))
    #expect(old.situation.instance.templateName == "bucket")
    let wanted = try await bench.store.desiredEntities(.instance)
    try await bench.hear("porc-1", .workspaceReady(Workspace(id: "ws-9", name: "late")))
    #expect(try await bench.store.desiredEntities(.instance) == wanted)
    #expect(try await bench.store.situation(of: vm) == recorded.situation)
  }

  @Test(arguments: StoreKind.all)
  func theRemovalOfAnEarlierLifeDoesNotTouchALaterOne(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.apply("porc-1", tfeRunID: "run-1")
    try await bench.destroy("vm", as: "porc-2", tfeRunID: "run-2")
    bench.clock.advance(by: 1000)
    try await bench.submit("vm", as: "porc-3")
    #expect(try await bench.store.remove(vm, finishing: nil) == false, "a new life has begun")
    try await bench.apply("porc-3", tfeRunID: "run-3")
    try await bench.destroy("vm", as: "porc-4", tfeRunID: "run-4")
    #expect(try await bench.claimOnly(.removeInstance) == nil)

    bench.clock.advance(by: Bench.retention - 1000)
    let early = try #require(try await bench.claim())
    #expect(early.run.rawValue == "porc-2")
    #expect(try await bench.store.remove(vm, finishing: early) == false)
    #expect(try await bench.store.situation(of: vm) != nil)
    bench.clock.advance(by: 1000)
    let right = try #require(try await bench.claim())
    #expect(right.run.rawValue == "porc-4")
    #expect(try await bench.store.remove(vm, finishing: right))
  }
}
