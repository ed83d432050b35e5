import HCL
import Testing

struct TypeConstraintTests {
  @Test(arguments: [
    ("string", TypeConstraint.string), (" number\n", .number), ("bool", .bool), ("any", .any), ("list", .list(.any)),
    ("map", .map(.any)), ("list(string)", .list(.string)), ("set (any)", .set(.any)),
    ("map(list(bool))", .map(.list(.bool))),
    ("object({})", .object([])), ("tuple([])", .tuple([])), ("tuple([string, number,])", .tuple([.string, .number])),
    ("list(\n  string\n)", .list(.string)), ("list(string,)", .list(.string)),
    (
      "object({ a = string, b : number })", .object([.init(name: "a", type: .string), .init(name: "b", type: .number)])
    ),
    (
      "object({\n  a = string # first\n  /* then */ b = optional(bool)\n\n  c = optional(list(string), [\"x\", \"y\"]),\n})",
      .object([
        .init(name: "a", type: .string), .init(name: "b", type: .bool, isOptional: true),
        .init(name: "c", type: .list(.string), isOptional: true, default: ["x", "y"]),
      ])
    ),
    (
      "object({ list = optional(object({\n n = optional(number, 5)\n}), {\n n = 7\n }), se-ven_é = optional(any, null) })",
      .object([
        .init(
          name: "list", type: .object([.init(name: "n", type: .number, isOptional: true, default: 5)]),
          isOptional: true,
          default: ["n": 7]),
        .init(name: "se-ven_é", type: .any, isOptional: true, default: .null),
      ])
    ),
  ])
  func aTypeIsReadAndWrittenBack(text: String, type: TypeConstraint) throws {
    #expect(try TypeConstraint(parsing: text) == type)
    #expect(!type.description.contains("\n"))
    #expect(try TypeConstraint(parsing: type.description) == type)
  }

  @Test(arguments: [
    "", "set", "object", "tuple", "\"string\"", "(string)", "optional(string)", "object({ \"a\" = string })",
    "object({ a = string, a = number })", "any(string)", "string()", "strng", "list(list)", "list(map)", "list()",
    "list(string", "list[string]",
    "object({ a = optional(list(string), tolist([])) })", "object({ a string })", "object({ a = string b = number })",
    "tuple([string number])", "list(string) list", "object({ a = optional(number, \"x\") })",
    "object({ a = optional })", "string # x\n}",
    "list(optional(string))", "map(string, number)",
  ])
  func whatIsNoTypeIsRefused(text: String) {
    #expect(throws: ParseFailure.self) { try TypeConstraint(parsing: text) }
  }

  @Test func aFailureSaysWhereAndWhatWasMeant() {
    let failure = #expect(throws: ParseFailure.self) { try TypeConstraint(parsing: "object({\n  a = strng\n})") }
    #expect(failure?.position == SourcePosition(line: 2, column: 7, offset: 15))
    #expect(failure?.message == "There is no type \"strng\". Did you mean \"string\"?")
  }

  @Test func depthIsBounded() {
    func nested(_ depth: Int) -> String {
      String(repeating: "list(", count: depth) + "any" + String(repeating: ")", count: depth)
    }
    #expect(throws: Never.self) { try TypeConstraint(parsing: nested(100)) }
    #expect(throws: ParseFailure.self) { try TypeConstraint(parsing: nested(101)) }
    #expect(throws: ParseFailure.self) { try TypeConstraint(parsing: nested(100_000)) }
  }
}
