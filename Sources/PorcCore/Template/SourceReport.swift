public import Foundation

/// How a source did when it was last looked at.
public struct SourceReport: Codable, Sendable, Equatable {
  /// How many templates it offers.
  public var templates: Int
  /// Why the whole source could not be read, if it could not; its templates stay as they were.
  public var error: String?
  /// What to do about the error.
  public var fix: String?
  /// With the module's path at the beginning of each message.
  public var findings: [Finding]
  /// When it was last looked at with success.
  public var syncedAt: Date?

  public init(
    templates: Int = 0, error: String? = nil, fix: String? = nil, findings: [Finding] = [], syncedAt: Date? = nil
  ) {
    self.templates = templates
    self.error = error
    self.fix = fix
    self.findings = findings
    self.syncedAt = syncedAt
  }

  enum CodingKeys: String, CodingKey {
    case templates, error, fix, findings
    case syncedAt = "synced_at"
  }
}
