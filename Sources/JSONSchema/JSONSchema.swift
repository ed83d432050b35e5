public import HCL

/// A JSON Schema, of draft 2020-12 or draft-07, that values are checked against.
///
/// Safe with schemas and values of strangers: what a schema may ask for is bounded when it is compiled, patterns are matched
/// in linear time (see ``Pattern``), and a check that would go too deep or take too long ends with a violation that says so.
/// `format`, `contentEncoding` and their like are annotations and refuse nothing. Nothing is ever fetched.
public struct JSONSchema: Sendable {
  let nodes: [SchemaNode]
  /// For each resource its `$dynamicAnchor`s.
  let dynamicNodes: [[String: Int]]

  /// Compiles a schema.
  ///
  /// - Parameters:
  ///   - draft: for documents without `$schema`.
  ///   - documents: what `document` may refer to, and the metaschemas it may name in `$schema`, by their URIs. The metaschemas
  ///     of both drafts are known already.
  /// - Throws: all that is wrong with the documents, as far as references reach them.
  public init(
    _ document: Value, default draft: Draft = .draft2020, documents: [String: Value] = [:]
  ) throws(SchemaProblems) {
    var compiler = SchemaCompiler(registered: documents, defaultDraft: draft)
    try compiler.compile(document)
    nodes = compiler.nodes
    dynamicNodes = compiler.resources.map(\.dynamicNodes)
  }

  /// Every way in which `value` is not as the schema asks; none if it is valid.
  ///
  /// In the order of their paths, keys in byte order, and what is inside a part before what is said about that part. At most
  /// ``maximumViolations``.
  ///
  /// Of the alternatives of `anyOf` and `oneOf`: if the types and constants in them leave one that can have been meant, its
  /// violations are given as they are; otherwise there is one violation, which sums up the nearest.
  public func violations(of value: Value) -> [Violation] {
    var evaluation = Evaluation(self)
    return evaluation.violations(of: value)
  }

  /// With more of them the rest of a value is not looked at.
  public static let maximumViolations = 500
}
