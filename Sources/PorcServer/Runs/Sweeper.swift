import Foundation
import Logging
import PorcCore
import PorcStore
import TerraformEnterprise

/// Looks again and again for what was left lying, whatever the reason: a job that is gone, a run that does not get on, a
/// TFE run of which TFE told nothing, one of ours that blocks a workspace although nobody waits for it. TFE's own answer
/// settles each.
actor Sweeper {
  let store: any Store
  let driver: RunDriver
  private let retention: TimeInterval
  /// Nothing younger is looked at, in seconds: it is being worked on.
  private let idle: TimeInterval
  let logger: Logger
  let now: @Sendable () -> Date
  /// What the looks at TFE's workspaces left in mind; a restart learns it again.
  var memory = LookMemory()
  /// When the runs that the log has named last moved: each standstill is named once.
  private var standstills: [PorcCore.Run.ID: Date] = [:]

  /// How long a run may be in a state before the log says so, in seconds. Nothing is given up then: a plan may take an
  /// hour, and TFE may be away for a day.
  private static let limits: [RunState: TimeInterval] = [.building: 120, .planning: 1800, .applying: 7200]
  /// How long a job may wait for a worker before its run says so, in seconds.
  private static let patience: TimeInterval = 10
  /// How many instances one sweep looks at.
  private static let limit = 10_000

  init(
    store: any Store, driver: RunDriver, retention: TimeInterval, idle: TimeInterval, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.store = store
    self.driver = driver
    self.retention = retention
    self.idle = idle
    self.logger = logger
    self.now = now
  }

  /// Looks at what is kept; asks TFE nothing.
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
  }

  // MARK: Jobs and runs

  func reinstate(_ situation: Situation) async throws {
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
}
