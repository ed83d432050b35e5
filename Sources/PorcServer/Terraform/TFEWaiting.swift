import Foundation
import PorcCore
import TerraformEnterprise

/// TFE's words in ours: what a TFE run that does not get on waits for. Pure; the one place where this is decided.
struct TFEWaiting {
  let status: TerraformEnterprise.RunStatus
  /// The TFE run that it is about.
  let tfeRunID: String
  /// How long nothing has happened to it, in seconds.
  let idle: TimeInterval
  /// What it was known to wait for.
  let known: Wait?

  /// What passes sooner is no waiting, in seconds: TFE takes a moment for everything.
  static let moment: TimeInterval = 3

  /// What its own status says.
  var ownWait: Wait? {
    switch status {
    case .queuing, .planQueued, .queuingApply, .applyQueued: patient(.tfeCapacity)
    case .prePlanRunning: patient(.runTasks(stage: "pre_plan"))
    case .postPlanRunning: patient(.runTasks(stage: "post_plan"))
    case .preApplyRunning: patient(.runTasks(stage: "pre_apply"))
    case .postApplyRunning: patient(.runTasks(stage: "post_apply"))
    default: nil
    }
  }

  /// What it waited for before took its time, and not this.
  private func patient(_ wait: Wait) -> Wait? {
    wait == known || (known == nil && idle >= Self.moment) ? wait : nil
  }

  /// Whether only its workspace can tell: it waits for its turn there.
  var dependsOnWorkspace: Bool {
    status == .pending && (idle >= Self.moment || known.map { !$0.isTrouble } == true)
  }

  /// Whether what was known is still so, as far as the workspace as its runs show it tells.
  func isStillSo(in workspace: WorkspaceGlance) -> Bool {
    switch known {
    case .workspaceLocked(_, _, let reason):
      workspace.isLocked && workspace.lockedBy?.isRun != true && Self.text(workspace.lockedReason) == reason
    case .tfeRunAhead(let id, _): workspace.currentRunID == id && workspace.lockedBy?.isRun != false
    case .tfeQueue: !workspace.isLocked && [nil, tfeRunID].contains(workspace.currentRunID)
    default: false
    }
  }

  /// What its workspace says, as it was read.
  ///
  /// - Parameter owner: PORC's run whose plan the TFE run ahead is, if it is one.
  func wait(in workspace: TerraformEnterprise.Workspace, owner: PorcCore.Run.ID?) -> Wait {
    let ahead = workspace.currentRunID.flatMap { id in
      id == tfeRunID || workspace.currentRun?.status.isFinal == true ? nil : id
    }
    // Each run locks its workspace. Where TFE does not say who did, a run that is before it did.
    let isLockedBySomebody = workspace.isLocked && (workspace.lockedBy.map { !$0.isRun } ?? (ahead == nil))
    if isLockedBySomebody {
      return .workspaceLocked(
        workspace: workspace.name, by: Self.text(workspace.lockedBy?.name), reason: Self.text(workspace.lockedReason))
    }
    return ahead.map { .tfeRunAhead(tfeRunID: $0, runID: owner) } ?? .tfeQueue
  }

  private static func text(_ text: String?) -> String? {
    let line = text?.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(Wait.maximumText)
    return line.flatMap { $0.isEmpty ? nil : String($0) }
  }
}

extension Wait {
  /// What it means for a run that a step of its failed and is tried again; `nil` where nobody has to know.
  ///
  /// - Parameter now: when it failed.
  init?(trouble error: any Error, at now: Date) {
    switch error {
    case let doubt as RunDriver.InDoubt: self.init(trouble: doubt.cause, at: now)
    case let error as TFEError:
      switch error.kind {
      case .transport: self = .tfeUnreachable
      case .server: self = .tfeFailing(status: error.status)
      case .unauthorized: self = .tokenRefused
      case .rateLimited:
        let seconds = error.retryAfter.map { Double($0.components.seconds) } ?? 1
        self = .rateLimited(until: Timestamp.rounded(now.addingTimeInterval(seconds)))
      case .conflict: return nil  // somebody else acted in this very moment
      case .forbidden, .notFound, .unprocessable, .refused, .protocolViolation: self = .tfeRefused
      }
    default: self = .stepFailing
    }
  }
}
