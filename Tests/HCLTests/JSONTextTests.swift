import HCL
import Testing

struct JSONTextTests {
  static let texts: [(String, Value)] = [
    ("null", .null), (" [ ] ", []), ("{}", [:]), ("-0.5e1", -5), (#""\u0041\/\b\f\ud83d\ude00""#, "A/\u{8}\u{c}😀"),
    (#"{"a":{"b":[1,true,null,"x"]}}"#, ["a": ["b": [1, true, .null, "x"]]]), ("\t\r\n1\n", 1), (#""$${x}""#, "$${x}"),
  ]

  @Test(arguments: texts)
  func jsonIsRead(text: String, value: Value) throws {
    #expect(try JSONText.parse(text).value == value)
  }

  @Test(arguments: [
    ("", 1), (" ", 2), ("[1,]", 4), ("{\"a\":1,}", 8), ("[1 2]", 4), ("{a:1}", 2), ("{\"a\" 1}", 6), ("01", 1),
    ("-", 1),
    ("1.", 1), (".5", 1), ("+1", 1), ("1e", 1), ("NaN", 1), ("tru", 1), ("'a'", 1), ("\"a", 3), ("\"\n\"", 2),
    ("\"\\x\"", 2),
    ("\"\\u12\"", 2), ("\"\\ud800\"", 2), ("\"\\ud800\\u0041\"", 2), ("\"\\udc00\"", 2), ("1 2", 3), ("[", 2),
    ("{\"a\":", 6),
    ("/*c*/1", 1), ("\u{FEFF}1", 1), ("[1]]", 4), ("1e99999", 1),
  ])
  func whatIsNoJSONIsRefusedWithItsPlace(text: String, column: Int) {
    let failure = #expect(throws: ParseFailure.self) { try JSONText.parse(text) }
    #expect(failure?.position.column == column)
    #expect(failure?.position.line == 1 || text.contains("\n"))
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    let failure = #expect(throws: ParseFailure.self) { try JSONText.parse([0x22, 0x61, 0xFF, 0x22]) }
    #expect(failure?.position.offset == 2)
  }

  @Test func aRepeatedKeyIsAFailureThatNamesBothPlaces() {
    let failure = #expect(throws: ParseFailure.self) { try JSONText.parse("{\n  \"a\": 1,\n  \"b\": 2, \"a\": 3\n}") }
    #expect(failure?.message == "The key \"a\" is there twice: at line 2, column 3 and at line 3, column 11.")
    #expect(failure?.position == SourcePosition(line: 3, column: 11, offset: 22))
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(throws: Never.self) { try JSONText.parse(nested(200)) }
    #expect(throws: ParseFailure.self) { try JSONText.parse(nested(201)) }
    #expect(throws: ParseFailure.self) { try JSONText.parse(nested(3), maximumDepth: 2) }
    #expect(throws: ParseFailure.self) { try JSONText.parse(String(repeating: "[", count: 1_000_000)) }
  }

  @Test func everyPartKnowsItsPlace() throws {
    let source = try JSONText.parse("{\n  \"é\": [1, {\"x\": \"y\"}]\n}")
    let node = try #require(source.node(at: [.key("é"), .index(1), .key("x")]))
    #expect(node.range.start == SourcePosition(line: 2, column: 18, offset: 20))
    #expect(node.range.end == SourcePosition(line: 2, column: 21, offset: 23))
    #expect(source.member("é")?.keyRange.start == SourcePosition(line: 2, column: 3, offset: 4))
    #expect(source.node(at: [.key("é"), .index(2)]) == nil)
    #expect(source.nearestNode(to: [.key("é"), .index(1), .key("z")]).range.start.column == 12)
  }

  @Test(.timeLimit(.minutes(1)))
  func positionsOnOneLongLineCostNoSquare() throws {
    let text = "[" + Array(repeating: "\"é\"", count: 50_000).joined(separator: ",") + "]"
    guard case .array(let elements) = try JSONText.parse(text).content else { return #expect(Bool(false)) }
    #expect(elements.last?.range.start.column == 2 + 49_999 * 4)
  }
}
