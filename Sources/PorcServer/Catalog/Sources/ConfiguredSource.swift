import PorcCore
import PorcStore

/// A source as this server has it.
struct ConfiguredSource: Sendable {
  var source: TemplateSource
  /// Of one that the configuration names.
  var access: SourceAccess?
  /// Of one that was added.
  var record: SourceRecord?

  var isReadOnly: Bool { access != nil }
  var hasCredentials: Bool { access?.isEmpty == false || record?.secret != nil }
}
