import Foundation
import PorcCore
import PorcStore
import TerraformEnterprise

/// What people decided, carried to TFE. Each wakes the job that follows the TFE run, which reports what came of it, unless
/// TFE tells by itself.
extension RunDriver {
  func confirm(_ lease: Lease, _ located: Located) async throws -> Outcome {
    guard located.run.state == .applying, let plan = located.run.plan(number: lease.plan), !plan.isSettled,
      !plan.applyBegan, let id = plan.tfeRunID
    else { return .done }
    do {
      let caller = plan.confirmation?.by?.name ?? "PORC"
      try await client.runs.apply(id, comment: "Applied by \(caller) through PORC")
    } catch let error as TFEError where error.kind == .conflict {
      // Confirmed, discarded or canceled by somebody else: unless TFE still offers it, reading tells what came of it.
      if try await client.runs.read(id).actions.isConfirmable { throw error }
      return try await wakingFollow(lease)
    } catch let error as TFEError where !error.isRetryable && error.wasNotExecuted {
      // TFE will never take it, and holds the workspace for a run that nobody can apply.
      try await endRun(id)
      let failure =
        error.kind == .notFound ? try await absence(of: id, located) : Failure(error, doing: "apply the plan")
      try await report(
        [.applyFailed(plan: plan.number, failure, began: false)], about: located.run.id, finishing: lease)
      return .reported
    }
    return try await isTold(of: plan, located) ? .done : wakingFollow(lease)
  }

  func discard(_ lease: Lease, _ located: Located) async throws -> Outcome {
    guard let plan = located.run.plan(number: lease.plan), !plan.isSettled, let id = plan.tfeRunID else { return .done }
    guard try await endRun(id) else { return .later(0.5) }
    return try await wakingFollow(lease)
  }

  func cancel(_ lease: Lease, _ located: Located) async throws -> Outcome {
    guard located.run.cancelRequestedAt != nil, let plan = located.run.plan(number: lease.plan), !plan.isSettled else {
      return .done
    }
    guard let id = plan.tfeRunID else { return try await cancelUnborn(plan, lease, located) }
    let run = try await client.runs.read(id)
    if run.status.isFinal { return try await wakingFollow(lease) }
    do {
      if run.actions.isCancelable {
        try await client.runs.cancel(id)
      } else if run.actions.isDiscardable, located.run.state == .planning || !plan.applyBegan {
        try await client.runs.discard(id)
      } else {
        return .later(0.5)  // between two of TFE's states; it will offer one of them
      }
    } catch let error as TFEError where error.kind == .conflict {
      return .later(0.5)
    }
    return try await wakingFollow(lease)
  }

  /// No TFE run is recorded: either none was made, or an attempt died before it could say so.
  private func cancelUnborn(_ plan: PorcCore.Plan, _ lease: Lease, _ located: Located) async throws -> Outcome {
    let message = PorcCore.Plan.message(run: located.run.id, number: plan.number)
    var reports: [RunReport] = [.remoteCanceled(plan: plan.number, applyBegan: false)]
    if let workspace = located.situation.instance.workspace, let made = try await find(message, in: workspace) {
      guard try await endRun(made.id, stopsApply: true) else { return .later(0.5) }
      reports = [
        .tfeRunCreated(
          plan: plan.number, tfeRunID: made.id, configurationVersionID: made.configurationVersionID ?? "")
      ]
    }
    try await report(reports, about: located.run.id, finishing: lease)
    return .reported
  }

  func override(_ lease: Lease, _ located: Located) async throws -> Outcome {
    guard located.run.state == .policyOverride, let id = located.run.plan(number: lease.plan)?.tfeRunID else {
      return .done
    }
    for try await check in client.policyChecks.list(run: id) where check.isOverridable {
      try await client.policyChecks.override(check.id)
    }
    for try await stage in client.taskStages.list(run: id) where stage.isOverridable {
      try await client.taskStages.override(stage.id, comment: "Overridden through PORC")
    }
    return try await wakingFollow(lease)
  }

  private func wakingFollow(_ lease: Lease) async throws -> Outcome {
    try await report(
      [], about: lease.run, finishing: lease, waking: [RunJob(.follow, run: lease.run, plan: lease.plan)])
    return .reported
  }
}
