import Foundation
import Testing

/// Whatever is sent twice happens once.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct IdempotencyTests {
  @Test func aSubmissionThatIsRepeatedIsTheSameRun() async throws {
    let dev = try DevServer.current()
    let key = ["Idempotency-Key": UUID().uuidString]
    let blueprint = Blueprint.service(named: "once")
    let first = try await dev.porc.post("/runs", blueprint, headers: key).expecting(201)
    let run = first.json["run_id"]
    // Much may have happened since: the answer is the one that was given.
    try await dev.plan(run.string ?? "")
    let second = try await dev.porc.post("/runs", blueprint, headers: key).expecting(201)
    #expect(first.body == second.body)
    #expect(first.header("Location") == second.header("Location"))
    let other = try await dev.porc.post("/runs", Blueprint.service(named: "once", text: "x"), headers: key)
      .expecting(422)
    #expect(other.problem == "idempotency-key-reused")
    #expect(try await dev.porc.get("/runs?instance=once").json["runs"].array.map { $0["run_id"] } == [run])
    #expect(try await dev.events(run.string ?? "").filter { $0 == "submitted" }.count == 1)

    // A key belongs to the caller who sent it.
    let somebody = try await dev.porc(as: "somebody", scopes: "submit")
    let theirs = try await somebody.post("/runs", blueprint, headers: key).expecting(201)
    #expect(theirs.json["run_id"] != run)
  }

  @Test func manySubmissionsAtOnceWithOneKeyAreOneRun() async throws {
    let dev = try DevServer.current()
    let key = ["Idempotency-Key": UUID().uuidString]
    let blueprint = Blueprint.service(named: "at-once")
    let answers = try await all(20) { _ in try await dev.porc.post("/runs", blueprint, headers: key) }
    let accepted = answers.filter { $0.status == 201 }
    #expect(!accepted.isEmpty && Set(accepted.map(\.body)).count == 1)
    #expect(answers.allSatisfy { [201, 409].contains($0.status) }, "\(answers.map(\.status))")
    #expect(try await dev.porc.get("/runs?instance=at-once").json["runs"].array.count == 1)
  }

  @Test func aHundredPlansAtOnceAreOnePlan() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "hundred"))
    let answers = try await all(100) { _ in try await dev.porc.post("/runs/\(run)/plan") }
    #expect(answers.contains { $0.status == 202 })
    #expect(answers.allSatisfy { [202, 409].contains($0.status) }, "\(answers.map(\.status))")
    try await dev.until(run, is: "planned")
    #expect(try await dev.tfeRunsMade().filter { $0.hasPrefix(run) } == ["\(run)/1"])

    // As are a hundred who all saw the same plan and want it.
    let seen = try await dev.status(run)["tfe_run_id"]
    let applies = try await all(100) { _ in try await dev.porc.post("/runs/\(run)/apply", ["tfe_run_id": seen]) }
    #expect(applies.allSatisfy { $0.status == 202 }, "\(applies.map(\.status))")
    try await dev.until(run, is: "applied")
    let confirmed = try await dev.tfeWrites().filter { $0.hasSuffix("\(seen.string ?? "")/actions/apply") }
    #expect(confirmed.count == 1)
    #expect(try await dev.events(run).filter { $0 == "apply_confirmed" }.count == 1)
  }

  @Test func twentyInstancesAtOnceAreAllApplied() async throws {
    let dev = try DevServer.current()
    let runs = try await all(20) { try await dev.deploy(Blueprint.service(named: "many-\($0)")) }
    #expect(Set(runs).count == 20)
    let made = try await dev.tfeRunsMade()
    for (index, run) in runs.enumerated() {
      #expect(made.filter { $0.hasPrefix(run) } == ["\(run)/1"])
      try await dev.shows("many-\(index)", ["terraform_status": "applied"])
    }
  }

  @Test func aPlanThatIsRepeatedWithItsKeyIsOnePlan() async throws {
    let dev = try DevServer.current()
    let gate = try Gate("repeated", of: dev, closed: .plan)
    let run = try await dev.submit(Blueprint.gated(named: "repeated", gate))
    let key = ["Idempotency-Key": UUID().uuidString]
    let first = try await dev.porc.post("/runs/\(run)/plan", headers: key).expecting(202)
    try await gate.reached(.plan)
    let second = try await dev.porc.post("/runs/\(run)/plan", headers: key).expecting(202)
    #expect(first.body == second.body)
    #expect(try await dev.porc.post("/runs/\(run)/plan").expecting(409).problem == "wrong-state")
    try gate.open(.plan)
    try await dev.until(run, is: "planned")
    #expect(try await dev.tfeRunsMade().filter { $0.hasPrefix(run) } == ["\(run)/1"])
  }

  private func all<Value: Sendable>(
    _ count: Int, _ work: @escaping @Sendable (Int) async throws -> Value
  ) async throws -> [Value] {
    try await withThrowingTaskGroup(of: Value.self) { group in
      for index in 0..<count { group.addTask { try await work(index) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
  }
}
