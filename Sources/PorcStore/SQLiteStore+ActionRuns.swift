public import Foundation
import GRDB
import PorcCore

extension SQLiteStore {
  public func refuse(
    _ press: ActionRun, because reason: String, answer: StoredAnswer, under key: IdempotencyKey
  ) async throws {
    try await write { [self] db in
      if let given = try Self.answer(to: key, db) { throw StoreError.alreadyAnswered(given) }
      try Self.makeWay(for: press.id, isVouched: press.isVouched, db)
      let now = now()
      var press = press
      press.createdAt = now
      press.position = try Self.lastPosition(db)
      press.isRefused = true
      press.end = ActionRun.End(.failure, because: reason)
      try Self.insert(press, db)
      try Self.keep(answer, under: key, at: now.milliseconds, db)
    }
  }

  /// Whoever has a token can name an action run before Port's own call comes: that call takes the place of theirs.
  ///
  /// - Throws: ``StoreError/alreadyPressed`` for a press that is recorded.
  static func makeWay(for id: String, isVouched: Bool, _ db: Database) throws {
    guard let found = try db.row("SELECT is_vouched FROM action_run WHERE id = ?", [id]) else { return }
    guard isVouched, !found[0] else { throw StoreError.alreadyPressed }
    try db.run("DELETE FROM action_run WHERE id = ?", [id])
  }

  static func insert(_ press: ActionRun, _ db: Database) throws {
    let time = press.createdAt.milliseconds
    try db.run(
      """
      INSERT INTO action_run (id, verb, actor_id, actor_name, run_id, instance_id, plan, position, opening, is_refused,
        created_at, reported, outcome, reason, ended_at, next_attempt_at, is_vouched)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        press.id, press.verb, press.actor.id, press.actor.name, press.run?.rawValue, press.instance?.rawValue,
        press.plan, press.position, try StoredJSON.text(press.opening), press.isRefused, time,
        try StoredJSON.text(press.reported), press.end?.outcome.rawValue, press.end?.reason,
        press.end == nil ? nil : time, time, press.isVouched,
      ])
  }

  private static let columns = """
    action_run.id, verb, actor_id, actor_name, action_run.run_id, action_run.instance_id, plan, position, opening,
    is_refused, created_at, reported, outcome, reason, attempts, closed_at, is_vouched
    """

  private static func actionRun(_ row: Row) throws -> ActionRun {
    var press = ActionRun(
      id: row[0], verb: row[1], actor: Caller(id: row[2], name: row[3]), run: (row[4] as String?).map { Run.ID($0) },
      instance: (row[5] as String?).map { Instance.ID($0) }, plan: row[6], position: row[7],
      opening: try StoredJSON.read([String].self, from: row[8]), isRefused: row[9],
      createdAt: Date(milliseconds: row[10]))
    press.reported = try StoredJSON.read(ActionRun.Reported.self, from: row[11])
    if let outcome = (row[12] as String?).flatMap(ActionRun.End.Outcome.init), let reason: String = row[13] {
      press.end = ActionRun.End(outcome, because: reason)
    }
    press.attempts = row[14]
    press.closedAt = (row[15] as Int64?).map(Date.init(milliseconds:))
    press.isVouched = row[16]
    return press
  }

  public func actionRun(_ id: String) async throws -> ActionRun? {
    try await read { db in
      try db.row("SELECT \(Self.columns) FROM action_run WHERE id = ?", [id]).map(Self.actionRun)
    }
  }

  /// ?1: now, ?2: when the patience of those that end now began, ?3: how many.
  static let dueActionRuns = """
    SELECT \(columns) FROM action_run
    LEFT JOIN run ON run.id = action_run.run_id LEFT JOIN instance ON instance.number = run.instance_number
    WHERE closed_at IS NULL AND next_attempt_at <= ?1 AND (
      seen IS NULL
      OR (ended_at IS NULL AND seen <> instance.version)
      OR (ended_at IS NOT NULL AND (is_refused OR ended_at <= ?2 OR NOT EXISTS (
        SELECT 1 FROM portal_entity WHERE kind = 'blueprint_instance' AND identifier = action_run.instance_id
          AND behind_since IS NOT NULL))))
    ORDER BY created_at LIMIT ?3
    """

  public func dueActionRuns(patience: TimeInterval, limit: Int) async throws -> [ActionRun] {
    let now = now()
    return try await read { db in
      try db.rows(
        Self.dueActionRuns, [now.milliseconds, now.addingTimeInterval(-patience).milliseconds, limit]
      ).map(Self.actionRun)
    }
  }

  public func note(
    _ reported: ActionRun.Reported, of id: String, upTo version: Int64?, ending end: ActionRun.End?
  ) async throws {
    try await write(isNews: false) { [self] db in
      try db.run(
        "UPDATE action_run SET reported = ?, seen = coalesce(?, seen), attempts = 0 WHERE id = ? AND closed_at IS NULL",
        [try StoredJSON.text(reported), version, id])
      guard let end else { return }
      try db.run(
        "UPDATE action_run SET outcome = ?, reason = ?, ended_at = ? WHERE id = ? AND ended_at IS NULL",
        [end.outcome.rawValue, end.reason, now().milliseconds, id])
    }
  }

  public func postponeActionRun(_ id: String, for delay: TimeInterval) async throws {
    let next = now().milliseconds.advanced(bySeconds: delay)
    try await write(isNews: false) { db in
      try db.run(
        "UPDATE action_run SET next_attempt_at = ?, attempts = attempts + 1 WHERE id = ? AND closed_at IS NULL",
        [next, id])
    }
  }

  public func close(_ press: ActionRun) async throws {
    try await write(isNews: false) { [self] db in
      let now = now().milliseconds
      // Somebody else may have closed it in the portal before its end was known here.
      try db.run(
        """
        UPDATE action_run SET closed_at = ?1, ended_at = coalesce(ended_at, ?1), outcome = coalesce(outcome, 'failure'),
          reason = coalesce(reason, 'It was closed in the portal.')
        WHERE id = ?2 AND closed_at IS NULL AND is_vouched = ?3
        """, [now, press.id, press.isVouched])
    }
  }

  /// A subquery: the newest press that may have changed what an instance shows, by the portal's id.
  ///
  /// - Parameter instance: the instance's identifier, in SQL.
  static func openActionRun(_ instance: String) -> String {
    """
    (SELECT action_run.id FROM action_run WHERE action_run.instance_id = \(instance) AND closed_at IS NULL
      AND NOT is_refused AND is_vouched ORDER BY created_at DESC LIMIT 1)
    """
  }

  public func actionRunBacklog() async throws -> ActionRunBacklog {
    try await read { db in
      let row = try db.row("SELECT count(*), min(created_at) FROM action_run WHERE closed_at IS NULL")
      return ActionRunBacklog(count: row?[0] ?? 0, openSince: (row?[1] as Int64?).map(Date.init(milliseconds:)))
    }
  }

  public func forgetActionRuns(closedFor age: TimeInterval) async throws {
    try await write(isNews: false) { [self] db in
      try db.run("DELETE FROM action_run WHERE closed_at < ?", [now().addingTimeInterval(-age).milliseconds])
    }
  }
}
