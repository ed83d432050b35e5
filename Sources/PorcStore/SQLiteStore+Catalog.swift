public import Foundation
import GRDB
public import PorcCore
import Synchronization

extension SQLiteStore {
  public func templates() async throws -> [Template] {
    let templates = try await read { db in
      try db.rows("SELECT document FROM template").map { try StoredJSON.read(Template.self, from: $0[0]) }
    }
    // SemVer's order is not one that SQL has.
    return templates.sorted { ($0.name, $1.version, $0.id) < ($1.name, $0.version, $1.id) }
  }

  public func template(_ id: Template.ID) async throws -> Template? {
    try await read { db in
      try db.value(String.self, "SELECT document FROM template WHERE id = ?", [id.rawValue])
        .map { try StoredJSON.read(Template.self, from: $0) }
    }
  }

  public func catalogVersion() async throws -> Int64 {
    if let known = knownCatalogVersion.withLock(\.self) { return known }
    let version = try await read { try $0.value(Int64.self, "SELECT version FROM catalog") ?? 0 }
    noteCatalogVersion(version)
    return version
  }

  @discardableResult
  public func replaceTemplates(of source: String, with templates: [Template], archives: [String: Data]) async throws
    -> [Template.ID]
  {
    let (leftOut, version) = try await write { [self] db in
      for (digest, bytes) in archives { try Self.putBlob(bytes, digest: digest, db) }
      var catalog = CatalogWriter(db: db, source: source, now: now().milliseconds)
      for template in templates { try catalog.put(template) }
      try catalog.removeOthers()
      if catalog.isChanged { try db.run("UPDATE catalog SET version = version + 1") }
      return (catalog.leftOut, try db.value(Int64.self, "SELECT version FROM catalog") ?? 0)
    }
    noteCatalogVersion(version)
    return leftOut
  }

  /// The version only grows, so the larger of two is the newer.
  private func noteCatalogVersion(_ version: Int64) {
    guard isAlone else { return }
    knownCatalogVersion.withLock { $0 = max($0 ?? 0, version) }
  }
}

/// Makes the templates of one source what they should be.
private struct CatalogWriter {
  let db: Database
  let source: String
  let now: Int64
  private(set) var leftOut: [Template.ID] = []
  private(set) var isChanged = false
  private var kept: Set<String> = []

  init(db: Database, source: String, now: Int64) {
    self.db = db
    self.source = source
    self.now = now
  }

  mutating func put(_ template: Template) throws {
    let id = template.id.rawValue
    let existing = try db.row("SELECT source, is_gone, document FROM template WHERE id = ?", [id])
    let (owner, isGone, document): (String?, Bool?, String?) = (existing?[0], existing?[1], existing?[2])
    // What its source has no more is free for another.
    if kept.contains(id) || (owner != nil && owner != source && isGone == false) {
      leftOut.append(template.id)
      return
    }
    kept.insert(id)
    var template = template
    template.source = source
    let text = try StoredJSON.text(template)
    if document == text, isGone == false { return }
    guard try db.value(Int.self, "SELECT 1 FROM blob WHERE digest = ?", [template.archive]) != nil else {
      throw StoreError.unusable(
        "The archive \(template.archive) of the template '\(id)' is not stored.",
        fix: "Pass it along with the template.")
    }
    try store(template, text, isGone: false)
  }

  /// All that the source has no more.
  mutating func removeOthers() throws {
    for row in try db.rows("SELECT id, is_gone, document FROM template WHERE source = ?", [source]) {
      let id: String = row[0]
      guard !kept.contains(id) else { continue }
      if try isInUse(id) {
        guard row[1] == false else { continue }
        var template = try StoredJSON.read(Template.self, from: row[2])
        template.status = .retired
        try store(template, try StoredJSON.text(template), isGone: true)
      } else {
        try db.run("DELETE FROM template WHERE id = ?", [id])
        try SQLiteStore.want(nil, of: .template, id, at: now, db)
        isChanged = true
      }
    }
  }

  private mutating func store(_ template: Template, _ document: String, isGone: Bool) throws {
    try db.run(
      """
      INSERT INTO template (id, source, is_gone, archive, document) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET source = excluded.source, is_gone = excluded.is_gone, archive = excluded.archive,
        document = excluded.document
      """, [template.id.rawValue, source, isGone, template.archive, document])
    let entity = PortalEntity(template)
    try SQLiteStore.want(entity, of: .template, entity.identifier, at: now, db)
    isChanged = true
  }

  /// Whether an instance in the list was made from it, or is about to be. A destroyed one counts until it is removed:
  /// its entity in the portal still points to the template.
  private func isInUse(_ id: String) throws -> Bool {
    try db.value(
      Int.self,
      """
      SELECT 1 FROM instance
      WHERE removed_at IS NULL AND (deployed_template = ?1 OR EXISTS (
        SELECT 1 FROM run WHERE run.id IN (instance.newest, instance.holder) AND run.template = ?1)) LIMIT 1
      """, [id]) != nil
  }
}
