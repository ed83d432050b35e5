/// Why a document cannot be used as a schema: all that is wrong with it.
public struct SchemaProblems: Error, Sendable, Hashable {
  public let problems: [SchemaProblem]
}

/// One thing that is wrong with a schema.
public struct SchemaProblem: Sendable, Hashable {
  /// A JSON pointer into the schema; for another document behind its URI and `#`.
  public let pointer: String
  /// What is wrong: one sentence.
  public let message: String
  /// What its author can do.
  public let fix: String
}

extension SchemaProblems: CustomStringConvertible {
  public var description: String {
    problems.map { "\($0.pointer.isEmpty ? "/" : $0.pointer): \($0.message) \($0.fix)" }.joined(separator: "\n")
  }
}
