import PorcCore

/// Says what happens to a run, each thing once.
struct Narrator: Sendable {
  private let output: Output
  private var last = ""

  init(_ session: Session) { output = session.output }

  /// Something on the way.
  mutating func tell(_ status: RunStatus) {
    let line = Self.line(status, nil)
    let text = line.pieces.map(\.text).joined()
    output.progress(text)
    guard text != last else { return }
    last = text
    output.note(line)
  }

  /// `planning…`, `planned: 1 to add, 0 to change, 0 to destroy`, `apply_failed`.
  static func line(_ status: RunStatus, _ plan: RunSummary.PlanDetails?) -> Prose {
    let state = status.shown
    if let waitingFor = status.waitingFor, !status.status.awaitsDecision {
      return "\(state): waiting for \(waitingFor)…"
    }
    switch status.status {
    case .building, .planning, .applying:
      return status.operation == .destroy && status.status == .applying ? "destroying…" : "\(state)…"
    case .planned:
      if status.hasChanges == false { return "\(state): no changes" }
      return plan.map { "\(state): \(PlanPage.sentence($0))" } ?? state
    case .policyOverride: return "\(state): waiting for \(status.waitingFor ?? "a decision")"
    default: return status.isPartial ? "\(state) (in part)" : state
    }
  }
}
