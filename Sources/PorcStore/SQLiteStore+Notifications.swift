public import Foundation
import GRDB
import PorcCore

extension SQLiteStore {
  public func notification(of owner: String) async throws -> NotificationRecord? {
    try await read { db in
      try db.row("SELECT \(Self.columns) FROM notification WHERE owner = ?", [owner]).map(Self.record)
    }
  }

  private static let columns =
    "owner, is_project, configuration, project, url, key_id, written_at, heard_at, problem"

  private static func record(_ row: Row) -> NotificationRecord {
    NotificationRecord(
      owner: row[0], isProject: row[1], configuration: row[2], project: row[3], url: row[4], keyID: row[5],
      writtenAt: Date(milliseconds: row[6]), heardAt: (row[7] as Int64?).map { Date(milliseconds: $0) },
      problem: row[8])
  }

  public func putNotification(_ record: NotificationRecord) async throws {
    try await write(isNews: false) { db in
      try db.run(
        """
        INSERT INTO notification (owner, is_project, configuration, project, url, key_id, written_at, problem)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (owner) DO UPDATE SET configuration = excluded.configuration, project = excluded.project,
          url = excluded.url, key_id = excluded.key_id, written_at = excluded.written_at, problem = excluded.problem
        """,
        [
          record.owner, record.isProject, record.configuration, record.project, record.url, record.keyID,
          record.writtenAt.milliseconds, record.problem,
        ])
    }
  }

  public func noteDelivery(of owner: String) async throws {
    try await write(isNews: false) { [self] db in try Self.noteDelivery(of: owner, at: now().milliseconds, db) }
  }

  private static func noteDelivery(of owner: String, at now: Int64, _ db: Database) throws {
    try db.run("UPDATE notification SET heard_at = ? WHERE owner = ?", [now, owner])
  }

  /// A run that PORC makes is known to it within seconds; those that others make never are.
  private static let earlyNoticesAreKept: TimeInterval = 600

  @discardableResult
  public func noteDelivery(_ delivery: String, of owner: String, about tfeRunID: String) async throws -> Bool {
    try await write { [self] db in
      let now = now()
      try Self.noteDelivery(of: owner, at: now.milliseconds, db)
      guard try Self.takeDelivery(delivery, from: "tfe", at: now, db) else { return false }
      // Whoever follows it has looked at least once, or is about to: in one transaction with the making of that job.
      let woken = try db.run(
        """
        UPDATE job SET
          due_at = iif(leased_until IS NULL, min(due_at, ?1), due_at),
          again_at = iif(leased_until IS NULL, NULL, ?1)
        FROM tfe_run
        WHERE tfe_run.id = ?2 AND job.run_id = tfe_run.run_id AND job.kind = ?3 AND job.plan = tfe_run.plan
          AND job.claims > 0
        """, [now.milliseconds, tfeRunID, RunJob.Kind.follow.rawValue])
      if woken == 0 {
        try db.run(
          "DELETE FROM early_notice WHERE at < ?",
          [now.addingTimeInterval(-Self.earlyNoticesAreKept).milliseconds])
        try db.run(
          "INSERT INTO early_notice (tfe_run_id, at) VALUES (?, ?) ON CONFLICT (tfe_run_id) DO UPDATE SET at = excluded.at",
          [tfeRunID, now.milliseconds])
      }
      return true
    }
  }

  public func takeEarlyNotice(of tfeRunID: String) async throws -> Bool {
    try await write(isNews: false) { db in
      try db.run("DELETE FROM early_notice WHERE tfe_run_id = ?", [tfeRunID]) > 0
    }
  }

  public func followedPlans() async throws -> [FollowedPlan] {
    try await read { db in
      try db.rows(
        """
        SELECT job.run_id, job.plan, tfe_run.id
        FROM job JOIN tfe_run ON tfe_run.run_id = job.run_id AND tfe_run.plan = job.plan
        WHERE job.kind = ?
        """, [RunJob.Kind.follow.rawValue]
      ).map { FollowedPlan(run: Run.ID($0[0]), plan: $0[1], tfeRunID: $0[2]) }
    }
  }

  public func failedNotifications(until time: Date, limit: Int) async throws -> [NotificationRecord] {
    try await read { db in
      try db.rows(
        """
        SELECT \(Self.columns) FROM notification WHERE problem IS NOT NULL AND written_at <= ?
        ORDER BY written_at, owner LIMIT ?
        """, [time.milliseconds, limit]
      ).map(Self.record)
    }
  }

  public func forgetNotification(of owner: String) async throws {
    try await write(isNews: false) { db in try db.run("DELETE FROM notification WHERE owner = ?", [owner]) }
  }

  public func notificationReport(sentTo base: String?, keyID: String?) async throws -> NotificationReport {
    try await read { db in
      let row = try db.row(
        """
        WITH known AS (
          SELECT *, configuration IS NOT NULL AND problem IS NULL AS is_good,
            url = coalesce(?1 || owner, url) AND key_id = coalesce(?2, key_id) AS is_present
          FROM notification
        )
        SELECT count(*) FILTER (WHERE is_good AND is_present), count(*) FILTER (WHERE is_good AND NOT is_present),
          count(*) FILTER (WHERE problem IS NOT NULL), min(written_at) FILTER (WHERE problem IS NOT NULL), max(heard_at),
          (SELECT problem FROM known WHERE problem IS NOT NULL ORDER BY written_at DESC LIMIT 1)
        FROM known
        """, [base, keyID])
      guard let row else { return NotificationReport(working: 0, failing: 0, heardAt: nil, problem: nil) }
      return NotificationReport(
        working: row[0], failing: row[2], outdated: row[1],
        failedAt: (row[3] as Int64?).map { Date(milliseconds: $0) },
        heardAt: (row[4] as Int64?).map { Date(milliseconds: $0) }, problem: row[5])
    }
  }
}
