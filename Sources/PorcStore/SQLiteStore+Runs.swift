public import Foundation
import GRDB
public import PorcCore

extension SQLiteStore {
  public func locate(_ runID: String) async throws -> Located? {
    if let known = live?.located(Run.ID(runID)) { return known }
    let generation = live?.generation ?? 0
    return try await reading { [live] reader in
      guard let (run, tfeRunID) = try reader.resolve(runID), let loaded = try reader.situation(ofRun: run) else {
        return nil
      }
      live?.remember(loaded, since: generation)
      return loaded.located(run, askedBy: tfeRunID)
    }
  }

  public func situation(of instance: Instance.ID) async throws -> Situation? {
    try await reading { try $0.situation(of: instance)?.situation }
  }

  public func runs(_ filter: RunFilter, after cursor: Run.ID?, limit: Int) async throws -> [Located] {
    try await reading { reader in
      var conditions: [String] = []
      var arguments: StatementArguments = []
      if let cursor {
        guard let seq = try reader.db.value(Int64.self, "SELECT seq FROM run WHERE id = ?", [cursor.rawValue]) else {
          throw StoreError.notFound
        }
        conditions.append("seq < ?")
        arguments += [seq]
      }
      let (filters, values) = Self.conditions(filter)
      conditions += filters
      arguments += values
      arguments += [limit]
      let found = try reader.db.rows(Self.runsQuery(conditions), arguments)
      return try found.compactMap { try reader.located(Run.ID($0[0])) }
    }
  }

  /// The hot query: every list of runs goes by an index, newest first.
  static func runsQuery(_ conditions: [String]) -> String {
    let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
    return "SELECT id FROM run \(filter) ORDER BY seq DESC LIMIT ?"
  }

  static func conditions(_ filter: RunFilter) -> ([String], StatementArguments) {
    var conditions: [String] = []
    var arguments: StatementArguments = []
    for (column, value) in [
      ("instance_id", filter.instance?.rawValue), ("state", filter.state?.rawValue),
      ("operation", filter.operation?.rawValue),
    ] {
      guard let value else { continue }
      conditions.append("\(column) = ?")
      arguments += [value]
    }
    return (conditions, arguments)
  }

  public func instances(after cursor: Instance.ID?, limit: Int) async throws -> [Situation] {
    try await reading { reader in
      let rows = try reader.db.rows(
        """
        SELECT number, version, removed_at, document FROM instance
        WHERE removed_at IS NULL AND id > ? ORDER BY id LIMIT ?
        """, [cursor?.rawValue ?? "", limit])
      return try rows.map { try reader.situation($0).situation }
    }
  }

  public func sealedInputs(ofRunsOf instance: Instance.ID) async throws -> [Record.SealedInputs] {
    try await read { db in
      try db.rows(
        """
        SELECT run_id, bytes FROM run JOIN sealed_input ON sealed_input.run_id = run.id
        WHERE run.instance_id = ? ORDER BY seq DESC LIMIT 500
        """, [instance.rawValue]
      ).map { Record.SealedInputs(run: Run.ID($0[0]), bytes: $0[1]) }
    }
  }

  public func sealedInputs(of run: Run.ID) async throws -> Data? {
    try await read { try $0.value(Data.self, "SELECT bytes FROM sealed_input WHERE run_id = ?", [run.rawValue]) }
  }

  public func blob(_ digest: String) async throws -> Data? {
    try await read { try $0.value(Data.self, "SELECT bytes FROM blob WHERE digest = ?", [digest]) }
  }

  public func putBlob(_ bytes: Data, digest: String) async throws {
    try await write { try Self.putBlob(bytes, digest: digest, $0) }
  }

  static func putBlob(_ bytes: Data, digest: String, _ db: Database) throws {
    try db.run("INSERT INTO blob (digest, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING", [digest, bytes])
  }

  /// Of an instance, with its template.
  private static let lastRun = "SELECT id, template FROM run WHERE instance_id = ? ORDER BY seq DESC LIMIT 1"

  @discardableResult
  public func remove(_ instance: Instance.ID, finishing lease: Lease?) async throws -> Bool {
    let now = now().milliseconds
    return try await write { db in
      if let lease { try Self.finish(lease, at: now, db) }
      // The destroy that ended this life, and not an earlier one whose job comes late.
      let removed = try db.run(
        """
        UPDATE instance SET removed_at = ?1
        WHERE id = ?2 AND removed_at IS NULL AND destroyed_at IS NOT NULL AND newest = coalesce(?3, newest)
        """, [now, instance.rawValue, lease?.run.rawValue])
      guard removed > 0 else { return false }
      try Self.want(nil, of: .instance, instance.rawValue, at: now, db)
      if let row = try db.row(Self.lastRun, [instance.rawValue]) {
        try Self.append(.removed(after: Run.ID(row[0]), template: Template.ID(row[1])), of: instance, at: now, db)
      }
      return true
    }
  }

  func reading<Outcome: Sendable>(
    _ work: @escaping @Sendable (SituationReader) throws -> Outcome
  ) async throws -> Outcome {
    try await read { [cache] db in try work(SituationReader(db: db, cache: cache, isCommitted: true)) }
  }
}
