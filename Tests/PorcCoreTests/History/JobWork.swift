import Foundation
import PorcCore
import TestKit

/// What a worker does for a job, against the simulated TFE: the rules that `docs/architecture.md` gives for each kind.
struct JobWork {
  let job: RunJob
  let situation: Situation?
  var tfe: SimulatedTFE
  private(set) var reports: [RunReport] = []
  private(set) var isFinished = true

  init(job: RunJob, situation: Situation?, tfe: SimulatedTFE) {
    self.job = job
    self.situation = situation
    self.tfe = tfe
  }

  private var run: Run? { situation?.runs[job.run] }
  private var plan: Plan? { run?.plan(number: job.plan) }
  private var isCurrent: Bool { run?.currentPlan?.number == job.plan }
  private var tfeRun: SimulatedTFE.TFERun? { plan?.tfeRunID.flatMap { tfe.run($0) } }
  private var message: String { Plan.message(run: job.run, number: job.plan) }

  mutating func run(using random: inout SplitMix) {
    switch job.kind {
    case .build:
      let fails = Int.random(in: 0..<8, using: &random) == 0
      reports.append(fails ? .buildFailed(Failure("no such module")) : .built(bundle: "digest-of-\(job.run)"))
    case .startPlan: startPlan()
    case .follow: follow()
    case .clearPlan: clearPlan()
    case .cancel: cancel(using: &random)
    case .confirm:
      if isCurrent, run?.state == .applying, let tfeRun { tfe.confirm(tfeRun.id) }
    case .discard:
      if let tfeRun { stop(tfeRun) }
    case .override:
      guard isCurrent, run?.state == .policyOverride, plan?.overrideRequestedAt != nil, let tfeRun else { break }
      if Int.random(in: 0..<3, using: &random) == 0 {
        reports.append(.overrideRefused(plan: job.plan, Failure("not allowed")))
      } else {
        tfe.override(tfeRun.id)
      }
    case .removeInstance:
      guard Int.random(in: 0..<3, using: &random) == 0 else { break }
      reports.append(.removalRefused(Failure("it is locked")))
      isFinished = false
    }
  }

  private mutating func startPlan() {
    guard let plan, plan.tfeRunID == nil else { return }
    if let earlier = tfe.run(message: message) { return reports.append(created(earlier)) }
    guard isCurrent, run?.state == .planning else { return }
    reports.append(.workspaceReady(Workspace(id: "ws-1", name: "porc-gke-dev-west")))
    reports.append(created(tfe.create(message, appliesAutomatically: plan.request.appliesAutomatically)))
  }

  private func created(_ tfeRun: SimulatedTFE.TFERun) -> RunReport {
    .tfeRunCreated(plan: job.plan, tfeRunID: tfeRun.id, configurationVersionID: "cv-\(tfeRun.id)")
  }

  private mutating func follow() {
    guard let tfeRun else { return }
    isFinished = tfeRun.status.isFinal
    reports += news(tfeRun)
    if tfeRun.status == .policyOverride {
      reports.insert(.planEvaluated(plan: job.plan, summary: .threeToAdd, .tooDear), at: 0)
    }
    if tfeRun.isCanceling, !isFinished {
      reports.append(.forceCancelOffered(plan: job.plan, from: Date(timeIntervalSince1970: 0)))
    }
  }

  private func news(_ tfeRun: SimulatedTFE.TFERun) -> [RunReport] {
    let why = Failure("Error: something")
    return switch tfeRun.status {
    case .pending, .confirmed: [.waiting(plan: job.plan, .tfeQueue)]
    case .planning: [.waiting(plan: job.plan, nil)]
    case .planned: [.planFinished(plan: job.plan, hasChanges: true, summary: .threeToAdd)]
    case .policyOverride: [.policyOverrideNeeded(plan: job.plan, "too dear")]
    case .applying: [.applyStarted(plan: job.plan)]
    case .plannedAndFinished: [.planFinished(plan: job.plan, hasChanges: false, summary: PlanSummary())]
    case .applied: [.applyFinished(plan: job.plan, outputs: [:])]
    case .errored where tfeRun.began: [.applyFailed(plan: job.plan, why, began: true)]
    case .errored: [tfeRun.isPolicyFailure ? .policyFailed(plan: job.plan, why) : .planFailed(plan: job.plan, why)]
    case .discarded: [.remoteDiscarded(plan: job.plan)]
    case .canceled: [.remoteCanceled(plan: job.plan, applyBegan: tfeRun.began)]
    }
  }

  private mutating func clearPlan() {
    guard run?.currentPlan?.clears == job.plan, let tfeRun else { return }
    stop(tfeRun)
    guard let now = tfe.run(tfeRun.id) else { return }
    isFinished = now.status.isFinal
    if now.status.isFinal || now.status == .applying { reports += news(now) }
  }

  private mutating func cancel(using random: inout SplitMix) {
    guard isCurrent, let run, run.cancelRequestedAt != nil else { return }
    if let tfeRun, plan?.forceCancelRequestedAt != nil {
      if Bool.random(using: &random) {
        return reports.append(.forceCancelRefused(plan: job.plan, Failure("not allowed")))
      }
      tfe.kill(tfeRun.id)
    } else if let tfeRun, tfeRun.status == .applying, Bool.random(using: &random) {
      tfe.cancelSlowly(tfeRun.id)
    } else if let tfeRun {
      if tfeRun.status == .applying || tfeRun.status == .confirmed { tfe.cancel(tfeRun.id) } else { stop(tfeRun) }
    } else if let earlier = tfe.run(message: message) {
      // Made by an attempt that could not say so.
      reports.append(created(earlier))
      isFinished = false
    } else {
      reports.append(.remoteCanceled(plan: job.plan, applyBegan: false))
    }
  }

  /// Ends a TFE run that has not been confirmed: by discarding it, or by canceling it while it plans.
  private mutating func stop(_ tfeRun: SimulatedTFE.TFERun) {
    tfe.discard(tfeRun.id)
    if tfeRun.status == .planning { tfe.cancel(tfeRun.id) }
  }
}
