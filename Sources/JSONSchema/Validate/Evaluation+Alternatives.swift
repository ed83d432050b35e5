import HCL

extension Evaluation {
  mutating func applyAll(_ inner: [Int], _ value: Value, _ evaluated: inout Evaluated) -> Bool {
    var isValid = true
    for index in inner {
      isValid = check(index, value, &evaluated) && isValid
      if !isValid, !isExplaining || stop != nil { return false }
    }
    return isValid
  }

  mutating func applyAny(
    _ inner: [Int], _ rule: SchemaNode.Rule, _ node: SchemaNode, _ value: Value, _ evaluated: inout Evaluated
  ) -> Bool {
    var isValid = false
    for index in inner {
      isValid = decides(index, value, &evaluated) || isValid
      if stop != nil { return false }
      // The others may still have to say what they look at.
      if isValid, !evaluated.isWanted { return true }
    }
    return isValid || explain(inner, "at least one", rule, node, value, &evaluated)
  }

  mutating func applyOne(
    _ inner: [Int], _ rule: SchemaNode.Rule, _ node: SchemaNode, _ value: Value, _ evaluated: inout Evaluated
  ) -> Bool {
    var matching: [Int] = []
    for (number, index) in inner.enumerated() {
      if decides(index, value, &evaluated) { matching.append(number + 1) }
      if stop != nil { return false }
      if matching.count > 1, !isExplaining { return false }
    }
    if matching.count == 1 { return true }
    if matching.isEmpty { return explain(inner, "exactly one", rule, node, value, &evaluated) }
    let numbers = matching.prefix(10).map(String.init).joined(separator: ", ")
    return fail(
      rule.keyword, node,
      "must match exactly one of \(inner.count) alternatives, but matches \(matching.count) (numbers \(numbers))")
  }

  mutating func applyNot(_ inner: Int, _ rule: SchemaNode.Rule, _ node: SchemaNode, _ value: Value) -> Bool {
    var ignored = Evaluated(isWanted: false)
    if !decides(inner, value, &ignored) { return stop == nil }
    let rules = nodes[inner].rules
    if rules.isEmpty { return fail(rule.keyword, node, "is not allowed here") }
    let demand = rules.count == 1 ? Phrase.demand(rules[0].check) : nil
    return fail(rule.keyword, node, "must not \(demand ?? "be as its \"not\" describes")")
  }

  /// Says why none of the alternatives fits. Always returns false.
  private mutating func explain(
    _ inner: [Int], _ howMany: String, _ rule: SchemaNode.Rule, _ node: SchemaNode, _ value: Value,
    _ evaluated: inout Evaluated
  ) -> Bool {
    guard isExplaining else { return false }
    var branches: [[Violation]] = []
    for index in inner.prefix(Self.maximumExplained) {
      branches.append(reasons(index, value, &evaluated))
      if stop != nil { return false }
    }
    let isComplete = branches.count == inner.count
    let fitting = branches.filter { !$0.contains(where: isMisfit) }
    if isComplete, fitting.count == 1 || branches.count == 1 {
      found += fitting.first ?? branches[0]
      return false
    }
    if isComplete, let types = expectedTypes(inner, branches) {
      return fail(rule.keyword, node, Self.wrongType(types, value))
    }
    if isComplete, branches.count <= 4, branches.allSatisfy({ $0.count == 1 && $0[0].path == path }) {
      return fail(rule.keyword, node, Phrase.alternatives(branches.map { Phrase.cut($0[0].message, to: 300) }))
    }
    let nearest = branches.min { left, right in
      let (isLeftMisfit, isRightMisfit) = (left.contains(where: isMisfit), right.contains(where: isMisfit))
      return isLeftMisfit == isRightMisfit ? left.count < right.count : isRightMisfit
    }
    let texts = (nearest ?? []).prefix(3).map(relative).joined(separator: "; ")
    let rest = (nearest ?? []).count - 3
    return fail(
      rule.keyword, node,
      "must match \(howMany) of \(inner.count) alternatives; the nearest asks: \(texts)"
        + (rest > 0 ? "; and \(rest) more" : ""))
  }

  /// Of more alternatives the rest is not explained: messages would be no better for it.
  private static let maximumExplained = 50

  /// Whether an alternative was not meant: the value has another type, or it or one of its properties another constant.
  private func isMisfit(_ reason: Violation) -> Bool {
    switch reason.keyword {
    case "type": reason.path == path
    case "const", "enum": reason.path.count <= path.count + 1
    default: false
    }
  }

  /// If all alternatives fail by the type of the value: the types that would do.
  private func expectedTypes(_ inner: [Int], _ branches: [[Violation]]) -> [SchemaType]? {
    guard branches.allSatisfy({ $0.count == 1 && $0[0].keyword == "type" && $0[0].path == path }) else { return nil }
    var types: [SchemaType] = []
    for index in inner {
      guard let found = declaredTypes(index) else { return nil }
      for type in found where !types.contains(type) { types.append(type) }
    }
    return types
  }

  /// The types that a schema names, itself or by a reference.
  private func declaredTypes(_ index: Int) -> [SchemaType]? {
    var index = index
    for _ in 0..<10 {
      for case .types(let types) in nodes[index].rules.map(\.check) { return types }
      guard case .reference(let target)? = nodes[index].rules.first?.check else { return nil }
      index = target
    }
    return nil
  }

  /// A reason as part of another message: with the place where it differs.
  private func relative(_ reason: Violation) -> String {
    let place = ValuePath(Array(reason.path.dropFirst(path.count))).description
    // Alternatives may be inside each other: the text must not grow with each.
    let message = Phrase.cut(reason.message, to: 300)
    return place.isEmpty ? message : "\(Phrase.cut(place)): \(message)"
  }
}
