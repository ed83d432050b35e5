import HCL
import TestKit
import Testing

/// Whatever the bytes are: an answer comes, soon, and all that is read can be written.
struct HostileInputTests {
  static let sources =
    [Samples.native, Samples.json] + NativeSyntaxTests.literals.map { "variable \"x\" {\n default = \($0.0)\n}\n" }

  @Test(.timeLimit(.minutes(2)), arguments: 0..<60 as Range<UInt64>)
  func anyBytesAreReadWithoutHarm(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<5 {
      let bytes = Self.mutated(Self.sources.randomElement(using: &random) ?? "", using: &random)
      let module = Module.read(files: ["a.tf": bytes, "b.tf.json": bytes, "override.tf": bytes])
      for variable in module.variables {
        #expect((try? TypeConstraint(parsing: variable.type.description)) == variable.type)
        if let value = variable.default?.value { #expect(Self.readBack(value) == value) }
      }
      for diagnostic in module.diagnostics { #expect(diagnostic.range.start.offset <= bytes.count) }
      if let json = try? JSONText.parse(bytes) { #expect((try? JSONText.parse(json.value.json()).value) == json.value) }
    }
  }

  @Test(
    .timeLimit(.minutes(2)),
    arguments: [
      "(", "[", "{", "\"${", "{a=", "[[", "-", "!", "a ? ", "f(", "a[", "<<A\n${", "%{if ", "\"%{if ", "x{\n", "x {",
      "{ for a in ", "\"", "a.", "1+", "(\n",
    ])
  func nestingIsBounded(piece: String) {
    let deep = String(repeating: piece, count: 10_000)
    #expect(Module.read("variable \"x\" {\n default = \(deep)\n}\n").variables.map(\.name) == ["x"])
    #expect(throws: ParseFailure.self) { try TypeConstraint(parsing: deep) }
    _ = Module.read("variable \"x\" {\n \(deep)")
    _ = Module.read(["x.tf.json": deep])
    _ = Module.read(deep)
  }

  /// With a square of work these would take minutes.
  @Test(
    .timeLimit(.minutes(2)),
    arguments: [
      ("(", 100_000), ("{a=", 20_000), ("\"${", 20_000), ("x {\n", 20_000), ("a.", 20_000), ("<<A\n", 20_000),
      ("#\n", 20_000), ("a = (\n", 10_000), ("x \"y\" {\n}\n", 10_000), ("9", 100_000), ("\u{feff}", 20_000),
      ("\u{0}", 20_000), ("\r", 20_000), ("é", 50_000), ("variable \"x\" {}\n", 4_000),
    ])
  func workGrowsAsTheTextDoes(piece: String, count: Int) {
    let text = String(repeating: piece, count: count)
    _ = Module.read(text)
    let module = Module.read("variable \"x\" {\n default = \(text)")
    #expect(module.variables.map(\.name).allSatisfy { $0 == "x" })
    _ = Module.read("variable \"x\" {\n description = <<-EOT\n\(text)\nEOT\n}\n")
    _ = Module.read(["x.tf.json": "{\"variable\":{\"x\":{\"default\":\(text)"])
  }

  @Test(.timeLimit(.minutes(2)))
  func manyArgumentsAndKeysCostNoSquare() {
    let arguments = (0..<10_000).map { "a\($0) = \($0)\n" }.joined()
    #expect(Module.read("locals {\n\(arguments)}\n").complaints == [])
    let keys = (0..<10_000).map { "\"a\($0)\": \($0)" }.joined(separator: ", ")
    let module = Module.read([
      "a.tf": "variable \"x\" {\n default = {\(keys)}\n}\n",
      "b.tf.json": "{\"variable\": {\"y\": {\"default\": {\(keys)}}}}",
    ])
    #expect(module.complaints == [])
    #expect(module.variables[0].default == module.variables[1].default)
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func aLiteralOfAnyValueReadsBackAsThatValue(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    for _ in 0..<10 {
      let value = Self.value(depth: 3, using: &random)
      #expect(Self.readBack(value) == value)
      #expect(try JSONText.parse(value.json()).value == value)
      #expect(try JSONText.parse(value.json(prettyPrinted: true)).value == value)
    }
  }

  static func readBack(_ value: Value) -> Value? {
    Module.read("variable \"x\" {\n default = \(value.hclLiteral)\n}\n").variables.first?.default?.value
  }

  static func value(depth: Int, using random: inout SplitMix) -> Value {
    switch Int.random(in: 0..<(depth > 0 ? 7 : 4), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2:
      let text =
        "\(Int.random(in: -999...999, using: &random)).\(UInt32.random(in: 0...999, using: &random))e\(Int.random(in: -30...30, using: &random))"
      return Number(text).map { .number($0) } ?? .null
    case 3: return .string(string(using: &random))
    case 4:
      return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth: depth - 1, using: &random) })
    default:
      let members = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
        (string(using: &random), value(depth: depth - 1, using: &random))
      }
      return .object(Dictionary(members) { first, _ in first })
    }
  }

  static func string(using random: inout SplitMix) -> String {
    let pieces = [
      "$", "%", "{", "}", "\"", "\\", "\n", "\r", "\t", "~", "a", " ", "é", "😀", "\u{0}", "\u{7f}", "${", "%{", "$${",
      "<<EOT", "#", "//", "u0041", "\u{2028}", "\u{feff}", "e\u{301}",
    ]
    return (0..<Int.random(in: 0..<8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
  }

  private static func mutated(_ text: String, using random: inout SplitMix) -> [UInt8] {
    var bytes = Array(text.utf8)
    let pieces = [
      "\"", "${", "%{", "}", "{", "(", ")", "[", "]", "\n", "<<EOT\n", "<<-E\n", "EOT\n", "/*", "*/", "#", "\\", "=",
      ",", "$", "%{if a}", "%{endif}", "\r", "\u{feff}", "::", "...", ".*", "e9", "\u{0}", "for", "optional(", "~}",
      "null", ":", "9e999",
    ]
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let place = Int.random(in: 0...bytes.count, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      case 1: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &random) }
      case 2: bytes.removeSubrange(place..<min(place + Int.random(in: 0...20, using: &random), bytes.count))
      case 3:
        bytes.insert(
          contentsOf: bytes[place..<min(place + Int.random(in: 0...60, using: &random), bytes.count)], at: place)
      case 4:
        let piece = pieces.randomElement(using: &random) ?? ""
        bytes.insert(
          contentsOf: String(repeating: piece, count: Int.random(in: 2...300, using: &random)).utf8, at: place)
      case 5: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
      case 6: bytes.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").utf8, at: place)
      default: if Int.random(in: 0..<4, using: &random) == 0 { bytes.removeSubrange(place...) }
      }
    }
    return bytes
  }
}
