import Foundation
import PorcCore
import PorcStore
import TerraformEnterprise

/// Why a run does not get on, learned on the way and kept as a fact: reported only where it is another reason than before.
extension RunDriver {
  // MARK: TFE's reasons

  /// What a TFE run, as it was read, tells of the waiting of a plan, and of the name of its workspace.
  ///
  /// Its own document has its workspace in it. Only where that says that something has changed, and only while the run
  /// waits for its turn, one more call is made: the workspace, with its run and who locked it.
  func waiting(
    of tfeRun: TerraformEnterprise.Run, _ plan: PorcCore.Plan, _ located: Located
  ) async throws -> [RunReport] {
    var reports: [RunReport] = []
    if let workspace = tfeRun.workspace { reports += renaming(workspace.id, workspace.name, located) }
    guard let current = located.run.currentPlan else { return reports }
    guard plan.number == current.number else {
      // An earlier plan that is being settled waits for nothing but its end; that it was read ends the trouble with it.
      return reports + (located.run.wait?.isTrouble == true ? news(nil, located) : [])
    }
    let waiting = self.waiting(tfeRun.status, tfeRun.id, located)
    guard waiting.dependsOnWorkspace, let id = tfeRun.workspaceID ?? located.situation.instance.workspace?.id else {
      return reports + news(waiting.ownWait, located)
    }
    if let workspace = tfeRun.workspace, waiting.isStillSo(in: workspace) { return reports }
    do {
      let workspace = try await client.workspaces.read(id, include: [.currentRun, .lockedBy])
      return reports + news(waiting.wait(in: workspace, owner: try await owner(of: workspace.currentRun)), located)
    } catch let error as TFEError where !error.isRetryable {
      return reports  // the token may see runs only: not to know why they wait is no reason not to follow them
    }
  }

  /// The same for who has read the workspace with its current run (`include: [.currentRun]`), as a list of many at once
  /// does: reports what is news about the plan that is under way there.
  func reportWaiting(in workspace: TerraformEnterprise.Workspace, _ located: Located) async throws {
    guard located.situation.instance.workspace?.id == workspace.id else { return }
    var reports = renaming(workspace.id, workspace.name, located)
    if let plan = located.run.currentPlan, !plan.isSettled, let id = plan.tfeRunID {
      if let current = workspace.currentRun, current.id == id, current.status != .pending {
        reports += news(waiting(current.status, id, located).ownWait, located)
      } else if workspace.currentRun?.status.isFinal != true || workspace.isLocked {
        // Another run is the current one, so this one waits for its turn, or has ended and is about to be read.
        let waiting = waiting(.pending, id, located)
        if waiting.dependsOnWorkspace, !waiting.isStillSo(in: workspace.glance) {
          reports += news(waiting.wait(in: workspace, owner: try await owner(of: workspace.currentRun)), located)
        }
      }
    }
    if !reports.isEmpty { try await report(reports, about: located.run.id, finishing: nil) }
  }

  private func waiting(
    _ status: TerraformEnterprise.RunStatus, _ tfeRunID: String, _ located: Located
  ) -> TFEWaiting {
    let since = max(located.run.updatedAt, located.run.waitEndedAt ?? .distantPast)
    return TFEWaiting(status: status, tfeRunID: tfeRunID, idle: now().timeIntervalSince(since), known: located.run.wait)
  }

  /// A workspace that was renamed in TFE: links name it.
  private func renaming(_ id: String, _ name: String, _ located: Located) -> [RunReport] {
    guard let known = located.situation.instance.workspace, known.id == id, known.name != name else { return [] }
    return [.workspaceReady(PorcCore.Workspace(id: id, name: name))]
  }

  /// PORC's run whose plan a TFE run is.
  private func owner(of tfeRun: TerraformEnterprise.Run?) async throws -> PorcCore.Run.ID? {
    guard let tfeRun else { return nil }
    return try await store.locate(tfeRun.id)?.run.id
  }

  /// Nothing, if it is known.
  private func news(_ wait: Wait?, _ located: Located) -> [RunReport] {
    guard wait != located.run.wait else { return [] }
    return [.waiting(plan: located.run.state == .building ? 0 : located.run.currentPlan?.number ?? 0, wait)]
  }

  /// What to say of a plan whose TFE run is not there any more. Costs one call, at the end of the plan.
  func absence(of tfeRunID: String, _ located: Located) async throws -> Failure {
    if let workspace = located.situation.instance.workspace {
      do {
        _ = try await client.workspaces.read(workspace.id)
      } catch let error as TFEError where error.kind == .notFound {
        return Failure(
          "The workspace '\(workspace.name)' is not there any more in Terraform Enterprise",
          detail: "It was deleted with its run \(tfeRunID), or the token may not see it any more. "
            + "A new plan makes it anew.")
      }
    }
    return Failure(
      "Terraform Enterprise does not know the run \(tfeRunID) any more",
      detail: "It was deleted, or the token may not see it any more.")
  }

  // MARK: PORC's own reasons

  /// As many runs as are to plan or apply at once do so. Told at the second try: the first may only have met others.
  func tellOfTurn(_ plan: PorcCore.Plan, _ located: Located) async throws {
    guard now().timeIntervalSince(plan.startedAt) >= 1 else { return }
    try await tell(.maximumRuns(limit: settings.maximumRuns), located)
  }

  /// Jobs that nobody takes, although they have been due for so long.
  func tellOfWorkers(_ job: RunJob) async throws {
    guard let located = try await store.locate(job.run.rawValue), located.run.wait == nil else { return }
    try await tell(.workers, located)
  }

  private func tell(_ wait: Wait?, _ located: Located) async throws {
    // Most runs await a decision, and wait for nothing else: of them there is nothing to record.
    let reports = news(wait, located).filter { report in
      !RunMachine.hear(report, about: located.run.id, in: located.situation, at: now()).facts.isEmpty
    }
    if !reports.isEmpty { try await report(reports, about: located.run.id, finishing: nil) }
  }

  // MARK: Trouble

  /// Takes a step, and tells of what it fails at; the worker tries it again.
  func tellingOfTrouble(
    _ lease: Lease, _ located: Located, _ step: (Located) async throws -> Outcome
  ) async throws -> Outcome {
    var located = located
    // What waits for less is through before anybody has read of it.
    let delay = lease.kind.asksTFE ? delay(lease.kind.callPriority) : .zero
    if delay > .seconds(5) {
      let until = now().addingTimeInterval(Double(delay.components.seconds))
      try await tell(.rateLimited(until: Timestamp.rounded(until)), located)
      located = try await store.locate(lease.run.rawValue) ?? located
    }
    do {
      let outcome = try await step(located)
      // The step has succeeded and is done: should this not be recorded, the next one that succeeds will.
      if located.run.wait?.isTrouble == true, let now = try? await store.locate(lease.run.rawValue),
        now.run.wait?.isTrouble == true
      {
        try? await tell(nil, now)
      }
      return outcome
    } catch let error where !(error is CancellationError) && !(error is StoreError) {
      // Should this not be recorded, the next failure will; what the worker has to hear of is the step's own error.
      if let wait = Wait(trouble: error, at: now()), let located = try? await store.locate(lease.run.rawValue) {
        try? await tell(wait, located)
      }
      throw error
    }
  }
}

extension RunDriver {
  /// That TFE failed a call which was about all runs: those that are not polled learn it from nobody else.
  func tellOfTrouble(_ error: TFEError, _ followed: FollowedPlan) async throws {
    guard let wait = Wait(trouble: error, at: now()), let located = try await store.locate(followed.run.rawValue),
      located.run.currentPlan?.number == followed.plan
    else { return }
    try await tell(wait, located)
  }
}

extension RunJob.Kind {
  fileprivate var asksTFE: Bool { self != .build }
}
