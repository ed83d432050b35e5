import Foundation
import HCL
import PorcCore
import PorcStore
import Synchronization
import Testing

/// What one transaction holds and records.
@Suite struct DecisionTests {
  @Test(arguments: StoreKind.all)
  func aSubmittedRunIsRecordedWithItsEventAndItsPortalEntity(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let recorded = try await bench.submit("vm", as: "porc-1")
    #expect(recorded.facts.map(\.event.name) == ["submitted"])
    #expect(recorded.now == Bench.start)

    let located = try #require(try await bench.store.locate("porc-1"))
    #expect(located.run.state == .submitted)
    #expect(located.situation == recorded.situation)
    #expect(try await bench.store.events(after: 0, of: .all, limit: 10).compactMap(\.fact) == recorded.facts)
    let wanted = try await bench.store.desiredEntities(.instance)
    #expect(wanted.map(\.identifier) == ["vm"])
    #expect(wanted.first?.properties["terraform_status"] == "submitted")
  }

  @Test(arguments: StoreKind.all)
  func aSituationReadsBackExactlyAsItWasRecorded(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    bench.clock.advance(by: 0.1237)
    try await bench.submit("vm", as: "porc-1")
    bench.clock.advance(by: 1.0019)
    try await bench.apply("porc-1", tfeRunID: "run-1")
    bench.clock.advance(by: 86_399.4449)
    let recorded = try await bench.submit("vm", as: "porc-2", version: "2.0.0")
    let read = try #require(try await bench.store.situation(of: Instance.ID("vm")))
    #expect(read == recorded.situation)
    #expect(Set(read.runs.keys.map(\.rawValue)) == ["porc-1", "porc-2"], "the basis and the newest are both in it")
  }

  @Test(arguments: StoreKind.all)
  func decisionsGetTheTimeToTheMillisecond(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    bench.clock.advance(by: 0.123456)
    let recorded = try await bench.submit("vm", as: "porc-1")
    #expect(recorded.now == Date(timeIntervalSince1970: 1_800_000_000.123))
  }

  @Test(.timeLimit(.minutes(1)), arguments: StoreKind.all)
  func twoDecisionsAboutOneInstanceNeverSeeTheSameSituation(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let seen = Seen()
    try await withThrowingTaskGroup { group in
      for number in 0..<100 {
        group.addTask {
          try await bench.store.decide(about: .instance(Instance.ID("vm")), recording: Record()) { situation, now in
            seen.add(situation?.instance.newest.rawValue)
            return try RunMachine.submit(
              .sample("vm"), as: Run.ID("porc-\(number)"), for: Instance.ID("vm"), in: situation, at: now)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(Set(seen.all).count == 100)
    #expect(try await bench.events().count == 100)
  }

  @Test(arguments: StoreKind.all)
  func whatADecisionThrowsIsThrownOnAndNothingIsRecorded(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.command("porc-1", .build)
    let lease = try #require(try await bench.claim())
    let key = IdempotencyKey(caller: "c", key: "k", fingerprint: "f")
    let record = Record(
      sealedInputs: .init(run: Run.ID("porc-1"), bytes: Data([1])), blobs: ["d": Data([2])], finishing: lease,
      answer: .init(key: key) { _, _ in StoredAnswer(status: 200, body: Data(), fingerprint: "f") })
    let refusal = Refusal(.wrongState, "no", fix: "none")
    await #expect(throws: refusal) {
      try await bench.store.decide(about: .run("porc-1"), recording: record) { _, _ in throw refusal }
    }
    #expect(try await bench.events() == ["submitted", "build_started"])
    #expect(try await bench.store.sealedInputs(of: Run.ID("porc-1")) == nil)
    #expect(try await bench.store.blob("d") == nil)
    #expect(try await bench.store.answer(to: key) == nil)
    try await bench.store.finish(lease)  // still held
  }

  @Test(arguments: StoreKind.all)
  func anAnswerThatCannotBeMadeLeavesNothing(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let key = IdempotencyKey(caller: "c", key: "k", fingerprint: "f")
    await #expect(throws: StoreError.notFound) {
      try await bench.submit(
        "vm", as: "porc-1", recording: Record(answer: .init(key: key) { _, _ in throw StoreError.notFound }))
    }
    #expect(try await bench.store.locate("porc-1") == nil)
    #expect(try await bench.store.portalStatus(.instance, "vm") == nil)
  }

  @Test(arguments: StoreKind.all)
  func whatDoesNotExistIsNotFound(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    #expect(try await bench.store.locate("porc-0") == nil)
    #expect(try await bench.store.locate("run-0") == nil)
    #expect(try await bench.store.situation(of: Instance.ID("vm")) == nil)
    for id in ["porc-0", "run-0"] {
      let seen = Seen()
      await #expect(throws: StoreError.notFound) {
        try await bench.store.decide(about: .run(id), recording: Record()) { situation, now in
          seen.add(id)
          return try RunMachine.submit(.sample("vm"), as: Run.ID(id), for: Instance.ID("vm"), in: situation, at: now)
        }
      }
      #expect(seen.all.isEmpty)
    }
  }

  @Test(arguments: StoreKind.all)
  func aRunIsFoundByItsIDAndByEachOfItsTFERuns(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.plan("porc-1", tfeRunID: "run-a")
    try await bench.hear("porc-1", .planFailed(plan: 1, Failure("no")))
    try await bench.command("porc-1", .plan(PlanRequest(by: .anna)))
    try await bench.hear("porc-1", .tfeRunCreated(plan: 2, tfeRunID: "run-b", configurationVersionID: "cv-2"))

    for (id, askedBy) in [("porc-1", nil), ("run-a", "run-a"), ("run-b", "run-b")] as [(String, String?)] {
      let located = try #require(try await bench.store.locate(id))
      #expect(located.run.id.rawValue == "porc-1")
      #expect(located.askedByTFERunID == askedBy)
    }
    let recorded = try await bench.command("run-b", .cancel(by: .anna))
    #expect(recorded.facts.map(\.event.name) == ["cancel_requested"])
  }

  @Test(arguments: StoreKind.all)
  func whereNothingIsDecidedOnlyWhatComesWithItIsRecorded(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.command("porc-1", .build)
    let lease = try #require(try await bench.claim())
    try await bench.store.snooze(lease, for: 600)
    let before = try await bench.store.portalStatus(.instance, "vm")
    let position = try await bench.store.lastPosition()
    bench.clock.advance(by: 5)

    let key = IdempotencyKey(caller: "c", key: "k", fingerprint: "f")
    let answer = StoredAnswer(status: 202, body: Data("x".utf8), fingerprint: "f", location: "/runs/porc-1")
    let recorded = try await bench.command(
      "porc-1", .build,
      recording: Record(
        sealedInputs: .init(run: Run.ID("porc-1"), bytes: Data([1])), blobs: ["d": Data([2])],
        waking: [RunJob(.build, run: Run.ID("porc-1"))], answer: .init(key: key) { _, _ in answer }))
    #expect(recorded.facts.isEmpty)
    #expect(recorded.situation.currentRun?.state == .building)
    #expect(try await bench.store.lastPosition() == position)
    #expect(try await bench.store.portalStatus(.instance, "vm") == before)
    #expect(try await bench.store.blob("d") == Data([2]))
    #expect(try await bench.store.sealedInputs(of: Run.ID("porc-1")) == Data([1]))
    #expect(try await bench.store.answer(to: key) == answer)
    #expect(try await bench.claim()?.kind == .build)
  }

  @Test(arguments: StoreKind.all)
  func aLostLeaseRecordsNothing(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.command("porc-1", .build)
    let lost = try #require(try await bench.claim("one", for: 10))
    bench.clock.advance(by: 11)
    let held = try #require(try await bench.claim("two", for: 10))
    await #expect(throws: StoreError.leaseLost) {
      try await bench.hear("porc-1", .built(bundle: "b"), recording: Record(blobs: ["b": Data([1])], finishing: lost))
    }
    #expect(try await bench.store.locate("porc-1")?.run.state == .building)
    #expect(try await bench.store.blob("b") == nil)

    try await bench.hear("porc-1", .built(bundle: "b"), recording: Record(blobs: ["b": Data([1])], finishing: held))
    #expect(try await bench.store.locate("porc-1")?.run.state == .built)
    #expect(try await bench.store.blob("b") == Data([1]))
    #expect(try await bench.store.untilNextDue() == nil)
  }

  @Test(arguments: StoreKind.all)
  func theSameIdempotencyKeyIsAnsweredOnce(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let key = IdempotencyKey(caller: "anna", key: "k", fingerprint: "one")
    func record(_ key: IdempotencyKey) -> Record {
      Record(
        answer: .init(key: key) { situation, now in
          StoredAnswer(
            status: 201, body: Data("\(situation.instance.newest) \(now.timeIntervalSince1970)".utf8),
            fingerprint: key.fingerprint, location: "/runs/x")
        })
    }
    try await bench.submit("vm", as: "porc-1", recording: record(key))
    let answer = try #require(try await bench.store.answer(to: key))
    #expect(String(decoding: answer.body, as: UTF8.self) == "porc-1 1800000000.0")

    var other = key
    other.fingerprint = "two"
    #expect(try await bench.store.answer(to: other)?.fingerprint == "one", "so that the mistake shows")
    await #expect(throws: StoreError.alreadyAnswered(answer)) {
      try await bench.submit("vm", as: "porc-2", recording: record(other))
    }
    #expect(try await bench.store.locate("porc-2") == nil)

    other.caller = "bert"
    #expect(try await bench.store.answer(to: other) == nil)
    try await bench.submit("vm", as: "porc-3", recording: record(other))

    bench.clock.advance(by: 100)
    try await bench.store.forgetAnswers(olderThan: 101)
    #expect(try await bench.store.answer(to: key) != nil)
    try await bench.store.forgetAnswers(olderThan: 99)
    #expect(try await bench.store.answer(to: key) == nil)
  }
}

/// What came by, in order.
private final class Seen: Sendable {
  private let texts = Mutex<[String?]>([])
  var all: [String?] { texts.withLock { $0 } }
  func add(_ text: String?) { texts.withLock { $0.append(text) } }
}
