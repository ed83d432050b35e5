import HCL
import TestKit
import Testing

@testable import JSONSchema

/// Whatever the schema and the value: an answer comes, and soon.
@Suite(.timeLimit(.minutes(1)))
struct HostileTests {
  /// `innermost`, put into `depth` layers.
  static func nested(_ depth: Int, _ innermost: Value, _ layer: (Value) -> Value) -> Value {
    (0..<depth).reduce(innermost) { value, _ in layer(value) }
  }

  @Test(arguments: [
    ##"{"$ref":"#"}"##, ##"{"allOf":[{"anyOf":[{"not":{"$ref":"#"}}]}]}"##, ##"{"if":true,"then":{"$ref":"#"}}"##,
    ##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
    ##"{"dependentSchemas":{"a":{"$ref":"#"}}}"##,
    ##"{"properties":{"x":{"oneOf":[true,{"$ref":"#/properties/x"}]}}}"##,
  ])
  func aReferenceToItselfIsRefused(schema: String) throws {
    #expect(
      try Reading.problems(schema).map(\.message) == ["This schema applies itself to the same value again and again."])
  }

  @Test func aDynamicReferenceToItselfEnds() throws {
    let schema = ##"{"$dynamicAnchor":"a","$dynamicRef":"#a"}"##
    #expect(try Reading.violations(schema, "1") == [" : is nested too deep to be checked against this schema"])
  }

  @Test func aSchemaThatReferencesItselfDeeperIsFine() throws {
    let schema = ##"{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}"##
    let value = Self.nested(190, [:]) { ["a": $0] }
    #expect(try Reading.schema(schema).violations(of: value) == [])
    #expect(try Reading.schema(schema).violations(of: Self.nested(190, ["b": 1]) { ["a": $0] }).count == 1)
    let tooDeep = try Reading.schema(schema).violations(of: Self.nested(1_000, [:]) { ["a": $0] })
    #expect(tooDeep.map(\.message) == ["is nested too deep to be checked against this schema"])
  }

  @Test func depthIsBounded() throws {
    let deep = Self.nested(1_000, true) { ["not": $0] }
    let problems = #expect(throws: SchemaProblems.self) { try JSONSchema(deep) }
    #expect(problems?.problems.map(\.message) == ["The document is nested more than 200 deep."])
    #expect(try JSONSchema(Self.nested(150, true) { ["not": $0] }).violations(of: 1) == [])
    let unique = try JSONSchema(["uniqueItems": true])
    #expect(unique.violations(of: [Self.nested(1_000, 1) { [$0] }, 1]).count == 1)
    let constant = try JSONSchema(["const": Self.nested(100, 1) { [$0] }])
    #expect(constant.violations(of: Self.nested(1_000, 1) { [$0] }).count == 1)
  }

  @Test func aLongChainOfReferencesIsRefused() throws {
    var definitions: [String: Value] = ["a0": true]
    for index in 1...5_000 { definitions["a\(index)"] = ["$ref": "#/$defs/a\(index - 1)"] }
    let problems = #expect(throws: SchemaProblems.self) {
      try JSONSchema(["$ref": "#/$defs/a5000", "$defs": .object(definitions)])
    }
    #expect(problems?.problems.map(\.message) == ["More than 200 schemas apply to one value inside each other here."])
  }

  @Test(arguments: ["allOf", "anyOf", "oneOf"])
  func workThatDoublesAtEachStepEnds(keyword: String) throws {
    var definitions: [String: Value] = ["a0": ["type": keyword == "allOf" ? "number" : "string"]]
    for index in 1...50 {
      let reference: Value = ["$ref": "#/$defs/a\(index - 1)"]
      definitions["a\(index)"] = [keyword: [reference, reference]]
    }
    let schema = try JSONSchema(["$ref": "#/$defs/a50", "$defs": .object(definitions)])
    var evaluation = Evaluation(schema, work: Evaluation.maximumWork / 20)
    #expect(evaluation.violations(of: 1).map(\.message) == ["takes too long to check against this schema"])
  }

  @Test func aPatternThatIsLargeForALongTextEnds() throws {
    let schema = try Reading.schema(#"{"pattern":"(?:a|b){1,1200}c"}"#)
    var evaluation = Evaluation(schema, work: Evaluation.maximumWork / 20)
    let violations = evaluation.violations(of: .string(String(repeating: "ab", count: 100_000)))
    #expect(violations.map(\.message) == ["takes too long to match against the patterns of this schema"])
  }

  @Test func patternsMayNotBeLargeTogether() throws {
    let patterns = (0..<100).map { Value.object(["pattern": .string("a{3000}\($0)")]) }
    let problems = #expect(throws: SchemaProblems.self) { try JSONSchema(["allOf": .array(patterns)]) }
    #expect(problems?.problems.first?.message == "The patterns of the schema are too large together.")
  }

  @Test func violationsAreBounded() throws {
    let schema = try Reading.schema(#"{"items":{"type":"string"}}"#)
    #expect(schema.violations(of: .array(Array(repeating: 1, count: 100_000))).count == JSONSchema.maximumViolations)
  }

  @Test func largeNumbersEnd() throws {
    let digits = String(repeating: "7", count: 990)
    let schema = try Reading.schema("{\"items\":{\"multipleOf\":0.\(digits)}}")
    _ = schema.violations(of: .array(Array(repeating: .number(try #require(Number(digits))), count: 100)))
  }

  @Test func textsOfAlternativesInsideEachOtherStayShort() throws {
    let innermost: Value = ["type": "string", "minLength": 1]
    let schema = try JSONSchema(
      Self.nested(12, innermost) { ["anyOf": [["required": ["a", "b"]], ["allOf": [$0, $0]]]] })
    var evaluation = Evaluation(schema, work: Evaluation.maximumWork / 20)
    for violation in evaluation.violations(of: [:]) { #expect(violation.message.count < 2_000) }
  }

  /// Schemas of the suite with parts replaced by others, against values of the suite and random ones.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func anySchemaAndAnyValueEnd(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    for _ in 0..<20 {
      let schema = Fuzz.mutated(Fuzz.schemas.randomElement(using: &random) ?? true, using: &random)
      let draft = JSONSchema.Draft.allCases.randomElement(using: &random) ?? .draft2020
      do {
        let compiled = try JSONSchema(schema, default: draft, documents: OfficialSuite.remotes)
        for _ in 0..<5 {
          let value = Fuzz.value(depth: 3, using: &random)
          let violations = compiled.violations(of: value)
          #expect(compiled.violations(of: value) == violations)
          for violation in violations {
            #expect(!violation.message.contains(Fuzz.secret), "\(schema.json()) says \(violation.message)")
          }
        }
      } catch {
        #expect(!error.problems.isEmpty)
        for problem in error.problems { #expect(!problem.message.isEmpty && !problem.fix.isEmpty) }
      }
    }
  }
}
