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
    let run = status.runID
    let what =
      switch status.status {
      case _ where status.isPartial: "The run \(run) was applied only in part."
      case .buildFailed: "The build of \(run) failed."
      case .planFailed: "The plan of \(run) failed."
      case .policyFailed: "The plan of \(run) was refused by a policy."
      case .applyFailed: "The apply of \(run) failed."
      case .discarded: "The plan of \(run) was discarded."
      default: "The run \(run) is \(status.status.spoken)."
      }
    var complaint = Complaint(.runFailed, what)
    if let failure {
      complaint.details = [failure.address.map { "\(failure.summary) (\($0))" } ?? failure.summary]
      if let detail = failure.detail, !detail.isEmpty { complaint.details.append(detail) }
    }
    let again = NextStep.commands(for: status).first
    complaint.fix = "Mend the cause and submit again" + (again.map { ", or once more: \($0)" } ?? ".")
    return complaint
  }
}
