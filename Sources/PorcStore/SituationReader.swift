import GRDB
import PorcCore

/// Reads situations.
struct SituationReader {
  let db: Database
  let cache: SituationCache
  /// Whether all that can be seen is committed, so that it may be remembered.
  let isCommitted: Bool

  /// The instance in the list with this name.
  func situation(of instance: Instance.ID) throws -> LoadedSituation? {
    guard
      let row = try db.row(
        "SELECT number, version, removed_at, document FROM instance WHERE id = ? AND removed_at IS NULL",
        [instance.rawValue])
    else { return nil }
    return try situation(row)
  }

  /// The situation that `run` is in, with that run.
  func situation(ofRun run: Run.ID) throws -> LoadedSituation? {
    guard
      let row = try db.row(
        """
        SELECT number, instance.version, removed_at, instance.document
        FROM run JOIN instance ON instance.number = run.instance_number WHERE run.id = ?
        """, [run.rawValue])
    else { return nil }
    return try situation(row, with: run)
  }

  /// What somebody who names a run means by it.
  func resolve(_ runID: String) throws -> (run: Run.ID, tfeRunID: String?)? {
    if runID.hasPrefix(Run.ID.prefix) { return (Run.ID(runID), nil) }
    if let run = try db.value(String.self, "SELECT run_id FROM tfe_run WHERE id = ?", [runID]) {
      return (Run.ID(run), runID)
    }
    return (Run.ID(runID), nil)
  }

  func located(_ run: Run.ID, askedBy tfeRunID: String? = nil) throws -> Located? {
    try situation(ofRun: run)?.located(run, askedBy: tfeRunID)
  }

  /// - Parameter row: number, version, removed_at, document.
  func situation(_ row: Row, with addressed: Run.ID? = nil) throws -> LoadedSituation {
    let number: Int64 = row[0]
    let version: Int64 = row[1]
    let removedAt: Int64? = row[2]
    let instance = try cache.instances.document(number, version: version) ?? decoded(row, number, version)
    var loaded = LoadedSituation(
      situation: Situation(instance: instance, runs: [:]),
      instanceRow: .init(number: number, version: version, isRemoved: removedAt != nil), runVersions: [:])
    var runs: [Run.ID: Run] = [:]
    let wanted =
      [addressed, instance.holder, instance.newest, instance.basis?.run, instance.deployed?.run] + instance.waiting
    for case let id? in wanted where runs[id] == nil {
      guard let (run, version) = try run(id) else { continue }
      runs[id] = run
      loaded.runVersions[id] = version
    }
    loaded.situation = Situation(instance: instance, runs: runs)
    return loaded
  }

  private func decoded(_ row: Row, _ number: Int64, _ version: Int64) throws -> Instance {
    let instance = try StoredJSON.read(Instance.self, from: row[3])
    if isCommitted { cache.instances.remember(instance, number, version: version) }
    return instance
  }

  private func run(_ id: Run.ID) throws -> (Run, version: Int64)? {
    guard let row = try db.row("SELECT version, document FROM run WHERE id = ?", [id.rawValue]) else { return nil }
    let version: Int64 = row[0]
    if let run = cache.runs.document(id, version: version) { return (run, version) }
    let run = try StoredJSON.read(Run.self, from: row[1])
    if isCommitted { cache.runs.remember(run, id, version: version) }
    return (run, version)
  }
}
