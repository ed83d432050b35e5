import FoundationEssentials
import PorcCore

/// What was found out about a blueprint without submitting it; what `--json` prints of it.
struct BlueprintCheck: Encodable {
  /// As it was given; `<stdin>` for standard input.
  var file: String
  var valid: Bool
  /// The template it was checked against; nil where it was not, or where the blueprint is not valid.
  @ExplicitNull var template: Template.ID?
  /// Nil where the blueprint is not valid.
  @ExplicitNull var instance: String?
  /// In the order of the document.
  var findings: [Finding]

  init(of file: String, instance: String, template: Template.ID? = nil, warnings: [Finding] = []) {
    self.file = file
    valid = true
    _template = ExplicitNull(wrappedValue: template)
    _instance = ExplicitNull(wrappedValue: instance)
    findings = warnings
  }

  init(of file: String, _ problems: DocumentProblems) {
    self.file = file
    valid = false
    _template = ExplicitNull(wrappedValue: nil)
    _instance = ExplicitNull(wrappedValue: nil)
    findings = problems.findings
  }
}

extension Session {
  /// Tells what a check has found, in the words in which `submit` tells what PORC finds.
  ///
  /// - Parameter good: what people read if nothing is wrong.
  /// - Throws: a ``Complaint`` if anything is.
  func conclude(_ check: BlueprintCheck, _ good: Prose) throws -> Fault.ExitStatus {
    let ids = check.instance.map { [$0] } ?? []
    output.answer(Array(try JSONEncoder.porc.encode(check)), ids: ids) { check.valid ? [good] : [] }
    // A program has them already.
    let isTold = output.form == .json
    guard check.valid else {
      var complaint = Complaint(DocumentProblems(check.findings), about: check.file)
      complaint.fix = nil
      if isTold { complaint.findings = [] }
      throw complaint
    }
    if !isTold { output.tell(check.findings, in: check.file) }
    return .done
  }
}
