import Foundation
import PortPortal
import Testing

struct JSONTests {
  private func decode(_ text: String) throws -> JSON {
    try JSONDecoder().decode(JSON.self, from: Data(text.utf8))
  }

  @Test(arguments: [
    "9007199254740993", "-9223372036854775808", "9223372036854775807", "0", "1.5", "-0.25", "true", "false", "null",
    #""""#, #""a\nb\"c""#, "[]", "{}", #"[1,[true,null],{"a":{"b":-1}}]"#, #""日本 é""#,
  ])
  func valuesComeBackAsTheyWere(text: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    #expect(String(decoding: try encoder.encode(try decode(text)), as: UTF8.self) == text)
  }

  @Test func kindsDoNotMix() throws {
    #expect(try decode("1") == .integer(1))
    #expect(try decode("1.0") == .integer(1))
    #expect(try decode("1e2") == 100)
    #expect(try decode("1.25") == .number(1.25))
    #expect(try decode("true") == .bool(true))
    #expect(try decode(#""1""#) == .string("1"))
    #expect(try decode("9223372036854775808") == .number(9_223_372_036_854_775_808))
  }

  @Test func partsAreReached() {
    let value: JSON = ["a": ["b": ["c"]], "n": nil]
    #expect(value["a"]?["b"]?.array == ["c"])
    #expect(value["n"] == .null)
    #expect(value["x"] == nil)
    #expect(value["a"]?.string == nil)
    #expect(value["a"]?.object?.count == 1)
  }
}
