import Foundation
import GRDB
import HCL
import PorcCore
import TestKit
import Testing

@testable import PorcStore

/// One order of all that happens: to runs, instances and templates.
@Suite struct EventTests {
  private let vm = Instance.ID("vm")

  @Test(arguments: StoreKind.all)
  func anInstancesLifeIsTold(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    func events() async throws -> [String] {
      try await bench.store.events(after: 0, of: EventFilter(subject: .instance), limit: 100).map {
        "\($0.name) \($0.instance?.rawValue ?? "?") \($0.run?.rawValue ?? "?") \($0.template?.rawValue ?? "?")"
      }
    }
    try await bench.submit("vm", as: "porc-1")
    try await bench.apply("porc-1", tfeRunID: "run-1")
    let (created, deployed) = ("instance_created vm porc-1 bucket-1-0-0", "instance_deployed vm porc-1 bucket-1-0-0")
    #expect(try await events() == [created, deployed])
    try await bench.submit("vm", as: "porc-2", version: "2.0.0")
    let changed = "instance_changed vm porc-2 bucket-2-0-0"
    #expect(try await events() == [created, deployed, changed])
    try await bench.submit("vm", as: "porc-3", version: "2.0.0")
    #expect(try await events().count == 3, "it looks the same")
    try await bench.destroy("vm", as: "porc-4", tfeRunID: "run-4")
    let destroyed = "instance_destroyed vm porc-4 bucket-2-0-0"
    #expect(try await events() == [created, deployed, changed, destroyed])
    try await bench.submit("vm", as: "porc-5")
    let again = "instance_created vm porc-5 bucket-1-0-0"
    #expect(try await events() == [created, deployed, changed, destroyed, again])
    try await bench.apply("porc-5", tfeRunID: "run-5")
    try await bench.destroy("vm", as: "porc-6", tfeRunID: "run-6")
    #expect(try await bench.store.remove(vm, finishing: nil))
    #expect(try await bench.store.remove(vm, finishing: nil) == false)
    #expect(
      try await events().suffix(3) == [
        "instance_deployed vm porc-5 bucket-1-0-0", "instance_destroyed vm porc-6 bucket-1-0-0",
        "instance_removed vm porc-6 bucket-1-0-0",
      ])
    // What is heard of a run whose instance is gone is a fact, and nothing happens to an instance.
    try await bench.hear("porc-1", .workspaceReady(Workspace(id: "ws-9", name: "late")))
    #expect(try await events().last == "instance_removed vm porc-6 bucket-1-0-0")
  }

  @Test(arguments: StoreKind.all)
  func aBlueprintThatCameDuringTheDestroyBeginsTheNextLife(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.apply("porc-1", tfeRunID: "run-1")
    try await bench.store.decide(about: .instance(vm), recording: Record()) { situation, now in
      guard let situation, var submission = situation.currentRun?.submission else { throw StoreError.notFound }
      submission.operation = .destroy
      return try RunMachine.destroy(
        submission, as: Run.ID("porc-2"), in: situation, request: PlanRequest(by: .anna), at: now)
    }
    try await bench.submit("vm", as: "porc-3")
    try await bench.hear("porc-2", .tfeRunCreated(plan: 1, tfeRunID: "run-2", configurationVersionID: "cv"))
    try await bench.hear("porc-2", .planFinished(plan: 1, hasChanges: true, summary: PlanSummary(destructions: 1)))
    try await bench.command("porc-2", .apply(tfeRunID: "run-2", by: .anna))
    try await bench.hear("porc-2", .applyFinished(plan: 1, outputs: [:]))
    let events = try await bench.store.events(after: 0, of: EventFilter(subject: .instance), limit: 100)
    #expect(events.map(\.name) == ["instance_created", "instance_deployed", "instance_destroyed", "instance_created"])
    #expect(events.suffix(2).map(\.run) == [Run.ID("porc-2"), Run.ID("porc-3")])
  }

  @Test(arguments: StoreKind.all)
  func whatHappensToTemplatesIsTold(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    func events() async throws -> [String] {
      try await bench.store.events(after: 0, of: EventFilter(subject: .template), limit: 100).map {
        "\($0.name) \($0.template?.rawValue ?? "?")"
      }
    }
    var (bucket, vpc) = (
      Template.sample("bucket", .one, source: "s"), Template.sample("vpc", .one, source: "s")
    )
    let archives = Template.archive(of: "bucket").merging(Template.archive(of: "vpc")) { $1 }
    try await bench.store.replaceTemplates(of: "s", with: [bucket, vpc], archives: archives)
    try await bench.store.replaceTemplates(of: "s", with: [bucket, vpc], archives: archives)
    let added = ["template_added bucket-1-0-0", "template_added vpc-1-0-0"]
    #expect(try await events() == added)
    bucket.title = "A bucket"
    vpc.status = .retired
    try await bench.store.replaceTemplates(of: "s", with: [bucket, vpc], archives: archives)
    #expect(try await events().suffix(2) == ["template_changed bucket-1-0-0", "template_retired vpc-1-0-0"])
    vpc.status = .deprecated
    try await bench.store.replaceTemplates(of: "s", with: [bucket, vpc], archives: archives)
    #expect(try await events().last == "template_changed vpc-1-0-0")
    // One is in use.
    try await bench.submit("vm", as: "porc-1")
    try await bench.store.replaceTemplates(of: "s", with: [], archives: [:])
    #expect(try await Set(events().suffix(2)) == ["template_retired bucket-1-0-0", "template_removed vpc-1-0-0"])
    try await bench.store.replaceTemplates(of: "s", with: [bucket], archives: archives)
    #expect(try await events().last == "template_added bucket-1-0-0")
    let last = try #require(
      try await bench.store.events(after: 0, of: EventFilter(subject: .template), limit: 100).last)
    #expect(
      last.event
        == .other(
          "template_added",
          data: [
            "module_path": "bucket/1.0.0", "name": "bucket", "version": "1.0.0", "status": "active", "source": "s",
          ]))
  }

  @Test(arguments: StoreKind.all)
  func eventsAreFoundByWhatTheyAreAbout(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.store.replaceTemplates(
      of: "s", with: [.sample("bucket", .one, source: "s")], archives: Template.archive(of: "bucket"))
    try await bench.submit("a", as: "porc-1")
    try await bench.submit("b", as: "porc-2")
    try await bench.command("porc-1", .build)
    let all = try await bench.store.events(after: 0, of: .all, limit: 100)
    #expect(
      all.map(\.name) == [
        "template_added", "submitted", "instance_created", "submitted", "instance_created", "build_started",
      ])
    let a = Instance.ID("a")
    for (filter, places) in [
      (EventFilter(subject: .run), [1, 3, 5]), (EventFilter(subject: .instance), [2, 4]),
      (EventFilter(subject: .template), [0]), (EventFilter(instance: a), [1, 2, 5]),
      (EventFilter(subject: .run, instance: a), [1, 5]), (EventFilter(subject: .instance, instance: a), [2]),
      (EventFilter(subject: .template, instance: a), []), (EventFilter(instance: Instance.ID("none")), []),
      (.run(Run.ID("porc-1")), [1, 5]),
    ] {
      let expected = places.map { all[$0] }
      #expect(try await bench.store.events(after: 0, of: filter, limit: 100) == expected, "\(filter)")
      for position in 0...all.count {
        let rest = expected.filter { $0.position > position }
        #expect(try await bench.store.events(after: Int64(position), of: filter, limit: 100) == rest, "\(filter)")
        #expect(try await bench.store.events(after: Int64(position), of: filter, limit: 1) == Array(rest.prefix(1)))
      }
    }
    let changed = try await bench.store.instancesChanged(after: all[3].position)
    #expect(changed.ids == [a, Instance.ID("b")] && changed.position == all.last?.position)
    #expect(try await bench.store.instancesChanged(after: all[4].position).ids == [a])
    #expect(try await bench.store.instancesChanged(after: all[5].position).ids.isEmpty)
  }

  /// Whoever reads in small pages while many write sees every event once, in order; and so does who reads afterwards.
  @Test(.timeLimit(.minutes(1)), arguments: StoreKind.all)
  func nothingIsMissedWhileManyWrite(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await withThrowingTaskGroup { group in
      for number in 0..<120 {
        group.addTask {
          try await bench.submit("vm-\(number % 40)", as: "porc-\(number)", version: "\(number % 3).0.0")
          if number % 4 == 0 { try await bench.command("porc-\(number)", .cancel(by: .anna)) }
        }
      }
      group.addTask {
        for number in 0..<40 {
          let template = Template.sample("t\(number)", .one, source: "s")
          try await bench.store.putTemplates(
            [template], of: "s", archives: Template.archive(of: "t\(number)"))
        }
      }
      group.addTask {
        var (seen, position): ([StoredEvent], Int64) = ([], 0)
        for await _ in bench.store.changes().startingAtOnce() {
          while case let page = try await bench.store.events(after: position, of: .all, limit: 5), let last = page.last
          {
            seen += page
            position = last.position
          }
          if seen.count(where: { $0.name == "submitted" || $0.name == "canceled" }) == 150,
            seen.count(where: { $0.name == "template_added" }) == 40
          {
            break
          }
        }
        #expect(seen == (try await bench.store.events(after: 0, of: .all, limit: 10_000)))
        #expect(seen.map(\.position) == Array(1...Int64(seen.count)))
        #expect(seen.count { $0.name == "instance_created" } == 40)
      }
      try await group.waitForAll()
    }
  }

  /// A database of the schema before, with events in it.
  @Test func eventsOfAnOlderDatabaseStayWhatTheyAre() async throws {
    let folder = try TemporaryFolder()
    let (path, present) = (folder.file("porc.sqlite").path, folder.file("present.sqlite").path)
    let store = try SQLiteStore.open(path: present)
    try await store.submit("vm", as: "porc-1")
    try await store.submit("db", as: "porc-2")
    let facts = try await store.events(after: 0, of: EventFilter(subject: .run), limit: 10).compactMap(\.fact)
    try await store.close()
    // As that schema had them, with gaps in the positions.
    let older = Migration.all.filter { $0.number < Migration.eventsOfAll.number }
    let old = try DatabaseQueue(path: path)
    try await old.writeWithoutTransaction { db in
      for migration in older { try db.execute(sql: migration.sql) }
      let instance = "number, id, version, newest, holder, deployed_template, destroyed_at, removed_at, document"
      let run = """
        seq, id, instance_number, instance_id, template, operation, state, submitted_at, updated_at, version, document
        """
      try db.execute(
        sql: """
          ATTACH DATABASE '\(present)' AS present;
          INSERT INTO instance (\(instance)) SELECT \(instance) FROM present.instance;
          INSERT INTO run (\(run)) SELECT \(run) FROM present.run;
          INSERT INTO event (position, run_id, name, at, document)
            SELECT position * 10, run_id, name, at, document FROM present.event WHERE subject = 'run';
          DETACH DATABASE present;
          PRAGMA application_id = \(0x504F_5243);
          PRAGMA user_version = \(older.count);
          """)
    }
    try old.close()

    let again = try SQLiteStore.open(path: path)
    let events = try await again.events(after: 0, of: .all, limit: 10)
    #expect(events.map(\.position) == [10, 30])
    #expect(events.compactMap(\.fact) == facts)
    #expect(events.map(\.instance) == [vm, Instance.ID("db")])
    #expect(try await again.events(after: 0, of: .run(Run.ID("porc-2")), limit: 10) == [events[1]])
    try await again.submit("vm", as: "porc-3", version: "2.0.0")
    let more = try await again.events(after: 30, of: .all, limit: 10)
    #expect(more.map(\.position) == [31, 32] && more.map(\.name) == ["submitted", "instance_changed"])
    let problems = try await again.read { try Row.fetchAll($0, sql: "PRAGMA foreign_key_check").count }
    #expect(problems == 0)
    try await again.close()
  }

  @Test func theQueriesGoByTheirIndexes() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore.open(path: folder.file("porc.sqlite").path)
    for (filter, index) in [
      (EventFilter.run(Run.ID("x")), "event_run"), (EventFilter(subject: .instance), "event_subject"),
      (EventFilter(subject: .template), "event_subject"), (EventFilter(instance: vm), "event_instance"),
      (EventFilter(subject: .run, instance: vm), "run_instance"),
    ] {
      let (sql, arguments) = SQLiteStore.eventsQuery(filter, after: 0, limit: 10)
      let plan = try await store.read { db in
        try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: arguments).map { $0["detail"] as String }
          .joined(separator: "\n")
      }
      #expect(plan.contains(index), "\(filter): \(plan)")
      #expect(!plan.contains("SCAN event"), "\(filter): \(plan)")
    }
    try await store.close()
  }
}
