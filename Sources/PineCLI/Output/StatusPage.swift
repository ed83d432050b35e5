import FoundationEssentials
import PorcCore

/// A run in a few lines: `pine status`.
struct StatusPage {
  let status: RunStatus
  let now: Date

  var lines: [Prose] {
    let next = NextStep.commands(for: status)
    return Table.fields([
      ("run", "\(status.runID)"),
      ("instance", "\(status.instanceID)"),
      ("state", status.shown + (status.isPartial ? " (in part)" : "")),
      ("operation", status.operation == .destroy ? "destroy" : nil),
      ("plan", plan),
      ("superseded", status.supersededBy.map { "by \($0)" }),
      ("waits for", status.waitingFor.map { "\($0)" }),
      ("updated", "\(RelativeTime.text(status.lastUpdated, now: now))"),
      ("next", next.first.map { "\($0, .bold)" }),
    ]) + Table.fields(next.dropFirst().map { ("    ", Prose($0, .bold)) })
  }

  private var plan: Prose? {
    guard status.tfeRunID != nil || status.hasChanges != nil else { return nil }
    let changes: Prose =
      switch status.hasChanges {
      case true?: "with changes"
      case false?: "without changes"
      case nil: "being made"
      }
    return status.tfeRunID.map { "\($0), \(changes)" } ?? changes
  }
}
