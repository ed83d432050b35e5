import HCL

/// One check of a value: where it is, and what it has found.
///
/// A check either explains, and then goes on after a failure to find all of them, or only decides, and then stops at the
/// first. Alternatives are decided first and explained only if none of them fits.
struct Evaluation {
  /// How many steps a check may take: less than a second's work.
  static let maximumWork = 20_000_000
  /// How many schemas may be inside each other. Each needs about 1 KB of the stack, and 6 KB where nothing is optimised.
  static let maximumDepth = 400
  /// The steps that one schema counts for.
  static let workForSchema = 10

  let nodes: [SchemaNode]
  let dynamicNodes: [[String: Int]]
  /// The steps that are left.
  var work: Int
  var path: [PathStep] = []
  /// The resources that were entered on the way here, without those entered from themselves.
  var scope: [Int] = []
  var isExplaining = true
  var found: [Violation] = []
  /// Why the check cannot go on. Once set, every result is void.
  var stop: Violation?
  private var depth = 0

  init(_ schema: JSONSchema, work: Int = maximumWork) {
    self.work = work
    nodes = schema.nodes
    dynamicNodes = schema.dynamicNodes
  }

  mutating func violations(of value: Value) -> [Violation] {
    // Deciding is much quicker than explaining, and most values are valid.
    isExplaining = false
    var evaluated = Evaluated(isWanted: false)
    let isValid = check(0, value, &evaluated)
    if stop == nil, !isValid {
      isExplaining = true
      work = Self.maximumWork
      _ = check(0, value, &evaluated)
    }
    if let stop { return [stop] }
    return Array(Self.ordered(found).prefix(JSONSchema.maximumViolations))
  }

  /// Checks `value`, which stands at `path`, against the schema with the number `index`.
  ///
  /// - Parameter evaluated: what the schema looked at is added. Of one that fails too while explaining: what is wrong with
  ///   those parts is said already, and "not allowed here" as well would only confuse.
  mutating func check(_ index: Int, _ value: Value, _ evaluated: inout Evaluated) -> Bool {
    let node = nodes[index]
    if node.rules.isEmpty { return stop == nil }
    guard enter(node) else { return false }
    defer { depth -= 1 }
    let isNewResource = scope.last != node.resource
    if isNewResource { scope.append(node.resource) }
    defer { if isNewResource { scope.removeLast() } }

    var own = Evaluated(isWanted: evaluated.isWanted || node.needsEvaluated)
    var isValid = true
    for rule in node.rules {
      if apply(rule, of: node, to: value, &own) { continue }
      isValid = false
      if stop != nil { return false }
      guard isExplaining, found.count < JSONSchema.maximumViolations else { break }
      // Of a value of the wrong type nothing else needs to be said.
      if case .types = rule.check { break }
    }
    if isValid || isExplaining { evaluated.merge(own) }
    return isValid
  }

  private mutating func enter(_ node: SchemaNode) -> Bool {
    guard stop == nil else { return false }
    work -= Self.workForSchema
    if work < 0 { return giveUp(node, "takes too long to check against this schema") }
    if depth >= Self.maximumDepth { return giveUp(node, "is nested too deep to be checked against this schema") }
    depth += 1
    return true
  }

  /// Ends the whole check.
  mutating func giveUp(_ node: SchemaNode, _ message: String) -> Bool {
    if stop == nil { stop = Violation(path: path, keyword: "", schemaPointer: node.pointer, message: message) }
    return false
  }

  /// Takes note of a violation, if anybody wants to know. Always returns false.
  mutating func fail(
    _ keyword: String, _ node: SchemaNode, at step: PathStep? = nil, _ message: @autoclosure () -> String
  ) -> Bool {
    guard isExplaining, found.count < JSONSchema.maximumViolations else { return false }
    let pointer = keyword == "false" ? node.pointer : "\(node.pointer)/\(keyword)"
    found.append(
      Violation(path: path + (step.map { [$0] } ?? []), keyword: keyword, schemaPointer: pointer, message: message()))
    return false
  }

  /// Checks a part of the value.
  mutating func check(_ index: Int, _ value: Value, at step: PathStep) -> Bool {
    var evaluated = Evaluated(isWanted: false)
    path.append(step)
    defer { path.removeLast() }
    return check(index, value, &evaluated)
  }

  /// Whether `value` is valid, without explaining.
  mutating func decides(_ index: Int, _ value: Value, _ evaluated: inout Evaluated) -> Bool {
    let wasExplaining = isExplaining
    isExplaining = false
    defer { isExplaining = wasExplaining }
    return check(index, value, &evaluated)
  }

  /// All that is wrong with `value` by one schema.
  mutating func reasons(_ index: Int, _ value: Value, _ evaluated: inout Evaluated) -> [Violation] {
    var outer: [Violation] = []
    swap(&outer, &found)
    _ = check(index, value, &evaluated)
    swap(&outer, &found)
    return Self.ordered(outer)
  }

  /// By path, what is inside a part before the part; the same thing only once.
  static func ordered(_ violations: [Violation]) -> [Violation] {
    guard violations.count > 1 else { return violations }
    var seen: Set<[String]> = []
    let unique = violations.filter { seen.insert([ValuePath($0.path).jsonPointer, $0.message]).inserted }
    // Sorting by the number too keeps the order of what is said about one place.
    return unique.enumerated().sorted { left, right in
      precedes(left.element.path, right.element.path)
        ?? (left.offset < right.offset)
    }.map(\.element)
  }

  private static func precedes(_ left: [PathStep], _ right: [PathStep]) -> Bool? {
    for (left, right) in zip(left, right) where left != right {
      switch (left, right) {
      case (.index(let left), .index(let right)): return left < right
      case (.key(let left), .key(let right)): return left.utf8.lexicographicallyPrecedes(right.utf8)
      case (.index, .key): return true
      case (.key, .index): return false
      }
    }
    return left.count == right.count ? nil : left.count > right.count
  }
}
