import HCL
import JSONSchema

/// Schemas and values as JSON, and violations as one text each.
enum Reading {
  static func schema(
    _ text: String, default draft: JSONSchema.Draft = .draft2020, documents: [String: String] = [:]
  ) throws -> JSONSchema {
    try JSONSchema(
      try JSONText.parse(text).value, default: draft,
      documents: try documents.mapValues { try JSONText.parse($0).value })
  }

  /// `path keyword: message`, in the order given.
  static func violations(_ schema: String, _ value: String, default draft: JSONSchema.Draft = .draft2020) throws
    -> [String]
  {
    try self.schema(schema, default: draft).violations(of: try JSONText.parse(value).value).map {
      "\(ValuePath($0.path)) \($0.keyword): \($0.message)"
    }
  }

  /// What is wrong with a schema; empty if nothing is.
  static func problems(
    _ text: String, default draft: JSONSchema.Draft = .draft2020, documents: [String: String] = [:]
  ) throws -> [SchemaProblem] {
    do {
      _ = try schema(text, default: draft, documents: documents)
      return []
    } catch let problems as SchemaProblems {
      return problems.problems
    }
  }
}
