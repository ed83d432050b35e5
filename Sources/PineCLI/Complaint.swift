import PorcCore

/// Why a command did not do what it was asked, as a person reads it: what happened, details, and what to do now.
struct Complaint: Error, Sendable {
  var message: String
  /// Further lines, such as Terraform's own words.
  var details: [String] = []
  var fix: String?
  var findings: [Finding] = []
  /// The document that the findings are about.
  var file: String?
  var exit: Fault.ExitStatus

  init(_ exit: Fault.ExitStatus, _ message: String, details: [String] = [], fix: String? = nil) {
    self.exit = exit
    self.message = message
    self.details = details
    self.fix = fix
  }

  /// Whatever was thrown, in the words of its ``Fault`` if it has one.
  init(_ error: any Error, about file: String? = nil) {
    if let complaint = error as? Complaint {
      self = complaint
      return
    }
    guard let fault = (error as? any FaultConvertible)?.fault else {
      self.init(.bug, "pine met an error it did not expect: \(error)")
      return
    }
    self.init(fault.code.exitStatus, fault.message, fix: fault.fix)
    findings = fault.findings
    self.file = file
    if let seconds = fault.retryAfter, fix == nil { fix = "Try again in \(seconds) s." }
  }

  /// A command was used in a way that cannot work.
  static func usage(_ message: String, fix: String) -> Complaint { Complaint(.wrongUsage, message, fix: fix) }

  /// The run did not do what was waited for; in the words of whoever failed it.
  static func runFailed(_ status: RunStatus, _ failure: Failure?) -> Complaint {
    var complaint = Complaint(.runFailed, "The run \(status.runID) is \(status.status.spoken).")
    if status.isPartial { complaint.message = "The run \(status.runID) was applied only in part." }
    if let failure {
      complaint.details = [failure.address.map { "\(failure.summary) (\($0))" } ?? failure.summary]
      if let detail = failure.detail, !detail.isEmpty { complaint.details.append(detail) }
    }
    complaint.fix = NextStep.commands(for: status).first.map { "Mend it, then: \($0)" } ?? "Mend it, then submit again."
    return complaint
  }
}
