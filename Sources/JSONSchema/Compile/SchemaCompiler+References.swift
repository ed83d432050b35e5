import HCL

extension SchemaCompiler {
  /// The schema that `text`, the value of a `$ref` at `place`, leads to.
  mutating func target(of text: String, at place: SchemaPlace, from resource: Int) -> Int? {
    let uri = URIReference(resources[resource].base).resolving(URIReference(text))
    guard let resource = self.resource(uri, at: place) else { return nil }
    guard let fragment = uri.decodedFragment else {
      report(place, "The part behind '#' in \(quoted(text)) is not encoded properly.", "Write % as %25.")
      return nil
    }
    let target: SchemaPlace
    if fragment.isEmpty || fragment.utf8.first == UInt8(ascii: "/") {
      let tokens = fragment.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(Self.unescaped)
      target = tokens.reduce(resources[resource].place) { $0.appending($1) }
    } else if let anchor = resources[resource].anchors[fragment] {
      target = SchemaPlace(document: resources[resource].document, pointer: anchor)
    } else {
      let near = Phrase.nearest(to: fragment, among: resources[resource].anchors.keys)
      report(
        place, "There is no anchor \(quoted(fragment)).",
        near.map { "Did you mean \(quoted($0))?" } ?? "Define it, or refer to a place such as \"#/$defs/name\".")
      return nil
    }
    guard let value = value(at: target, for: text, reference: place) else { return nil }
    switch value {
    case .object, .bool: return node(at: target, value)
    default:
      report(
        place, "\(quoted(text)) leads to \(value.kind), not to a schema.", "Refer to an object, or to true or false.")
      return nil
    }
  }

  /// Whether a `$dynamicRef` may lead elsewhere than to its target: whether its own resource has a `$dynamicAnchor` of that
  /// name. Returns the name.
  mutating func dynamicAnchor(of text: String, from resource: Int) -> String? {
    let uri = URIReference(resources[resource].base).resolving(URIReference(text))
    guard let target = resourcesByURI[uri.resource], let fragment = uri.decodedFragment,
      resources[target].dynamicAnchors.contains(fragment)
    else { return nil }
    return fragment
  }

  /// Compiles what `$dynamicRef`s can lead to, in all resources known so far.
  mutating func compileDynamicAnchors() {
    for resource in resources.indices {
      for name in resources[resource].dynamicAnchors where resources[resource].dynamicNodes[name] == nil {
        guard let pointer = resources[resource].anchors[name] else { continue }
        let place = SchemaPlace(document: resources[resource].document, pointer: pointer)
        guard let value = value(at: place, for: name, reference: place) else { continue }
        let node = node(at: place, value)
        resources[resource].dynamicNodes[name] = node
      }
    }
  }

  private mutating func resource(_ uri: URIReference, at place: SchemaPlace) -> Int? {
    let name = uri.resource
    if let resource = resourcesByURI[name] { return resource }
    guard let document = registered[name] ?? Metaschemas.documents[name] else {
      let known = Set(resourcesByURI.keys).union(registered.keys).subtracting([""])
      let near = Phrase.nearest(to: name, among: known)
      report(
        place, "There is no schema \(quoted(name)) here, and none is fetched.",
        near.map { "Did you mean \(quoted($0))?" } ?? "Put what is referred to under \"$defs\" of this schema.")
      return nil
    }
    guard let resource = load(document, uri: name) else { return nil }
    resourcesByURI[name] = resource
    return resource
  }

  private mutating func value(at target: SchemaPlace, for text: String, reference: SchemaPlace) -> Value? {
    var value = documents[target.document].value
    for token in target.pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(Self.unescaped)
    {
      let next: Value? =
        switch value {
        case .object(let members): members[token]
        case .array(let elements): Self.index(token).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
        default: nil
        }
      guard let next else {
        let near = Phrase.nearest(to: token, among: (value.objectValue ?? [:]).keys)
        report(
          reference, "\(quoted(text)) leads to nothing: there is no \(quoted(token)).",
          near.map { "Did you mean \(quoted($0))?" } ?? "Define it, or refer to another schema.")
        return nil
      }
      value = next
    }
    return value
  }

  /// A number as JSON pointers write it: digits without a needless zero.
  private static func index(_ token: String) -> Int? {
    guard let index = Int(token), index >= 0, String(index) == token else { return nil }
    return index
  }

  private static func unescaped(_ token: some StringProtocol) -> String {
    guard token.utf8.contains(UInt8(ascii: "~")) else { return String(token) }
    var text = String.UnicodeScalarView()
    var isEscape = false
    for scalar in token.unicodeScalars {
      switch (isEscape, scalar) {
      case (true, "0"): text.append("~")
      case (true, "1"): text.append("/")
      case (true, _): text.append(contentsOf: ["~", scalar])
      case (false, "~"):
        isEscape = true
        continue
      case (false, _): text.append(scalar)
      }
      isEscape = false
    }
    return String(text)
  }
}

extension SchemaCompiler {
  /// A schema that is applied to a value because it is applied to that same value would never end; one that applies a great
  /// many others inside each other would need too much of the stack.
  mutating func checkForEndlessReferences() {
    let applied = nodes.map(\.appliedInPlace)
    /// 0 is not looked at, -1 is being looked at, else how many schemas are inside each other from here on.
    var heights = Array(repeating: 0, count: nodes.count)
    for start in nodes.indices where heights[start] == 0 {
      var way = [(node: start, next: 0)]
      heights[start] = -1
      while let (node, next) = way.last {
        guard next < applied[node].count else {
          heights[node] = 1 + (applied[node].map { heights[$0] }.max() ?? 0)
          way.removeLast()
          if heights[node] == Self.maximumDepthInPlace {
            report(
              place(of: node),
              "More than \(Self.maximumDepthInPlace) schemas apply to one value inside each other here.",
              "Refer to fewer schemas in a row.")
          }
          continue
        }
        way[way.count - 1].next += 1
        let inner = applied[node][next]
        if heights[inner] == -1 {
          report(
            place(of: node), "This schema applies itself to the same value again and again.",
            "Let the reference stand deeper, such as under \"properties\" or \"items\".")
          return
        }
        if heights[inner] == 0 {
          heights[inner] = -1
          way.append((inner, 0))
        }
      }
    }
  }

  private func place(of node: Int) -> SchemaPlace {
    numbers.first { $0.value == node }?.key ?? SchemaPlace(document: 0, pointer: "")
  }
}
