import Foundation
import Logging
import PorcCore
import PorcStore
import TerraformEnterprise

/// Does the jobs of runs: one outside step each, then what came of it is reported. Every step first asks whether it was
/// done before, since a process may die at any instant and a job is done at least once.
struct RunDriver: Sendable {
  let store: any Store
  var client: TerraformEnterprise.Client
  let settings: TFESettings
  let vault: InputVault
  let logger: Logger
  /// `nil` where TFE does not reach this PORC.
  var notifications: Notifications?
  var now: @Sendable () -> Date = { Date() }
  /// How long a call of this priority would wait for its turn in the budget now.
  var delay: @Sendable (CallPriority) -> Duration = { _ in .zero }

  var secrets: SecretKeeper { SecretKeeper(store: store, vault: vault) }
  var workspaces: Workspaces { Workspaces(client: client, settings: settings) }

  /// What to do with the lease once the work is done.
  enum Outcome {
    /// The job was finished together with a report.
    case reported
    case done
    case later(TimeInterval)
    /// Nothing was done, since it is not the time yet: this attempt does not count.
    case notYet(TimeInterval)
  }

  /// The same driver, whose calls of TFE have this priority. The job tries again whatever fails, so that the calls need
  /// not try for long by themselves: the sooner it is told that TFE does not answer.
  func with(priority: CallPriority) -> RunDriver {
    var copy = self
    copy.client = client.with(priority: priority).trying(for: .seconds(20))
    return copy
  }

  /// - Throws: whatever went wrong outside; the worker retries it.
  func perform(_ lease: Lease) async throws -> Outcome {
    guard let located = try await store.locate(lease.run.rawValue) else { return .done }
    return try await tellingOfTrouble(lease, located) { located in try await step(lease, located) }
  }

  private func step(_ lease: Lease, _ located: Located) async throws -> Outcome {
    let driver = with(priority: lease.kind.callPriority)
    switch lease.kind {
    case .build: return try await driver.build(lease, located)
    case .startPlan: return try await driver.startPlan(lease, located)
    case .follow: return try await driver.follow(lease, located)
    case .clearPlan: return try await driver.clear(lease, located)
    case .confirm: return try await driver.confirm(lease, located)
    case .discard: return try await driver.discard(lease, located)
    case .cancel: return try await driver.cancel(lease, located)
    case .override: return try await driver.override(lease, located)
    case .removeInstance: return try await driver.remove(lease, located)
    }
  }

  /// Records what was learned and, with `lease`, that the job is done: in one transaction.
  func report(
    _ reports: [RunReport], about run: PorcCore.Run.ID, finishing lease: Lease?, blobs: [String: Data] = [:],
    waking jobs: [RunJob] = []
  ) async throws {
    try await store.decide(
      about: .run(run.rawValue), recording: Record(blobs: blobs, finishing: lease, waking: jobs)
    ) { situation, now in
      var decision = Decision(facts: [], situation: situation)
      for report in reports {
        guard let situation = decision.situation else { break }
        let next = RunMachine.hear(report, about: run, in: situation, at: now)
        decision.facts += next.facts
        decision.situation = next.situation
      }
      return decision
    }
  }

  // MARK: The end of an instance

  /// How long a workspace that TFE does not delete is left alone, in seconds.
  static let removalPause: TimeInterval = 300

  private func remove(_ lease: Lease, _ located: Located) async throws -> Outcome {
    let instance = located.situation.instance
    guard instance.destroyedAt != nil, instance.newest == lease.run else { return .done }
    if let workspace = instance.workspace {
      do {
        try await client.workspaces.safeDelete(workspace.id)
      } catch let error as TFEError where error.kind == .notFound {
        // Gone already: that is what was wanted.
      } catch let error as TFEError where error.isRefusal {
        // It still manages resources, or is locked, or the token may not: people see why, and it is tried again.
        let failure = Failure(
          "Terraform Enterprise does not delete the workspace '\(workspace.name)': \(error.message)")
        try await report([.removalRefused(failure)], about: lease.run, finishing: nil)
        return .later(Self.removalPause)
      }
      try await store.forgetNotification(of: workspace.id)
    }
    try await store.remove(instance.id, finishing: lease)
    return .reported
  }
}

extension RunJob.Kind {
  /// The priority of the calls of TFE that a job makes.
  var callPriority: CallPriority {
    switch self {
    case .confirm: .apply
    case .cancel, .discard: .cancel
    case .build, .startPlan, .override: .plan
    case .clearPlan, .follow: .poll
    case .removeInstance: .background
    }
  }
}
