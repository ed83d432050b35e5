import Foundation
import PorcCore
import TestKit
import Testing

/// Random histories of one instance. A failure names its seed: run that one again.
@Suite struct HistoryTests {
  @Test(arguments: 0..<250 as Range<UInt64>)
  func noHistoryBreaksARule(seed: UInt64) throws {
    var world = World(seed: seed)
    for _ in 0..<150 where world.violations.isEmpty { world.step() }
    #expect(world.violations.isEmpty)
    #expect(world.facts.reduce(nil, RunMachine.evolve) == world.situation)
  }

  @Test(arguments: 1_000..<1_120 as Range<UInt64>, [false, true])
  func everyHistoryComesToAnEndOncePeopleDecide(seed: UInt64, losesJobs: Bool) throws {
    var world = World(seed: seed)
    world.losesJobs = losesJobs
    for _ in 0..<150 where world.violations.isEmpty { world.step() }
    for _ in 0..<20 {
      let isStill = world.settle()
      try #require(isStill, "still moving: \(world.jobs)")
      guard let holder = world.situation?.holder else { break }
      try #require(holder.state.awaitsDecision, "\(holder.id) rests in \(holder.state.rawValue)")
      world.decide(.discard(tfeRunID: nil, by: .bob), holder.id)
    }
    #expect(world.violations.isEmpty)
    #expect(world.situation?.holder == nil)
    #expect(world.situation?.instance.waiting.isEmpty != false)
    #expect(world.tfe.live.isEmpty)
    #expect(world.jobs.isEmpty)
    // What PORC says was applied is what TFE applied, in its order.
    let applied = world.facts.compactMap { fact -> String? in
      guard case .applyFinished(let number, _) = fact.event,
        let plan = world.situation?.runs[fact.run]?.plan(number: number), plan.hasChanges != false, plan.tfeRunID != nil
      else { return nil }
      return Plan.message(run: fact.run, number: number)
    }
    #expect(applied == world.tfe.applied)
  }

  @Test(arguments: 2_000..<2_006 as Range<UInt64>)
  func everyFactSurvivesItsJSON(seed: UInt64) throws {
    var world = World(seed: seed)
    for _ in 0..<200 { world.step() }
    for fact in world.facts {
      let json = try JSONEncoder.porc.encode(fact.event)
      #expect(try JSONDecoder.porc.decode(RunEvent.self, from: json) == fact.event)
      let members = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
      #expect(Array(members.keys) == [fact.event.name])
    }
    for run in world.situation?.runs.values.map({ $0 }) ?? [] {
      #expect(try JSONDecoder.porc.decode(Run.self, from: JSONEncoder.porc.encode(run)) == run)
    }
    if let instance = world.situation?.instance {
      #expect(try JSONDecoder.porc.decode(Instance.self, from: JSONEncoder.porc.encode(instance)) == instance)
    }
  }

  @Test func theHistoriesReachEveryStateAndEveryEvent() {
    var states: Set<RunState> = []
    var events: Set<String> = []
    for seed in 3_000..<3_150 as Range<UInt64> {
      var world = World(seed: seed)
      for _ in 0..<250 {
        world.step()
        for run in world.situation?.runs.values.map({ $0 }) ?? [] { states.insert(run.state) }
      }
      events.formUnion(world.facts.map(\.event.name))
    }
    #expect(states == Set(RunState.allCases))
    #expect(events == Set(RunEvent.allNames))
  }
}
