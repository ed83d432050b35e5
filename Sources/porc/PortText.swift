import Foundation
import PorcCore
import PorcServer
import Synchronization

/// What a set-up did, one line for each thing.
enum PortSetupText {
  static func lines(_ report: PortSetup.Report, isRehearsal: Bool = false) -> [String] {
    report.items.map { item in
      let details = item.details.isEmpty ? "" : ": \(item.details.joined(separator: ", "))"
      return "\(item.subject): \(words(item.outcome, isRehearsal: isRehearsal))\(details)"
    } + report.warnings.map { "warning: \($0)" } + report.notes.map { "note: \($0)" }
  }

  private static func words(_ outcome: PortSetup.Item.Outcome, isRehearsal: Bool) -> String {
    switch outcome {
    case .unchanged: "as it should be"
    case .made: isRehearsal ? "would be made" : "made"
    case .changed: isRehearsal ? "would be changed" : "changed"
    case .blocked: "not possible"
    }
  }
}

/// Where Port differs, one line for each thing.
enum PortDifferencesText {
  static func lines(_ differences: PortDifferences) -> [String] {
    var lines = differences.missing.map { "\($0): not in Port" }
    for different in differences.different {
      lines += different.properties.map { "\(different.subject): \($0)" }
    }
    lines += differences.removals.map { "\($0.subject): should go, since \(Timestamp.text($0.since))" }
    lines += differences.parked.map(line)
    lines += differences.unknown.map { "\($0): written by a PORC that is not this one; left alone" }
    lines += differences.leftOut.map { "note: \($0)" }
    if differences.others > 0 {
      let count = differences.others
      lines.append("note: \(count) \(count == 1 ? "entity" : "entities") of others in the same blueprints")
    }
    return differences.isInSync ? lines + ["Port shows what it should."] : lines
  }

  static func line(_ parked: PortDifferences.Waiting) -> String {
    "\(parked.subject): refused by Port since \(Timestamp.text(parked.since)): \(parked.reason ?? "")"
  }
}

/// Says on standard error how far a sync has come, where there is news.
final class PortSyncCounter: Sendable {
  private let told = Mutex<PortSyncProgress?>(nil)

  @Sendable func tell(_ progress: PortSyncProgress) {
    let isNews = told.withLock { told in
      defer { told = progress }
      return told != progress && progress.total > 0
    }
    if isNews { FileHandle.standardError.write(Data("\(progress.done) of \(progress.total)\n".utf8)) }
  }
}
