import PorcCore

/// Something a run is asked to do, and how its end is told from its way.
enum Step: String, Sendable {
  case build, plan, apply, discard, cancel, override
  case forceCancel = "force-cancel"

  /// The last part of its path in the API.
  var verb: String { self == .forceCancel ? "cancel" : rawValue }

  /// The phase whose Terraform output is worth watching meanwhile.
  var logPhase: LogPhase? {
    switch self {
    case .plan: .plan
    case .apply: .apply
    case .build, .discard, .cancel, .forceCancel, .override: nil
    }
  }

  func isOver(_ status: RunStatus) -> Bool {
    switch self {
    case .build: status.isFinal || ![.submitted, .building].contains(status.status)
    case .plan: status.isFinal || status.status.awaitsDecision || status.status == .applying
    case .apply, .cancel: status.isFinal || status.status.awaitsDecision
    case .discard: status.isFinal
    // Waiting for somebody's word again, it was refused.
    case .override: status.status != .policyOverride || status.wait?.reason == "policy_override"
    case .forceCancel: status.isFinal || status.status.awaitsDecision || status.nextActions.contains(rawValue)
    }
  }

  /// Why the end is not the one that was asked for; `nil` if it is.
  ///
  /// - Parameter wasUnderWay: whether the end had to be waited for.
  func complaint(about status: RunStatus, _ failure: Failure?, wasUnderWay: Bool) -> Complaint? {
    let state = status.status
    switch self {
    case .build where ![.buildFailed, .canceled, .discarded].contains(state): return nil
    case .plan where [.planned, .applying, .applied].contains(state): return nil
    case .plan where state == .policyOverride: return Self.refusedByPolicy(status, failure)
    case .apply where state == .applied: return nil
    case .apply where state.awaitsDecision:
      return Complaint(
        .refused, "The run \(status.runID) still awaits a decision.",
        fix: "Look at it with: pine summary --run-id \(status.runID)")
    case .discard where state == .discarded: return nil
    case .cancel where state == .canceled || !wasUnderWay: return nil
    case .cancel where state == .applied:
      return Complaint(.runFailed, "The cancel of \(status.runID) came after its apply had finished.")
    case .cancel where state.awaitsDecision:
      return Complaint(
        .runFailed, "The cancel of \(status.runID) came after its plan had finished.",
        fix: "pine discard --run-id \(status.runID)")
    case .override where state == .policyOverride:
      return Self.refusedByTFE("override", status)
    case .override where !state.isFailure: return nil
    case .forceCancel where state.isFinal || !wasUnderWay: return nil
    case .forceCancel where status.nextActions.contains(rawValue):
      return Self.refusedByTFE("forced cancel", status)
    default: return .runFailed(status, failure)
    }
  }

  private static func refusedByTFE(_ what: String, _ status: RunStatus) -> Complaint {
    Complaint(
      .refused, "Terraform Enterprise did not take the \(what) of \(status.runID).",
      details: status.waitingFor.map { ["The run waits for \($0)"] } ?? [],
      fix: "Do it in Terraform Enterprise: pine summary --run-id \(status.runID) shows the run's page there.")
  }

  private static func refusedByPolicy(_ status: RunStatus, _ failure: Failure?) -> Complaint {
    Complaint(
      .refused, "The plan of \(status.runID) was refused by a policy that somebody may override.",
      details: failure.map { [$0.text] } ?? [],
      fix: (status.nextActions.contains("override")
        ? "pine override --run-id \(status.runID) --reason \"…\"" : "Have it overridden in Terraform Enterprise")
        + ", or pine discard --run-id \(status.runID)")
  }
}

/// One of the two outputs of a run.
enum LogPhase: String, Sendable, CaseIterable {
  case plan, apply

  /// Whether Terraform has begun to say something.
  func hasBegun(_ status: RunStatus) -> Bool {
    guard status.tfeRunID != nil else { return false }
    switch self {
    case .plan:
      return [.planning, .planned, .planFailed, .policyFailed, .policyOverride, .applying, .applied]
        .contains(status.status)
    case .apply: return status.hasChanges != false && [.applying, .applied, .applyFailed].contains(status.status)
    }
  }
}

/// How a step ended, or where it stood when nobody waited for its end.
struct Outcome: Sendable {
  var status: RunStatus
  /// Absent where nobody waited.
  var summary: RunSummary?
  /// What the API said of it.
  var bytes: [UInt8]
  /// Whether the end had to be waited for.
  var wasUnderWay = false
  /// Whether Terraform's output was shown.
  var hasShownLog = false
}
