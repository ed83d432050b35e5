import HCL

/// Turns documents into ``SchemaNode``s, following references into registered documents as they come up.
///
/// Nothing here calls itself: schemas wait in a list until it is their turn, so a long chain of references costs no stack.
struct SchemaCompiler {
  /// How deep a document may be nested.
  static let maximumDepth = 200
  /// How many schemas may be applied to one value inside each other.
  static let maximumDepthInPlace = 200
  /// How many instructions all patterns together may become.
  static let maximumPatternSize = 300_000
  /// How many problems are listed.
  static let maximumProblems = 100

  let registered: [String: Value]
  let defaultDraft: JSONSchema.Draft

  var documents: [(uri: String, value: Value)] = []
  var resources: [SchemaResource] = []
  /// By base URI, and for a registered document by the URI it is registered under.
  var resourcesByURI: [String: Int] = [:]
  /// The resource of each place that is known to be a schema.
  var scanned: [SchemaPlace: Int] = [:]
  var nodes: [SchemaNode] = []
  var numbers: [SchemaPlace: Int] = [:]
  var waiting: [Waiting] = []
  var problems: [SchemaProblem] = []
  var patternSize = 0

  struct Waiting {
    let node: Int
    let place: SchemaPlace
    let value: Value
  }

  init(registered: [String: Value], defaultDraft: JSONSchema.Draft) {
    self.registered = Dictionary(registered.map { (URIReference($0.key).resource, $0.value) }) { first, _ in first }
    self.defaultDraft = defaultDraft
  }

  /// Compiles `document`. The schema for a value is the node 0.
  mutating func compile(_ document: Value) throws(SchemaProblems) {
    if let resource = load(document, uri: "") {
      _ = node(at: resources[resource].place, document)
      work()
      checkForEndlessReferences()
    }
    if !problems.isEmpty {
      // Schemas are compiled in no order that a reader would expect.
      throw SchemaProblems(problems: problems.sorted { ($0.pointer, $0.message) < ($1.pointer, $1.message) })
    }
    for (index, node) in nodes.enumerated() {
      nodes[index].needsEvaluated = node.rules.contains { rule in
        switch rule.check {
        case .unevaluatedItems, .unevaluatedProperties: true
        default: false
        }
      }
    }
  }

  private mutating func work() {
    repeat {
      while let next = waiting.popLast() {
        guard problems.count < Self.maximumProblems else { return }
        compile(next)
      }
      compileDynamicAnchors()
    } while !waiting.isEmpty
  }

  /// Takes a document in, with all resources and anchors in it. Nil if it cannot be used at all.
  mutating func load(_ value: Value, uri: String) -> Int? {
    let document = documents.count
    documents.append((uri, value))
    let place = SchemaPlace(document: document, pointer: "")
    guard Self.isShallow(value) else {
      report(place, "The document is nested more than \(Self.maximumDepth) deep.", "Split it into definitions.")
      return nil
    }
    let dialect = dialect(declaredBy: value, at: place) ?? SchemaDialect(defaultDraft)
    resources.append(SchemaResource(base: uri, document: document, pointer: "", dialect: dialect))
    let resource = resources.count - 1
    resourcesByURI[uri] = resource
    scan(value, at: place, in: resource)
    return scanned[place] ?? resource
  }

  /// The number of the schema at a place, which will be compiled if it is not yet.
  mutating func node(at place: SchemaPlace, _ value: Value) -> Int {
    if let number = numbers[place] { return number }
    let resource = resource(at: place, value)
    nodes.append(SchemaNode(pointer: shown(place), resource: resource))
    let number = nodes.count - 1
    numbers[place] = number
    waiting.append(Waiting(node: number, place: place, value: value))
    return number
  }

  /// The resource that a place belongs to. A place that no keyword makes a schema, but a reference does, is scanned now.
  private mutating func resource(at place: SchemaPlace, _ value: Value) -> Int {
    if let resource = scanned[place] { return resource }
    var around = place.parent
    while let outer = around {
      if let resource = scanned[outer] {
        scan(value, at: place, in: resource)
        return scanned[place] ?? resource
      }
      around = outer.parent
    }
    return resources.firstIndex { $0.document == place.document } ?? 0
  }

  mutating func report(_ place: SchemaPlace, _ message: String, _ fix: String) {
    let problem = SchemaProblem(pointer: shown(place), message: message, fix: fix)
    if problems.count < Self.maximumProblems, !problems.contains(problem) { problems.append(problem) }
  }

  private func shown(_ place: SchemaPlace) -> String {
    place.document == 0 ? place.pointer : "\(documents[place.document].uri)#\(place.pointer)"
  }

  private static func isShallow(_ value: Value) -> Bool {
    var layer = [value]
    for _ in 0...maximumDepth {
      layer = layer.flatMap { value -> [Value] in
        switch value {
        case .array(let elements): elements
        case .object(let members): Array(members.values)
        default: []
        }
      }
      if layer.isEmpty { return true }
    }
    return false
  }
}
