public import Foundation
import GRDB
public import PorcCore

extension SQLiteStore {
  public func claim(worker: String, for duration: TimeInterval, _ shares: [JobShare]) async throws -> [Lease] {
    guard shares.contains(where: { $0.limit > 0 }) else { return [] }
    return try await write(isNews: false) { [self] db in
      let now = now().milliseconds
      var leases: [Lease] = []
      for share in shares {
        for _ in 0..<max(share.limit, 0) {
          let (first, last) = (share.priorities.lowerBound, share.priorities.upperBound)
          let row = try db.row(Self.claim, [now, worker, now.advanced(bySeconds: duration), first, last])
          guard let row else { break }
          // A job of a kind that this PORC does not know can be in no database that it may open.
          guard let lease = Lease(row) else { throw StoreError.unknownJob(row["kind"]) }
          leases.append(lease)
        }
      }
      return leases
    }
  }

  /// A job that is due, of an instance on which nobody works. ?1: now.
  private static let claimable = """
    job.due_at <= ?1 AND NOT EXISTS (
      SELECT 1 FROM job AS leased WHERE leased.instance_id = job.instance_id AND leased.leased_until > ?1)
    """

  /// The hot query: leases one job, of the instance whose job of these priorities is due longest the first by priority.
  /// ?1: now, ?2: the worker, ?3: the end of the lease, ?4 and ?5: the first and the last priority.
  static let claim = """
    UPDATE job SET leased_by = ?2, leased_until = ?3, token = token + 1, claims = claims + 1, again_at = NULL
    WHERE id = (
      SELECT best.id FROM job AS best
      WHERE best.due_at <= ?1 AND best.instance_id = (
        SELECT job.instance_id FROM job WHERE job.priority BETWEEN ?4 AND ?5 AND \(claimable)
        ORDER BY job.due_at, job.id LIMIT 1)
      ORDER BY best.priority, best.due_at, best.id LIMIT 1)
    RETURNING id, kind, run_id, instance_id, plan, leased_by, token, failures, claims, created_at
    """

  /// Gives back what nobody works on any more.
  static func releaseLeases(_ db: Database) throws {
    try db.execute(
      sql: """
        UPDATE job SET leased_by = NULL, leased_until = NULL, due_at = min(due_at, coalesce(again_at, due_at)),
          again_at = NULL
        WHERE leased_until IS NOT NULL
        """)
  }

  public func renew(_ lease: Lease, for duration: TimeInterval) async throws {
    try await write(isNews: false) { [self] db in
      let now = now().milliseconds
      // A lease that ran out can be taken up again as long as nobody else works on the instance.
      let renewed = try db.run(
        """
        UPDATE job SET leased_until = ?1 WHERE id = ?2 AND token = ?3 AND leased_until IS NOT NULL AND NOT EXISTS (
          SELECT 1 FROM job AS other
          WHERE other.instance_id = job.instance_id AND other.leased_until > ?4 AND other.id <> ?2)
        """, [now.advanced(bySeconds: duration), lease.jobID, lease.token, now])
      guard renewed > 0 else { throw StoreError.leaseLost }
    }
  }

  public func finish(_ lease: Lease) async throws {
    try await write(isNews: false) { [self] db in try Self.finish(lease, at: now().milliseconds, db) }
  }

  static func finish(_ lease: Lease, at now: Int64, _ db: Database) throws {
    let finished = try db.run(
      "DELETE FROM job WHERE id = ? AND token = ? AND leased_until IS NOT NULL AND again_at IS NULL",
      [lease.jobID, lease.token])
    if finished > 0 { return }
    // It was asked for anew while it was being done: what asked may have come too late to be seen. It is a new job now.
    let renewed = try db.run(
      """
      UPDATE job SET created_at = ?1, due_at = again_at, again_at = NULL, claims = 0, failures = 0,
        leased_by = NULL, leased_until = NULL
      WHERE id = ?2 AND token = ?3 AND leased_until IS NOT NULL
      """, [now, lease.jobID, lease.token])
    guard renewed > 0 else { throw StoreError.leaseLost }
  }

  public func snooze(_ lease: Lease, for delay: TimeInterval, isBegun: Bool) async throws {
    try await write(isNews: false) { [self] db in
      try Self.giveBack(lease, dueAt: now().milliseconds.advanced(bySeconds: delay), db)
      if !isBegun { try db.run("UPDATE job SET claims = claims - 1 WHERE id = ?", [lease.jobID]) }
    }
  }

  public func retry(_ lease: Lease, after delay: TimeInterval, because reason: String) async throws {
    try await write { [self] db in
      let now = now().milliseconds
      try Self.giveBack(lease, dueAt: now.advanced(bySeconds: delay), db)
      try db.run("UPDATE job SET failures = failures + 1 WHERE id = ?", [lease.jobID])
      try db.run(
        """
        INSERT INTO job_failure (job_id, attempt, run_id, kind, plan, at, reason) VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        [
          lease.jobID, lease.token, lease.run.rawValue, lease.kind.rawValue, lease.plan, now,
          String(reason.prefix(Self.maximumReason)),
        ])
    }
  }

  /// Longer reasons are cut: a whole log does not belong here.
  private static let maximumReason = 4000

  private static func giveBack(_ lease: Lease, dueAt: Int64, _ db: Database) throws {
    let given = try db.run(
      """
      UPDATE job SET due_at = min(?1, coalesce(again_at, ?1)), again_at = NULL, leased_by = NULL, leased_until = NULL
      WHERE id = ?2 AND token = ?3 AND leased_until IS NOT NULL
      """, [dueAt, lease.jobID, lease.token])
    guard given > 0 else { throw StoreError.leaseLost }
  }

  /// Adds a job; one that is there already and unfinished becomes due at the earlier time.
  static func insert(_ job: RunJob, of instance: Instance.ID, at now: Int64, _ db: Database) throws {
    try db.run(
      """
      INSERT INTO job (kind, priority, run_id, instance_id, plan, created_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (run_id, kind, plan) DO UPDATE SET
        due_at = iif(leased_until IS NULL, min(due_at, excluded.due_at), due_at),
        again_at = iif(leased_until IS NULL, NULL, min(coalesce(again_at, excluded.due_at), excluded.due_at))
      """,
      [
        job.kind.rawValue, job.kind.priority, job.run.rawValue, instance.rawValue, job.plan, now,
        now.advanced(bySeconds: job.delay),
      ])
  }

  public func wake(_ jobs: [RunJob]) async throws {
    try await write { [self] db in
      let now = now().milliseconds
      for job in jobs { try Self.wake(job, at: now, db) }
    }
  }

  static func wake(_ job: RunJob, at now: Int64, _ db: Database) throws {
    try db.run(
      """
      UPDATE job SET
        due_at = iif(leased_until IS NULL, min(due_at, ?1), due_at),
        again_at = iif(leased_until IS NULL, NULL, ?1)
      WHERE run_id = ?2 AND kind = ?3 AND plan = ?4
      """, [now, job.run.rawValue, job.kind.rawValue, job.plan])
  }

  public func idleSituations(for idle: TimeInterval, limit: Int) async throws -> [Situation] {
    let before = now().addingTimeInterval(-idle)
    let (latest, destroyed) = (before.milliseconds, before.addingTimeInterval(-settings.retention).milliseconds)
    return try await reading { reader in
      try reader.db.rows(Self.idle, [latest, destroyed, limit]).map { try reader.situation($0).situation }
    }
  }

  /// ?1: the latest time of what counts as idle, ?2: the latest destruction whose retention has ended since, ?3: how
  /// many.
  private static let idle = """
    WITH idle (number, since) AS (
      SELECT instance_number, max(updated_at) FROM run
      WHERE state IN ('building', 'planning', 'planned', 'policy_override', 'applying') AND updated_at <= ?1
      GROUP BY instance_number
      UNION
      SELECT number, destroyed_at FROM instance WHERE destroyed_at <= ?2 AND removed_at IS NULL)
    SELECT instance.number, version, removed_at, document FROM idle JOIN instance USING (number)
    ORDER BY since LIMIT ?3
    """

  public func reinstate(_ jobs: [RunJob], of instance: Instance.ID) async throws -> [RunJob] {
    @Sendable func missing(_ db: Database) throws -> [RunJob] {
      try jobs.filter { job in
        let found = try db.value(
          Int.self, "SELECT 1 FROM job WHERE run_id = ? AND kind = ? AND plan = ?",
          [job.run.rawValue, job.kind.rawValue, job.plan])
        return found == nil
      }
    }
    // Nearly always nothing is missing; then nobody has to wait for a write.
    if try await read(missing).isEmpty { return [] }
    return try await write { [self] db in
      let missing = try missing(db)
      for job in missing { try Self.insert(job, of: instance, at: now().milliseconds, db) }
      return missing
    }
  }

  public func tfeRunsUnderWay() async throws -> Int {
    try await read { [self] db in
      try db.value(
        Int.self,
        """
        SELECT (SELECT count(*) FROM run JOIN job ON job.run_id = run.id AND job.kind = 'follow'
                WHERE run.state IN ('planning', 'applying'))
          + (SELECT count(*) FROM job WHERE kind = 'start_plan' AND leased_until IS NOT NULL AND leased_until > ?)
        """, [now().milliseconds]) ?? 0
    }
  }

  public func overdueJobs(by delay: TimeInterval, limit: Int) async throws -> [RunJob] {
    try await read { [self] db in
      let now = now()
      let rows = try db.rows(
        """
        SELECT kind, run_id, plan FROM job WHERE \(Self.claimable) AND job.due_at <= ?2 ORDER BY job.due_at, job.id LIMIT ?3
        """, [now.milliseconds, now.addingTimeInterval(-delay).milliseconds, limit])
      return rows.compactMap { row in
        RunJob.Kind(rawValue: row[0]).map { RunJob($0, run: Run.ID(row[1]), plan: row[2]) }
      }
    }
  }

  public func untilNextDue() async throws -> TimeInterval? {
    try await read { [self] db in
      let now = now().milliseconds
      let isDue = try db.value(Int.self, "SELECT 1 FROM job WHERE \(Self.claimable) LIMIT 1", [now]) != nil
      if isDue { return 0 }
      let due = try db.value(Int64.self, "SELECT min(due_at) FROM job WHERE due_at > ?", [now])
      let free = try db.value(
        Int64.self, "SELECT min(leased_until) FROM job WHERE leased_until IS NOT NULL AND leased_until > ?", [now])
      return [due, free].compactMap(\.self).min().map { Double($0 - now) / 1000 }
    }
  }
}

extension Lease {
  /// - Parameter row: what the claim returns; `nil` if the kind is unknown.
  fileprivate init?(_ row: Row) {
    guard let kind = RunJob.Kind(rawValue: row["kind"]) else { return nil }
    self.init(
      jobID: row["id"], kind: kind, run: Run.ID(row["run_id"]), instance: Instance.ID(row["instance_id"]),
      plan: row["plan"], worker: row["leased_by"], token: row["token"], failures: row["failures"],
      claims: row["claims"], since: Date(milliseconds: row["created_at"]))
  }
}

extension StoreError {
  fileprivate static func unknownJob(_ kind: String) -> StoreError {
    unusable(
      "The database holds a job of the unknown kind '\(kind)'.", fix: "Run the PORC that made it, or a newer one.")
  }
}
