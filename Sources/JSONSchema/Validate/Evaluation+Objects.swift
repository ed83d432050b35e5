import HCL

extension Evaluation {
  mutating func applyObject(
    _ rule: SchemaNode.Rule, _ node: SchemaNode, _ members: [String: Value], _ evaluated: inout Evaluated
  ) -> Bool {
    switch rule.check {
    case .minProperties(let bound): return applyCount(rule, node, members.count, atLeast: bound)
    case .maxProperties(let bound): return applyCount(rule, node, members.count, atMost: bound)
    case .required(let names): return applyRequired(names, because: nil, rule, node, members)
    case .dependentRequired(let dependent):
      var isValid = true
      for (key, names) in dependent where members[key] != nil {
        isValid = applyRequired(names, because: key, rule, node, members) && isValid
      }
      return isValid
    case .properties(let rules): return applyProperties(rules, node, members, &evaluated)
    case .propertyNames(let inner): return applyNames(inner, node, members)
    case .unevaluatedProperties(let inner): return applyUnevaluated(inner, rule, node, members, &evaluated)
    default: return true
    }
  }

  private mutating func applyRequired(
    _ names: [String], because key: String?, _ rule: SchemaNode.Rule, _ node: SchemaNode, _ members: [String: Value]
  ) -> Bool {
    work -= names.count
    var isValid = true
    for name in names where members[name] == nil {
      let reason = key.map { ", because \(Phrase.quoted($0)) is there" } ?? ""
      isValid = fail(rule.keyword, node, "must have the property \(Phrase.quoted(name))\(reason)")
      if !isExplaining { return false }
    }
    return isValid
  }

  private mutating func applyProperties(
    _ rules: SchemaNode.PropertyRules, _ node: SchemaNode, _ members: [String: Value], _ evaluated: inout Evaluated
  ) -> Bool {
    work -= members.count * (1 + rules.patterns.count)
    var isValid = true
    for (key, member) in members {
      var isNamed = false
      func apply(_ inner: Int, _ keyword: String) {
        isNamed = true
        let isAllowed =
          isNothing(inner)
          ? fail(keyword, node, at: .key(key), Self.notAllowed(key, in: members, known: Set(rules.named.keys)))
          : check(inner, member, at: .key(key))
        isValid = isAllowed && isValid
      }
      if let inner = rules.named[key] { apply(inner, "properties") }
      for (pattern, inner) in rules.patterns {
        guard let isMatch = pattern.matches(key, &work) else { return giveUpMatching(node) }
        if isMatch { apply(inner, "patternProperties") }
      }
      if !isNamed, let additional = rules.additional { apply(additional, "additionalProperties") }
      if isNamed { evaluated.add(key) }
      if !isValid, !isExplaining || stop != nil { return false }
    }
    if rules.additional != nil { evaluated.addAllProperties() }
    return isValid
  }

  /// - Parameter known: the names that would be allowed. Those that are there already were not meant.
  private static func notAllowed(_ key: String, in members: [String: Value], known: Set<String>) -> String {
    let near = Phrase.nearest(to: key, among: known.filter { members[$0] == nil })
    return "the property \(Phrase.quoted(key)) is not allowed here"
      + (near.map { "; did you mean \(Phrase.quoted($0))?" } ?? "")
  }

  private mutating func applyNames(_ inner: Int, _ node: SchemaNode, _ members: [String: Value]) -> Bool {
    var isValid = true
    for key in members.keys where found.count < JSONSchema.maximumViolations {
      var ignored = Evaluated(isWanted: false)
      if isNothing(inner) {
        isValid = fail("propertyNames", node, at: .key(key), Self.notAllowed(key, in: members, known: [])) && isValid
      } else if isExplaining {
        for reason in reasons(inner, .string(key), &ignored) {
          isValid = false
          var violation = reason
          violation.path = path + [.key(key)]
          violation.message = "the name \(Phrase.quoted(key)) \(reason.message)"
          found.append(violation)
        }
      } else {
        isValid = check(inner, .string(key), &ignored)
      }
      if !isValid, !isExplaining || stop != nil { return false }
    }
    return isValid
  }

  private mutating func applyUnevaluated(
    _ inner: Int, _ rule: SchemaNode.Rule, _ node: SchemaNode, _ members: [String: Value], _ evaluated: inout Evaluated
  ) -> Bool {
    let known = isExplaining && isNothing(inner) ? knownProperties(of: node) : []
    var isValid = true
    for (key, member) in members where !evaluated.has(key) {
      let isAllowed =
        isNothing(inner)
        ? fail(rule.keyword, node, at: .key(key), Self.notAllowed(key, in: members, known: known))
        : check(inner, member, at: .key(key))
      isValid = isAllowed && isValid
      if !isValid, !isExplaining || stop != nil { return false }
    }
    evaluated.addAllProperties()
    return isValid
  }

  /// The names that a schema, and those it applies to the same value, give to properties. For suggestions, so a few dozen
  /// schemas are enough.
  private func knownProperties(of node: SchemaNode) -> Set<String> {
    var names: Set<String> = []
    var layer = [node]
    for _ in 0..<5 {
      for case .properties(let rules) in layer.flatMap(\.rules).map(\.check) { names.formUnion(rules.named.keys) }
      layer = layer.prefix(20).flatMap(\.appliedInPlace).map { nodes[$0] }
    }
    return names
  }
}
