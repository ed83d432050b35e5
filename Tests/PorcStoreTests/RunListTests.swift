import Foundation
import PorcCore
import PorcStore
import Testing

/// Finding and listing what was recorded.
@Suite struct RunListTests {
  @Test(arguments: StoreKind.all)
  func runsAreListedNewestFirstAndByPages(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    for number in 1...5 { try await bench.submit(number % 2 == 0 ? "even" : "odd", as: "porc-\(number)") }
    try await bench.command("porc-2", .build)
    func ids(_ filter: RunFilter = RunFilter(), after cursor: String? = nil, limit: Int = 10) async throws -> [String] {
      try await bench.store.runs(filter, after: cursor.map { Run.ID($0) }, limit: limit).map(\.run.id.rawValue)
    }
    #expect(try await ids() == ["porc-5", "porc-4", "porc-3", "porc-2", "porc-1"])
    #expect(try await ids(limit: 2) == ["porc-5", "porc-4"])
    #expect(try await ids(after: "porc-4", limit: 2) == ["porc-3", "porc-2"])
    #expect(try await ids(after: "porc-1").isEmpty)
    #expect(try await ids(RunFilter(instance: Instance.ID("odd"))) == ["porc-5", "porc-3", "porc-1"])
    #expect(try await ids(RunFilter(instance: Instance.ID("odd")), after: "porc-5", limit: 1) == ["porc-3"])
    #expect(try await ids(RunFilter(state: .building)) == ["porc-2"])
    #expect(try await ids(RunFilter(instance: Instance.ID("odd"), state: .building)).isEmpty)
    #expect(try await ids(RunFilter(operation: .destroy)).isEmpty)
    #expect(try await ids(RunFilter(state: .submitted, operation: .apply)).count == 4)
    await #expect(throws: StoreError.notFound) { try await ids(after: "porc-0") }
  }

  @Test(arguments: StoreKind.all)
  func eachListedRunComesWithItsSituation(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.plan("porc-1", tfeRunID: "run-1")
    try await bench.submit("vm", as: "porc-2")
    try await bench.command("porc-2", .plan(PlanRequest(by: .anna)))
    try await bench.submit("vm", as: "porc-3")
    for located in try await bench.store.runs(RunFilter(), after: nil, limit: 10) {
      #expect(located.situation.runs[located.run.id] == located.run)
      #expect(located.situation.holder?.id.rawValue == "porc-1")
      #expect(Set(located.situation.runs.keys.map(\.rawValue)) == ["porc-1", "porc-2", "porc-3"])
    }
  }

  @Test(arguments: StoreKind.all)
  func instancesAreListedByIdentifierAndByPages(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    for (number, name) in ["c", "a", "b"].enumerated() { try await bench.submit(name, as: "porc-\(number)") }
    func ids(after cursor: String? = nil, limit: Int = 10) async throws -> [String] {
      try await bench.store.instances(after: cursor.map { Instance.ID($0) }, limit: limit).map(\.instance.id.rawValue)
    }
    #expect(try await ids() == ["a", "b", "c"])
    #expect(try await ids(limit: 2) == ["a", "b"])
    #expect(try await ids(after: "b") == ["c"])
    #expect(try await ids(after: "aa") == ["b", "c"], "a cursor need not exist any more")
  }

  @Test(arguments: StoreKind.all)
  func eventsHaveOneOrderAndCanBeResumed(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    #expect(try await bench.store.lastPosition() == 0)
    try await bench.submit("a", as: "porc-1")
    try await bench.submit("b", as: "porc-2")
    try await bench.command("porc-1", .build)
    try await bench.command("porc-2", .build)
    let all = try await bench.store.events(after: 0, of: EventFilter(subject: .run), limit: 100)
    #expect(all.map(\.run?.rawValue) == ["porc-1", "porc-2", "porc-1", "porc-2"])
    #expect(all.map(\.position) == all.map(\.position).sorted())
    #expect(try await bench.store.lastPosition() == all.last?.position)
    #expect(
      try await bench.store.events(after: all[1].position, of: EventFilter(subject: .run), limit: 100)
        == Array(all[2...]))
    #expect(try await bench.store.events(after: all[0].position, of: EventFilter(subject: .run), limit: 1) == [all[1]])
    #expect(try await bench.store.events(after: all[0].position, of: .run(Run.ID("porc-1")), limit: 100) == [all[2]])
  }

  @Test(.timeLimit(.minutes(1)), arguments: StoreKind.all)
  func aReaderWhoResumesMissesNothing(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await withThrowingTaskGroup { group in
      for number in 0..<200 { group.addTask { _ = try await bench.submit("vm-\(number)", as: "porc-\(number)") } }
      group.addTask {
        var seen = Set<Run.ID>()
        var position: Int64 = 0
        for await _ in bench.store.changes().startingAtOnce() {
          while case let events = try await bench.store.events(after: position, of: .all, limit: 7),
            let last = events.last
          {
            #expect(events.map(\.position) == Array(position + 1...last.position))
            seen.formUnion(events.compactMap(\.fact?.run))
            position = last.position
          }
          if seen.count == 200 { break }
        }
        #expect(seen.count == 200)
      }
      try await group.waitForAll()
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: StoreKind.all)
  func changesAreHintedUntilTheStoreIsClosed(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let (first, second) = (bench.store.changes(), bench.store.changes())
    for number in 0..<10 { try await bench.submit("vm", as: "porc-\(number)") }
    var hints = first.makeAsyncIterator()
    #expect(await hints.next() != nil)
    try await bench.store.close()
    var left = 0
    while await hints.next() != nil { left += 1 }
    #expect(left <= 1, "commits that nobody looked at are one hint")
    var count = 0
    for await _ in second { count += 1 }
    #expect(count == 1)
    for await _ in bench.store.changes() { Issue.record("a closed store changes no more") }
  }

  @Test(arguments: StoreKind.all)
  func bytesAreKeptUnderTheirDigest(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    #expect(try await bench.store.blob("d") == nil)
    try await bench.store.putBlob(Data([1, 0, 255]), digest: "d")
    try await bench.store.putBlob(Data([1, 0, 255]), digest: "d")
    #expect(try await bench.store.blob("d") == Data([1, 0, 255]))
    try await bench.store.putBlob(Data(), digest: "empty")
    #expect(try await bench.store.blob("empty") == Data())
  }
}

extension AsyncStream<Void> {
  /// A hint now, for what was there before anybody listened, and then those of this stream.
  func startingAtOnce() -> AsyncStream<Void> {
    AsyncStream { continuation in
      continuation.yield()
      let task = Task {
        for await _ in self { continuation.yield() }
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}
