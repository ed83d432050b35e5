/// What became of a value that was converted to a type.
public struct Conversion: Hashable, Sendable {
  /// The value as Terraform has it after the conversion: defaults filled in, undeclared attributes dropped, sets without
  /// duplicates and sorted. Nil if there is an error.
  public let value: Value?
  /// Everything that is wrong or suspicious, in the order of the value.
  public let findings: [ValueFinding]

  public init(value: Value?, findings: [ValueFinding]) {
    self.value = value
    self.findings = findings
  }
}

/// How much a finding or a diagnostic weighs.
public enum Severity: String, Hashable, Sendable, Codable {
  case error, warning
}

/// Something wrong or suspicious in a value. It says kinds, names and places, never what the value holds: that may be a
/// secret.
public struct ValueFinding: Hashable, Sendable {
  public let severity: Severity
  public let path: [PathStep]
  /// The type that is wanted here, in canonical text.
  public let expected: String
  /// The kind of what is there: `a string`, `an object`, `nothing`.
  public let found: String
  /// One sentence.
  public let message: String

  public init(severity: Severity, path: [PathStep], expected: String, found: String, message: String) {
    self.severity = severity
    self.path = path
    self.expected = expected
    self.found = found
    self.message = message
  }
}
