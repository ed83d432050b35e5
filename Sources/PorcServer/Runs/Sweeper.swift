import Foundation
import Logging
import PorcCore
import PorcStore
import TerraformEnterprise

/// Looks again and again for what was left lying, whatever the reason: a job that is gone, a run that does not get on, a
/// TFE run of ours that blocks a workspace although nobody waits for it. TFE's own answer settles each.
actor Sweeper {
  private let store: any Store
  private let driver: RunDriver
  private let retention: TimeInterval
  /// Nothing younger is looked at, in seconds: it is being worked on.
  private let idle: TimeInterval
  private let logger: Logger
  /// The TFE runs that nobody waited for when the last sweep looked. Only what is still so is ended, since a run that is
  /// being made or ended looks the same for a moment.
  private var suspects: Set<String> = []
  /// When the runs that the log has named last moved: each standstill is named once.
  private var standstills: [PorcCore.Run.ID: Date] = [:]

  /// How long a run may be in a state before the log says so, in seconds. Nothing is given up then: a plan may take an
  /// hour, and TFE may be away for a day.
  private static let limits: [RunState: TimeInterval] = [.building: 120, .planning: 1800, .applying: 7200]
  /// How long a job may wait for a worker before its run says so, in seconds.
  private static let patience: TimeInterval = 10
  /// How many instances one sweep looks at.
  private static let limit = 10_000

  init(store: any Store, driver: RunDriver, retention: TimeInterval, idle: TimeInterval, logger: Logger) {
    self.store = store
    self.driver = driver
    self.retention = retention
    self.idle = idle
    self.logger = logger
  }

  func sweep() async throws {
    let named = standstills
    standstills = [:]
    for situation in try await store.idleSituations(for: idle, limit: Self.limit) {
      try await reinstate(situation)
      for run in situation.runs.values where isAtAStandstill(run) {
        standstills[run.id] = run.updatedAt
        if named[run.id] != run.updatedAt { name(run) }
      }
    }
    for job in try await store.overdueJobs(by: Self.patience, limit: Self.limit) { try await driver.tellOfWorkers(job) }
    try await freeWorkspaces()
  }

  // MARK: Jobs and runs

  private func reinstate(_ situation: Situation) async throws {
    let jobs = RunMachine.outstandingJobs(in: situation, retention: retention, at: Date())
    for job in try await store.reinstate(jobs, of: situation.instance.id) {
      logger.warning(
        "a job was missing and is there again",
        metadata: ["job.kind": "\(job.kind.rawValue)", "run.id": "\(job.run)", "plan": "\(job.plan)"])
    }
  }

  private func isAtAStandstill(_ run: PorcCore.Run) -> Bool {
    Self.limits[run.state].map { Date().timeIntervalSince(run.updatedAt) > $0 } ?? false
  }

  private func name(_ run: PorcCore.Run) {
    logger.warning(
      "a run makes no progress",
      metadata: [
        "run.id": "\(run.id)", "run.status": "\(run.state.rawValue)", "since": "\(Timestamp.text(run.updatedAt))",
        "tfe.run.id": "\(run.currentPlan?.tfeRunID ?? "none")",
      ])
  }

  // MARK: Workspaces

  /// The statuses in which a run keeps its workspace from all others until somebody decides. In any other TFE itself gets
  /// on with it.
  private static let waitingStatuses: [TerraformEnterprise.RunStatus] = [
    .planned, .costEstimated, .policyChecked, .policyOverride, .postPlanCompleted, .postPlanAwaitingDecision,
  ]

  /// Ends the TFE runs of ours that await a decision which nobody can make any more.
  private func freeWorkspaces() async throws {
    var filter = WorkspaceFilter()
    filter.tags = [driver.workspaces.installationTag]
    filter.currentRunStatuses = Self.waitingStatuses
    let workspaces = driver.client.workspaces.list(
      organization: driver.settings.organization, filter, include: [.currentRun])
    var suspects: Set<String> = []
    for try await workspace in workspaces {
      guard let run = workspace.currentRun, !run.status.isFinal, try await isForsaken(run, in: workspace) else {
        continue
      }
      guard self.suspects.contains(run.id) else {
        suspects.insert(run.id)
        continue
      }
      logger.warning(
        "a plan that nobody waits for blocked its workspace and is discarded",
        metadata: ["tfe.run.id": "\(run.id)", "workspace": "\(workspace.name)"])
      try await driver.endRun(run.id)
    }
    self.suspects = suspects
  }

  /// Whether a TFE run is one of ours and no plan is, or will be, about it.
  private func isForsaken(_ tfeRun: TerraformEnterprise.Run, in workspace: TerraformEnterprise.Workspace) async throws
    -> Bool
  {
    guard let (id, number) = PorcCore.Plan.named(by: tfeRun.message) else { return false }
    guard let located = try await store.locate(id.rawValue) else {
      // The database was restored from a backup that is older than this run.
      return try await isOurs(workspace)
    }
    guard located.situation.instance.workspace?.id == workspace.id else { return false }
    guard let plan = located.run.plan(number: number) else { return true }
    if plan.withdrawal != nil { return true }
    if let known = plan.tfeRunID {
      // A run that has ended is not among the idle ones, but may have to end its TFE run still.
      if known == tfeRun.id, !plan.isSettled, located.run.state.isFinal { try await reinstate(located.situation) }
      return known != tfeRun.id || plan.isSettled
    }
    if located.run.state == .planning, located.run.currentPlan?.number == number { return false }
    // Made by an attempt that died before it could say so, for a plan that was given up meanwhile.
    let made = RunReport.tfeRunCreated(
      plan: number, tfeRunID: tfeRun.id, configurationVersionID: tfeRun.configurationVersionID ?? "")
    try await driver.report([made], about: id, finishing: nil)
    return false
  }

  private func isOurs(_ workspace: TerraformEnterprise.Workspace) async throws -> Bool {
    guard let instance = try await driver.workspaces.instance(of: workspace.id) else { return false }
    return try await store.situation(of: instance)?.instance.workspace?.id == workspace.id
  }
}
