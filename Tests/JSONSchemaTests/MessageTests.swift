import HCL
import JSONSchema
import Testing

/// What developers read who filled in a blueprint.
struct MessageTests {
  @Test(arguments: [
    (#"{"type":"string"}"#, "1", " type: must be a string, not a number"),
    (#"{"type":["string","null","array"]}"#, "{}", " type: must be a string, null or an array, not an object"),
    (#"{"type":"integer"}"#, "1.5", " type: must be an integer, not a number with a fraction"),
    (#"{"enum":["small","large"]}"#, #""big""#, #" enum: must be one of "small", "large""#),
    (#"{"const":{"a":1}}"#, "1", #" const: must be {"a":1}"#),
    (#"{"enum":[]}"#, "1", " enum: no value is allowed here"),
    (#"{"pattern":"^[a-z]+$"}"#, #""A""#, " pattern: must match the pattern ^[a-z]+$"),
    (#"{"minimum":3}"#, "2", " minimum: must be at least 3"), (#"{"maximum":3}"#, "3.1", " maximum: must be at most 3"),
    (#"{"exclusiveMinimum":3}"#, "3", " exclusiveMinimum: must be greater than 3"),
    (#"{"exclusiveMaximum":3}"#, "3", " exclusiveMaximum: must be less than 3"),
    (#"{"multipleOf":0.5}"#, "0.7", " multipleOf: must be a multiple of 0.5"),
    (#"{"minLength":2}"#, #""😀""#, " minLength: must have at least 2 characters, has 1"),
    (#"{"maxLength":1}"#, #""ab""#, " maxLength: must have at most 1 character, has 2"),
    (#"{"minItems":1}"#, "[]", " minItems: must have at least 1 element, has 0"),
    (#"{"maxItems":0}"#, "[1]", " maxItems: must have at most 0 elements, has 1"),
    (
      #"{"uniqueItems":true}"#, "[1,2,1.0]",
      " uniqueItems: must not have the same element twice: the elements 0 and 2 are equal"
    ),
    (#"{"prefixItems":[true],"items":false}"#, "[1,2,3]", " items: must have at most 1 element, has 3"),
    (#"{"contains":{"const":"x"}}"#, "[1]", #" contains: must have at least 1 element which must be "x", has 0"#),
    (
      #"{"contains":{"type":"object"},"maxContains":1}"#, "[{},{}]",
      " maxContains: must have at most 1 element which must be an object, has 2"
    ),
    (#"{"required":["region"]}"#, "{}", #" required: must have the property "region""#),
    (
      #"{"dependentRequired":{"a":["b"]}}"#, #"{"a":1}"#,
      #" dependentRequired: must have the property "b", because "a" is there"#
    ),
    (#"{"minProperties":1}"#, "{}", " minProperties: must have at least 1 property, has 0"),
    (
      #"{"properties":{"size":true},"additionalProperties":false}"#, #"{"siz":1}"#,
      #"siz additionalProperties: the property "siz" is not allowed here; did you mean "size"?"#
    ),
    (#"{"properties":{"old":false}}"#, #"{"old":1}"#, #"old properties: the property "old" is not allowed here"#),
    (
      #"{"allOf":[{"properties":{"size":true}}],"unevaluatedProperties":false}"#, #"{"siz":1}"#,
      #"siz unevaluatedProperties: the property "siz" is not allowed here; did you mean "size"?"#
    ),
    (
      #"{"propertyNames":{"pattern":"^[a-z]+$"}}"#, #"{"A":1}"#,
      #"A pattern: the name "A" must match the pattern ^[a-z]+$"#
    ),
    (#"{"not":{"enum":["a","b"]}}"#, #""a""#, #" not: must not be one of "a", "b""#),
    (#"{"not":{"required":["a"]}}"#, #"{"a":1}"#, #" not: must not have the property "a""#),
    (#"{"not":{"minLength":1,"type":"string"}}"#, #""a""#, #" not: must not be as its "not" describes"#),
    ("false", "1", " false: is not allowed here"),
    (
      ##"{"anyOf":[{"type":"string"},{"$ref":"#/$defs/n"}],"$defs":{"n":{"type":"null"}}}"##, "[]",
      " anyOf: must be a string or null, not an array"
    ),
    (
      #"{"anyOf":[{"required":["a"]},{"required":["b"]}]}"#, "{}",
      #" anyOf: must have the property "a" or must have the property "b""#
    ),
    (
      #"{"oneOf":[{"type":"number"},{"minimum":2}]}"#, "3",
      " oneOf: must match exactly one of 2 alternatives, but matches 2 (numbers 1, 2)"
    ),
    (
      #"{"oneOf":[{"required":["a","b","c","d","e"]},{"properties":{"x":{"minimum":1,"multipleOf":4}},"required":["y"]}]}"#,
      #"{"x":0.5}"#,
      #" oneOf: must match exactly one of 2 alternatives; the nearest asks: x: must be at least 1; x: must be a multiple of 4; must have the property "y""#
    ),
  ])
  func aViolationSaysWhatIsExpected(schema: String, value: String, expected: String) throws {
    #expect(try Reading.violations(schema, value) == [expected])
  }

  @Test func ofAlternativesTheOneThatWasMeantIsExplained() throws {
    let schema = #"""
      {"oneOf": [
        {"properties": {"engine": {"const": "postgres"}, "version": {"maximum": 16}}, "required": ["engine"]},
        {"properties": {"engine": {"const": "mysql"}, "version": {"maximum": 8}}, "required": ["engine"]}
      ]}
      """#
    #expect(
      try Reading.violations(schema, #"{"engine":"mysql","version":9}"#) == ["version maximum: must be at most 8"])
    let nullable = #"{"anyOf":[{"type":"null"},{"type":"string","minLength":3}]}"#
    #expect(try Reading.violations(nullable, #""ab""#) == [" minLength: must have at least 3 characters, has 2"])
  }

  @Test func allViolationsComeAtOnceInOrder() throws {
    let schema = #"""
      {"type": "object", "required": ["a", "z"], "additionalProperties": false, "properties": {
        "b": {"type": "array", "items": {"type": "string", "enum": ["x"]}}, "c": {"minimum": 1, "multipleOf": 2},
        "a": true, "size": true, "sizes": true}}
      """#
    #expect(
      try Reading.violations(schema, #"{"c":0.5,"b":[1,"y","x"],"sizs":1,"size":2}"#) == [
        "b[0] type: must be a string, not a number", #"b[1] enum: must be "x""#, "c minimum: must be at least 1",
        "c multipleOf: must be a multiple of 2",
        #"sizs additionalProperties: the property "sizs" is not allowed here; did you mean "sizes"?"#,
        #" required: must have the property "a""#, #" required: must have the property "z""#,
      ])
  }

  @Test func whatIsWrongInAPartIsNotCalledUnknownAsWell() throws {
    let schema = #"""
      {"$ref": "#/$defs/base", "unevaluatedProperties": false,
       "$defs": {"base": {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a", "b"]}}}
      """#
    #expect(
      try Reading.violations(schema, #"{"a":1}"#) == [
        "a type: must be a string, not a number", #" required: must have the property "b""#,
      ])
  }

  @Test func aViolationNamesThePlaceInTheSchema() throws {
    let schema = try Reading.schema(
      ##"{"properties":{"a/b":{"$ref":"#/$defs/n"},"c":{"$ref":"other"}},"$defs":{"n":{"minimum":1}}}"##,
      documents: ["other": #"{"maxLength":1}"#])
    let violations = schema.violations(of: ["a/b": 0, "c": "long"])
    #expect(violations.map(\.schemaPointer) == ["/$defs/n/minimum", "other#/maxLength"])
    #expect(violations.map(\.path) == [[.key("a/b")], [.key("c")]])
  }

  @Test func longTextsAreCut() throws {
    let long = String(repeating: "x", count: 5_000)
    let schema = try JSONSchema(["enum": .array((0..<500).map { .string("\(long)\($0)") })])
    #expect(schema.violations(of: 1).first.map { $0.message.count < 5_000 } == true)
    #expect(try Reading.violations(#"{"additionalProperties":false}"#, "{\"\(long)\":1}")[0].count < 5_300)
  }
}
