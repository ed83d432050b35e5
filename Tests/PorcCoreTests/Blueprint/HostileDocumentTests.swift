import HCL
import PorcCore
import Testing

/// Documents that mean harm, or that no person would write: each is refused, or read, and quickly.
@Suite struct HostileDocumentTests {
  struct Document: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    /// Part of the message it is refused with.
    var message: String
    var testDescription: String { name }
    init(_ name: String, _ text: String, _ message: String) {
      (self.name, self.text, self.message) = (name, text, message)
    }
  }

  static func many(_ text: String, _ count: Int = 100_000) -> String { String(repeating: text, count: count) }

  /// Ten levels of ten: ten thousand million values.
  static let bomb =
    "l0: &l0 [x,x,x,x,x,x,x,x,x,x]\n"
    + (1..<10).map { level in
      "l\(level): &l\(level) [" + many("*l\(level - 1),", 10).dropLast() + "]\n"
    }.joined()

  static let documents: [Document] = [
    Document("empty", "", "empty"), Document("only a comment", "# nothing", "empty"),
    Document("a list", "- a\n- b", "is not a mapping"), Document("a text", "hello", "is not a mapping"),
    Document("deep brackets", many("["), "nested too deeply"), Document("deep braces", many("{a: "), "not JSON"),
    Document("deep brackets with closing ones in texts", many("[']',"), "not YAML"),
    Document("deep dashes", many("- "), "nested too deeply"),
    Document("deep questions", many("? "), "nested too deeply"),
    Document("deep indentation", (0..<400).map { many(" ", $0) + "a:\n" }.joined(), "deeply"),
    Document("deeper indentation", (0..<1_200).map { many(" ", $0) + "a:\n" }.joined(), "not YAML"),
    Document("deep JSON", many("{\"a\":") + "1" + many("}"), "deep"),
    Document("an alias bomb", bomb + "kind: *l9", "aliases"),
    Document("an alias bomb as a key", bomb + "? *l9\n: x", "aliases"),
    Document("an alias bomb as a flow key", bomb + "a: {*l9 : x}", "aliases"),
    Document("few aliases of much", "a: &a [" + many("x,", 20_000) + "]\nb: [*a, *a]", "too many values"),
    Document("an alias of nothing", "kind: *nothing", "undefined alias"),
    Document("an alias of itself", "kind: &a [*a]", "undefined alias"),
    Document("several documents", "kind: a\n---\nkind: b", "several YAML documents"),
    Document("a key twice", "kind: a\nkind: b", "same key twice: 'kind'"),
    Document("a key twice, in JSON", "{\"kind\": \"a\", \"kind\": \"b\"}", "twice"),
    Document("a list as key", "[a, b]: c", "A key in it is not text"),
    Document("a mapping as key", "? {a: b}\n: c", "A key in it is not text"),
    Document("too many values", "a: [" + many("x,", 60_000) + "]", "too many values"),
    Document("a tab as indentation", "kind:\n\ta: b", "not YAML"), Document("a NUL", "kind: a\0b", "not YAML"),
    Document("unclosed JSON", "{\"kind\": \"a\"", "not"), Document("JSON with a tail", "{\"kind\": \"a\"} x", "not"),
    Document("a long number", "kind: a\nmetadata: {size: " + many("9") + "}", "too many digits"),
    Document("a huge number", "inputs: {size: 1e400}", "too large"),
    Document("a huge number, in JSON", "{\"inputs\": {\"size\": [-1e400]}}", "too large"),
    Document("a huge exponent", "inputs: {size: 1e999999999}", "too large"),
    Document("a long title", "metadata: {title: " + many("x", 900_000) + "}", "longer than 255"),
  ]

  @Test(.timeLimit(.minutes(1)), arguments: documents) func aHostileDocumentIsRefused(document: Document) throws {
    var problems: DocumentProblems?
    let time = ContinuousClock().measure {
      problems = #expect(throws: DocumentProblems.self) {
        try BlueprintValidation.validate(
          Array(document.text.utf8), as: .either, against: [try BlueprintTests.template()])
      }
    }
    let messages = problems?.findings.map(\.message) ?? []
    #expect(messages.contains { $0.contains(document.message) }, "\(messages.map { $0.prefix(200) })")
    #expect(time < .seconds(10))
  }

  @Test(.timeLimit(.minutes(1)), arguments: [DocumentText.Format.yaml, .json, .either])
  func textThatIsNotUTF8IsRefused(format: DocumentText.Format) throws {
    let bytes = Array("{\"kind\": \"".utf8) + [0xFF, 0xC0, 0x80] + Array("\"}".utf8)
    let problems = try #require(throws: DocumentProblems.self) { try DocumentText.read(bytes, as: format) }
    #expect(problems.findings.count == 1)
  }

  @Test(.timeLimit(.minutes(1))) func fiftyThousandUnknownKeysAreQuick() throws {
    for document in [
      (0..<49_000).map { "key\($0): x\n" }.joined(),
      BlueprintTests.document + "\n" + (0..<49_000).map { "  key\($0): x\n" }.joined(),
    ] {
      var problems: DocumentProblems?
      let time = ContinuousClock().measure {
        problems = #expect(throws: DocumentProblems.self) { try BlueprintTests.validate(document) }
      }
      #expect(problems?.findings.last { $0.message.contains("more keys are unknown") } != nil)
      #expect((problems?.findings.count ?? 0) < 200)
      #expect(time < .seconds(20))
    }
  }

  @Test func aFewAliasesAreFine() throws {
    let text = BlueprintTests.document + "\n  labels: &labels {a: b}\n"
    #expect(try BlueprintTests.validate(text).inputs["labels"] == ["a": "b"])
    let source = try DocumentText.read(Array("a: &a {x: 1}\nb: *a\nc: [*a, *a]\n".utf8), as: .yaml)
    #expect(source.value == ["a": ["x": 1], "b": ["x": 1], "c": [["x": 1], ["x": 1]]])
  }

  @Test func ampersandsAndStarsInTextAreText() throws {
    let text = "a: \"R &D and *more*, &amp;\"\nb: R&D *x\nc: |\n  &x\n" + Self.many("  *bold text* and *y\n", 100)
    let source = try DocumentText.read(Array(text.utf8), as: .yaml)
    #expect(source.value["b"] == "R&D *x")
  }
}
