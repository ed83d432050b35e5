public import Foundation
import GRDB
public import PorcCore

extension SQLiteStore {
  public func sources() async throws -> [SourceRecord] {
    try await read { db in
      try db.rows("SELECT name, document, secret, fingerprint, report FROM source ORDER BY name").map { row in
        SourceRecord(
          name: row[0], source: try (row[1] as String?).map { try StoredJSON.read(TemplateSource.self, from: $0) },
          secret: row[2], fingerprint: row[3],
          report: try (row[4] as String?).map { try StoredJSON.read(SourceReport.self, from: $0) })
      }
    }
  }

  public func addSource(_ source: TemplateSource, secret: Data?) async throws -> Bool {
    let document = try StoredJSON.text(source)
    return try await write { [self] db in
      let isThere =
        try db.value(
          Int.self, "SELECT 1 FROM source WHERE name = ? AND document IS NOT NULL", [source.name]) != nil
      if isThere { return false }
      // What is left of an earlier source of that name says nothing of this one.
      try db.run(
        """
        INSERT INTO source (name, document, secret, created_at) VALUES (?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET document = excluded.document, secret = excluded.secret,
          created_at = excluded.created_at, fingerprint = NULL, report = NULL
        """, [source.name, document, secret, now().milliseconds])
      return true
    }
  }

  public func removeSource(_ name: String) async throws -> Bool {
    try await write { db in
      try db.run("DELETE FROM source WHERE name = ? AND document IS NOT NULL", [name]) > 0
    }
  }

  public func noteSource(_ name: String, fingerprint: String?, report: SourceReport) async throws {
    let text = try StoredJSON.text(report)
    try await write(isNews: false) { [self] db in
      try db.run(
        """
        INSERT INTO source (name, created_at, fingerprint, report) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (name) DO UPDATE SET fingerprint = coalesce(excluded.fingerprint, fingerprint),
          report = excluded.report
        """, [name, now().milliseconds, fingerprint, text])
    }
  }

  private static let deliveriesAreKept: TimeInterval = 30 * 86_400

  public func takeDelivery(_ id: String, from sender: String) async throws -> Bool {
    try await write(isNews: false) { [self] db in try Self.takeDelivery(id, from: sender, at: now(), db) }
  }

  static func takeDelivery(_ id: String, from sender: String, at now: Date, _ db: Database) throws -> Bool {
    try db.run(
      "DELETE FROM webhook_delivery WHERE received_at < ?",
      [now.addingTimeInterval(-Self.deliveriesAreKept).milliseconds])
    return try db.run(
      "INSERT INTO webhook_delivery (sender, id, received_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      [sender, id, now.milliseconds]) > 0
  }
}
