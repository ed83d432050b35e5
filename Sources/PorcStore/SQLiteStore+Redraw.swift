import GRDB
import PorcCore

extension SQLiteStore {
  /// How many things are drawn in one transaction: others want to write too.
  private static let redrawn = 100

  public func redrawPortal() async throws {
    let templates = try await read { db in try db.rows("SELECT id FROM template").map { $0[0] as String } }
    try await redraw(templates) { [settings] db, now, ids in
      for id in ids {
        guard let row = try db.row("SELECT document FROM template WHERE id = ?", [id]) else { continue }
        let entity = settings.templateEntity(try StoredJSON.read(Template.self, from: row[0]))
        try Self.want(entity, of: .template, entity.identifier, at: now, db)
      }
    }
    let instances = try await read { db in
      try db.rows("SELECT id FROM instance WHERE removed_at IS NULL").map { $0[0] as String }
    }
    try await redraw(instances) { [settings, cache] db, now, ids in
      let reader = SituationReader(db: db, cache: cache, isCommitted: false)
      for id in ids {
        guard let loaded = try reader.situation(of: Instance.ID(id)), let entity = settings.entity(loaded.situation)
        else { continue }
        try Self.want(entity, of: .instance, entity.identifier, at: now, db)
      }
    }
  }

  private func redraw(
    _ ids: [String], _ draw: @escaping @Sendable (Database, _ now: Int64, _ ids: [String]) throws -> Void
  ) async throws {
    for start in stride(from: 0, to: ids.count, by: Self.redrawn) {
      let part = Array(ids[start..<min(start + Self.redrawn, ids.count)])
      try await write { [self] db in try draw(db, now().milliseconds, part) }
    }
  }
}
