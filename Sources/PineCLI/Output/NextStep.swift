import PorcCore

/// What a person may do next, as commands to copy.
enum NextStep {
  static func commands(for status: RunStatus) -> [String] {
    let verbs = ["build", "plan", "apply", "approve", "override", "discard", "cancel", "force-cancel"]
    return status.nextActions.filter(verbs.contains).map { action in
      if action == "force-cancel" { return "pine cancel --force --run-id \(status.runID)" }
      return "pine \(action) --run-id \(status.runID)" + (action == "override" ? " --reason \"…\"" : "")
    }
  }
}

extension RunStatus {
  /// Good, bad, waiting for somebody, or on its way.
  var style: Style {
    switch status {
    case .applied: .green
    case .planned, .policyOverride: .yellow
    case .discarded, .canceled: .dim
    case _ where status.isFailure: .red
    default: .cyan
    }
  }

  /// The state as the portal shows it, coloured.
  var shown: Prose { Prose(terraformStatus, style) }
}
