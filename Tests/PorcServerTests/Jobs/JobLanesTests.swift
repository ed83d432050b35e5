import PorcCore
import PorcStore
import Testing

@testable import PorcServer

@Suite struct JobLanesTests {
  @Test func eachClassHasLanesOfItsOwn() {
    var lanes = JobLanes(2)
    let decisions = [RunJob.Kind.cancel, .confirm, .discard, .override]
    let plans = [RunJob.Kind.build, .clearPlan, .startPlan]
    let polls = [RunJob.Kind.follow, .removeInstance]
    func shares(_ free: Int...) -> [JobShare] {
      zip([decisions, plans, polls], free).filter { $1 > 0 }.map { JobShare(of: $0, limit: $1) }
    }
    #expect(lanes.shares == shares(2, 2, 2))
    lanes.begin(.follow)
    lanes.begin(.removeInstance)
    lanes.begin(.startPlan)
    #expect(lanes.shares == shares(2, 1, 0))
    lanes.begin(.confirm)
    #expect(lanes.shares == shares(1, 1, 0))
    lanes.end(.follow)
    #expect(lanes.shares == shares(1, 1, 1))
  }

  @Test func everyKindIsInOneClassAndTheClassesAreInOrder() {
    let priorities = JobLanes(1).shares.map(\.priorities)
    #expect(priorities.flatMap { Array($0) } == RunJob.Kind.allCases.map(\.priority))
  }
}
