public import Foundation
public import PorcCore

/// The templates that can be had.
public protocol CatalogStore: Sendable {
  /// All templates, by name and then by version, newest first.
  func templates() async throws -> [Template]

  func template(_ id: Template.ID) async throws -> Template?

  /// Counts the changes of the catalog: what was read from it holds while this stays the same.
  func catalogVersion() async throws -> Int64

  /// Stores templates of `source` with their archives, and wants them in the portal.
  ///
  /// - Returns: those whose id another source has already, or came before in `templates`; they are left out.
  /// - Throws: ``StoreError/unusable(_:fix:)`` if the archive of a template is neither in `archives` nor stored.
  @discardableResult
  func putTemplates(_ templates: [Template], of source: String, archives: [String: Data]) async throws -> [Template.ID]

  /// The content of each template that a source has, by ``Template/content``.
  func templateContents(of source: String) async throws -> [Template.ID: String]

  /// What has changed in the catalog since a version of it.
  func catalogChanges(since version: Int64) async throws -> CatalogChanges

  /// The source has no other templates than `kept`: the rest is given up, and free for other sources.
  func giveUpTemplates(of source: String, except kept: Set<Template.ID>) async throws

  /// Gives up the templates of all sources but these.
  func giveUpSources(except sources: Set<String>) async throws

  /// Of the templates that were given up, one that a listed instance was made from becomes `retired`; any other goes, in
  /// the portal too.
  func settleTemplates() async throws
}

/// How a catalog that was read before becomes the present one.
public struct CatalogChanges: Sendable {
  /// The version that it leads to.
  public var version: Int64
  /// All templates there are now.
  public var ids: Set<Template.ID>
  /// Those that are new or other than before.
  public var changed: [Template]

  public init(version: Int64, ids: Set<Template.ID>, changed: [Template]) {
    self.version = version
    self.ids = ids
    self.changed = changed
  }
}

/// Where templates come from: what was added at run time, and how each source did.
public protocol SourceStore: Sendable {
  /// By name.
  func sources() async throws -> [SourceRecord]

  /// - Throws: ``StoreError/unusable(_:fix:)`` if there is one of this name.
  func addSource(_ source: TemplateSource, secret: Data?) async throws

  /// Removes one that was added. Its templates stay until they are given up.
  ///
  /// - Returns: whether there was one.
  func removeSource(_ name: String) async throws -> Bool

  /// Keeps how a source did, and the fingerprint of what was read, for the next look; `nil` leaves the one there is.
  func noteSource(_ name: String, fingerprint: String?, report: SourceReport) async throws

  /// Remembers a delivery of a webhook, for 30 days.
  ///
  /// - Returns: whether it is new.
  func takeDelivery(_ id: String, from sender: String) async throws -> Bool
}

/// A source as the store knows it.
public struct SourceRecord: Sendable, Equatable {
  public var name: String
  /// Absent where the configuration alone names it.
  public var source: TemplateSource?
  /// What signs PORC in there, sealed.
  public var secret: Data?
  public var fingerprint: String?
  public var report: SourceReport?

  public init(
    name: String, source: TemplateSource? = nil, secret: Data? = nil, fingerprint: String? = nil,
    report: SourceReport? = nil
  ) {
    self.name = name
    self.source = source
    self.secret = secret
    self.fingerprint = fingerprint
    self.report = report
  }
}
