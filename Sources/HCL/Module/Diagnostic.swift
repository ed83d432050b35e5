/// Something wrong or suspicious in a module's files.
public struct Diagnostic: Hashable, Sendable {
  public let severity: Severity
  /// One sentence.
  public let message: String
  /// More to know, if there is more.
  public let detail: String?
  /// The name of the file in the module's folder.
  public let file: String
  public let range: SourceRange

  public init(severity: Severity, message: String, detail: String? = nil, file: String, range: SourceRange) {
    self.severity = severity
    self.message = message
    self.detail = detail
    self.file = file
    self.range = range
  }
}

extension Diagnostic: CustomStringConvertible {
  /// `main.tf:3:5: error: …`, as compilers write it.
  public var description: String {
    let detail = detail.map { " \($0)" } ?? ""
    return "\(file):\(range.start.line):\(range.start.column): \(severity.rawValue): \(message)\(detail)"
  }
}
