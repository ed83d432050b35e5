/// One of `GET /templates/sources`.
public struct SourceBody: Codable, Sendable, Equatable {
  public var source: TemplateSource
  /// Whether the configuration names it: then it is changed there.
  public var isReadOnly: Bool
  /// Whether PORC signs in there.
  public var hasCredentials: Bool
  public var report: SourceReport

  public init(source: TemplateSource, isReadOnly: Bool, hasCredentials: Bool, report: SourceReport) {
    self.source = source
    self.isReadOnly = isReadOnly
    self.hasCredentials = hasCredentials
    self.report = report
  }

  enum CodingKeys: String, CodingKey {
    case isReadOnly = "read_only"
    case hasCredentials = "has_credentials"
  }

  public init(from decoder: any Decoder) throws {
    source = try TemplateSource(from: decoder)
    report = try SourceReport(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    isReadOnly = try container.decode(Bool.self, forKey: .isReadOnly)
    hasCredentials = try container.decode(Bool.self, forKey: .hasCredentials)
  }

  public func encode(to encoder: any Encoder) throws {
    try source.encode(to: encoder)
    try report.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(isReadOnly, forKey: .isReadOnly)
    try container.encode(hasCredentials, forKey: .hasCredentials)
  }
}

/// `GET /templates/sources`.
public struct SourceList: Codable, Sendable {
  public var sources: [SourceBody]
  public init(sources: [SourceBody]) { self.sources = sources }
}
