public import Foundation
public import PorcCore

/// The templates that can be had.
public protocol CatalogStore: Sendable {
  /// All templates, by name and then by version, newest first.
  func templates() async throws -> [Template]

  func template(_ id: Template.ID) async throws -> Template?

  /// Counts the changes of the catalog: what was read from it holds while this stays the same.
  func catalogVersion() async throws -> Int64

  /// Makes the templates of `source` exactly these, stores their archives, and wants them in the portal. One that is
  /// gone and that a listed instance was made from becomes `retired`; any other goes, in the portal too.
  ///
  /// A template whose id another source has already is left out and returned; so is one whose id came before in
  /// `templates`.
  ///
  /// - Throws: ``StoreError/unusable(_:fix:)`` if the archive of a template is neither in `archives` nor stored.
  @discardableResult
  func replaceTemplates(of source: String, with templates: [Template], archives: [String: Data]) async throws
    -> [Template.ID]
}
