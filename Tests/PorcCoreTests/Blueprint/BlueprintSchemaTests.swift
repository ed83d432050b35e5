import HCL
import PorcCore
import TestKit
import Testing

@Suite struct BlueprintSchemaTests {
  private static func schema(_ variables: String, version: String = "1.0.0") throws -> Value {
    BlueprintSchema.schema(for: try BlueprintTests.template(version, variables: variables))
  }

  private static func json(_ text: String) throws -> Value { try JSONText.parse(text).value }

  @Test func theDocumentsFormIsClosed() throws {
    let schema = try Self.schema("variable \"region\" {}")
    #expect(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema")
    #expect(schema["type"] == "object" && schema["additionalProperties"] == false)
    #expect(schema["required"] == ["kind", "schema_version", "metadata", "inputs"])
    #expect(schema["properties"]?.objectValue?.keys.sorted() == ["inputs", "kind", "metadata", "schema_version"])
    #expect(schema["properties"]?["kind"]?["const"] == "gke-cluster")
    #expect(schema["properties"]?["schema_version"]?["examples"] == ["1.0.0", "~> 1.0"])
    let metadata = try #require(schema["properties"]?["metadata"])
    #expect(metadata["additionalProperties"] == false && metadata["required"] == ["name"])
    #expect(
      metadata["properties"]?.objectValue?.keys.sorted() == [
        "approval_required", "environment", "name", "owner", "repo_url", "title",
      ])
    #expect(schema["properties"]?["inputs"]?["additionalProperties"] == false)
    #expect(schema["properties"]?["inputs"]?["required"] == ["region"])
  }

  @Test func withoutRequiredInputsThereNeedBeNone() throws {
    let schema = try Self.schema("variable \"size\" { default = 3 }")
    #expect(schema["required"] == ["kind", "schema_version", "metadata"])
    #expect(schema["properties"]?["inputs"]?["type"] == ["object", "null"])
  }

  static let number = #""pattern": "^[+-]?(?:(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?|Inf|inf)$""#
  static let bool = #""pattern": "^(?:true|false|1|0)$""#
  static let string = #""type": ["string", "number", "boolean", "null"]"#

  @Test(arguments: [
    ("string", "{\(string)}"),
    ("number", #"{"type": ["number", "string", "null"], \#(number)}"#),
    ("bool", #"{"type": ["boolean", "string", "null"], \#(bool)}"#),
    ("any", "{}"),
    ("list(string)", #"{"type": ["array", "null"], "items": {\#(string)}}"#),
    ("set(string)", #"{"type": ["array", "null"], "items": {\#(string)}}"#),
    ("map(any)", #"{"type": ["object", "null"], "additionalProperties": {}}"#),
    (
      "tuple([string, any])",
      #"{"type": ["array", "null"], "minItems": 2, "maxItems": 2, "prefixItems": [{\#(string)}, {}]}"#
    ),
    ("tuple([])", #"{"type": ["array", "null"], "minItems": 0, "maxItems": 0}"#),
    (
      "list(object({ name = string, tags = optional(map(string), {}), more = optional(object({ deep = bool })) }))",
      #"""
      {"type": ["array", "null"], "items": {"type": ["object", "null"], "required": ["name"], "properties": {
        "name": {"title": "name: string, required", \#(string)},
        "tags": {"title": "tags: map(string)", "type": ["object", "null"], "additionalProperties": {\#(string)}, "default": {}},
        "more": {"title": "more: object", "type": ["object", "null"], "required": ["deep"], "properties": {
          "deep": {"title": "deep: bool, required", "type": ["boolean", "string", "null"], \#(bool)}}}}}}
      """#
    ),
  ])
  func anInputIsWhatItsTypeTakes(type: String, expected: String) throws {
    let schema = try Self.schema("variable \"x\" { type = \(type) }")
    var input = try #require(schema["properties"]?["inputs"]?["properties"]?["x"]?.objectValue)
    input["title"] = nil
    #expect(Value.object(input) == (try Self.json(expected)))
  }

  @Test(arguments: [
    ("", true), ("nullable = true", true), ("nullable = false", false), ("nullable = false\ndefault = \"a\"", true),
    ("default = null", true),
  ])
  func nullIsTakenWhereTheValidationTakesIt(attributes: String, takesNull: Bool) throws {
    for type in ["string", "any"] {
      let schema = try Self.schema("variable \"x\" {\ntype = \(type)\n\(attributes)\n}")
      let types = schema["properties"]?["inputs"]?["properties"]?["x"]?["type"]?.arrayValue
      #expect((types?.contains("null") ?? true) == takesNull)
    }
  }

  @Test func anInputSaysWhatItIsFor() throws {
    let schema = try Self.schema(
      """
      variable "size" {
        type        = number
        description = "How many \\"nodes\\"."
        default     = 3
      }
      """)
    let size = try #require(schema["properties"]?["inputs"]?["properties"]?["size"])
    #expect(size["title"] == "size: number")
    #expect(size["description"] == "How many \"nodes\".")
    #expect(size["default"] == 3)
  }

  @Test func nothingOfASensitiveDefaultIsShown() throws {
    let schema = try Self.schema(
      """
      variable "login" {
        type      = object({ user = string, password = optional(string, "hush-hush") })
        default   = { user = "hush-hush" }
        sensitive = true
      }
      """)
    let login = try #require(schema["properties"]?["inputs"]?["properties"]?["login"])
    #expect(login["writeOnly"] == true && login["default"] == nil)
    #expect(!schema.json().contains("hush-hush"))
  }

  @Test(arguments: [
    (Template.Status.active, nil), (.deprecated, true), (.retired, true),
  ])
  func aVersionThatGoesIsDeprecated(status: Template.Status, deprecated: Value?) throws {
    #expect(BlueprintSchema.schema(for: try BlueprintTests.template("1.0.0", status))["deprecated"] == deprecated)
  }

  // MARK: Patterns, against what really reads the texts

  private static func pattern(_ path: [PathStep], version: String = "1.0.0") throws -> Regex<AnyRegexOutput> {
    let pattern = try #require(try schema("", version: version).value(at: path + [.key("pattern")])?.stringValue)
    // Swift takes a newline before the end for the end, so the whole text has to match without anchors.
    return try Regex(String(pattern.dropFirst().dropLast())).matchingSemantics(.unicodeScalar)
  }

  @Test(arguments: ["1.0.0", "1.2.0", "0.0.3", "2.0.10", "1.0.0-rc.1"])
  func aVersionIsWhatMayMeanIt(version: String) throws {
    let pattern = try Self.pattern([.key("properties"), .key("schema_version")], version: version)
    let own = try #require(Version(version))
    let parts = ["1", "0", "2", "10", "01", ".", ".0", "1.0.0", version, "-", "-rc.1", "+b7", "v", "=", "<", ",", "a"]
    let before = ["", "", "v", " = v", "=", ">= ", "~>", "!=", "<", "0"]
    let after = ["", "", " ", "+b7.1", ".0", "-rc.1", ", < 3", ",", "\n", "0"]
    var random = SplitMix(seed: 7)
    var counts = (taken: 0, refused: 0)
    for index in 0..<400 {
      let middle =
        index.isMultiple(of: 2)
        ? version
        : (0..<Int.random(in: 1...4, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
      let text = (before.randomElement(using: &random) ?? "") + middle + (after.randomElement(using: &random) ?? "")
      let constraint = VersionConstraint(text)
      let isTaken = try pattern.wholeMatch(in: text) != nil
      let isExact = constraint?.exactVersion != nil || constraint == nil
      if constraint?.allows(own) == true {
        #expect(isTaken, "\(text)")
        counts.taken += 1
      } else if isExact || !own.prerelease.isEmpty {
        #expect(!isTaken, "\(text)")
        counts.refused += 1
      }
    }
    #expect(counts.taken > 20 && counts.refused > 20)
  }

  @Test func aNumberIsWhatConvertsToOne() throws {
    let schema = try Self.schema("variable \"x\" { type = number }")
    let text = try #require(schema["properties"]?["inputs"]?["properties"]?["x"]?["pattern"]?.stringValue)
    let pattern = try Regex(String(text.dropFirst().dropLast())).matchingSemantics(.unicodeScalar)
    let parts = ["1", "05", ".", "e", "E3", "-", "+", "Inf", "inf", "INF", " ", "x", "_", "\n", "½", "٣"]
    var random = SplitMix(seed: 8)
    for _ in 0..<500 {
      let text = (0..<Int.random(in: 0...5, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
        .joined()
      let isNumber = TypeConstraint.number.convert(.string(text)).value != nil
      #expect(try (pattern.wholeMatch(in: text) != nil) == isNumber, "\(text)")
    }
  }

  @Test(arguments: ["name", "title", "repo_url"])
  func metadataIsWhatIsReadWithoutAFinding(key: String) throws {
    let pattern = try Self.pattern([.key("properties"), .key("metadata"), .key("properties"), .key(key)])
    let parts = [
      "a", "z9", "-", "A", "_", " ", "\t", "\n", "\r", "\u{85}", "\u{a0}", "\u{feff}", "\u{2028}", "\u{0}", "\u{1f}",
      "\u{7f}", "é", "🦀", "https://", "http://", "ftp://", "/", "?", "#", "@", ":", "example.com",
      String(repeating: "b", count: 62),
    ]
    let usual = key == "name" ? ["a", "z9", "-", String(repeating: "b", count: 62)] : parts
    var random = SplitMix(seed: 9)
    var counts = (taken: 0, refused: 0)
    for _ in 0..<250 {
      var texts = (0..<Int.random(in: 0...5, using: &random)).map { index in
        (index < 3 ? usual : parts).randomElement(using: &random) ?? ""
      }
      if key == "repo_url", Bool.random(using: &random) { texts.insert("https://", at: 0) }
      let text = texts.joined()
      guard text.count <= 255 else { continue }
      var metadata: [String: Value] = ["name": "web"]
      metadata[key] = .string(text)
      let document = Value.object(["kind": "a", "schema_version": "1.0.0", "metadata": .object(metadata)])
      let isTaken = (try? BlueprintValidation.form(of: Array(document.json().utf8), as: .json)) != nil
      #expect(try (pattern.wholeMatch(in: text) != nil) == isTaken, "\(text.debugDescription)")
      if isTaken { counts.taken += 1 } else { counts.refused += 1 }
    }
    #expect(counts.taken > 4 && counts.refused > 4)
  }
}
