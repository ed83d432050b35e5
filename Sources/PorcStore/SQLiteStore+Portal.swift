public import Foundation
import GRDB
public import PorcCore

extension SQLiteStore {
  /// What `identifier` should look like in the portal from now on; `nil`: it should not be there.
  static func want(
    _ entity: PortalEntity?, of kind: PortalEntity.Kind, _ identifier: String, at now: Int64, _ db: Database
  ) throws {
    // Even if the portal has acknowledged just this before: another state may be on its way to it.
    let isNewlyBehind = """
      version = version + 1, desired_at = ?3, behind_since = coalesce(behind_since, ?3), next_attempt_at = ?3,
      attempts = 0, rejection = NULL, removal_confirmed = 0
      """
    guard let entity else {
      try db.run(
        """
        UPDATE portal_entity SET desired = NULL, \(isNewlyBehind)
        WHERE kind = ?1 AND identifier = ?2 AND desired IS NOT NULL
        """, [kind.rawValue, identifier, now])
      return
    }
    try db.run(
      """
      INSERT INTO portal_entity (kind, identifier, desired_at, behind_since, next_attempt_at, version, desired)
      VALUES (?1, ?2, ?3, ?3, ?3, 1, ?4)
      ON CONFLICT (kind, identifier) DO UPDATE SET desired = excluded.desired, \(isNewlyBehind)
      WHERE desired IS NOT excluded.desired
      """, [kind.rawValue, identifier, now, try StoredJSON.text(entity)])
  }

  private static let columns = """
    kind, identifier, desired, acknowledged, version, attempts, behind_since,
    iif(kind = '\(PortalEntity.Kind.instance.rawValue)', \(openActionRun("portal_entity.identifier")), NULL) AS action_run
    """

  /// The hot query. ?1: kind, ?2: now, ?3: how many.
  static let differences = """
    SELECT \(columns) FROM portal_entity
    WHERE behind_since IS NOT NULL AND kind = ?1 AND desired IS NOT NULL AND next_attempt_at <= ?2
    ORDER BY behind_since LIMIT ?3
    """

  public func differences(_ kind: PortalEntity.Kind, limit: Int) async throws -> [PortalDifference] {
    let now = now().milliseconds
    return try await read { try Self.read($0.rows(Self.differences, [kind.rawValue, now, limit])) }
  }

  public func removals(
    _ kind: PortalEntity.Kind, confirmed: Bool, limit: Int
  ) async throws -> [PortalDifference] {
    let now = now().milliseconds
    return try await read { db in
      try Self.read(
        db.rows(
          """
          SELECT \(Self.columns) FROM portal_entity
          WHERE desired IS NULL AND kind = ?1 AND next_attempt_at <= ?2 AND removal_confirmed >= ?3
          ORDER BY behind_since LIMIT ?4
          """, [kind.rawValue, now, confirmed ? 1 : 0, limit]))
    }
  }

  public func outstandingRemovals(_ kind: PortalEntity.Kind, limit: Int) async throws -> [PortalDifference] {
    try await read { db in
      try Self.read(
        db.rows(
          "SELECT \(Self.columns) FROM portal_entity WHERE desired IS NULL AND kind = ? ORDER BY behind_since LIMIT ?",
          [kind.rawValue, limit]))
    }
  }

  private static func read(_ rows: [Row]) throws -> [PortalDifference] {
    try rows.compactMap { row in
      guard let kind = PortalEntity.Kind(rawValue: row["kind"]) else { return nil }
      return PortalDifference(
        kind: kind, identifier: row["identifier"], desired: try entity(row["desired"]),
        acknowledged: try entity(row["acknowledged"]), version: row["version"], attempts: row["attempts"],
        behindSince: Date(milliseconds: row["behind_since"]), actionRun: row["action_run"])
    }
  }

  public func removalShare(_ kind: PortalEntity.Kind) async throws -> RemovalShare {
    try await read { db in
      let removals = try db.value(
        Int.self, "SELECT count(*) FROM portal_entity WHERE desired IS NULL AND kind = ? AND removal_confirmed = 0",
        [kind.rawValue])
      // The second count reads all there is, so it is made only where something is to go.
      guard let removals, removals > 0 else { return RemovalShare(removals: 0, shown: 0) }
      let shown = try db.value(
        Int.self, "SELECT count(*) FROM portal_entity WHERE acknowledged IS NOT NULL AND kind = ?", [kind.rawValue])
      return RemovalShare(removals: removals, shown: shown ?? 0)
    }
  }

  @discardableResult
  public func confirmRemovals() async throws -> Int {
    try await write { db in
      try db.run("UPDATE portal_entity SET removal_confirmed = 1 WHERE desired IS NULL AND removal_confirmed = 0")
    }
  }

  private static func entity(_ document: String?) throws -> PortalEntity? {
    try document.map { try StoredJSON.read(PortalEntity.self, from: $0) }
  }

  public func untilNextDifference() async throws -> TimeInterval? {
    let now = now().milliseconds
    return try await read { db in
      try db.value(
        Int64.self,
        "SELECT min(next_attempt_at) FROM portal_entity WHERE next_attempt_at IS NOT NULL AND desired IS NOT NULL"
      ).map { Double(max($0 - now, 0)) / 1000 }
    }
  }

  public func acknowledge(_ differences: [PortalDifference]) async throws {
    try await write { db in
      for difference in differences { try Self.acknowledge(difference, db) }
    }
  }

  private static func acknowledge(_ difference: PortalDifference, _ db: Database) throws {
    let (kind, identifier) = (difference.kind.rawValue, difference.identifier)
    let isCurrent = try db.run(
      """
      UPDATE portal_entity SET acknowledged = desired, acknowledged_version = version, behind_since = NULL,
        next_attempt_at = NULL, attempts = 0, rejection = NULL
      WHERE kind = ?1 AND identifier = ?2 AND version = ?3 AND desired IS NOT NULL
      """, [kind, identifier, difference.version])
    if isCurrent > 0 { return }
    let isGone = try db.run(
      "DELETE FROM portal_entity WHERE kind = ?1 AND identifier = ?2 AND version = ?3 AND desired IS NULL",
      [kind, identifier, difference.version])
    if isGone > 0 { return }
    // A newer one is wanted by now, and has been since then; the portal shows this one meanwhile.
    let shown = try difference.desired.map(StoredJSON.text)
    try db.run(
      """
      UPDATE portal_entity
      SET acknowledged = ?4, acknowledged_version = iif(?4 IS NULL, NULL, ?3), behind_since = desired_at
      WHERE kind = ?1 AND identifier = ?2 AND version > ?3 AND coalesce(acknowledged_version, 0) < ?3
        AND behind_since IS NOT NULL
      """, [kind, identifier, difference.version, shown])
  }

  public func postpone(_ difference: PortalDifference, for delay: TimeInterval, rejection: String?) async throws {
    let next = now().milliseconds.advanced(bySeconds: delay)
    try await write { db in
      // A portal that is away says nothing new: what it said of this version before still holds.
      try db.run(
        """
        UPDATE portal_entity SET next_attempt_at = ?1, attempts = attempts + 1, rejection = coalesce(?2, rejection)
        WHERE kind = ?3 AND identifier = ?4 AND version = ?5 AND behind_since IS NOT NULL
        """, [next, rejection, difference.kind.rawValue, difference.identifier, difference.version])
    }
  }

  public func retryPostponed() async throws {
    let now = now().milliseconds
    try await write { db in
      try db.run("UPDATE portal_entity SET next_attempt_at = ?1 WHERE next_attempt_at > ?1", [now])
    }
  }

  public func portalStatus(_ kind: PortalEntity.Kind, _ identifier: String) async throws -> PortalStatus? {
    try await read { db in
      try db.row(
        "SELECT behind_since, rejection FROM portal_entity WHERE kind = ? AND identifier = ?",
        [kind.rawValue, identifier]
      ).map { row in
        PortalStatus(behindSince: (row[0] as Int64?).map(Date.init(milliseconds:)), rejection: row[1])
      }
    }
  }

  public func refusedTemplates() async throws -> [RefusedTemplate] {
    try await read { db in
      try db.rows(
        """
        SELECT template.id, template.source, rejection FROM portal_entity JOIN template ON template.id = identifier
        WHERE kind = ? AND behind_since IS NOT NULL AND rejection IS NOT NULL ORDER BY template.id LIMIT 100
        """, [PortalEntity.Kind.template.rawValue]
      ).map { RefusedTemplate(id: Template.ID($0[0]), source: $0[1], reason: $0[2]) }
    }
  }

  public func parkedEntities(limit: Int) async throws -> [ParkedEntity] {
    try await read { db in
      try db.rows(
        """
        SELECT kind, identifier, rejection, behind_since FROM portal_entity
        WHERE behind_since IS NOT NULL AND rejection IS NOT NULL ORDER BY behind_since LIMIT ?
        """, [limit]
      ).compactMap { row in
        PortalEntity.Kind(rawValue: row[0]).map {
          ParkedEntity(kind: $0, identifier: row[1], reason: row[2], behindSince: Date(milliseconds: row[3]))
        }
      }
    }
  }

  public func desiredEntities(_ kind: PortalEntity.Kind) async throws -> [PortalEntity] {
    try await read { db in
      try db.rows(
        "SELECT desired FROM portal_entity WHERE kind = ? AND desired IS NOT NULL ORDER BY identifier", [kind.rawValue]
      ).compactMap { try Self.entity($0[0]) }
    }
  }

  public func desiredEntities(
    _ kind: PortalEntity.Kind, among identifiers: [String]
  ) async throws -> [PortalEntity] {
    let list = try StoredJSON.text(identifiers)
    return try await read { db in
      try db.rows(
        """
        SELECT desired FROM portal_entity
        WHERE kind = ? AND desired IS NOT NULL AND identifier IN (SELECT value FROM json_each(?))
        """, [kind.rawValue, list]
      ).compactMap { try Self.entity($0[0]) }
    }
  }

  public func portalVersions(_ kind: PortalEntity.Kind) async throws -> [String: PortalVersion] {
    try await read { db in
      let rows = try db.rows(
        "SELECT identifier, version, acknowledged_version FROM portal_entity WHERE kind = ? AND desired IS NOT NULL",
        [kind.rawValue])
      return Dictionary(
        uniqueKeysWithValues: rows.map { ($0[0], PortalVersion(desired: $0[1], acknowledged: $0[2])) })
    }
  }

  /// ?1: now. One that is behind anyhow is tried when its time comes. A new version for the others: an answer that is still
  /// on its way was to what the portal showed before.
  private static let isDifferent = """
    version = iif(behind_since IS NULL, version + 1, version),
    desired_at = iif(behind_since IS NULL, ?1, desired_at),
    behind_since = coalesce(behind_since, ?1), next_attempt_at = coalesce(next_attempt_at, ?1)
    """

  public func markDifferent(_ sights: [PortalSight]) async throws {
    let now = now().milliseconds
    try await write { db in
      for sight in sights {
        let shown = try sight.shown.map(StoredJSON.text)
        // One that is behind may be on its way: then the answer to that says more than what was seen before.
        try db.run(
          """
          UPDATE portal_entity
          SET acknowledged = ?2, acknowledged_version =
              iif(?2 IS NULL, NULL, iif(behind_since IS NULL, version, coalesce(acknowledged_version, 0))),
            \(Self.isDifferent)
          WHERE kind = ?3 AND identifier = ?4 AND desired IS NOT NULL AND version = ?5 AND acknowledged_version IS ?6
          """,
          [
            now, shown, sight.kind.rawValue, sight.identifier, sight.version.desired, sight.version.acknowledged,
          ])
      }
    }
  }

  public func markAllDifferent() async throws {
    let now = now().milliseconds
    try await write { db in
      try db.run(
        """
        UPDATE portal_entity SET acknowledged = NULL, acknowledged_version = NULL, \(Self.isDifferent)
        WHERE desired IS NOT NULL
        """, [now])
      try db.run("UPDATE portal_entity SET next_attempt_at = ?1 WHERE next_attempt_at > ?1", [now])
    }
  }

  public func portalBacklog() async throws -> PortalBacklog {
    try await read { db in
      let row = try db.row(
        """
        SELECT count(*), min(behind_since), count(rejection), count(*) - count(desired) FROM portal_entity
        WHERE behind_since IS NOT NULL
        """)
      return PortalBacklog(
        count: row?[0] ?? 0, behindSince: (row?[1] as Int64?).map(Date.init(milliseconds:)), parked: row?[2] ?? 0,
        removals: row?[3] ?? 0)
    }
  }
}
