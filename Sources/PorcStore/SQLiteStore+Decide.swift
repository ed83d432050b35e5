public import Foundation
import GRDB
public import PorcCore

extension SQLiteStore {
  @discardableResult
  public func decide(
    about subject: Subject, recording record: Record,
    _ decide: @escaping @Sendable (_ situation: Situation?, _ now: Date) throws -> Decision
  ) async throws -> Recorded {
    let generation = live?.generation ?? 0
    // A worker may lease the job of this decision as soon as it is committed, and must then see what was decided.
    let remember: @Sendable ((Recorded, written: LoadedSituation?)) -> Void = { [cache, live] outcome in
      guard let written = outcome.written else { return }
      cache.remember(written)
      live?.remember(written, since: generation)
    }
    return try await write(onCommit: remember) { [self] db in
      let now = now()
      if let key = record.answer?.key, let given = try Self.answer(to: key, db) {
        throw StoreError.alreadyAnswered(given)
      }
      if let press = record.actionRun { try Self.makeWay(for: press.id, isVouched: press.isVouched, db) }
      // Before the facts: they are what comes of it.
      let position = record.actionRun == nil ? 0 : try Self.lastPosition(db)
      if let lease = record.finishing { try Self.finish(lease, at: now.milliseconds, db) }
      let before = try situation(of: subject, db)
      let decision = try decide(before?.situation, now)
      var written: LoadedSituation?
      if !decision.facts.isEmpty { written = try self.record(decision.facts, after: before, at: now, db) }
      guard let situation = written?.situation ?? before?.situation else { throw StoreError.notFound }
      try Self.store(record, situation, after: position, at: now, db)
      return (Recorded(situation: situation, facts: decision.facts, now: now), written: written)
    }.0
  }

  private func situation(of subject: Subject, _ db: Database) throws -> LoadedSituation? {
    let reader = SituationReader(db: db, cache: cache, isCommitted: false)
    switch subject {
    case .instance(let id): return try reader.situation(of: id)
    case .run(let id):
      guard let run = try reader.resolve(id)?.run, let loaded = try reader.situation(ofRun: run) else {
        throw StoreError.notFound
      }
      return loaded
    }
  }

  /// Stores facts and all that follows from them: the new states, the jobs, and what the portal should show.
  private func record(
    _ facts: [Fact], after before: LoadedSituation?, at now: Date, _ db: Database
  ) throws -> LoadedSituation? {
    var situation = before?.situation
    var jobs: [RunJob] = []
    for fact in facts {
      situation = RunMachine.evolve(situation, fact)
      // As this fact left it, not the last one: a job belongs to its fact.
      if let situation { jobs += RunMachine.jobs(after: fact, in: situation, retention: settings.retention) }
    }
    guard let situation else { return nil }

    let row = try Self.store(situation.instance, before?.instanceRow, db)
    var written = LoadedSituation(situation: situation, instanceRow: row, runVersions: before?.runVersions ?? [:])
    for id in Set(facts.map(\.run)) {
      guard let run = situation.runs[id] else { continue }
      written.runVersions[id] = try Self.store(run, version: before?.runVersions[id], in: row, db)
    }
    for fact in facts { try Self.append(fact, of: situation.instance.id, db) }
    if !row.isRemoved, let run = facts.last?.run {
      for event in InstanceEvent.events(from: before?.situation, to: situation, by: run) {
        try Self.append(event, of: situation.instance.id, at: now.milliseconds, db)
      }
    }
    for job in jobs { try Self.insert(job, of: situation.instance.id, at: now.milliseconds, db) }
    if !row.isRemoved, let entity = settings.entity(situation) {
      try Self.want(entity, of: entity.kind, entity.identifier, at: now.milliseconds, db)
    }
    return written
  }

  /// - Returns: the row as it is now.
  private static func store(
    _ instance: Instance, _ row: LoadedSituation.InstanceRow?, _ db: Database
  ) throws -> LoadedSituation.InstanceRow {
    let document = try StoredJSON.text(instance)
    let columns: StatementArguments = [
      instance.newest.rawValue, instance.holder?.rawValue, instance.deployed?.template.id.rawValue,
      instance.destroyedAt?.milliseconds, document,
    ]
    guard var row else {
      try db.run(
        """
        INSERT INTO instance (newest, holder, deployed_template, destroyed_at, document, id, version)
        VALUES (?, ?, ?, ?, ?, ?, 1)
        """, columns + [instance.id.rawValue])
      return .init(number: db.lastInsertedRowID, version: 1, isRemoved: false)
    }
    row.version += 1
    try db.run(
      """
      UPDATE instance SET newest = ?, holder = ?, deployed_template = ?, destroyed_at = ?, document = ?, version = ?
      WHERE number = ?
      """, columns + [row.version, row.number])
    return row
  }

  /// - Parameter version: of the row as it was read; `nil` for a new run.
  /// - Returns: the version of the row now.
  private static func store(
    _ run: Run, version: Int64?, in instance: LoadedSituation.InstanceRow, _ db: Database
  ) throws -> Int64 {
    let document = try StoredJSON.text(run)
    let columns: StatementArguments = [run.state.rawValue, run.updatedAt.milliseconds, document]
    guard let version else {
      try db.run(
        """
        INSERT INTO run
          (state, updated_at, document, id, instance_number, instance_id, template, operation, submitted_at, version)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
        """,
        columns + [
          run.id.rawValue, instance.number, run.instance.rawValue, run.submission.template.id.rawValue,
          run.operation.rawValue, run.submittedAt.milliseconds,
        ])
      return 1
    }
    try db.run(
      "UPDATE run SET state = ?, updated_at = ?, document = ?, version = ? WHERE id = ?",
      columns + [version + 1, run.id.rawValue])
    return version + 1
  }

  /// Stores what comes with a decision. After it, since inputs belong to a run.
  private static func store(
    _ record: Record, _ situation: Situation, after position: Int64, at now: Date, _ db: Database
  ) throws {
    for (digest, bytes) in record.blobs { try putBlob(bytes, digest: digest, db) }
    if let inputs = record.sealedInputs {
      try db.run(
        """
        INSERT INTO sealed_input (run_id, bytes) VALUES (?, ?) ON CONFLICT (run_id) DO UPDATE SET bytes = excluded.bytes
        """, [inputs.run.rawValue, inputs.bytes])
    }
    for job in record.waking { try wake(job, at: now.milliseconds, db) }
    if let answer = record.answer {
      try keep(try answer.make(situation, now), under: answer.key, at: now.milliseconds, db)
    }
    if var press = try record.actionRun?.make(situation, now) {
      press.position = position
      try insert(press, db)
    }
  }
}
