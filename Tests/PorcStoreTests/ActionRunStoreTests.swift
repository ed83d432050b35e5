import Foundation
import PorcCore
import PorcStore
import Testing

/// Presses of the portal's buttons: recorded once, with what was decided, and open until the portal was told the end.
@Suite struct ActionRunStoreTests {
  private func press(_ id: String = "r_1", of run: String = "porc-1", plan: Int? = nil) -> Record {
    Record(
      actionRun: .init(id: id) { situation, now in
        ActionRun(
          id: id, verb: "plan", actor: .anna, run: Run.ID(run), instance: situation.instance.id, plan: plan,
          opening: ["Anna asked."], createdAt: now)
      })
  }

  private let wish = RunCommand.plan(PlanRequest(by: .anna))

  private func due(_ bench: Bench) async throws -> [String] {
    try await bench.store.dueActionRuns(patience: 10, limit: 100).map(\.id)
  }

  /// The portal has acknowledged everything.
  private func acknowledge(_ bench: Bench) async throws {
    try await bench.store.acknowledge(try await bench.store.differences(.instance, limit: 100))
  }

  @Test(arguments: StoreKind.all)
  func aPressIsRecordedWithItsDecisionAndOnce(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    let before = try await bench.store.lastPosition()
    try await bench.command("porc-1", wish, recording: press())
    let kept = try #require(try await bench.store.actionRun("r_1"))
    #expect(kept.run == Run.ID("porc-1") && kept.instance == Instance.ID("vm") && kept.actor == .anna)
    #expect(kept.position == before, "what came of it is after that")
    #expect(kept.opening == ["Anna asked."] && kept.reported == ActionRun.Reported() && kept.end == nil)
    #expect(kept.createdAt == Bench.start && kept.closedAt == nil && !kept.isRefused)

    let events = try await bench.events()
    await #expect(throws: StoreError.alreadyPressed) {
      try await bench.command("porc-1", .cancel(by: .anna), recording: press())
    }
    #expect(try await bench.events() == events)
    #expect(try await bench.store.actionRun("r_2") == nil)
  }

  @Test(arguments: StoreKind.all)
  func whatIsRefusedLeavesNoPressButTheOneThatSaysSo(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    await #expect(throws: Refusal.self) {
      try await bench.command("porc-1", .apply(tfeRunID: nil, by: .anna), recording: press())
    }
    #expect(try await bench.store.actionRun("r_1") == nil)

    let key = IdempotencyKey(caller: "port", key: "r_1", fingerprint: "f")
    let answer = StoredAnswer(status: 409, body: Data("no".utf8), fingerprint: "f")
    let refused = ActionRun(id: "r_1", verb: "apply", actor: .anna, opening: ["Anna asked."], createdAt: Bench.start)
    bench.clock.advance(by: 5)
    try await bench.store.refuse(refused, because: "No plan.", answer: answer, under: key)
    let kept = try #require(try await bench.store.actionRun("r_1"))
    #expect(kept.isRefused && kept.end == ActionRun.End(.failure, because: "No plan."))
    #expect(kept.createdAt == Bench.start.addingTimeInterval(5) && kept.run == nil)
    #expect(try await bench.store.answer(to: key) == answer)
    // It changes no entity, so there is nothing to wait for; it is due until it is closed.
    #expect(try await due(bench) == ["r_1"])
    try await bench.store.note(.init(lines: 2), of: "r_1", upTo: 0, ending: nil)
    #expect(try await due(bench) == ["r_1"])

    await #expect(throws: StoreError.alreadyAnswered(answer)) {
      try await bench.store.refuse(refused, because: "Again.", answer: answer, under: key)
    }
    var other = key
    other.caller = "tok-a"
    await #expect(throws: StoreError.alreadyPressed) {
      try await bench.store.refuse(refused, because: "Again.", answer: answer, under: other)
    }
    #expect(try await bench.store.answer(to: other) == nil)
  }

  @Test(arguments: StoreKind.all)
  func aPressIsDueWheneverItsInstanceHasChanged(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.submit("other", as: "porc-2")
    #expect(try await due(bench) == [])
    try await bench.command("porc-1", wish, recording: press())
    #expect(try await due(bench) == ["r_1"])
    let version = try #require(try await bench.store.locate("porc-1")).version
    let reported = ActionRun.Reported(label: "Building", links: ["https://tfe"], externalID: "run-1", lines: 2)
    try await bench.store.note(reported, of: "r_1", upTo: version, ending: nil)
    #expect(try await due(bench) == [])
    #expect(try await bench.store.actionRun("r_1")?.reported == reported)

    try await bench.command("porc-2", wish)
    #expect(try await due(bench) == [], "another instance")
    try await bench.hear("porc-1", .built(bundle: "b"))
    #expect(try await due(bench) == ["r_1"])
    // A part of it was told: the rest still is to be.
    try await bench.store.note(.init(lines: 3), of: "r_1", upTo: nil, ending: nil)
    #expect(try await due(bench) == ["r_1"])
  }

  @Test(arguments: StoreKind.all)
  func theEndWaitsForTheEntityButNotForEver(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    let end = ActionRun.End(.success, because: "The plan is there.")
    for (run, instance, id) in [("porc-1", "vm", "r_1"), ("porc-2", "other", "r_2")] {
      try await bench.submit(instance, as: run)
      try await bench.command(run, wish, recording: press(id, of: run))
      let version = try #require(try await bench.store.locate(run)).version
      try await bench.store.note(.init(), of: id, upTo: version, ending: end)
    }
    #expect(try await bench.store.actionRun("r_1")?.end == end)
    #expect(try await due(bench) == [])
    let difference = try #require(
      try await bench.store.differences(.instance, limit: 10).first { $0.identifier == "vm" })
    try await bench.store.acknowledge([difference])
    #expect(try await due(bench) == ["r_1"])
    bench.clock.advance(by: 9)
    #expect(try await due(bench) == ["r_1"])
    bench.clock.advance(by: 1)
    #expect(try await due(bench) == ["r_1", "r_2"])

    try await close(bench, "r_1")
    #expect(try await due(bench) == ["r_2"])
    #expect(try await bench.store.actionRun("r_1")?.closedAt == Bench.start.addingTimeInterval(10))
    #expect(try await bench.store.actionRun("r_1")?.end == end)
  }

  private func close(_ bench: Bench, _ id: String) async throws {
    try await bench.store.close(try #require(try await bench.store.actionRun(id)))
  }

  /// Anybody with a token can name an action run before Port's own call comes.
  @Test(arguments: StoreKind.all)
  func onlyAPressThatIsVouchedForTakesThePlaceOfOneThatIsNot(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    func name(isVouched: Bool, in press: Record) -> Record {
      var record = press
      record.actionRun = press.actionRun.map { pending in
        .init(id: pending.id, isVouched: isVouched) {
          var made = try pending.make($0, $1)
          made.isVouched = isVouched
          return made
        }
      }
      return record
    }
    try await bench.command("porc-1", wish, recording: name(isVouched: false, in: press()))
    let named = try #require(try await bench.store.actionRun("r_1"))
    #expect(!named.isVouched)
    #expect(
      try await bench.differences(limit: 10).allSatisfy { $0.actionRun == nil }, "what it wrote is not shown there")
    await #expect(throws: StoreError.alreadyPressed) {
      try await bench.command("porc-1", .cancel(by: .anna), recording: name(isVouched: false, in: press()))
    }
    try await bench.command("porc-1", .cancel(by: .anna), recording: name(isVouched: true, in: press()))
    await #expect(throws: StoreError.alreadyPressed) {
      try await bench.command("porc-1", wish, recording: name(isVouched: true, in: press()))
    }
    // Whoever still tells of the other ends that alone.
    try await bench.store.close(named)
    let kept = try #require(try await bench.store.actionRun("r_1"))
    #expect(kept.isVouched && kept.closedAt == nil)
  }

  @Test(arguments: StoreKind.all)
  func onePostponedHoldsUpNoOther(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.command("porc-1", wish, recording: press())
    try await bench.submit("other", as: "porc-2")
    try await bench.command("porc-2", wish, recording: press("r_2", of: "porc-2"))
    try await bench.store.postponeActionRun("r_1", for: 5)
    #expect(try await due(bench) == ["r_2"])
    #expect(try await bench.store.actionRun("r_1")?.attempts == 1)
    bench.clock.advance(by: 5)
    #expect(try await due(bench) == ["r_1", "r_2"])
  }

  @Test(arguments: StoreKind.all)
  func thePortalsWritesBelongToTheNewestOpenPress(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    func open() async throws -> [String: String] {
      let differences = try await bench.differences(limit: 10)
      return differences.reduce(into: [:]) { $0[$1.identifier] = $1.actionRun }
    }
    try await bench.submit("vm", as: "porc-1")
    try await bench.submit("other", as: "porc-2")
    #expect(try await open() == [:])
    try await bench.command("porc-1", wish, recording: press())
    bench.clock.advance(by: 1)
    try await bench.command("porc-1", .cancel(by: .anna), recording: press("r_2"))
    let refused = ActionRun(
      id: "r_3", verb: "apply", actor: .anna, run: Run.ID("porc-2"), instance: Instance.ID("other"), opening: [],
      createdAt: Bench.start)
    try await bench.store.refuse(
      refused, because: "No.", answer: StoredAnswer(status: 409, body: Data(), fingerprint: "f"),
      under: IdempotencyKey(caller: "port", key: "r_3", fingerprint: "f"))
    #expect(try await open() == ["vm": "r_2"])
    #expect(
      try await bench.store.actionRunBacklog() == ActionRunBacklog(count: 3, openSince: Bench.start))
    try await close(bench, "r_2")
    #expect(try await open() == ["vm": "r_1"])
    try await close(bench, "r_1")
    try await close(bench, "r_3")
    #expect(try await open() == [:])
    #expect(try await bench.store.actionRunBacklog() == ActionRunBacklog(count: 0, openSince: nil))
    // Closed in the portal before its end was known here.
    #expect(try await bench.store.actionRun("r_1")?.end?.outcome == .failure)
  }

  @Test(arguments: StoreKind.all)
  func whatWasClosedLongAgoIsForgotten(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.command("porc-1", wish, recording: press())
    bench.clock.advance(by: 1000)
    try await bench.store.forgetActionRuns(closedFor: 100)
    #expect(try await bench.store.actionRun("r_1") != nil, "it is open")
    try await close(bench, "r_1")
    bench.clock.advance(by: 100)
    try await bench.store.forgetActionRuns(closedFor: 100)
    #expect(try await bench.store.actionRun("r_1") != nil)
    bench.clock.advance(by: 1)
    try await bench.store.forgetActionRuns(closedFor: 100)
    #expect(try await bench.store.actionRun("r_1") == nil)
  }

  @Test(arguments: StoreKind.all)
  func tellingThePortalIsNoNews(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.submit("vm", as: "porc-1")
    try await bench.command("porc-1", wish, recording: press())
    // What was committed before is told before this is done.
    try await bench.store.postponeActionRun("r_1", for: 0)
    let (heard, hearing) = AsyncStream.makeStream(of: Void.self)
    let changes = bench.store.changes()
    let listener = Task {
      for await _ in changes { hearing.yield() }
      hearing.finish()
    }
    try await bench.store.note(.init(lines: 1), of: "r_1", upTo: 3, ending: nil)
    try await bench.store.postponeActionRun("r_1", for: 1)
    try await close(bench, "r_1")
    try await bench.store.close()
    await listener.value
    #expect(await heard.reduce(into: 0) { count, _ in count += 1 } == 0)
  }
}
