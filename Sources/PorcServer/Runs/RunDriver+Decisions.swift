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
    } catch let error as TFEError where error.isRefusal {
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
    if plan.forceCancelRequestedAt != nil { return try await forceCancel(run, plan, lease, located) }
    // Somebody has canceled it already, and Terraform takes its time to end.
    if !run.actions.isCancelable, run.forceCancelAvailableAt != nil { return try await wakingFollow(lease) }
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

  /// Kills what a cancel did not stop, as soon as TFE takes that.
  private func forceCancel(
    _ run: TerraformEnterprise.Run, _ plan: PorcCore.Plan, _ lease: Lease, _ located: Located
  ) async throws -> Outcome {
    guard run.actions.isForceCancelable else { return .later(1) }
    do {
      try await client.runs.forceCancel(run.id, comment: "Canceled by force through PORC")
    } catch let error as TFEError where error.kind == .conflict {
      return .later(1)  // its clock is not ours, or it has just ended
    } catch let error as TFEError where error.isRefusal {
      let failure = Failure(
        "Terraform Enterprise did not take the forced cancel: \(error.message)",
        detail: "It takes an administrator of the workspace" + (link(run.id, located).map { ": \($0)" } ?? "."))
      try await report([.forceCancelRefused(plan: plan.number, failure)], about: lease.run, finishing: lease)
      return .reported
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

  // MARK: Override

  /// Lets the plan pass in TFE. What TFE will never take is told on the run, which goes on waiting: somebody with the right
  /// may override there, or discard.
  func override(_ lease: Lease, _ located: Located) async throws -> Outcome {
    guard located.run.state == .policyOverride, let plan = located.run.plan(number: lease.plan),
      plan.overrideRequestedAt != nil, let id = plan.tfeRunID
    else { return .done }
    do {
      let run = try await client.runs.read(id)
      guard TFEReading(run: run, plan: plan.number).needsOverride else { return try await wakingFollow(lease) }
      let given = plan.overrides?.last
      let comment = "Overridden by \(given?.by.name ?? "PORC") through PORC: \(given?.reason ?? "")"
      if try await overrideGates(of: run, comment) { return try await wakingFollow(lease) }
      let nothing = Failure(
        "Terraform Enterprise offers no override of this plan to PORC's token.", detail: overrideFix(id, located))
      try await report(refused(plan, nothing, lacksRight: true, located), about: lease.run, finishing: lease)
    } catch let error as TFEError where error.isRefusal {
      let failure = Failure(
        "Terraform Enterprise did not take the override: \(error.message)", detail: overrideFix(id, located))
      // TFE hides from a token what it may not do.
      let lacksRight = error.kind == .notFound || error.kind == .forbidden
      try await report(refused(plan, failure, lacksRight: lacksRight, located), about: lease.run, finishing: lease)
    }
    return .reported
  }

  /// Where the token lacks the right, the place where others may override is told from now on.
  private func refused(
    _ plan: PorcCore.Plan, _ failure: Failure, lacksRight: Bool, _ located: Located
  ) -> [RunReport] {
    let refusal = RunReport.overrideRefused(plan: plan.number, failure)
    guard lacksRight, var gates = plan.gates, let id = plan.tfeRunID else { return [refusal] }
    gates.overrideLink = link(id, located)
    return [refusal, .planEvaluated(plan: plan.number, summary: nil, gates)]
  }

  /// - Returns: whether there was something to override.
  private func overrideGates(of run: TerraformEnterprise.Run, _ comment: String) async throws -> Bool {
    var found = false
    if !run.policyCheckIDs.isEmpty {
      // TFE goes on calling a check overridable that has been overridden.
      for try await check in client.policyChecks.list(run: run.id)
      where check.isOverridable && check.status == .softFailed {
        found = true
        try await unlessFaster({ try await client.policyChecks.override(check.id) }) {
          try await client.policyChecks.read(check.id).status == .softFailed
        }
      }
    }
    if !run.taskStageIDs.isEmpty {
      for try await stage in client.taskStages.list(run: run.id) where stage.isOverridable {
        found = true
        try await unlessFaster({ try await client.taskStages.override(stage.id, comment: comment) }) {
          try await client.taskStages.read(stage.id).isOverridable
        }
      }
    }
    return found
  }

  /// A conflict means that somebody else was faster, unless what was wanted is wanted still.
  private func unlessFaster(_ act: () async throws -> Void, isWanted: () async throws -> Bool) async throws {
    do {
      try await act()
    } catch let error as TFEError where error.kind == .conflict {
      if try await isWanted() { throw error }
    }
  }

  private func overrideFix(_ id: String, _ located: Located) -> String {
    "Somebody with the right to manage policy overrides can do it there" + (link(id, located).map { ": \($0)" } ?? ".")
  }

  private func wakingFollow(_ lease: Lease) async throws -> Outcome {
    try await report(
      [], about: lease.run, finishing: lease, waking: [RunJob(.follow, run: lease.run, plan: lease.plan)])
    return .reported
  }
}
