import FoundationEssentials
import PorcCore

/// A run in a few lines: `pine status`.
struct StatusPage {
  let status: RunStatus
  let now: Date

  var lines: [Prose] {
    let next = NextStep.commands(for: status)
    let fields: [(name: String, value: Prose?)] = [
      ("run", "\(status.runID)"),
      ("instance", "\(status.instanceID)"),
      ("state", status.shown + (status.isPartial ? " (in part)" : "")),
      ("operation", status.operation == .destroy ? "destroy" : nil),
      ("plan", plan),
      ("superseded", status.supersededBy.map { "by \($0)" }),
      ("waits for", status.waitingFor.map { "\($0)" }),
      ("updated", "\(RelativeTime.text(status.lastUpdated, now: now))"),
    ]
    let commands = next.enumerated().map { ($0.offset == 0 ? "next" : "", "\($0.element, .bold)" as Prose?) }
    return Table.fields(fields + commands)
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
