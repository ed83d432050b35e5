import HCL
import Testing

/// What Terraform accepts, and what becomes of it. `TerraformOracleTests` asks Terraform itself about these tables.
enum ConversionTable {
  /// Type, value and result, the latter two as JSON.
  static let accepted: [(String, String, String)] = [
    ("string", #""x""#, #""x""#), ("string", "5.0", #""5""#), ("string", "1e3", #""1000""#),
    ("string", "1e-7", #""0.0000001""#),
    ("string", "123456789012345678901234567890", #""123456789012345678901234567890""#), ("string", "true", #""true""#),
    ("string", "false", #""false""#), ("string", "null", "null"),
    ("number", "5", "5"), ("number", #""5""#, "5"), ("number", #""5.50""#, "5.5"), ("number", #""1e3""#, "1000"),
    ("number", #""+5""#, "5"), ("number", #"".5""#, "0.5"), ("number", #""5.""#, "5"), ("number", #""5.e2""#, "500"),
    ("number", #""+.5""#, "0.5"), ("number", #""00012""#, "12"), ("number", #""1E+5""#, "100000"),
    ("number", #""-1.5""#, "-1.5"),
    ("bool", "true", "true"), ("bool", #""true""#, "true"), ("bool", #""false""#, "false"), ("bool", #""1""#, "true"),
    ("bool", #""0""#, "false"),
    ("list(string)", #"[1,"a",true,null]"#, #"["1","a","true",null]"#), ("list(number)", "[]", "[]"),
    ("set(number)", #"["2",2,1]"#, "[1,2]"),
    ("set(string)", #"["b","a","B","é",null,"a"]"#, #"["B","a","b","é",null]"#),
    ("set(number)", #"[10,9,"9",1.5,-3]"#, "[-3,1.5,9,10]"), ("set(bool)", #"[true,"false",true]"#, "[false,true]"),
    ("map(string)", #"{"a":1,"b":null}"#, #"{"a":"1","b":null}"#),
    ("map(list(number))", #"{"a":["1"]}"#, #"{"a":[1]}"#),
    ("object({ a = string })", #"{"a":1,"b":2}"#, #"{"a":"1"}"#),
    ("list(object({ a = string }))", #"[{"a":"x","extra":[1]},{"a":null}]"#, #"[{"a":"x"},{"a":null}]"#),
    ("object({ a = optional(string), b = optional(number, 3) })", "{}", #"{"a":null,"b":3}"#),
    ("object({ b = optional(number, \"3\") })", #"{"b":null}"#, #"{"b":3}"#),
    (
      "map(object({ o = optional(object({ n = optional(number, 5), s = optional(string) }), {}) }))",
      #"{"x":{},"y":{"o":{"n":1}},"z":{"o":null}}"#,
      #"{"x":{"o":{"n":5,"s":null}},"y":{"o":{"n":1,"s":null}},"z":{"o":{"n":5,"s":null}}}"#
    ),
    ("object({ b = optional(number, 3) })", "null", "null"),
    ("tuple([string, number])", #"[1,"2"]"#, #"["1",2]"#), ("tuple([])", "[]", "[]"),
    ("any", #"[1,"a",["x"],{"b":null}]"#, #"[1,"a",["x"],{"b":null}]"#),
    ("list(any)", #"[1,"a",true,null]"#, #"["1","a","true",null]"#), ("list(any)", "[]", "[]"),
    ("list(any)", "[null,null]", "[null,null]"),
    ("list", #"[1,"a"]"#, #"["1","a"]"#), ("map", #"{"a":1,"b":"x"}"#, #"{"a":"1","b":"x"}"#),
    ("list(any)", #"[{"a":1},{"b":"x"}]"#, #"[{"a":"1"},{"b":"x"}]"#),
    ("list(any)", #"[{},{"a":1}]"#, #"[{},{"a":1}]"#),
    (
      "map(any)", #"{"x":{"a":1,"b":true},"y":{"a":"s","b":null}}"#, #"{"x":{"a":"1","b":true},"y":{"a":"s","b":null}}"#
    ),
    ("list(any)", #"[[1],["a",2]]"#, #"[["1"],["a","2"]]"#),
    ("list(any)", #"[[1,"a",3],[true,"b"]]"#, #"[["1","a","3"],["true","b"]]"#),
    ("list(any)", #"[[1,"x"],[3,"y"]]"#, #"[[1,"x"],[3,"y"]]"#), ("list(any)", #"[[],["a"]]"#, #"[[],["a"]]"#),
    ("list(any)", #"[{"a":{"x":1}},{"a":{"y":"s"}}]"#, #"[{"a":{"x":"1"}},{"a":{"y":"s"}}]"#),
    ("list(any)", #"[[null],["s"]]"#, #"[[null],["s"]]"#),
    ("list(any)", #"[[[1]],[["a","b"]]]"#, #"[[["1"]],[["a","b"]]]"#),
    ("list(object({ a = any }))", #"[{"a":1},{"a":"x"}]"#, #"[{"a":"1"},{"a":"x"}]"#),
    ("list(list(any))", #"[[1],["x"]]"#, #"[["1"],["x"]]"#),
    ("list(map(any))", #"[{"a":1},{"b":"x"}]"#, #"[{"a":"1"},{"b":"x"}]"#),
    ("map(list(any))", #"{"a":[1],"b":["x"]}"#, #"{"a":["1"],"b":["x"]}"#), ("set(any)", #"[1,"1",2]"#, #"["1","2"]"#),
    ("set(any)", #"[{"a":1},{"a":"1"}]"#, #"[{"a":"1"}]"#), ("tuple([any, any])", #"[1,"x"]"#, #"[1,"x"]"#),
    ("list(tuple([any]))", #"[[1],["x"]]"#, #"[["1"],["x"]]"#),
    (
      "map(set(object({ a = optional(any), b = bool })))", #"{"x":[{"b":false}],"y":[]}"#,
      #"{"x":[{"a":null,"b":false}],"y":[]}"#
    ),
    ("list(map(object({ b = any })))", #"[{"x":{"b":1}},{}]"#, #"[{"x":{"b":1}},{}]"#),
    ("map(any)", #"{"a":[1,"x"],"b":null}"#, #"{"a":[1,"x"],"b":null}"#),
    ("set(map(any))", #"[{"a":1},{"a":2}]"#, #"[{"a":1},{"a":2}]"#),
    ("object({ a = list(any), b = any })", #"{"a":[1,"x"],"b":[1,"x"]}"#, #"{"a":["1","x"],"b":[1,"x"]}"#),
  ]

  /// Type and value, as JSON.
  static let refused: [(String, String)] = [
    ("string", "[]"), ("string", "{}"), ("string", #"["a"]"#),
    ("number", "true"), ("number", #""""#), ("number", #"" 5""#), ("number", #""0x1F""#), ("number", #""1_000""#),
    ("number", #"".""#),
    ("number", #""-""#), ("number", #""+-5""#), ("number", #"".e5""#), ("number", #""1e""#), ("number", #""infinity""#),
    ("number", "[]"),
    ("bool", "1"), ("bool", "0"), ("bool", #""True""#), ("bool", #""TRUE""#), ("bool", #""yes""#), ("bool", #""t""#),
    ("bool", #""""#),
    ("list(string)", #""a""#), ("list(string)", "{}"), ("list(number)", #"[1,"x"]"#), ("set(string)", "{}"),
    ("set(bool)", "[1]"),
    ("map(string)", "[]"), ("map(number)", #"{"a":"x"}"#),
    ("object({ a = string, b = string })", #"{"a":"x"}"#), ("object({})", "[]"),
    ("object({ a = number })", #"{"a":"x"}"#),
    ("tuple([string])", "[]"), ("tuple([string])", #"["a","b"]"#), ("tuple([number])", #"["x"]"#), ("tuple([])", "{}"),
    ("list(any)", #"[1,["a"]]"#), ("list(any)", "[1,true]"), ("map(any)", #"{"a":1,"b":true}"#),
    ("list(any)", #"[[1],{"a":1}]"#),
    ("list(any)", #"[{"a":1},{"a":true}]"#), ("list(any)", #"[{"a":1,"b":"x"},{"a":true,"b":"y"}]"#),
    ("list(any)", #"[{"a":1},{"b":true}]"#),
    ("list(any)", #"[null,{"a":1}]"#), ("list(any)", "[null,[1]]"), ("list(any)", #"[[1,"a"],[true,"b"]]"#),
    ("list(any)", #"[{"a":1,"b":[1]},{"a":2}]"#), ("list(any)", #"[[null],[{"a":1}]]"#),
    ("list(any)", #"[{"a":null},{"a":{"y":"s"}}]"#),
    ("set(map(any))", #"[{"a":1},{}]"#), ("set(list(any))", #"[[1],["x"]]"#),
    ("set(object({ a = optional(any) }))", #"[{"a":1},{}]"#),
    ("map(map(any))", #"{"a":{},"b":{"a":[true,null],"b":[true]}}"#),
    ("map(any)", #"{"a":[1],"b":["x"],"c":null}"#), ("map(tuple([any]))", #"{"a":[1],"b":["x"]}"#),
    ("list(object({ a = any }))", #"[{"a":1},{"a":[1]}]"#), ("list(list(any))", "[[1],[true]]"),
  ]
}

struct ConversionTests {
  @Test(arguments: ConversionTable.accepted)
  func aValueIsConverted(type: String, given: String, converted: String) throws {
    let conversion = try TypeConstraint(parsing: type).convert(JSONText.parse(given).value)
    #expect(conversion.value?.json() == converted)
    #expect(!conversion.findings.contains { $0.severity == .error })
  }

  @Test(arguments: ConversionTable.refused)
  func aValueIsRefused(type: String, given: String) throws {
    let conversion = try TypeConstraint(parsing: type).convert(JSONText.parse(given).value)
    #expect(conversion.value == nil)
    #expect(conversion.findings.contains { $0.severity == .error })
  }

  @Test func allFindingsAreReportedAtOnceWithTheirPlaces() throws {
    let type = try TypeConstraint(
      parsing: "object({ name = string, pools = list(object({ size = number, zone = string })) })")
    let value: Value = [
      "name": [], "pools": [["size": "x", "zone": "a"], ["size": 1], ["sise": 1, "size": 2, "zone": 3]], "nmae": 1,
    ]
    let findings = type.convert(value).findings
    let lines = findings.map { "\($0.severity.rawValue) \(ValuePath($0.path)) \($0.expected) / \($0.found)" }
    #expect(
      lines == [
        "error name string / an array", "error pools[0].size number / a string",
        "error pools[1] zone = string / nothing",
        "warning pools[2].sise nothing / a number", "warning nmae nothing / a number",
      ])
  }

  @Test func aMisspeltAttributeIsUnderstood() throws {
    let type = try TypeConstraint(parsing: "object({ machine_type = optional(string) })")
    let finding = try #require(type.convert(["machinetype": "x"]).findings.first)
    #expect(finding.severity == .warning)
    #expect(finding.message.hasSuffix("Did you mean \"machine_type\"?"))
  }

  @Test(arguments: [
    ("bool", #""1""#), ("bool", #""0""#), ("number", #""Inf""#), ("number", #""-Inf""#), ("object({})", #"{"a":1}"#),
  ])
  func whatTerraformTakesSilentlyIsAWarning(type: String, json: String) throws {
    let conversion = try TypeConstraint(parsing: type).convert(JSONText.parse(json).value)
    #expect(conversion.value != nil)
    #expect(conversion.findings.map(\.severity) == [.warning])
  }

  @Test(arguments: [
    "number", "bool", "list(any)", "map(string)", "object({ a = number })", "tuple([bool])", "set(list(number))",
  ])
  func findingsNeverShowWhatTheValueHolds(type: String) throws {
    let type = try TypeConstraint(parsing: type)
    let secret = "hunter2"
    let values: [Value] = [
      .string(secret), [.string(secret), [.string(secret)]], ["a": .string(secret), "b": [.string(secret)]],
    ]
    let findings = values.flatMap { type.convert($0).findings }
    #expect(!findings.isEmpty)
    #expect(!findings.contains { "\($0)".contains(secret) })
  }

  @Test(arguments: [
    "1e1000", "1e999999999", "-1e-999999999", "+1e99999999999999999999", String(repeating: "9", count: 1_001),
  ])
  func aNumberOfTooManyDigitsIsRefusedClearly(text: String) {
    let findings = TypeConstraint.number.convert(.string(text)).findings
    #expect(findings.map(\.message) == ["Needs a number of at most 1000 digits."])
  }

  @Test func manyUnknownAttributesCostNoSquare() throws {
    let names = (0..<60).map { "attribute_\($0)" }
    let type = TypeConstraint.object(names.map { .init(name: $0, type: .string, isOptional: true) })
    let value = Value.object(Dictionary(uniqueKeysWithValues: (0..<20_000).map { ("atribute_x\($0)", .null) }))
    #expect(type.convert(value).findings.count == 500)
  }

  @Test func findingsAreBoundedAndErrorsStillCount() throws {
    let value = Value.array(Array(repeating: ["x": 1], count: 1_000) + [["a": []]])
    let conversion = try TypeConstraint(parsing: "list(object({ a = optional(string) }))").convert(value)
    #expect(conversion.findings.count == 500)
    #expect(conversion.value == nil)
  }

  @Test func nullFollowsTheRulesOfTheVariable() {
    func conversion(nullable: Bool, _ value: Variable.Default?) -> Conversion {
      Variable(name: "v", type: .string, default: value, isNullable: nullable).convert(.null)
    }
    #expect(conversion(nullable: false, nil).value == nil)
    #expect(conversion(nullable: false, nil).findings.map(\.severity) == [.error])
    #expect(conversion(nullable: false, .known(5)) == Conversion(value: "5", findings: []))
    #expect(conversion(nullable: true, nil) == Conversion(value: .null, findings: []))
    #expect(conversion(nullable: true, .known(5)).value == .null)
    #expect(conversion(nullable: true, .known(5)).findings.map(\.severity) == [.warning])
    #expect(conversion(nullable: true, .known(.null)).findings.isEmpty)
  }
}
