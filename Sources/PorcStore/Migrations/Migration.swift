import GRDB

/// A numbered step of the database's schema, in SQL. Once released it is never edited, and it uses no type of ours.
struct Migration: Sendable {
  /// From 1, without gaps.
  let number: Int
  let sql: String

  static let all = [firstSchema, templateSources, notifications, heldRemovals, actionRuns, eventsOfAll, vouchedPresses]
  static let newest = all.count

  /// Marks a SQLite file as ours, in its header: "PORC" in ASCII
  /// (https://www.sqlite.org/pragma.html#pragma_application_id).
  private static let applicationID = 0x504F_5243

  /// How many steps this database still lacks.
  ///
  /// - Parameter path: for the message only.
  /// - Throws: ``StoreError/unusable(_:fix:)`` for a database of a newer PORC or of another program.
  static func missing(_ db: Database, path: String) throws -> Int {
    let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    let id = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0
    guard id == applicationID || (id == 0 && version == 0 && isEmpty) else {
      throw StoreError.unusable(
        "The file '\(path)' is a database of another program.",
        fix: "Name a file that does not exist yet, or PORC's own.")
    }
    guard version <= newest else {
      throw StoreError.unusable(
        "The database '\(path)' was made by a newer PORC: it has the schema \(version), and this PORC knows \(newest).",
        fix: "Run the PORC that made it, or a newer one; or restore the database from before the upgrade.")
    }
    return newest - version
  }

  /// Takes the database to the newest schema. Each step is one transaction with its number, so it happens once or not
  /// at all.
  static func migrate(_ db: Database, path: String) throws {
    for migration in all.suffix(try missing(db, path: path)) {
      try db.inTransaction(.immediate) {
        try db.execute(sql: migration.sql)
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(migration.number)")
        return .commit
      }
    }
  }
}
