import Foundation
import PorcCore
import TestKit

/// One instance, its TFE, the jobs the machine asked for, and everybody who acts on them. What happens next is up to the seed.
struct World {
  private(set) var situation: Situation?
  private(set) var facts: [Fact] = []
  private(set) var jobs: [RunJob] = []
  var tfe = SimulatedTFE()
  /// What broke an invariant.
  private(set) var violations: [String] = []
  private var random: SplitMix
  private var now = Date(timeIntervalSince1970: 1_800_000_000)
  /// What workers reported so far: any of it may come again.
  private var reported: [(Run.ID, RunReport)] = []
  private var submitted = 0
  private let instance = Instance.ID("gke-dev-west")
  private let callers: [Caller] = [.alice, .bob, .carol]
  /// Whether workers crash and reports come twice.
  var isRough = true
  /// Whether all jobs are lost now and then, and put back by how things stand.
  var losesJobs = false

  init(seed: UInt64) { random = SplitMix(seed: seed) }

  mutating func step() {
    switch Int.random(in: 0..<20, using: &random) {
    case 0...2 where losesJobs && Bool.random(using: &random): jobs = outstanding
    case 0: submitSomething()
    case 1...4: commandSomething()
    case 5...8: tfe.step(using: &random)
    case 9: actInTFE()
    case 10: if let (run, report) = reported.randomElement(using: &random) { hear(report, run) }
    default: work()
    }
    checkInvariants()
  }

  // MARK: People

  private mutating func submitSomething() {
    guard submitted < 6 else { return }
    submitted += 1
    let id = Run.ID("r\(submitted)")
    let caller = pick()
    let requiresApproval = Int.random(in: 0..<4, using: &random) == 0
    now += 1
    if let situation, Int.random(in: 0..<3, using: &random) == 0 {
      let submission = Submission.sample(.destroy, by: caller, requiresApproval: requiresApproval)
      take(try? RunMachine.destroy(submission, as: id, in: situation, request: request(caller), at: now))
    } else {
      let submission = Submission.sample(version: "1.\(submitted).0", by: caller, requiresApproval: requiresApproval)
      take(try? RunMachine.submit(submission, as: id, for: instance, in: situation, at: now))
    }
  }

  private mutating func commandSomething() {
    guard let run = anyRun() else { return }
    let seen = Bool.random(using: &random) ? run.plans.randomElement(using: &random)?.tfeRunID : nil
    let caller = pick()
    // What is possible only now and then is tried when it is.
    if Bool.random(using: &random), let holder = situation?.holder {
      switch holder.state {
      case .policyOverride: return decide(.override(tfeRunID: nil, by: caller, reason: "agreed"), holder.id)
      case .applying where holder.cancelRequestedAt != nil: return decide(.forceCancel(by: caller), holder.id)
      case .applying: return decide(.cancel(by: caller), holder.id)
      default: break
      }
    }
    let command: RunCommand =
      switch Int.random(in: 0..<12, using: &random) {
      case 0: .build
      case 1...4: .plan(request(caller))
      case 5, 6: .apply(tfeRunID: seen, by: caller)
      case 7: .approve(tfeRunID: seen, by: caller)
      case 8: .discard(tfeRunID: seen, by: caller)
      case 9, 10: .cancel(by: caller)
      default: .override(tfeRunID: seen, by: caller, reason: "agreed")
      }
    decide(command, run.id)
  }

  private mutating func actInTFE() {
    guard let current = tfe.current else { return }
    switch Int.random(in: 0..<3, using: &random) {
    case 0: tfe.confirm(current.id, here: true)
    case 1: tfe.discard(current.id)
    default: tfe.cancel(current.id)
    }
  }

  private mutating func request(_ caller: Caller) -> PlanRequest {
    PlanRequest(
      by: caller, key: ["k1", "k2", nil].randomElement(using: &random) ?? nil,
      supersedes: Bool.random(using: &random), appliesAutomatically: Int.random(in: 0..<4, using: &random) == 0)
  }

  private mutating func pick() -> Caller { callers.randomElement(using: &random) ?? .alice }

  private mutating func anyRun() -> Run? {
    situation?.runs.values.sorted { $0.id < $1.id }.randomElement(using: &random)
  }

  // MARK: Workers

  /// Does one job, any one; after a crash it is still there, having been done or half done.
  mutating func work() {
    guard let index = jobs.indices.randomElement(using: &random) else { return }
    let job = jobs[index]
    let crashes = isRough && Int.random(in: 0..<6, using: &random) == 0
    var work = JobWork(job: job, situation: situation, tfe: tfe)
    work.run(using: &random)
    tfe = work.tfe
    guard !crashes else { return }
    if work.isFinished { jobs.remove(at: index) }
    for report in work.reports {
      reported.append((job.run, report))
      hear(report, job.run)
    }
  }

  /// What the situation calls for.
  var outstanding: [RunJob] {
    situation.map { RunMachine.outstandingJobs(in: $0, retention: 0, at: now) } ?? []
  }

  // MARK: The machine

  mutating func decide(_ command: RunCommand, _ run: Run.ID) {
    guard let situation else { return }
    now += 1
    take(try? RunMachine.decide(command, for: run, in: situation, at: now))
  }

  private mutating func hear(_ report: RunReport, _ run: Run.ID) {
    guard let situation else { return }
    now += 1
    take(RunMachine.hear(report, about: run, in: situation, at: now))
  }

  private mutating func take(_ decision: Decision?) {
    guard let decision else { return }
    for fact in decision.facts {
      let before = situation
      situation = RunMachine.evolve(situation, fact)
      checkChange(from: before, by: fact)
      if let situation { jobs += RunMachine.jobs(after: fact, in: situation, retention: 0) }
    }
    facts += decision.facts
    if situation != decision.situation { violate("a decision's situation is not what its facts make") }
  }

  mutating func violate(_ what: String) {
    violations.append("step \(facts.count): \(what)")
  }

  // MARK: Quiet

  /// Lets TFE and the workers go on, without mishaps, until nothing moves but a person's word.
  ///
  /// - Returns: whether it came to rest.
  mutating func settle() -> Bool {
    isRough = false
    var stillRounds = 0
    for _ in 0..<2_000 {
      let before = (jobs.count, facts.count, tfe.runs.map(\.status))
      for _ in 0..<max(4, jobs.count * 4) { work() }
      tfe.step(using: &random)
      checkInvariants()
      let isStill = before == (jobs.count, facts.count, tfe.runs.map(\.status))
      let tfeWaits = tfe.current.map { $0.status == .planned || $0.status == .policyOverride } ?? true
      stillRounds = isStill && tfeWaits && jobs.allSatisfy { $0.kind == .follow } ? stillRounds + 1 : 0
      // Jobs are picked at random: several quiet rounds, so that each was done.
      if stillRounds == 5 { return true }
    }
    return false
  }
}
