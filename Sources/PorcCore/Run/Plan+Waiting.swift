/// What a plan waits for at a gate, and while it is being canceled.
extension Plan {
  /// Whether its policies have to be overridden in TFE: PORC's token is known to lack the right.
  var isOverriddenElsewhere: Bool { gates?.overrideLink != nil }

  /// What the last override has come to, or where it must be done; `nil` where there is no more to say.
  var overrideWait: String? {
    if let link = gates?.overrideLink {
      return "somebody to override the policy in TFE, since PORC's token may not, or to discard the plan: \(link)"
    }
    return overrides?.last?.refusal.map {
      "somebody to override the policy or discard the plan. \($0.sentences)"
    }
  }

  /// What clears that, where it cannot be done here.
  var overrideClearing: String? {
    guard isOverriddenElsewhere else { return nil }
    return "somebody with the right to manage policy overrides overrides the policy in Terraform Enterprise, "
      + "or the plan is discarded"
  }

  /// Added to what a cancel waits for: what a forced one has come to, or from when there may be one.
  var forcedCancelNote: String {
    if forceCancelRequestedAt != nil { return " by force" }
    if let refusal = forceCancelRefusal { return ". \(refusal.sentences)" }
    return forceCancelAt.map { ", which can be forced from \(Timestamp.text($0)) on" } ?? ""
  }

  /// What else ends a cancel that takes long. It holds before that time and after it.
  var forcedCancelClearing: String? {
    if forceCancelRequestedAt != nil { return nil }
    if forceCancelRefusal != nil { return "else an administrator of the workspace forces it there" }
    return forceCancelAt.map { "from \(Timestamp.text($0)) on, pine cancel --force ends it" }
  }
}
