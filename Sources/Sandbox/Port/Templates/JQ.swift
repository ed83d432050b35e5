/// The part of jq in which values of actions are usually written: paths, slices, `//`, pipes, comparisons and sums,
/// `if`, lists and objects, and the functions that ``Function`` lists. No variables, no `reduce`, no definitions.
///
/// What it does not know is an error when it is read, so that an action that would send something else than in Port
/// cannot be saved.
indirect enum JQ: Sendable {
  case identity
  case literal(JSONValue)
  /// A text with `\( )` in it.
  case text([JQ])
  /// A member or an element.
  case member(of: JQ, JQ)
  case slice(of: JQ, from: JQ?, to: JQ?)
  case each(JQ)
  /// `?`: nothing instead of a failure.
  case attempt(JQ)
  case pipe(JQ, JQ)
  case both(JQ, JQ)
  case alternative(JQ, JQ)
  case operation(Operator, JQ, JQ)
  case condition(JQ, then: JQ, else: JQ)
  case list(JQ?)
  case object([Member])
  case call(Function, [JQ])

  struct Member: Sendable {
    let key: JQ
    let value: JQ
  }

  enum Operator: String, Sendable {
    case or, and
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
  }

  /// Why something cannot be evaluated.
  struct Failure: Error { let reason: String }

  /// The first value; null where there is none, or where it fails.
  func value(_ input: JSONValue) -> JSONValue { (try? values(input))?.first ?? .null }

  func values(_ input: JSONValue) throws(Failure) -> [JSONValue] {
    switch self {
    case .identity: return [input]
    case .literal(let value): return [value]
    case .text(let parts):
      var text = ""
      for part in parts { text += try part.values(input).first.map(Self.text) ?? "" }
      return [.string(text)]
    case .member(let base, let key):
      return try product(base, key, input) { base, key throws(Failure) in [try Self.member(of: base, key)] }
    case .slice(let base, let from, let to):
      let (from, to) = (try from?.values(input).first, try to?.values(input).first)
      return try base.flatMap(input) { base throws(Failure) in [try Self.slice(of: base, from: from, to: to)] }
    case .each(let base): return try base.flatMap(input, Self.elements)
    case .attempt(let inner): return (try? inner.values(input)) ?? []
    case .pipe(let left, let right): return try left.flatMap(input) { value throws(Failure) in try right.values(value) }
    case .both(let left, let right): return try left.values(input) + right.values(input)
    case .alternative(let left, let right):
      let good = ((try? left.values(input)) ?? []).filter(Self.isTrue)
      return good.isEmpty ? try right.values(input) : good
    case .operation(.and, let left, let right):
      return try left.flatMap(input) { value throws(Failure) in
        Self.isTrue(value) ? try right.values(input).map { .bool(Self.isTrue($0)) } : [false]
      }
    case .operation(.or, let left, let right):
      return try left.flatMap(input) { value throws(Failure) in
        Self.isTrue(value) ? [true] : try right.values(input).map { .bool(Self.isTrue($0)) }
      }
    case .operation(let symbol, let left, let right):
      return try product(left, right, input) { left, right throws(Failure) in
        [try Self.apply(symbol, left, right)]
      }
    case .condition(let test, let then, let otherwise):
      return try test.flatMap(input) { value throws(Failure) in
        try (Self.isTrue(value) ? then : otherwise).values(input)
      }
    case .list(let inner): return [.array(try inner?.values(input) ?? [])]
    case .object(let members):
      var objects: [[String: JSONValue]] = [[:]]
      for member in members {
        var next: [[String: JSONValue]] = []
        for key in try member.key.values(input) {
          guard let name = key.string else { throw Failure(reason: "a key of an object is \(Self.type(key))") }
          for value in try member.value.values(input) {
            for var object in objects {
              object[name] = value
              next.append(object)
            }
          }
        }
        objects = next
      }
      return objects.map { .object($0) }
    case .call(let function, let arguments): return try function.call(arguments, input)
    }
  }

  /// The values that `next` makes of each of this one's.
  private func flatMap(
    _ input: JSONValue, _ next: (JSONValue) throws(Failure) -> [JSONValue]
  ) throws(Failure) -> [JSONValue] {
    var result: [JSONValue] = []
    for value in try values(input) { result += try next(value) }
    return result
  }

  /// The same for each pair of two.
  private func product(
    _ left: JQ, _ right: JQ, _ input: JSONValue, _ next: (JSONValue, JSONValue) throws(Failure) -> [JSONValue]
  ) throws(Failure) -> [JSONValue] {
    var result: [JSONValue] = []
    for second in try right.values(input) {
      for first in try left.values(input) { result += try next(first, second) }
    }
    return result
  }
}

extension JQ {
  /// All but null and false.
  static func isTrue(_ value: JSONValue) -> Bool { !value.isNull && value.bool != false }

  /// A text as it is, anything else as JSON.
  static func text(_ value: JSONValue) -> String { value.string ?? value.text }

  static func type(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "boolean"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  static func number(_ value: Double) -> JSONValue {
    Int(exactly: value).map { JSONValue($0) } ?? .number(String(value))
  }

  static func elements(of value: JSONValue) throws(Failure) -> [JSONValue] {
    switch value {
    case .array(let elements): return elements
    case .object(let members): return members.sorted { $0.key < $1.key }.map(\.value)
    default: throw Failure(reason: "\(type(value)) has no elements")
    }
  }

  private static func member(of value: JSONValue, _ key: JSONValue) throws(Failure) -> JSONValue {
    switch (value, key) {
    case (.null, .string), (.null, .number): return .null
    case (.object, .string(let name)): return value[name]
    case (.array(let elements), .number):
      guard let index = key.int else { return .null }
      return value[index < 0 ? elements.count + index : index]
    default: throw Failure(reason: "\(type(value)) has no member \(key.text)")
    }
  }

  private static func slice(of value: JSONValue, from: JSONValue?, to: JSONValue?) throws(Failure) -> JSONValue {
    func range(_ count: Int) -> Range<Int> {
      func bound(_ sent: JSONValue?, or end: Int) -> Int {
        guard let index = sent?.int else { return end }
        return min(max(index < 0 ? count + index : index, 0), count)
      }
      let start = bound(from, or: 0)
      return start..<max(start, bound(to, or: count))
    }
    switch value {
    case .null: return .null
    case .array(let elements): return .array(Array(elements[range(elements.count)]))
    case .string(let text):
      let scalars = Array(text.unicodeScalars)
      var part = String.UnicodeScalarView()
      part.append(contentsOf: scalars[range(scalars.count)])
      return .string(String(part))
    default: throw Failure(reason: "\(type(value)) has no parts")
    }
  }

  private static func apply(
    _ symbol: Operator, _ left: JSONValue, _ right: JSONValue
  ) throws(Failure) -> JSONValue {
    switch symbol {
    case .equal: return .bool(left == right)
    case .notEqual: return .bool(left != right)
    case .less: return .bool(isOrdered(left, right))
    case .lessOrEqual: return .bool(!isOrdered(right, left))
    case .greater: return .bool(isOrdered(right, left))
    case .greaterOrEqual: return .bool(!isOrdered(left, right))
    case .add: return try sum(left, right)
    case .and, .or: return .bool(isTrue(left) && isTrue(right))
    case .subtract, .multiply, .divide, .remainder: break
    }
    if symbol == .subtract, case .array(let all) = left, case .array(let gone) = right {
      return .array(all.filter { !gone.contains($0) })
    }
    guard let first = left.double, let second = right.double else {
      throw Failure(reason: "\(type(left)) \(symbol.rawValue) \(type(right))")
    }
    switch symbol {
    case .subtract: return number(first - second)
    case .multiply: return number(first * second)
    default:
      guard second != 0 else { throw Failure(reason: "a division by zero") }
      return number(symbol == .divide ? first / second : first.truncatingRemainder(dividingBy: second))
    }
  }

  static func sum(_ left: JSONValue, _ right: JSONValue) throws(Failure) -> JSONValue {
    switch (left, right) {
    case (.null, let other), (let other, .null): return other
    case (.string(let first), .string(let second)): return .string(first + second)
    case (.array(let first), .array(let second)): return .array(first + second)
    case (.object(let first), .object(let second)): return .object(first.merging(second) { $1 })
    case (.number, .number): return number((left.double ?? 0) + (right.double ?? 0))
    default: throw Failure(reason: "\(type(left)) + \(type(right))")
    }
  }

  /// jq's order: by type, then by value.
  static func isOrdered(_ left: JSONValue, _ right: JSONValue) -> Bool {
    func rank(_ value: JSONValue) -> Int {
      switch value {
      case .null: 0
      case .bool(let value): value ? 2 : 1
      case .number: 3
      case .string: 4
      case .array: 5
      case .object: 6
      }
    }
    switch (left, right) {
    case (.number, .number): return (left.double ?? 0) < (right.double ?? 0)
    case (.string(let first), .string(let second)):
      return first.unicodeScalars.lexicographicallyPrecedes(second.unicodeScalars)
    case (.array(let first), .array(let second)): return first.lexicographicallyPrecedes(second, by: isOrdered)
    default: return rank(left) < rank(right)
    }
  }
}
