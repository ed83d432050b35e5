import Foundation
import HCL
import Testing

struct ValueTests {
  static let sample: Value = [
    "name": "a/b", "count": 3, "ratio": 0.5, "on": true, "nothing": .null, "list": [1, "two", [false]], "empty": [:],
  ]

  @Test func jsonIsSortedAndExact() {
    #expect(
      Self.sample.json()
        == #"{"count":3,"empty":{},"list":[1,"two",[false]],"name":"a/b","nothing":null,"on":true,"ratio":0.5}"#)
    let big = Value.number(Number("123456789012345678901234567890") ?? 0)
    #expect(big.json() == "123456789012345678901234567890")
  }

  @Test func prettyJSONHasOneMemberALine() {
    let value: Value = ["b": [1, []], "a": [:]]
    #expect(value.json(prettyPrinted: true) == "{\n  \"a\": {},\n  \"b\": [\n    1,\n    []\n  ]\n}")
  }

  @Test func controlCharactersAreEscapedInJSON() throws {
    let nasty = Value.string("\u{0}\u{1f}\"\\\n\r\t/é\u{2028}😀")
    #expect(nasty.json() == "\"\\u0000\\u001f\\\"\\\\\\n\\r\\t/é\u{2028}😀\"")
    #expect(try JSONText.parse(nasty.json()).value == nasty)
  }

  @Test func membersAndElementsAreFound() {
    #expect(Self.sample["list"]?[2]?[0] == false)
    #expect(Self.sample["list"]?[3] == nil)
    #expect(Self.sample[0] == nil)
    #expect(Self.sample.value(at: [.key("list"), .index(1)]) == "two")
    #expect(Self.sample.value(at: [.key("nowhere"), .index(1)]) == nil)
  }

  @Test func aValueGoesThroughCodersUnchanged() throws {
    let data = try JSONEncoder().encode(Self.sample)
    #expect(try JSONDecoder().decode(Value.self, from: data) == Self.sample)
    let plist = try PropertyListEncoder().encode(["a": [true, 1, "x"]] as Value)
    #expect(try PropertyListDecoder().decode(Value.self, from: plist) == ["a": [true, 1, "x"]])
  }

  @Test(arguments: [
    "1", "0", "true", "-5", "0.1", "1.5e3", "18446744073709551615", "12345678901234567890123456789012345678",
  ])
  func codersTellBoolsFromNumbersAndKeepDigits(json: String) throws {
    let value = try JSONDecoder().decode([Value].self, from: Data("[\(json)]".utf8))
    #expect(try value == [JSONText.parse(json).value])
    let data = try JSONEncoder().encode(value)
    #expect(try JSONText.parse(data).value == .array(value))
  }

  @Test func pathsAreWrittenAsPeopleAndAsJSONWriteThem() {
    let path = ValuePath([.key("node_pools"), .index(2), .key("size")])
    #expect(path.description == "node_pools[2].size")
    #expect(path.jsonPointer == "/node_pools/2/size")
    let odd = ValuePath([.key("labels"), .key("a b/~"), .key("${x}")])
    #expect(odd.description == #"labels["a b/~"]["$${x}"]"#)
    #expect(odd.jsonPointer == "/labels/a b~1~0/${x}")
    #expect(ValuePath([]).description == "")
    #expect(ValuePath([]).jsonPointer == "")
  }

  @Test(arguments: [
    ("plain", #""plain""#), ("a${b}", #""a$${b}""#), ("%{if}", #""%%{if}""#), ("$${x}", #""$$${x}""#),
    ("100% $5 $ %", #""100% $5 $ %""#), ("q\"\\\n\r\t", #""q\"\\\n\r\t""#),
    ("\u{0}\u{7f}\u{85}", #""\u0000\u007f\u0085""#),
    ("é😀", #""é😀""#), ("$%{", #""$%%{""#), ("${", #""$${""#),
  ])
  func aStringIsWrittenAsALiteralOfHCL(text: String, literal: String) {
    #expect(Value.string(text).hclLiteral == literal)
  }

  @Test func aValueIsWrittenAsALiteralOfHCL() {
    #expect(
      Self.sample.hclLiteral
        == #"{ "count" = 3, "empty" = {}, "list" = [1, "two", [false]], "name" = "a/b", "nothing" = null, "on" = true, "ratio" = 0.5 }"#
    )
    #expect((["k${1}": ["%{x}": -5]] as Value).hclLiteral == #"{ "k$${1}" = { "%%{x}" = -5 } }"#)
  }
}
