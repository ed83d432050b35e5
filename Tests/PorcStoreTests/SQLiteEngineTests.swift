import Foundation
import GRDB
import PorcCore
import TestKit
import Testing

@testable import PorcStore

/// How the store uses SQLite.
@Suite struct SQLiteEngineTests {
  private let folder: TemporaryFolder
  private let store: SQLiteStore

  init() throws {
    folder = try TemporaryFolder()
    store = try SQLiteStore.open(path: folder.file("porc.sqlite").path)
  }

  @Test func commitsAreFlushedAndForeignKeysEnforced() async throws {
    let values = try await store.pool.writeWithoutTransaction { db in
      try ["synchronous", "foreign_keys", "journal_mode", "busy_timeout", "user_version"].map {
        try String.fetchOne(db, sql: "PRAGMA \($0)")
      }
    }
    #expect(values == ["2", "1", "wal", "2000", "\(Migration.newest)"])
  }

  @Test func everyTableIsStrict() async throws {
    let tables = try await store.read { db in
      try String.fetchAll(
        db, sql: "SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'")
    }
    #expect(tables.isEmpty)
  }

  @Test func aFailingPieceOfWorkFailsAlone() async throws {
    struct Failing: Error {}
    // While the writer is busy, everybody else gathers for the next transaction.
    let gate = DispatchSemaphore(value: 0)
    store.pool.asyncWriteWithoutTransaction { _ in gate.wait() }
    let results = await withTaskGroup(of: (Int, Bool).self) { group in
      for number in 0..<20 {
        group.addTask { [store] in
          do {
            try await store.write { db in
              try SQLiteStore.putBlob(Data([UInt8(number)]), digest: "d\(number)", db)
              if number % 3 == 0 { throw Failing() }
              // A statement that fails undoes its own work only.
              if number % 3 == 1 {
                #expect(throws: DatabaseError.self) { try db.run("INSERT INTO blob (digest) VALUES ('x')") }
              }
            }
            return (number, true)
          } catch {
            #expect(error is Failing)
            return (number, false)
          }
        }
      }
      gate.signal()
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    for number in 0..<20 {
      #expect(results[number] == (number % 3 != 0))
      #expect(try await (store.blob("d\(number)") != nil) == (number % 3 != 0))
    }
  }

  @Test func ifTheCommitFailsNobodyHasSucceeded() async throws {
    let results = await withTaskGroup(of: Bool.self) { group in
      let gate = DispatchSemaphore(value: 0)
      store.pool.asyncWriteWithoutTransaction { _ in gate.wait() }
      for number in 0..<10 {
        group.addTask { [store] in
          do {
            try await store.write { db in
              try SQLiteStore.putBlob(Data(), digest: "d\(number)", db)
              // What SQLite does by itself on a full disk.
              if number == 5 { try db.execute(sql: "ROLLBACK") }
            }
            return true
          } catch {
            return false
          }
        }
      }
      gate.signal()
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.contains(false))
    let kept = try await store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM blob") }
    #expect(kept == results.count { $0 })
    try await store.putBlob(Data(), digest: "after")
    #expect(try await store.blob("after") != nil)
  }

  @Test(.timeLimit(.minutes(1))) func twoThousandConcurrentSubmitsAreTwoThousandRuns() async throws {
    try await withThrowingTaskGroup { group in
      for number in 0..<2000 {
        group.addTask { [store] in _ = try await store.submit("vm-\(number % 500)", as: "porc-\(number)") }
      }
      try await group.waitForAll()
    }
    let events = try await store.events(after: 0, of: .all, limit: 5000)
    #expect(Set(events.compactMap(\.fact?.run)).count == 2000)
    #expect(Set(events.filter { $0.name == "instance_created" }.map(\.instance)).count == 500)
    #expect(events.map(\.position) == Array(1...2500))
    #expect(try await store.instances(after: nil, limit: 5000).count == 500)
  }

  @Test func theHotQueriesUseTheirIndexes() async throws {
    func plan(_ sql: String) async throws -> String {
      try await store.pool.writeWithoutTransaction { db in
        let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
        statement.setUncheckedArguments([])  // it is not executed
        return try Row.fetchAll(statement).map { $0["detail"] as String }.joined(separator: "\n")
      }
    }
    let claim = try await plan(SQLiteStore.claim)
    #expect(claim.contains("SEARCH job USING INDEX job_due"))
    #expect(claim.contains("SEARCH best USING COVERING INDEX job_instance"))
    #expect(claim.contains("SEARCH leased USING COVERING INDEX job_lease"))
    let differences = try await plan(SQLiteStore.differences)
    #expect(differences.contains("USING INDEX portal_entity_behind"))
    let presses = try await plan(SQLiteStore.dueActionRuns)
    #expect(presses.contains("USING INDEX action_run_open"))
    #expect(!(claim + differences + presses).contains("TEMP B-TREE"))
    let press = try await plan("SELECT \(SQLiteStore.openActionRun("portal_entity.identifier")) FROM portal_entity")
    #expect(press.contains("USING INDEX action_run_instance (instance_id=?)") && !press.contains("TEMP B-TREE"))

    for (filter, index) in [
      (RunFilter(), "SCAN run"), (RunFilter(instance: Instance.ID("vm")), "run_instance"),
      (RunFilter(state: .planned), "run_state"), (RunFilter(operation: .apply), "run_operation"),
    ] {
      let (conditions, _) = SQLiteStore.conditions(filter)
      for conditions in [conditions, ["seq < ?"] + conditions] {
        let plan = try await plan(SQLiteStore.runsQuery(conditions))
        #expect(plan.contains(conditions == ["seq < ?"] ? "USING INTEGER PRIMARY KEY" : index))
        #expect(!plan.contains("TEMP B-TREE"))
      }
    }
    let instances = try await plan(
      "SELECT document FROM instance WHERE removed_at IS NULL AND id > ? ORDER BY id LIMIT ?")
    #expect(instances.contains("USING INDEX instance_id") && !instances.contains("TEMP B-TREE"))
  }

  @Test func everyFailureKeepsItsReason() async throws {
    try await store.submit("vm", as: "porc-1")
    try await store.decide(about: .run("porc-1"), recording: Record()) { situation, now in
      guard let situation else { throw StoreError.notFound }
      return try RunMachine.decide(.build, for: Run.ID("porc-1"), in: situation, at: now)
    }
    for reason in ["TFE is away", "TFE is still away"] {
      let lease = try #require(try await store.claim(worker: "w", for: 60, limit: 1).first)
      try await store.retry(lease, after: 0, because: reason)
    }
    let reasons = try await store.read { db in
      try String.fetchAll(db, sql: "SELECT attempt || ' ' || kind || ': ' || reason FROM job_failure ORDER BY attempt")
    }
    #expect(reasons == ["1 build: TFE is away", "2 build: TFE is still away"])
  }
}
