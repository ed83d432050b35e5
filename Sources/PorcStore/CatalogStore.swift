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

  /// What is stored of each template that a source has.
  func knownTemplates(of source: String) async throws -> [Template.ID: KnownTemplate]

  /// What has changed in the catalog since a version of it.
  func catalogChanges(since version: Int64) async throws -> CatalogChanges

  /// The source has no other templates than `kept`: the rest is given up, and free for other sources.
  func giveUpTemplates(of source: String, except kept: Set<Template.ID>) async throws

  /// Gives up the templates of all sources but these, and forgets how those sources did.
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

/// What tells whether a template has to be read again, and whether it is another then.
public struct KnownTemplate: Sendable, Equatable {
  /// See ``Template/content``.
  public var content: String?
  public var archive: String

  public init(content: String?, archive: String) {
    self.content = content
    self.archive = archive
  }
}
