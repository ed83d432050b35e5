import Foundation
import GRDB
import HCL
public import PorcCore

extension SQLiteStore {
  public func events(after position: Int64, of filter: EventFilter, limit: Int) async throws -> [StoredEvent] {
    let (sql, arguments) = Self.eventsQuery(filter, after: position, limit: limit)
    return try await read { db in try db.rows(sql, arguments).map(Self.event) }
  }

  public func instancesChanged(after position: Int64) async throws -> (ids: Set<Instance.ID>, position: Int64) {
    try await read { db in
      let rows = try db.rows(
        "SELECT DISTINCT instance_id FROM event WHERE position > ? AND instance_id IS NOT NULL", [position])
      return (Set(rows.map { Instance.ID($0[0]) }), try Self.lastPosition(db))
    }
  }

  public func lastPosition() async throws -> Int64 { try await read(Self.lastPosition) }

  static func lastPosition(_ db: Database) throws -> Int64 {
    try db.value(Int64.self, "SELECT max(position) FROM event") ?? 0
  }

  /// The hot query of whoever follows events: each branch goes by an index, in the order of positions.
  static func eventsQuery(
    _ filter: EventFilter, after position: Int64, limit: Int
  ) -> (sql: String, arguments: StatementArguments) {
    var branches: [(String, StatementArguments)] = []
    func add(_ condition: String, _ arguments: StatementArguments = []) {
      branches.append((condition + " AND position > ?", arguments + [position]))
    }
    if let run = filter.run {
      add("subject = 'run' AND run_id = ?", [run.rawValue])
    } else if let instance = filter.instance {
      if filter.subject == nil || filter.subject == .run {
        add("subject = 'run' AND run_id IN (SELECT id FROM run WHERE run.instance_id = ?)", [instance.rawValue])
      }
      if filter.subject == nil || filter.subject == .instance {
        add("subject = 'instance' AND instance_id = ?", [instance.rawValue])
      }
      // A template is about no instance.
      if branches.isEmpty { add("FALSE") }
    } else {
      switch filter.subject {
      case nil: add("TRUE")
      case .run: add("subject = 'run'")
      case .instance, .template: add("subject <> 'run' AND subject = ?", [filter.subject?.rawValue])
      }
    }
    let selects = branches.map { "SELECT \(columns) FROM event WHERE \($0.0)" }
    return (
      selects.joined(separator: " UNION ALL ") + " ORDER BY position LIMIT ?",
      branches.reduce([]) { $0 + $1.1 } + [limit]
    )
  }

  private static let columns = "position, subject, at, run_id, instance_id, template_id, name, document"

  private static func event(_ row: Row) throws -> StoredEvent {
    let (subject, name, document): (String, String, String) = (row[1], row[6], row[7])
    return StoredEvent(
      position: row[0], at: Date(milliseconds: row[2]), run: (row[3] as String?).map { Run.ID($0) },
      instance: (row[4] as String?).map { Instance.ID($0) }, template: (row[5] as String?).map { Template.ID($0) },
      event: subject == EventSubject.run.rawValue
        ? .run(try StoredJSON.read(RunEvent.self, from: document))
        : .other(name, data: try StoredJSON.read(Value.self, from: document)))
  }

  static func append(_ fact: Fact, of instance: Instance.ID, _ db: Database) throws {
    try db.run(
      "INSERT INTO event (subject, run_id, instance_id, name, at, document) VALUES ('run', ?, ?, ?, ?, ?)",
      [
        fact.run.rawValue, instance.rawValue, fact.event.name, fact.at.milliseconds, try StoredJSON.text(fact.event),
      ])
    if case .tfeRunCreated(let number, let tfeRunID, _) = fact.event {
      try db.run("INSERT INTO tfe_run (id, run_id, plan) VALUES (?, ?, ?)", [tfeRunID, fact.run.rawValue, number])
    }
  }

  static func append(_ event: InstanceEvent, of instance: Instance.ID, at now: Int64, _ db: Database) throws {
    try db.run(
      """
      INSERT INTO event (subject, run_id, instance_id, template_id, name, at, document)
      VALUES ('instance', ?, ?, ?, ?, ?, ?)
      """,
      [
        event.run.rawValue, instance.rawValue, event.template.rawValue, event.name.rawValue, now,
        Value.object(event.data).json(),
      ])
  }

  static func append(_ event: TemplateEvent, of template: String, at now: Int64, _ db: Database) throws {
    try db.run(
      "INSERT INTO event (subject, template_id, name, at, document) VALUES ('template', ?, ?, ?, ?)",
      [template, event.name.rawValue, now, Value.object(event.data).json()])
  }
}
