import HCL
import JSONSchema
import Testing

/// What authors of schemas read.
struct CompilingTests {
  @Test(arguments: [
    ("1", "", "A schema must be an object, true or false, not a number."),
    (#"{"type":"strng"}"#, "/type", #"There is no type "strng"."#),
    (#"{"type":["string",1]}"#, "/type/1", #""type" must be the name of a type or an array of names, not a number."#),
    (#"{"type":[]}"#, "/type", #""type" is an empty array."#),
    (#"{"minLength":-1}"#, "/minLength", #""minLength" must be a whole number of 0 or more, not this number."#),
    (#"{"maxItems":1.5}"#, "/maxItems", #""maxItems" must be a whole number of 0 or more, not this number."#),
    (#"{"minimum":"1"}"#, "/minimum", #""minimum" must be a number, not a string."#),
    (#"{"exclusiveMinimum":true}"#, "/exclusiveMinimum", #""exclusiveMinimum" must be a number, not a bool."#),
    (#"{"multipleOf":0}"#, "/multipleOf", #""multipleOf" must be greater than 0."#),
    (#"{"required":true}"#, "/required", #""required" must be an array of names, not a bool."#),
    (#"{"required":["a",1]}"#, "/required/1", "A name must be a string, not a number."),
    (#"{"enum":1}"#, "/enum", #""enum" must be an array, not a number."#),
    (#"{"uniqueItems":"yes"}"#, "/uniqueItems", #""uniqueItems" must be true or false, not a string."#),
    (#"{"properties":[]}"#, "/properties", #""properties" must be an object, not an array."#),
    (#"{"properties":{"a":1}}"#, "/properties/a", "A schema must be an object, true or false, not a number."),
    (#"{"$defs":{"a":{"not":null}}}"#, "/$defs/a/not", "A schema must be an object, true or false, not null."),
    (#"{"anyOf":[]}"#, "/anyOf", #""anyOf" is an empty array."#),
    (#"{"items":[{}]}"#, "/items", #""items" must be one schema in draft 2020-12, not an array."#),
    (#"{"pattern":"a(b"}"#, "/pattern", "The pattern cannot be used: at character 2, the group does not end."),
    (
      #"{"patternProperties":{"a)":true}}"#, "/patternProperties/a)",
      "The pattern cannot be used: at character 2, the ')' closes no group."
    ),
    (#"{"$ref":1}"#, "/$ref", #""$ref" must be a string, not a number."#),
    (
      ##"{"$ref":"#/$defs/nam","$defs":{"name":{}}}"##, "/$ref",
      ##""#/$defs/nam" leads to nothing: there is no "nam"."##
    ),
    (##"{"$ref":"#nam","$defs":{"name":{"$anchor":"name"}}}"##, "/$ref", #"There is no anchor "nam"."#),
    (##"{"$ref":"#/type","type":"string"}"##, "/$ref", ##""#/type" leads to a string, not to a schema."##),
    (
      #"{"$ref":"https://example.com/a.json"}"#, "/$ref",
      #"There is no schema "https://example.com/a.json" here, and none is fetched."#
    ),
    (##"{"$ref":"#"}"##, "", "This schema applies itself to the same value again and again."),
    (
      #"{"$schema":"http://json-schema.org/draft-04/schema#"}"#, "/$schema",
      #""http://json-schema.org/draft-04/schema#" is no version of JSON Schema that is supported."#
    ),
    (#"{"$schema":7}"#, "/$schema", #""$schema" must be a string, not a number."#),
    (##"{"$id":"#a"}"##, "/$id", #"An "$id" must not have a fragment."#),
    (#"{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}"#, nil, #"Another schema has the same anchor "x"."#),
    (#"{"$defs":{"a":{"$id":"x:y"},"b":{"$id":"x:y"}}}"#, nil, #"Another schema in this document has the same "$id"."#),
  ])
  func aSchemaThatIsWrongIsRefused(schema: String, pointer: String?, message: String) throws {
    let problems = try Reading.problems(schema)
    #expect(problems.map(\.message) == [message])
    if let pointer { #expect(problems.first?.pointer == pointer) }
    #expect(problems.allSatisfy { !$0.fix.isEmpty })
  }

  @Test func allProblemsComeAtOnce() throws {
    let problems = try Reading.problems(
      #"{"type":"objct","properties":{"b":{"minLength":"1","pattern":"["},"a":{"$ref":"nowhere"}}}"#)
    #expect(
      problems.map(\.pointer) == ["/properties/a/$ref", "/properties/b/minLength", "/properties/b/pattern", "/type"])
    #expect(problems.last?.fix == #"Did you mean "object"?"#)
  }

  @Test func aProblemInAnotherDocumentNamesIt() throws {
    let problems = try Reading.problems(
      #"{"$ref":"https://example.com/a.json#/$defs/x"}"#,
      documents: ["https://example.com/a.json": #"{"$defs":{"x":{"type":"x"}}}"#, "https://example.com/b.json": "1"])
    #expect(problems.map(\.pointer) == ["https://example.com/a.json#/$defs/x/type"])
  }

  @Test func theDraftIsTheOneOfTheDocumentOrElseTheDefault() throws {
    let array = #""items":[{"type":"string"}],"additionalItems":false"#
    #expect(try Reading.problems("{\(array)}").count == 1)
    #expect(try Reading.violations("{\(array)}", #"["a",1]"#, default: .draft7).count == 1)
    for uri in ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema"] {
      #expect(
        try Reading.violations(#"{"$schema":"\#(uri)",\#(array)}"#, "[1]") == [
          "[0] type: must be a string, not a number"
        ])
    }
    let hidden = ##"{"$ref":"#/definitions/a","maxLength":1,"definitions":{"a":{"type":"string"}}}"##
    #expect(try Reading.violations(hidden, #""ab""#, default: .draft7) == [])
    #expect(try Reading.violations(hidden, #""ab""#).count == 1)
  }

  @Test func formatIsAnAnnotation() throws {
    #expect(try Reading.violations(#"{"format":"email","contentEncoding":"base64"}"#, #""?""#) == [])
  }

  @Test func aVocabularyThatIsNotKnownIsRefusedIfItIsRequired() throws {
    func problems(isRequired: Bool) throws -> [SchemaProblem] {
      try Reading.problems(
        #"{"$schema":"x:meta"}"#,
        documents: [
          "x:meta": #"""
          {"$schema": "https://json-schema.org/draft/2020-12/schema", "$vocabulary": {
            "https://json-schema.org/draft/2020-12/vocab/core": true, "x:vocabulary": \#(isRequired)}}
          """#
        ])
    }
    #expect(try problems(isRequired: false) == [])
    #expect(try problems(isRequired: true).map(\.pointer) == ["/$schema"])
  }
}
