import HCL

// What must be known before the first reference is followed: which schemas have URIs and anchors.
extension SchemaCompiler {
  /// Finds the resources and anchors in the schema at `place` and in all schemas inside it.
  mutating func scan(_ value: Value, at place: SchemaPlace, in resource: Int) {
    var waiting = [(value: value, place: place, resource: resource)]
    while let (value, place, outer) = waiting.popLast() {
      guard scanned[place] == nil else { continue }
      guard case .object(let members) = value else {
        scanned[place] = outer
        continue
      }
      let hidesSiblings = resources[outer].dialect.draft == .draft7 && members["$ref"] != nil
      let resource = hidesSiblings ? outer : identify(members, value, at: place, in: outer)
      scanned[place] = resource
      for (inner, token) in subschemas(of: members, in: resources[resource].dialect, onlyDefinitions: hidesSiblings) {
        let innerPlace = token.reduce(place) { $0.appending($1) }
        waiting.append((inner, innerPlace, resource))
      }
    }
  }

  /// The schemas right inside an object that is one, with the way to each. Wrong types are passed over: compiling reports
  /// them.
  private func subschemas(
    of members: [String: Value], in dialect: SchemaDialect, onlyDefinitions: Bool
  ) -> [(Value, [String])] {
    var found: [(Value, [String])] = []
    func list(_ keyword: String) {
      for (index, element) in (members[keyword]?.arrayValue ?? []).enumerated() {
        found.append((element, [keyword, String(index)]))
      }
    }
    func map(_ keyword: String) {
      for (key, element) in members[keyword]?.objectValue ?? [:] { found.append((element, [keyword, key])) }
    }
    if onlyDefinitions {
      map("definitions")
      return found
    }
    for keyword in dialect.schemaKeywords { if let value = members[keyword] { found.append((value, [keyword])) } }
    for keyword in dialect.listKeywords { list(keyword) }
    for keyword in dialect.mapKeywords { map(keyword) }
    if dialect.draft == .draft7 {
      if members["items"]?.arrayValue != nil {
        list("items")
      } else if let items = members["items"] {
        found.append((items, ["items"]))
      }
      for (key, element) in members["dependencies"]?.objectValue ?? [:] where element.arrayValue == nil {
        found.append((element, ["dependencies", key]))
      }
    }
    return found
  }

  /// Takes note of `$id` and anchors of a schema. Returns its resource: a new one if it has an `$id`.
  private mutating func identify(
    _ members: [String: Value], _ value: Value, at place: SchemaPlace, in outer: Int
  ) -> Int {
    var resource = outer
    let draft = resources[outer].dialect.draft
    if let id = members["$id"]?.stringValue {
      let reference = URIReference(id)
      let fragment = reference.fragment ?? ""
      if draft == .draft7, id.utf8.first == UInt8(ascii: "#") {
        addAnchor(fragment, isDynamic: false, at: place, keyword: "$id", in: resource)
      } else if draft == .draft2020, !fragment.isEmpty {
        report(place.appending("$id"), "An \"$id\" must not have a fragment.", "Write the fragment as \"$anchor\".")
      } else {
        let uri = URIReference(resources[outer].base).resolving(reference).resource
        resource = addResource(uri, value, at: place, in: outer)
        if draft == .draft7, !fragment.isEmpty {
          addAnchor(fragment, isDynamic: false, at: place, keyword: "$id", in: resource)
        }
      }
    } else if let id = members["$id"] {
      report(place.appending("$id"), "\"$id\" must be a string, not \(id.kind).", "Write a URI, or remove it.")
    }
    guard draft == .draft2020 else { return resource }
    for (keyword, isDynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
      guard let name = members[keyword] else { continue }
      if let name = name.stringValue {
        addAnchor(name, isDynamic: isDynamic, at: place, keyword: keyword, in: resource)
      } else {
        report(
          place.appending(keyword), "\"\(keyword)\" must be a string, not \(name.kind).", "Write a name, or remove it.")
      }
    }
    return resource
  }

  private mutating func addResource(_ uri: String, _ value: Value, at place: SchemaPlace, in outer: Int) -> Int {
    if uri == resources[outer].base, resources[outer].place == place { return outer }
    if let other = resourcesByURI[uri], resources[other].document == place.document, resources[other].place != place {
      report(
        place.appending("$id"), "Another schema in this document has the same \"$id\".", "Give each a URI of its own.")
      return outer
    }
    let dialect =
      place.pointer.isEmpty || value["$schema"] == nil
      ? resources[outer].dialect : dialect(declaredBy: value, at: place) ?? resources[outer].dialect
    resources.append(
      SchemaResource(base: uri, document: place.document, pointer: place.pointer, dialect: dialect))
    resourcesByURI[uri] = resources.count - 1
    return resources.count - 1
  }

  private mutating func addAnchor(
    _ name: String, isDynamic: Bool, at place: SchemaPlace, keyword: String, in resource: Int
  ) {
    if let other = resources[resource].anchors[name], other != place.pointer {
      report(
        place.appending(keyword), "Another schema has the same anchor \(quoted(name)).", "Give each a name of its own.")
    }
    resources[resource].anchors[name] = place.pointer
    if isDynamic { resources[resource].dynamicAnchors.insert(name) }
  }

  /// What the `$schema` of a document says; nil if it has none.
  mutating func dialect(declaredBy value: Value, at place: SchemaPlace) -> SchemaDialect? {
    guard let declared = value["$schema"] else { return nil }
    let place = place.appending("$schema")
    guard let uri = declared.stringValue else {
      report(place, "\"$schema\" must be a string, not \(declared.kind).", "Write the URI of a draft, or remove it.")
      return nil
    }
    if let draft = JSONSchema.Draft(schemaURI: uri) { return SchemaDialect(draft) }
    guard let metaschema = registered[URIReference(uri).resource] else {
      report(
        place, "\(quoted(uri)) is no version of JSON Schema that is supported.",
        "Use \(quoted(JSONSchema.Draft.draft2020.rawValue)) or \(quoted(JSONSchema.Draft.draft7.rawValue + "#")).")
      return nil
    }
    guard let draft = JSONSchema.Draft(schemaURI: metaschema["$schema"]?.stringValue ?? defaultDraft.rawValue) else {
      report(
        place, "The metaschema \(quoted(uri)) is itself of a version that is not supported.",
        "Write the metaschema for draft 2020-12.")
      return nil
    }
    var dialect = SchemaDialect(draft)
    guard let vocabularies = metaschema["$vocabulary"]?.objectValue else { return dialect }
    let prefix = "https://json-schema.org/draft/2020-12/vocab/"
    dialect.appliesSchemas = vocabularies[prefix + "applicator"] != nil
    dialect.validates = vocabularies[prefix + "validation"] != nil
    dialect.seesUnevaluated = vocabularies[prefix + "unevaluated"] != nil
    let known = ["core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content"]
    for (name, isRequired) in vocabularies.sorted(by: { $0.key < $1.key })
    where isRequired == .bool(true) && !known.contains(where: { prefix + $0 == name }) {
      report(
        place, "The metaschema \(quoted(uri)) requires the vocabulary \(quoted(name)), which is not supported.",
        "Use a metaschema that does without it.")
    }
    return dialect
  }

  /// A text of the schema as messages show it, cut if it is long.
  func quoted(_ text: String) -> String { Phrase.quoted(text) }
}
