/// Where a run stands on its way through submit, build, plan and apply.
///
/// The raw values are stored, sent over the wire and shown in the portal: never rename or reuse one.
public enum RunState: String, Codable, Sendable, CaseIterable {
  case submitted
  case building
  case built
  case buildFailed = "build_failed"
  case planning
  case planned
  case planFailed = "plan_failed"
  /// A mandatory policy failed; nobody may override it.
  case policyFailed = "policy_failed"
  /// A policy failed that a named person may override.
  case policyOverride = "policy_override"
  case applying
  case applied
  case applyFailed = "apply_failed"
  case discarded
  case canceled

  /// Whether the run has ended. Only planning again leads out of a final state, or building again after a failed build; and
  /// TFE's own truth, where it turns out to have applied what had ended here.
  public var isFinal: Bool {
    switch self {
    case .buildFailed, .planFailed, .policyFailed, .applied, .applyFailed, .discarded, .canceled: true
    case .submitted, .building, .built, .planning, .planned, .policyOverride, .applying: false
    }
  }

  /// Whether a plan lies there and somebody has to decide about it.
  public var awaitsDecision: Bool { self == .planned || self == .policyOverride }

  /// Whether the run ended without doing what was asked.
  public var isFailure: Bool {
    switch self {
    case .buildFailed, .planFailed, .policyFailed, .applyFailed, .discarded, .canceled: true
    default: false
    }
  }

  /// The state as a person would say it.
  public var spoken: String {
    switch self {
    case .buildFailed: "a failed build"
    case .planFailed: "a failed plan"
    case .policyFailed: "refused by a policy"
    case .policyOverride: "waiting for a policy override"
    case .applyFailed: "a failed apply"
    default: rawValue
    }
  }
}
