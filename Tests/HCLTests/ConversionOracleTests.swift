import Foundation
import HCL
import TestKit
import Testing

/// Types and values that nobody thought of: Terraform and this package must take and refuse the same, and make the same of
/// what they take.
///
/// `PORC_ORACLE_CASES` sets how many there are, `PORC_ORACLE_SEED` where the sequence begins.
@Suite(.enabled(if: Terraform.path != nil, "terraform is not on the PATH"), .timeLimit(.minutes(30)))
struct ConversionOracleTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let cases = environment["PORC_ORACLE_CASES"].flatMap { Int($0) } ?? 600
  private static let seed = environment["PORC_ORACLE_SEED"].flatMap { UInt64($0) } ?? 11

  /// So many go through one run of Terraform.
  private static let batchSize = 600

  @Test func terraformAgreesOnAnyTypeAndValue() throws {
    var random = ConversionCases(seed: Self.seed)
    for start in stride(from: 0, to: Self.cases, by: Self.batchSize) {
      let count = min(Self.batchSize, Self.cases - start)
      let comment: Comment = "seed \(Self.seed), from case \(start) on"
      let types = try agreedTypes((0..<count).map { _ in random.typeText(depth: 3) }, comment)
      let values = types.map { random.value(for: $0.type) }
      try compare(zip(types, values).map { ($0.text, $0.type, $1) }, comment)
    }
  }

  /// Asks both whether they take the types; returns those that both take.
  private func agreedTypes(_ texts: [String], _ comment: Comment) throws -> [(text: String, type: TypeConstraint)] {
    let declarations = texts.enumerated().map { "variable \"v\($0)\" { type = \($1) }\n" }.joined()
    let refused = try Terraform(files: ["main.tf": declarations]).validateDiagnostics().compactMap {
      $0.value(at: [.key("range"), .key("start"), .key("line")])?.intValue
    }
    var types: [(String, TypeConstraint)] = []
    for (index, text) in texts.enumerated() {
      let type = try? TypeConstraint(parsing: text)
      let isTaken = !refused.contains(index + 1)
      #expect((type != nil) == isTaken, "Terraform \(isTaken ? "takes" : "refuses") \(text); \(comment)")
      if let type, isTaken { types.append((text, type)) }
    }
    return types
  }

  private func compare(_ cases: [(text: String, type: TypeConstraint, value: Value)], _ comment: Comment) throws {
    let errors = try terraform(cases, of: Array(cases.indices)).planDiagnostics()
    let refused = Set(errors.compactMap { Self.variable(in: $0["detail"]?.stringValue ?? "") })
    #expect(
      errors.count == refused.count, "\(errors.filter { Self.variable(in: $0["detail"]?.stringValue ?? "") == nil })")
    let taken = cases.indices.filter { !refused.contains($0) }
    let accepting = try terraform(cases, of: taken)
    #expect(try accepting.planDiagnostics() == [], comment)
    let outputs = try accepting.plannedOutputs()
    for (index, item) in cases.enumerated() {
      let conversion = item.type.convert(item.value)
      let name = "\(item.text) of \(item.value.json()); \(comment)"
      #expect(
        (conversion.value == nil) == refused.contains(index),
        "\(refused.contains(index) ? "refused" : "taken"): \(name)")
      guard let ours = conversion.value, !refused.contains(index) else { continue }
      let theirs = try JSONText.parse(outputs["v\(index)"]?.stringValue ?? "null").value
      #expect(Self.ordered(theirs, item.type) == Self.ordered(ours, item.type), "\(name)")
    }
  }

  private func terraform(
    _ cases: [(text: String, type: TypeConstraint, value: Value)], of indices: [Int]
  ) throws -> Terraform {
    let declarations = indices.map {
      "variable \"v\($0)\" { type = \(cases[$0].text) }\noutput \"v\($0)\" { value = jsonencode(var.v\($0)) }\n"
    }
    let values = Value.object(Dictionary(uniqueKeysWithValues: indices.map { ("v\($0)", cases[$0].value) }))
    return try Terraform(files: ["main.tf": declarations.joined(), "terraform.tfvars.json": values.json()])
  }

  /// The number of the variable that a message of Terraform is about.
  private static func variable(in message: String) -> Int? {
    guard let name = message.firstRange(of: "var.v") else { return nil }
    return Int(message[name.upperBound...].prefix { $0.isNumber })
  }

  /// Sets of objects and the like in an order of our own: Terraform's is that of a hash.
  private static func ordered(_ value: Value, _ type: TypeConstraint) -> Value {
    switch (type, value) {
    case (.set(let element), .array(let values)):
      return .array(values.map { ordered($0, element) }.sorted { $0.json() < $1.json() })
    case (.list(let element), .array(let values)): return .array(values.map { ordered($0, element) })
    case (.map(let element), .object(let values)): return .object(values.mapValues { ordered($0, element) })
    case (.tuple(let types), .array(let values)): return .array(zip(values, types).map { ordered($0, $1) })
    case (.object(let attributes), .object(let values)):
      var result = values
      for attribute in attributes { result[attribute.name] = ordered(values[attribute.name] ?? .null, attribute.type) }
      return .object(result)
    default: return value
    }
  }
}

/// A sequence of types, and of values that are mostly near to one.
struct ConversionCases {
  private var random: SplitMix

  init(seed: UInt64) { random = SplitMix(seed: seed) }

  private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

  mutating func typeText(depth: Int) -> String {
    switch below(depth > 0 ? 16 : 7) {
    case 0, 1: return "string"
    case 2, 3: return "number"
    case 4, 5: return "bool"
    case 6: return "any"
    case 7, 8: return "list(\(typeText(depth: depth - 1)))"
    case 9: return "set(\(typeText(depth: depth - 1)))"
    case 10, 11: return "map(\(typeText(depth: depth - 1)))"
    case 12: return "tuple([\((0..<below(3)).map { _ in typeText(depth: depth - 1) }.joined(separator: ", "))])"
    default:
      return "object({ "
        + ["a", "b", "c"].prefix(below(4)).map { attribute($0, depth: depth - 1) }.joined(separator: ", ")
        + " })"
    }
  }

  private mutating func attribute(_ name: String, depth: Int) -> String {
    let type = typeText(depth: depth)
    switch below(4) {
    case 0: return "\(name) = optional(\(type))"
    case 1:
      // Mostly of the right kind, so that most of the types are taken.
      let value = (try? TypeConstraint(parsing: type)).map { self.value(for: $0, changing: 12) } ?? .null
      return "\(name) = optional(\(type), \(value.hclLiteral))"
    default: return "\(name) = \(type)"
    }
  }

  /// - Parameter changing: one in so many parts is of any kind.
  mutating func value(for type: TypeConstraint, changing: Int = 9) -> Value {
    if below(changing) == 0 { return anything(depth: 2) }
    switch type {
    case .any: return anything(depth: 2)
    case .string: return below(4) == 0 ? anything(depth: 0) : .string(text())
    case .number: return below(3) == 0 ? .string(text()) : number()
    case .bool: return below(3) == 0 ? .string(text()) : .bool(.random(using: &random))
    case .list(let element), .set(let element):
      return .array((0..<below(4)).map { _ in value(for: element, changing: changing * 2) })
    case .map(let element):
      return .object(
        Dictionary(["a", "b", "x y"].prefix(below(4)).map { ($0, value(for: element, changing: changing * 2)) }) { $1 })
    case .tuple(let types): return .array(types.map { value(for: $0, changing: changing * 2) })
    case .object(let attributes):
      var members: [String: Value] = below(6) == 0 ? ["d": anything(depth: 1)] : [:]
      for attribute in attributes where !(attribute.isOptional && below(2) == 0) && below(15) > 0 {
        members[attribute.name] =
          attribute.isOptional && below(4) == 0 ? .null : value(for: attribute.type, changing: changing * 2)
      }
      return .object(members)
    }
  }

  private mutating func anything(depth: Int) -> Value {
    switch below(depth > 0 ? 9 : 6) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2, 3: return number()
    case 4, 5: return .string(text())
    case 6: return .array((0..<below(4)).map { _ in anything(depth: depth - 1) })
    case 7:
      let sample = anything(depth: depth - 1)
      return .array((0..<below(3)).map { _ in sample } + [anything(depth: depth - 1)])
    default:
      return .object(Dictionary(["a", "b", "c"].prefix(below(4)).map { ($0, anything(depth: depth - 1)) }) { $1 })
    }
  }

  private mutating func number() -> Value {
    let texts = [
      "0", "1", "-1", "1.5", "1e3", "0.1", "-0.0", "100", "123456789012345678901234567890", "1e-7", "2", "12345.678e-2",
    ]
    return .number(Number(texts[below(texts.count)]) ?? 0)
  }

  /// Without "-0": a set takes it and "0" for two numbers, and writes both as 0.
  private mutating func text() -> String {
    let texts = [
      "a", "b", "", "5", "1", "0", "true", "false", "True", "1e3", "5.50", " 5", "+5", ".5", "0x1F", "${x}", "é",
      "1.0",
      "null", "٣", "1_0", "5e", "-", "e5", "--1", "1e-2", "00", "B",
    ]
    return texts[below(texts.count)]
  }
}
