import Foundation
import Logging
import PorcCore
import PorcStore
import TerraformEnterprise

/// One list of the workspaces with their current runs tells of a hundred runs in one call.
extension Sweeper {
  /// Whatever is not final. One that TFE invents is missed by the list, and so looks as if it had ended: it is read.
  private static let openStatuses: [TerraformEnterprise.RunStatus] = [
    .pending, .fetching, .fetchingCompleted, .prePlanRunning, .prePlanCompleted, .queuing, .planQueued, .planning,
    .planned, .costEstimating, .costEstimated, .policyChecking, .policyChecked, .policyOverride, .postPlanRunning,
    .postPlanCompleted, .postPlanAwaitingDecision, .confirmed, .queuingApply, .applyQueued, .preApplyRunning,
    .preApplyCompleted, .applying, .postApplyRunning, .postApplyCompleted, .terraformPolicyChecked,
    .terraformPolicyOverride,
  ]
  /// The statuses in which a run keeps its workspace from all others until somebody decides. In any other TFE itself gets
  /// on with it.
  private static let waitingStatuses: Set<TerraformEnterprise.RunStatus> = [
    .planned, .costEstimated, .policyChecked, .policyOverride, .postPlanCompleted, .postPlanAwaitingDecision,
    .terraformPolicyChecked, .terraformPolicyOverride,
  ]
  /// Between two looks while runs are polled, or something has just happened, in seconds.
  private static let calmInterval: TimeInterval = 30
  /// How long after the last event something may still turn up in TFE, in seconds: a call whose answer was lost, say.
  private static let restlessness: TimeInterval = 120
  /// Between two looks while nothing happens, in seconds.
  private static let idleInterval: TimeInterval = 600

  /// Looks at the current runs of PORC's workspaces, if it is time: what TFE told nothing about is recorded or read, and
  /// runs are ended that await a decision which nobody can make any more. If TFE does not answer, the runs say so.
  func look() async throws {
    try await suspectSilence()
    try await driver.notifications?.mend()
    let followed = try await store.followedPlans()
    guard try await isTime(followed) else { return }
    do {
      try await look(after: followed)
    } catch let error as TFEError {
      memory.isTroubled = true
      for plan in followed { try await driver.tellOfTrouble(error, plan) }
      throw error
    }
    guard memory.isTroubled else { return }
    // Whatever happened meanwhile, the runs are read, and say that the trouble is over.
    for plan in followed where try await store.locate(plan.run.rawValue)?.run.wait?.isTrouble == true {
      try await wake(plan)
    }
    memory.isTroubled = false
  }

  private func look(after followed: [FollowedPlan]) async throws {
    var filter = WorkspaceFilter()
    filter.tags = [driver.workspaces.installationTag]
    filter.currentRunStatuses = Self.openStatuses
    // Nobody tells of a TFE that hangs: that is to be known soon.
    let workspaces = driver.client.trying(for: .seconds(10)).workspaces.list(
      organization: driver.settings.organization, filter, include: [.currentRun, .currentRunPlan, .lockedBy])
    var unseen = Dictionary(followed.map { ($0.tfeRunID, $0) }) { $1 }
    var suspects: Set<String> = []
    var sights: [String: LookMemory.Sight] = [:]
    // By id: those whose current run no plan is about, which may wait for it.
    var busy: [String: TerraformEnterprise.Workspace] = [:]
    for try await workspace in workspaces {
      guard let run = workspace.currentRun, !run.status.isFinal else { continue }
      if let plan = unseen.removeValue(forKey: run.id) {
        sights[run.id] = .current
        try await take(run, of: plan, in: workspace)
      } else {
        busy[workspace.id] = workspace
      }
      guard Self.waitingStatuses.contains(run.status), try await isForsaken(run, in: workspace) else { continue }
      guard memory.suspects.contains(run.id) else {
        suspects.insert(run.id)
        continue
      }
      logger.warning(
        "a plan that nobody waits for blocked its workspace and is discarded",
        metadata: ["tfe.run.id": "\(run.id)", "workspace": "\(workspace.name)"])
      try await driver.endRun(run.id)
    }
    for plan in unseen.values { sights[plan.tfeRunID] = try await miss(plan, busy) }
    memory.suspects = suspects
    memory.sights = sights
    memory.lookedAt = now()
  }

  private func isTime(_ followed: [FollowedPlan]) async throws -> Bool {
    let position = try await store.lastPosition()
    if position != memory.position { (memory.position, memory.movedAt) = (position, now()) }
    guard let lookedAt = memory.lookedAt else { return true }
    // Where TFE tells nothing the runs are polled, each by itself.
    let isWatched = driver.notifications != nil && !followed.isEmpty
    if isWatched || !memory.suspects.isEmpty { return true }
    let isCalm = followed.isEmpty && now().timeIntervalSince(memory.movedAt) > Self.restlessness
    return now().timeIntervalSince(lookedAt) >= (isCalm ? Self.idleInterval : Self.calmInterval)
  }

  // MARK: Runs that are followed

  /// What is news in the list is read; that an apply began is recorded as it is, since nothing more is to be had of it.
  private func take(
    _ run: TerraformEnterprise.Run, of followed: FollowedPlan, in workspace: TerraformEnterprise.Workspace
  ) async throws {
    guard driver.notifications != nil, let located = try await store.locate(followed.run.rawValue),
      let plan = located.run.plan(number: followed.plan), !plan.isSettled
    else { return }
    guard driver.isNews(run, about: plan, located, at: now()) else {
      return try await driver.reportWaiting(in: workspace, located)
    }
    let reading = TFEReading(run: run, plan: plan.number)
    guard reading.applyBegan, run.plan != nil else {
      noteSilence(of: followed, located, isEnd: false)
      return try await wake(followed)
    }
    do {
      try await driver.tell(run, plan, located, finishing: nil)
    } catch is TFEError {
      try await wake(followed)  // the job tries again until it succeeds
    }
  }

  /// It is no workspace's current run that goes on: it has ended, or waits behind another, or it is not listed yet.
  private func miss(
    _ followed: FollowedPlan, _ busy: [String: TerraformEnterprise.Workspace]
  ) async throws -> LookMemory.Sight {
    guard driver.notifications != nil else { return .missing }
    if let located = try await store.locate(followed.run.rawValue),
      let workspace = located.situation.instance.workspace.flatMap({ busy[$0.id] })
    {
      try await driver.reportWaiting(in: workspace, located)
    }
    switch memory.sights[followed.tfeRunID] {
    case .read: return .read
    // Whoever starts does not know what happened while nobody looked.
    case nil where memory.lookedAt != nil: return .missing
    case nil, .current, .missing:
      if let located = try await store.locate(followed.run.rawValue) {
        noteSilence(of: followed, located, isEnd: true)
      }
      try await wake(followed)
      return .read
    }
  }

  private func wake(_ followed: FollowedPlan) async throws {
    try await store.wake([RunJob(.follow, run: followed.run, plan: followed.plan)])
  }

  // MARK: What TFE should have told

  /// How long a delivery may take, in seconds, before or after the look that finds what it tells.
  private static let deliveryTime: TimeInterval = 5

  private func noteSilence(of followed: FollowedPlan, _ located: Located, isEnd: Bool) {
    // What happened while PORC was away could not be told.
    guard memory.lookedAt != nil, let workspace = located.situation.instance.workspace else { return }
    memory.silences.append(.init(plan: followed, workspace: workspace.id, isEnd: isEnd, foundAt: now()))
  }

  /// Has the notifications mended of each workspace in which something happened that they should have told.
  private func suspectSilence() async throws {
    guard let notifications = driver.notifications else { return }
    let due = memory.silences.filter { now().timeIntervalSince($0.foundAt) >= Self.deliveryTime }
    memory.silences.removeAll { now().timeIntervalSince($0.foundAt) >= Self.deliveryTime }
    for silence in due {
      guard let run = try await store.locate(silence.plan.run.rawValue)?.run,
        let plan = run.plan(number: silence.plan.plan),
        // Nothing is told of a discard, nor of a run that has not ended after all.
        !silence.isEnd || (plan.isSettled && run.state != .discarded)
      else { continue }
      // Where none is asked for, or it is known not to work, none is missed.
      guard try await notifications.cover(silence.workspace) else { continue }
      let heard = try await notifications.heard(of: silence.workspace) ?? .distantPast
      guard heard < silence.foundAt.addingTimeInterval(-Self.deliveryTime) else { continue }
      try await notifications.suspect(silence.workspace, silentAbout: silence.plan.tfeRunID)
    }
  }

  // MARK: Runs that nobody waits for

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

/// What a ``Sweeper`` keeps in mind between two looks.
struct LookMemory {
  enum Sight {
    /// It was a workspace's current run.
    case current
    case missing
    /// It was missing, and so the job that follows it reads it.
    case read
  }

  /// Something happened to a plan's run, and no delivery had told of it when it was found.
  struct Silence {
    var plan: FollowedPlan
    var workspace: String
    /// Whether it seems to be its end.
    var isEnd: Bool
    var foundAt: Date
  }

  /// The TFE runs that nobody waited for when the last look was taken. Only what is still so is ended, since a run that
  /// is being made or ended looks the same for a moment.
  var suspects: Set<String> = []
  /// How each followed TFE run was found.
  var sights: [String: Sight] = [:]
  var silences: [Silence] = []
  var lookedAt: Date?
  /// Whether TFE failed the last look; whoever starts does not know.
  var isTroubled = true
  /// The newest event that a look has seen, and when it was first seen.
  var position: Int64 = -1
  var movedAt = Date.distantPast
}
