import HCL
import TestKit

/// Random schemas and values.
enum Fuzz {
  /// Part of every string of a random value, and of no schema.
  static let secret = "hush"

  static let schemas: [Value] = OfficialSuite.files.flatMap { ((try? $0.groups()) ?? []).map(\.schema) }

  private static let keys = ["foo", "bar", "a", "b", "$ref", "x", "é", "list", "foo\nbar"]
  private static let keywords = [
    "type", "enum", "const", "minimum", "multipleOf", "minLength", "pattern", "items", "prefixItems", "contains",
    "minContains",
    "uniqueItems", "properties", "patternProperties", "additionalProperties", "required", "dependentSchemas",
    "dependencies",
    "propertyNames", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "$dynamicRef", "$id", "$anchor",
    "$defs",
    "unevaluatedItems", "unevaluatedProperties",
  ]

  static func value(depth: Int, using random: inout SplitMix) -> Value {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
    case 0: .null
    case 1: .bool(.random(using: &random))
    case 2: .number(Number(Int.random(in: -3...20, using: &random)))
    case 3: .number(Number(Double.random(in: -3...3, using: &random)) ?? 0)
    case 4: .string(secret + String(repeating: "é", count: Int.random(in: 0...5, using: &random)))
    case 5: .array((0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth: depth - 1, using: &random) })
    default:
      .object(
        Dictionary(
          (0..<Int.random(in: 0...4, using: &random)).map { _ in
            (keys.randomElement(using: &random) ?? "", value(depth: depth - 1, using: &random))
          }
        ) { first, _ in first })
    }
  }

  /// `schema` with some of its parts replaced, added or lost.
  static func mutated(_ schema: Value, using random: inout SplitMix) -> Value {
    if Int.random(in: 0..<12, using: &random) == 0 { return part(using: &random) }
    switch schema {
    case .array(let elements): return .array(elements.map { mutated($0, using: &random) })
    case .object(var members):
      for (key, member) in members.sorted(by: { $0.key < $1.key }) { members[key] = mutated(member, using: &random) }
      if Int.random(in: 0..<4, using: &random) == 0 {
        members[keywords.randomElement(using: &random) ?? ""] = part(using: &random)
      }
      return .object(members)
    default: return schema
    }
  }

  private static func part(using random: inout SplitMix) -> Value {
    switch Int.random(in: 0..<9, using: &random) {
    case 0: .null
    case 1: .number(Number(Int.random(in: -1...3, using: &random)))
    case 2: .string(["#", "#/$defs/a", "string", "^a+$", "(", "#a", "x", ""].randomElement(using: &random) ?? "")
    case 3: []
    case 4: ["a", "b"]
    case 5: .bool(.random(using: &random))
    default: schemas.randomElement(using: &random) ?? true
    }
  }
}
