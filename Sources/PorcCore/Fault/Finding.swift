/// One thing that is wrong, or doubtful, with a document: what, where, and how to mend it.
public struct Finding: Codable, Sendable, Hashable {
  public enum Severity: String, Codable, Sendable { case error, warning }

  public var severity: Severity
  /// A JSON pointer into the document (RFC 6901), e.g. `/inputs/region`; empty for the whole.
  public var pointer: String
  /// What is wrong. Never quotes an input's value: it may be a secret.
  public var message: String
  public var fix: String?
  /// Where in the submitted text, from 1.
  public var line: Int?
  public var column: Int?

  public init(
    _ severity: Severity = .error, at pointer: String, _ message: String, fix: String? = nil, line: Int? = nil,
    column: Int? = nil
  ) {
    self.severity = severity
    self.pointer = pointer
    self.message = message
    self.fix = fix
    self.line = line
    self.column = column
  }
}
