import HCL

/// The schema whose keywords are being read.
struct SchemaKeywords {
  let members: [String: Value]
  let place: SchemaPlace
  let resource: Int
  let dialect: SchemaDialect
  var rules: [SchemaNode.Rule] = []

  mutating func add(_ keyword: String, _ check: SchemaNode.Check) {
    rules.append(SchemaNode.Rule(keyword: keyword, check: check))
  }
}

extension SchemaCompiler {
  /// Compiles one schema; those in it and those it refers to only get their numbers.
  mutating func compile(_ schema: Waiting) {
    switch schema.value {
    case .bool(true): break
    case .bool(false): nodes[schema.node].rules = [SchemaNode.Rule(keyword: "false", check: .nothing)]
    case .object(let members):
      let resource = nodes[schema.node].resource
      var keywords = SchemaKeywords(
        members: members, place: schema.place, resource: resource, dialect: resources[resource].dialect)
      readReferences(&keywords)
      // In draft-07 a reference hides all that stands beside it.
      if keywords.dialect.draft == .draft2020 || members["$ref"] == nil {
        if keywords.dialect.validates {
          readTypes(&keywords)
          readNumbers(&keywords)
          readCounts(&keywords)
          readNames(&keywords)
        }
        if keywords.dialect.appliesSchemas {
          readProperties(&keywords)
          readItems(&keywords)
          readLogic(&keywords)
        }
        if keywords.dialect.draft == .draft2020, keywords.dialect.seesUnevaluated { readUnevaluated(&keywords) }
      }
      readDefinitions(keywords)
      nodes[schema.node].rules = keywords.rules
    default:
      report(
        schema.place, "A schema must be an object, true or false, not \(schema.value.kind).",
        "Write {} to allow any value.")
    }
  }

  private mutating func readReferences(_ keywords: inout SchemaKeywords) {
    let isNew = keywords.dialect.draft == .draft2020
    for keyword in isNew ? ["$ref", "$dynamicRef"] : ["$ref"] {
      guard let text = string(keyword, keywords, "Write a URI, such as \"#/$defs/name\".") else { continue }
      guard let target = target(of: text, at: keywords.place.appending(keyword), from: keywords.resource) else {
        continue
      }
      if keyword == "$dynamicRef", let anchor = dynamicAnchor(of: text, from: keywords.resource) {
        keywords.add(keyword, .dynamicReference(initial: target, anchor: anchor))
      } else {
        keywords.add(keyword, .reference(target))
      }
    }
  }

  private mutating func readTypes(_ keywords: inout SchemaKeywords) {
    if let value = keywords.members["type"] {
      let names = value.arrayValue ?? [value]
      var types: [SchemaType] = []
      for (index, name) in names.enumerated() {
        let place = keywords.place.appending("type")
        if let text = name.stringValue, let type = SchemaType(rawValue: text) {
          if !types.contains(type) { types.append(type) }
          continue
        }
        let all = SchemaType.allCases.map(\.rawValue)
        let near = name.stringValue.flatMap { Phrase.nearest(to: $0, among: all) }
        report(
          value.arrayValue == nil ? place : place.appending(String(index)),
          name.stringValue.map { "There is no type \(quoted($0))." }
            ?? "\"type\" must be the name of a type or an array of names, not \(name.kind).",
          near.map { "Did you mean \(quoted($0))?" } ?? "Use one of \(all.map(quoted).joined(separator: ", ")).")
      }
      if names.isEmpty {
        report(keywords.place.appending("type"), "\"type\" is an empty array.", "Name a type, or remove it.")
      }
      if !types.isEmpty { keywords.add("type", .types(types)) }
    }
    if let value = keywords.members["const"] { keywords.add("const", .constants([value])) }
    if let values = array("enum", keywords, "List the values that are allowed.") {
      keywords.add("enum", .constants(values))
    }
  }

  private mutating func readNumbers(_ keywords: inout SchemaKeywords) {
    let bounds: [(String, (Number) -> SchemaNode.Check)] = [
      ("minimum", { .minimum($0) }), ("maximum", { .maximum($0) }), ("exclusiveMinimum", { .exclusiveMinimum($0) }),
      ("exclusiveMaximum", { .exclusiveMaximum($0) }), ("multipleOf", { .multipleOf($0) }),
    ]
    for (keyword, check) in bounds {
      guard let value = keywords.members[keyword] else { continue }
      let place = keywords.place.appending(keyword)
      guard let number = value.numberValue else {
        let isOld = value.boolValue != nil && keyword.hasPrefix("exclusive")
        report(
          place, "\"\(keyword)\" must be a number, not \(value.kind).",
          isOld
            ? "Since draft-06 it is the bound itself: write the number here, without \"minimum\" or \"maximum\"."
            : "Write a number.")
        continue
      }
      if keyword == "multipleOf", !(number > Number(0)) {
        report(place, "\"multipleOf\" must be greater than 0.", "Write a positive number.")
        continue
      }
      keywords.add(keyword, check(number))
    }
  }

  private mutating func readCounts(_ keywords: inout SchemaKeywords) {
    let counts: [(String, (Int) -> SchemaNode.Check)] = [
      ("minLength", { .minLength($0) }), ("maxLength", { .maxLength($0) }), ("minItems", { .minItems($0) }),
      ("maxItems", { .maxItems($0) }), ("minProperties", { .minProperties($0) }),
      ("maxProperties", { .maxProperties($0) }),
    ]
    for (keyword, check) in counts { if let count = count(keyword, keywords) { keywords.add(keyword, check(count)) } }
    if let text = string("pattern", keywords, "Write a regular expression."),
      let pattern = pattern(text, at: keywords.place.appending("pattern"))
    {
      keywords.add("pattern", .pattern(pattern))
    }
    if let value = keywords.members["uniqueItems"] {
      if let isUnique = value.boolValue {
        if isUnique { keywords.add("uniqueItems", .uniqueItems) }
      } else {
        report(
          keywords.place.appending("uniqueItems"), "\"uniqueItems\" must be true or false, not \(value.kind).",
          "Write true or false.")
      }
    }
  }

  private mutating func readNames(_ keywords: inout SchemaKeywords) {
    if let value = keywords.members["required"] {
      let isOld = value.boolValue != nil
      let fix =
        isOld ? "List the names in \"required\" of the object around it." : "List names of properties: [\"a\", \"b\"]."
      if let names = names(value, "required", at: keywords.place.appending("required"), fix), !names.isEmpty {
        keywords.add("required", .required(names))
      }
    }
    guard keywords.dialect.draft == .draft2020, let map = object("dependentRequired", keywords) else { return }
    var dependent: [String: [String]] = [:]
    for (key, value) in Self.sorted(map) {
      let place = keywords.place.appending("dependentRequired").appending(key)
      dependent[key] = names(value, "dependentRequired", at: place, "List names of properties: [\"a\", \"b\"].")
    }
    keywords.add("dependentRequired", .dependentRequired(dependent))
  }

  private mutating func readProperties(_ keywords: inout SchemaKeywords) {
    var rules = SchemaNode.PropertyRules()
    rules.named = schemas("properties", keywords) ?? [:]
    for (text, node) in Self.sorted(schemas("patternProperties", keywords) ?? [:]) {
      let place = keywords.place.appending("patternProperties").appending(text)
      if let pattern = pattern(text, at: place) { rules.patterns.append((pattern, node)) }
    }
    rules.additional = schema("additionalProperties", keywords)
    if !rules.named.isEmpty || !rules.patterns.isEmpty || rules.additional != nil {
      keywords.add("properties", .properties(rules))
    }
    if let node = schema("propertyNames", keywords) { keywords.add("propertyNames", .propertyNames(node)) }
    if keywords.dialect.draft == .draft2020 {
      if let nodes = schemas("dependentSchemas", keywords) {
        keywords.add("dependentSchemas", .dependentSchemas(nodes))
      }
      return
    }
    guard let dependencies = object("dependencies", keywords) else { return }
    var (required, applied): ([String: [String]], [String: Int]) = ([:], [:])
    for (key, value) in Self.sorted(dependencies) {
      let place = keywords.place.appending("dependencies").appending(key)
      if value.arrayValue != nil {
        required[key] = names(value, "dependencies", at: place, "List names of properties: [\"a\", \"b\"].")
      } else {
        applied[key] = node(at: place, value)
      }
    }
    if !required.isEmpty { keywords.add("dependencies", .dependentRequired(required)) }
    if !applied.isEmpty { keywords.add("dependencies", .dependentSchemas(applied)) }
  }

  private mutating func readItems(_ keywords: inout SchemaKeywords) {
    let isNew = keywords.dialect.draft == .draft2020
    let isList = keywords.members["items"]?.arrayValue != nil
    var prefix: [Int] = []
    var rest: Int?
    if isNew {
      if isList {
        report(
          keywords.place.appending("items"), "\"items\" must be one schema in draft 2020-12, not an array.",
          "Rename it to \"prefixItems\", and \"additionalItems\" to \"items\".")
      } else {
        prefix = list("prefixItems", keywords) ?? []
        rest = schema("items", keywords)
      }
    } else if isList {
      prefix = list("items", keywords, mayBeEmpty: true) ?? []
      rest = schema("additionalItems", keywords)
    } else {
      rest = schema("items", keywords)
      _ = schema("additionalItems", keywords)  // says nothing here, but may be wrong
    }
    if !prefix.isEmpty || rest != nil {
      keywords.add(!isNew && isList ? "additionalItems" : "items", .items(prefix: prefix, rest: rest))
    }
    let atLeast = isNew && keywords.dialect.validates ? count("minContains", keywords) : nil
    let atMost = isNew && keywords.dialect.validates ? count("maxContains", keywords) : nil
    if let node = schema("contains", keywords) {
      keywords.add("contains", .contains(node, atLeast: atLeast ?? 1, atMost: atMost))
    }
  }

  private mutating func readLogic(_ keywords: inout SchemaKeywords) {
    if let nodes = list("allOf", keywords) { keywords.add("allOf", .allOf(nodes)) }
    if let nodes = list("anyOf", keywords) { keywords.add("anyOf", .anyOf(nodes)) }
    if let nodes = list("oneOf", keywords) { keywords.add("oneOf", .oneOf(nodes)) }
    if let node = schema("not", keywords) { keywords.add("not", .not(node)) }
    let (condition, then, otherwise) = (schema("if", keywords), schema("then", keywords), schema("else", keywords))
    // An `if` alone decides nothing, but what it has looked at counts as evaluated.
    if let condition { keywords.add("if", .condition(condition, then: then, otherwise: otherwise)) }
  }

  private mutating func readUnevaluated(_ keywords: inout SchemaKeywords) {
    if let node = schema("unevaluatedItems", keywords) { keywords.add("unevaluatedItems", .unevaluatedItems(node)) }
    if let node = schema("unevaluatedProperties", keywords) {
      keywords.add("unevaluatedProperties", .unevaluatedProperties(node))
    }
  }

  /// Compiles definitions even if nothing refers to them, so that what is wrong with them is said.
  private mutating func readDefinitions(_ keywords: SchemaKeywords) {
    for keyword in keywords.dialect.draft == .draft2020 ? ["$defs", "definitions"] : ["definitions"] {
      _ = schemas(keyword, keywords)
    }
  }
}

// Reading one keyword, and saying what is wrong with it.
extension SchemaCompiler {
  private mutating func report(
    _ keyword: String, _ keywords: SchemaKeywords, _ expected: String, _ value: Value, _ fix: String
  ) {
    report(keywords.place.appending(keyword), "\"\(keyword)\" must be \(expected), not \(value.kind).", fix)
  }

  private mutating func string(_ keyword: String, _ keywords: SchemaKeywords, _ fix: String) -> String? {
    guard let value = keywords.members[keyword] else { return nil }
    if value.stringValue == nil { report(keyword, keywords, "a string", value, fix) }
    return value.stringValue
  }

  private mutating func array(_ keyword: String, _ keywords: SchemaKeywords, _ fix: String) -> [Value]? {
    guard let value = keywords.members[keyword] else { return nil }
    if value.arrayValue == nil { report(keyword, keywords, "an array", value, fix) }
    return value.arrayValue
  }

  private mutating func object(_ keyword: String, _ keywords: SchemaKeywords) -> [String: Value]? {
    guard let value = keywords.members[keyword] else { return nil }
    if value.objectValue == nil { report(keyword, keywords, "an object", value, "Write {\"name\": …}.") }
    return value.objectValue
  }

  /// A number of things. One that no value can have is as good as the largest `Int`.
  private mutating func count(_ keyword: String, _ keywords: SchemaKeywords) -> Int? {
    guard let value = keywords.members[keyword] else { return nil }
    guard let number = value.numberValue, number.isInteger, number >= Number(0) else {
      let found = value.numberValue == nil ? value.kind : "this number"
      report(
        keywords.place.appending(keyword), "\"\(keyword)\" must be a whole number of 0 or more, not \(found).",
        "Write a whole number.")
      return nil
    }
    return number.intValue ?? .max
  }

  private mutating func names(_ value: Value, _ keyword: String, at place: SchemaPlace, _ fix: String) -> [String]? {
    guard let elements = value.arrayValue else {
      report(place, "\"\(keyword)\" must be an array of names, not \(value.kind).", fix)
      return nil
    }
    var names: [String] = []
    for (index, element) in elements.enumerated() {
      if let name = element.stringValue {
        names.append(name)
      } else {
        report(place.appending(String(index)), "A name must be a string, not \(element.kind).", fix)
      }
    }
    return names
  }

  private mutating func schema(_ keyword: String, _ keywords: SchemaKeywords) -> Int? {
    keywords.members[keyword].map { node(at: keywords.place.appending(keyword), $0) }
  }

  private mutating func list(_ keyword: String, _ keywords: SchemaKeywords, mayBeEmpty: Bool = false) -> [Int]? {
    guard let values = array(keyword, keywords, "Write an array of schemas.") else { return nil }
    if values.isEmpty, !mayBeEmpty {
      report(
        keywords.place.appending(keyword), "\"\(keyword)\" is an empty array.", "Put a schema into it, or remove it.")
      return nil
    }
    let place = keywords.place.appending(keyword)
    return values.enumerated().map { node(at: place.appending(String($0.offset)), $0.element) }
  }

  private mutating func schemas(_ keyword: String, _ keywords: SchemaKeywords) -> [String: Int]? {
    guard let map = object(keyword, keywords) else { return nil }
    var nodes: [String: Int] = [:]
    let place = keywords.place.appending(keyword)
    for (key, value) in Self.sorted(map) { nodes[key] = node(at: place.appending(key), value) }
    return nodes
  }

  private mutating func pattern(_ text: String, at place: SchemaPlace) -> Pattern? {
    do {
      let pattern = try Pattern(text)
      patternSize += pattern.size
      if patternSize <= Self.maximumPatternSize { return pattern }
      report(place, "The patterns of the schema are too large together.", "Repeat less often in them.")
    } catch {
      report(
        place, "The pattern cannot be used: at character \(error.position), \(error.message).", error.fix)
    }
    return nil
  }

  /// By key, so that problems come in the same order each time.
  static func sorted<Element>(_ members: [String: Element]) -> [(key: String, value: Element)] {
    members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }
}
