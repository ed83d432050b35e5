/// What a plan waits for at a gate, and while it is being canceled.
extension Plan {
  /// What an override has come to, or where it must be done; `nil` where somebody may override it here.
  public var overrideWait: String? {
    if overrideRequestedAt != nil { return "TFE to take the override" }
    if let refusal = overrides?.last?.refusal {
      return "somebody to override the policy in TFE or discard the plan. \(refusal.text)"
    }
    return gates?.overrideLink.map {
      "somebody to override the policy in TFE, since PORC's token may not, or to discard the plan: \($0)"
    }
  }

  /// Added to what a cancel waits for: what a forced one has come to, or from when there may be one.
  public var forcedCancelNote: String {
    if forceCancelRequestedAt != nil { return " by force" }
    if let refusal = forceCancelRefusal { return ". \(refusal.text)" }
    return forceCancelAt.map { ", which can be forced from \(Timestamp.text($0)) on" } ?? ""
  }
}
