import HCL

extension Evaluation {
  mutating func applyArray(
    _ rule: SchemaNode.Rule, _ node: SchemaNode, _ elements: [Value], _ evaluated: inout Evaluated
  ) -> Bool {
    switch rule.check {
    case .minItems(let bound): return applyCount(rule, node, elements.count, atLeast: bound)
    case .maxItems(let bound): return applyCount(rule, node, elements.count, atMost: bound)
    case .uniqueItems: return applyUnique(rule, node, elements)
    case .items(let prefix, let rest): return applyItems(prefix, rest, rule, node, elements, &evaluated)
    case .contains(let inner, let atLeast, let atMost):
      return applyContains(inner, atLeast, atMost, rule, node, elements, &evaluated)
    case .unevaluatedItems(let inner):
      var isValid = true
      for (index, element) in elements.enumerated() where !evaluated.has(index) {
        let isAllowed =
          isNothing(inner)
          ? fail(rule.keyword, node, at: .index(index), "the element \(index) is not allowed here")
          : check(inner, element, at: .index(index))
        isValid = isAllowed && isValid
        if !isValid, !isExplaining { return false }
      }
      evaluated.addLeadingItems(.max)
      return isValid
    default: return true
    }
  }

  /// Whether a schema is `false`: then better words can be found where it is applied.
  func isNothing(_ index: Int) -> Bool {
    if case .nothing? = nodes[index].rules.first?.check { true } else { false }
  }

  private mutating func applyUnique(_ rule: SchemaNode.Rule, _ node: SchemaNode, _ elements: [Value]) -> Bool {
    var places: [[UInt8]: Int] = [:]
    for (index, element) in elements.enumerated() {
      guard let fingerprint = element.fingerprint() else {
        return giveUp(node, "is nested too deep to be checked against this schema")
      }
      work -= 5 + fingerprint.count / 4
      if work < 0 { return true }  // the next schema notices
      if let first = places.updateValue(index, forKey: fingerprint) {
        return fail(
          rule.keyword, node, "must not have the same element twice: the elements \(first) and \(index) are equal")
      }
    }
    return true
  }

  private mutating func applyItems(
    _ prefix: [Int], _ rest: Int?, _ rule: SchemaNode.Rule, _ node: SchemaNode, _ elements: [Value],
    _ evaluated: inout Evaluated
  ) -> Bool {
    evaluated.addLeadingItems(rest == nil ? prefix.count : .max)
    var isValid = true
    for (index, element) in elements.enumerated() {
      if index >= prefix.count, let rest, isNothing(rest) {
        return fail(rule.keyword, node, "must have at most \(Phrase.elements(prefix.count)), has \(elements.count)")
      }
      guard let inner = index < prefix.count ? prefix[index] : rest else { break }
      isValid = check(inner, element, at: .index(index)) && isValid
      if !isValid, !isExplaining || stop != nil { return false }
    }
    return isValid
  }

  private mutating func applyContains(
    _ inner: Int, _ atLeast: Int, _ atMost: Int?, _ rule: SchemaNode.Rule, _ node: SchemaNode, _ elements: [Value],
    _ evaluated: inout Evaluated
  ) -> Bool {
    var count = 0
    for (index, element) in elements.enumerated() {
      var ignored = Evaluated(isWanted: false)
      if decides(inner, element, &ignored) {
        count += 1
        evaluated.add(index)
      }
      if stop != nil { return false }
    }
    guard count < atLeast || count > atMost ?? .max else { return true }
    let demand = nodes[inner].rules.count == 1 ? Phrase.demand(nodes[inner].rules[0].check) : nil
    let which = demand.map { "which must \($0)" } ?? "as its \"contains\" describes"
    if count < atLeast {
      let keyword = atLeast == 1 ? rule.keyword : "minContains"
      return fail(keyword, node, "must have at least \(Phrase.elements(atLeast)) \(which), has \(count)")
    }
    return fail("maxContains", node, "must have at most \(Phrase.elements(atMost ?? 0)) \(which), has \(count)")
  }
}
