import HCL

extension Evaluation {
  /// Whether a value is as one rule asks. Values of another kind than the rule is about always are.
  mutating func apply(
    _ rule: SchemaNode.Rule, of node: SchemaNode, to value: Value, _ evaluated: inout Evaluated
  ) -> Bool {
    switch rule.check {
    case .nothing, .types, .constants: return applyKind(rule, node, value)
    case .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum, .multipleOf:
      guard case .number(let number) = value else { return true }
      return applyNumber(rule, node, number)
    case .minLength, .maxLength, .pattern:
      guard case .string(let text) = value else { return true }
      return applyText(rule, node, text)
    case .minItems, .maxItems, .uniqueItems, .items, .contains, .unevaluatedItems:
      guard case .array(let elements) = value else { return true }
      return applyArray(rule, node, elements, &evaluated)
    case .minProperties, .maxProperties, .required, .dependentRequired, .properties, .propertyNames,
      .unevaluatedProperties:
      guard case .object(let members) = value else { return true }
      return applyObject(rule, node, members, &evaluated)
    case .dependentSchemas(let nodes):
      guard case .object(let members) = value else { return true }
      return applyAll(
        nodes.filter { members[$0.key] != nil }.sorted { $0.key < $1.key }.map(\.value), value, &evaluated)
    case .reference(let target): return check(target, value, &evaluated)
    case .dynamicReference(let initial, let anchor):
      return check(dynamicTarget(anchor) ?? initial, value, &evaluated)
    case .allOf(let nodes): return applyAll(nodes, value, &evaluated)
    case .anyOf(let nodes): return applyAny(nodes, rule, node, value, &evaluated)
    case .oneOf(let nodes): return applyOne(nodes, rule, node, value, &evaluated)
    case .not(let inner): return applyNot(inner, rule, node, value)
    case .condition(let condition, let then, let otherwise):
      let next = decides(condition, value, &evaluated) ? then : otherwise
      return next.map { check($0, value, &evaluated) } ?? (stop == nil)
    }
  }

  /// The schema with that `$dynamicAnchor` in the outermost resource that has one.
  private func dynamicTarget(_ anchor: String) -> Int? {
    for resource in scope { if let node = dynamicNodes[resource][anchor] { return node } }
    return nil
  }

  private mutating func applyKind(_ rule: SchemaNode.Rule, _ node: SchemaNode, _ value: Value) -> Bool {
    switch rule.check {
    case .types(let types):
      if types.contains(where: { $0.takes(value) }) { return true }
      return fail(rule.keyword, node, Self.wrongType(types, value))
    case .constants(let constants):
      if constants.contains(where: { $0.isSame(as: value, &work) }) { return true }
      return fail(rule.keyword, node, Phrase.demand(rule.check).map { "must \($0)" } ?? "no value is allowed here")
    default: return fail(rule.keyword, node, "is not allowed here")
    }
  }

  static func wrongType(_ types: [SchemaType], _ value: Value) -> String {
    let isFraction = types.contains(.integer) && value.numberValue != nil
    return "must be \(Phrase.types(types)), not \(isFraction ? "a number with a fraction" : value.kind)"
  }

  private mutating func applyNumber(_ rule: SchemaNode.Rule, _ node: SchemaNode, _ number: Number) -> Bool {
    let isValid: Bool
    switch rule.check {
    case .minimum(let bound): isValid = number >= bound
    case .maximum(let bound): isValid = number <= bound
    case .exclusiveMinimum(let bound): isValid = number > bound
    case .exclusiveMaximum(let bound): isValid = number < bound
    case .multipleOf(let divisor):
      // Dividing by more digits than a word holds takes time with both lengths.
      work -= divisor.text.utf8.count <= 18 ? 10 : number.text.utf8.count * divisor.text.utf8.count / 8
      isValid = number.isMultiple(of: divisor)
    default: isValid = true
    }
    return isValid || fail(rule.keyword, node, "must \(Phrase.demand(rule.check) ?? "")")
  }

  private mutating func applyText(_ rule: SchemaNode.Rule, _ node: SchemaNode, _ text: String) -> Bool {
    switch rule.check {
    case .pattern(let pattern):
      guard let isMatch = pattern.matches(text, &work) else { return giveUpMatching(node) }
      return isMatch || fail(rule.keyword, node, "must \(Phrase.demand(rule.check) ?? "")")
    case .minLength(let bound): return applyCount(rule, node, text.unicodeScalars.count, atLeast: bound)
    case .maxLength(let bound): return applyCount(rule, node, text.unicodeScalars.count, atMost: bound)
    default: return true
    }
  }

  mutating func giveUpMatching(_ node: SchemaNode) -> Bool {
    giveUp(node, "takes too long to match against the patterns of this schema")
  }

  /// Compares a length with its bound.
  mutating func applyCount(
    _ rule: SchemaNode.Rule, _ node: SchemaNode, _ count: Int, atLeast: Int = 0, atMost: Int = .max
  ) -> Bool {
    work -= count / 64
    if count >= atLeast, count <= atMost { return true }
    return fail(rule.keyword, node, "must \(Phrase.demand(rule.check) ?? ""), has \(count)")
  }
}
