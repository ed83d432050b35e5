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
  public func putTemplates(_ templates: [Template], of source: String, archives: [String: Data]) async throws
    -> [Template.ID]
  {
    try await changeCatalog { catalog in
      for (digest, bytes) in archives { try Self.putBlob(bytes, digest: digest, catalog.db) }
      return try catalog.put(templates, of: source)
    }
  }

  public func knownTemplates(of source: String) async throws -> [Template.ID: KnownTemplate] {
    try await read { db in
      let rows = try db.rows(
        "SELECT id, document ->> '$.content', archive FROM template WHERE source = ? AND is_gone = 0", [source])
      return Dictionary(
        rows.map { (Template.ID($0[0]), KnownTemplate(content: $0[1], archive: $0[2])) }, uniquingKeysWith: { $1 })
    }
  }

  public func catalogChanges(since version: Int64) async throws -> CatalogChanges {
    try await read { db in
      CatalogChanges(
        version: try db.value(Int64.self, "SELECT version FROM catalog") ?? 0,
        ids: Set(try db.rows("SELECT id FROM template").map { Template.ID($0[0]) }),
        changed: try db.rows("SELECT document FROM template WHERE changed > ?", [version]).map {
          try StoredJSON.read(Template.self, from: $0[0])
        })
    }
  }

  public func giveUpTemplates(of source: String, except kept: Set<Template.ID>) async throws {
    let stored = try await read { db in
      try db.rows("SELECT id FROM template WHERE source = ? AND is_gone = 0", [source]).map { Template.ID($0[0]) }
    }
    // Nearly always there is nothing to give up; then nobody has to wait for a write.
    let lost = stored.filter { !kept.contains($0) }
    guard !lost.isEmpty else { return }
    try await write { db in
      for id in lost {
        try db.run("UPDATE template SET is_gone = 1 WHERE id = ? AND source = ?", [id.rawValue, source])
      }
    }
  }

  public func giveUpSources(except sources: Set<String>) async throws {
    let stored = try await read { db in
      try db.rows("SELECT DISTINCT source FROM template WHERE is_gone = 0").map { $0[0] as String }
    }
    for source in stored where !sources.contains(source) { try await giveUpTemplates(of: source, except: []) }
    // Should it come back, it is read anew: that nothing has changed there says nothing of what is here.
    let noted = try await read { db in
      try db.rows("SELECT name FROM source WHERE document IS NULL").map { $0[0] as String }
    }
    let gone = noted.filter { !sources.contains($0) }
    guard !gone.isEmpty else { return }
    try await write(isNews: false) { db in
      for name in gone { try db.run("DELETE FROM source WHERE name = ? AND document IS NULL", [name]) }
    }
  }

  public func settleTemplates() async throws {
    // Nearly always all is settled; then nobody has to wait for a write.
    if try await read({ try Unsettled($0).isEmpty }) { return }
    try await changeCatalog { catalog in try catalog.settle(try Unsettled(catalog.db)) }
  }

  private func changeCatalog<Outcome: Sendable>(
    _ change: @escaping @Sendable (inout CatalogWriter) throws -> Outcome
  ) async throws -> Outcome {
    let (outcome, version) = try await write { [self] db in
      var catalog = CatalogWriter(db: db, now: now().milliseconds, entity: settings.templateEntity)
      let outcome = try change(&catalog)
      if catalog.isChanged { try db.run("UPDATE catalog SET version = version + 1") }
      return (outcome, try db.value(Int64.self, "SELECT version FROM catalog") ?? 0)
    }
    noteCatalogVersion(version)
    return outcome
  }

  /// The version only grows, so the larger of two is the newer.
  private func noteCatalogVersion(_ version: Int64) {
    guard isAlone else { return }
    knownCatalogVersion.withLock { $0 = max($0 ?? 0, version) }
  }
}

/// Changes templates, and what the portal should show of them.
private struct CatalogWriter {
  let db: Database
  let now: Int64
  let entity: @Sendable (Template) -> PortalEntity
  private(set) var isChanged = false

  init(db: Database, now: Int64, entity: @escaping @Sendable (Template) -> PortalEntity) {
    self.db = db
    self.now = now
    self.entity = entity
  }

  /// - Returns: those that were left out, since another has their id.
  mutating func put(_ templates: [Template], of source: String) throws -> [Template.ID] {
    var leftOut: [Template.ID] = []
    var seen: Set<Template.ID> = []
    for template in templates where try !seen.insert(template.id).inserted || !put(template, of: source) {
      leftOut.append(template.id)
    }
    return leftOut
  }

  private mutating func put(_ template: Template, of source: String) throws -> Bool {
    let id = template.id.rawValue
    let existing = try db.row(
      "SELECT source, is_gone, document, document ->> '$.status' FROM template WHERE id = ?", [id])
    let (owner, isGone, document): (String?, Bool?, String?) = (existing?[0], existing?[1], existing?[2])
    let status = isGone == false ? (existing?[3] as String?).flatMap(Template.Status.init) : nil
    // What its source has no more is free for another.
    if let owner, owner != source, isGone == false { return false }
    var template = template
    template.source = source
    let text = try StoredJSON.text(template)
    if document == text, isGone == false { return true }
    guard try db.value(Int.self, "SELECT 1 FROM blob WHERE digest = ?", [template.archive]) != nil else {
      throw StoreError.unusable(
        "The archive \(template.archive) of the template '\(id)' is not stored.",
        fix: "Pass it along with the template.")
    }
    try store(template, text, isGone: false)
    try SQLiteStore.append(.storing(template, over: status), of: id, at: now, db)
    return true
  }

  mutating func settle(_ unsettled: Unsettled) throws {
    for var template in unsettled.toRetire {
      template.status = .retired
      try store(template, try StoredJSON.text(template), isGone: true)
      try SQLiteStore.append(TemplateEvent(.retired, template), of: template.id.rawValue, at: now, db)
    }
    for id in unsettled.toRemove {
      try db.run("DELETE FROM template WHERE id = ?", [id])
      try SQLiteStore.want(nil, of: .template, id, at: now, db)
      try SQLiteStore.append(.removed, of: id, at: now, db)
      isChanged = true
    }
  }

  private mutating func store(_ template: Template, _ document: String, isGone: Bool) throws {
    try db.run(
      """
      INSERT INTO template (id, source, is_gone, archive, document, changed)
      VALUES (?, ?, ?, ?, ?, (SELECT version + 1 FROM catalog))
      ON CONFLICT (id) DO UPDATE SET source = excluded.source, is_gone = excluded.is_gone, archive = excluded.archive,
        document = excluded.document, changed = excluded.changed
      """, [template.id.rawValue, template.source, isGone, template.archive, document])
    let entity = entity(template)
    try SQLiteStore.want(entity, of: .template, entity.identifier, at: now, db)
    isChanged = true
  }
}

/// What has to happen to templates that were given up.
private struct Unsettled {
  /// Listed instances were made from them, or are about to be. A destroyed one counts until it is removed: its entity in
  /// the portal still points to the template.
  var toRetire: [Template] = []
  var toRemove: [String] = []

  init(_ db: Database) throws {
    let gone = try db.rows("SELECT id, document FROM template WHERE is_gone = 1")
    if gone.isEmpty { return }
    let used = Set(
      try db.rows(
        """
        SELECT deployed_template FROM instance WHERE removed_at IS NULL AND deployed_template IS NOT NULL
        UNION
        SELECT run.template FROM instance JOIN run ON run.id IN (instance.newest, instance.holder)
        WHERE removed_at IS NULL
        """
      ).map { $0[0] as String })
    for row in gone {
      let id: String = row[0]
      if !used.contains(id) {
        toRemove.append(id)
      } else {
        let template = try StoredJSON.read(Template.self, from: row[1])
        if template.status != .retired { toRetire.append(template) }
      }
    }
  }

  var isEmpty: Bool { toRetire.isEmpty && toRemove.isEmpty }
}
