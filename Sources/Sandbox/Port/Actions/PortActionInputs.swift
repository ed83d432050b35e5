/// What somebody who runs an action is asked for.
struct PortActionInputs: Sendable {
  /// The schema of each input.
  let properties: [String: JSONValue]
  let required: [String]

  private static let formats = [
    "date-time", "url", "email", "ipv4", "ipv6", "yaml", "entity", "user", "team", "proto", "markdown", "multi-line",
    "labeled-url",
  ]

  /// Reads `{properties, required?, titles?, order? | steps?}`.
  init(_ document: JSONValue, at place: String) throws(PortFailure) {
    try document.checkMembers(["properties", "required", "titles", "order", "steps"], at: place)
    guard let properties = document["properties"].object else {
      throw .invalid("\(place) must have required property 'properties'")
    }
    for (key, schema) in properties { try Self.check(schema, at: "\(place)/properties/\(key)", key) }
    guard document["required"].isNull || document["required"].array != nil else {
      throw .invalid("\(place)/required must be array; the sandbox computes none by jq")
    }
    let required = (document["required"].array ?? []).compactMap(\.string)
    for key in required where properties[key] == nil {
      throw .invalid("\(place)/required names '\(key)', which is not an input")
    }
    for key in (document["order"].array ?? []).compactMap(\.string)
    where properties[key] == nil && document["titles"][key].isNull {
      throw .invalid("\(place)/order names '\(key)', which is not an input")
    }
    self.properties = properties
    self.required = required
  }

  private static func check(_ schema: JSONValue, at place: String, _ key: String) throws(PortFailure) {
    guard PortIdentifier.isKey(key) else { throw .invalid("\(place) is not a valid key") }
    guard let type = schema["type"].string, PortBlueprint.types.contains(type) else {
      throw .invalid("\(place)/type must be one of \(PortBlueprint.types.joined(separator: ", "))")
    }
    guard schema["format"].isNull || formats.contains(schema["format"].string ?? "") else {
      throw .invalid("\(place)/format must be one of \(formats.joined(separator: ", "))")
    }
    guard schema["encryption"].isNull else { throw .invalid("\(place)/encryption: the sandbox encrypts no inputs") }
    for (name, value) in schema.object ?? [:] where !value["jqQuery"].isNull {
      throw .invalid("\(place)/\(name)/jqQuery: the sandbox computes no inputs by jq")
    }
    if let pattern = schema["pattern"].string, (try? Regex(pattern)) == nil {
      throw .invalid("\(place)/pattern must be a regular expression")
    }
  }

  /// What was sent, with the defaults of what was not; refused where it does not fit.
  func values(_ sent: JSONValue) throws(PortFailure) -> [String: JSONValue] {
    guard var values = sent.object else { throw .invalid("body/properties must be object") }
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let schema = properties[key] else {
        throw .invalid("body/properties must NOT have additional property '\(key)'")
      }
      if !value.isNull, let problem = PropertyCheck.problem(value, schema) {
        throw .invalid("body/properties/\(key) \(problem)")
      }
    }
    for (key, schema) in properties where values[key] == nil && !schema["default"].isNull {
      values[key] = schema["default"]
    }
    for key in required where values[key]?.isNull ?? true {
      throw .invalid("body/properties must have required property '\(key)'")
    }
    return values
  }
}
