extension JSONSchema {
  /// A version of JSON Schema.
  public enum Draft: String, Sendable, Hashable, CaseIterable {
    case draft7 = "http://json-schema.org/draft-07/schema"
    case draft2020 = "https://json-schema.org/draft/2020-12/schema"

    /// The version that a `$schema` names, with or without `#` at its end, `http` or `https`.
    init?(schemaURI: String) {
      let uri = URIReference(schemaURI)
      guard let draft = Self.allCases.first(where: { Self.spelling($0.rawValue) == Self.spelling(uri.resource) }),
        (uri.fragment ?? "").isEmpty
      else { return nil }
      self = draft
    }

    private static func spelling(_ uri: String) -> Substring {
      uri.hasPrefix("https:") ? uri.dropFirst(6) : uri.dropFirst(5)
    }
  }
}
