import Foundation
import Processes
import Sandbox
import Testing

@Suite(.timeLimit(.minutes(2))) struct FaultTests {
  private static func plan(_ document: JSONValue) throws -> FaultPlan { try FaultPlan(parsing: document.bytes) }

  /// Creates a workspace; nil where the connection ended without an answer.
  private static func create(_ name: String, _ tfe: TFE) async -> Int? {
    try? await tfe.post("/organizations/acme/workspaces", ["data": ["attributes": ["name": .string(name)]]]).status
  }

  @Test(arguments: [
    ("error_before", 500 as Int?, 404), ("error_after", 500, 200), ("dropped_before", nil, 404),
    ("dropped_after", nil, 200), ("rate_limited", 429, 404), ("slow", 201, 200),
  ])
  func aFaultMeetsTheRequestBeforeOrAfterItsWorkIsDone(fault: String, status: Int?, then: Int) async throws {
    var rule: JSONValue = ["fault": .string(fault), "rate": 1, "times": 1, "method": "POST", "path": "*/workspaces"]
    if fault == "rate_limited" || fault == "slow" { rule["seconds"] = 0.25 }
    let began = ContinuousClock.now
    try await TFE.run(faults: Self.plan(["seed": 1, "requests": [rule]])) { tfe in
      #expect(await Self.create("demo", tfe) == status)
      #expect(try await tfe.get("/organizations/acme/workspaces/demo").status == then)
      // Only once, and only to such requests.
      #expect(await Self.create("other", tfe) == 201)
      let records = tfe.sandbox.requests.records()
      #expect(records.map(\.fault) == [fault, nil, nil])
      #expect(records.first?.status == status ?? 0)
      let log = try await tfe.get("/_sandbox/requests")
      #expect(log.json["requests"][0]["fault"].string == fault)
    }
    if fault == "slow" { #expect(ContinuousClock.now - began >= .milliseconds(250)) }
  }

  @Test func aWaitIsNamedInSeconds() async throws {
    let plan = try Self.plan([
      "seed": 1, "requests": [["fault": "rate_limited", "rate": 1, "times": 1, "seconds": 1.5]],
    ])
    try await TFE.run(faults: plan) { tfe in
      let answer = try await tfe.get("/organizations/acme")
      #expect(answer.status == 429 && answer.json["errors"][0]["title"] == "Too many requests")
      #expect(answer.headers["x-ratelimit-reset"] == "1.500" && answer.headers["x-ratelimit-limit"] == "30")
      #expect(try await tfe.get("/organizations/acme").status == 200)
    }
  }

  /// Which of 200 requests meet which fault.
  private static func faults(seed: Int, _ count: Int = 200) async throws -> [String?] {
    let plan = try plan([
      "seed": .init(seed),
      "requests": [["fault": "error_before", "rate": 0.2], ["fault": "rate_limited", "rate": 0.1]],
    ])
    var faults: [String?] = []
    try await TFE.run(faults: plan) { tfe in
      for _ in 0..<count { _ = try await tfe.get("/organizations/acme") }
      faults = tfe.sandbox.requests.records().map(\.fault)
    }
    return faults
  }

  @Test func theSameSeedDealsTheSameFaults() async throws {
    let first = try await Self.faults(seed: 42)
    #expect(try await Self.faults(seed: 42) == first)
    #expect(try await Self.faults(seed: 43) != first)
    // By four standard deviations.
    #expect((18...62).contains(first.count { $0 == "error_before" }))
    #expect((1...33).contains(first.count { $0 == "rate_limited" }))
  }

  @Test func theLimitsArePerTokenAndForListsOfRuns() async throws {
    let plan = try Self.plan([
      "seed": 1, "limits": ["requests_per_second": 1000, "run_lists_per_minute": 3],
    ])
    try await TFE.run(faults: plan) { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      for _ in 0..<3 { #expect(try await tfe.get("/workspaces/\(workspace)/runs").status == 200) }
      let over = try await tfe.get("/workspaces/\(workspace)/runs")
      #expect(over.status == 429)
      let reset = try #require(over.headers["x-ratelimit-reset"].flatMap { Double($0) })
      #expect(reset > 0 && reset <= 60)
      #expect(over.headers["x-ratelimit-remaining"] == "0" && over.headers["x-ratelimit-limit"] == "3")
      // The organization's list and everything else have limits of their own.
      #expect(try await tfe.get("/organizations/acme/runs").status == 200)
      let other = try await tfe.get("/organizations/acme/runs/queue")
      #expect(other.status == 200 && other.headers["x-ratelimit-limit"] == "1000")
    }
  }

  @Test func theWindowOfASecondEnds() async throws {
    try await TFE.run(faults: Self.plan(["seed": 1, "limits": ["requests_per_second": 2]])) { tfe in
      var statuses: [Int] = []
      // However slow this machine, three of these fall into one second, or it is no limit.
      let begun = ContinuousClock.now
      while !statuses.contains(429), ContinuousClock.now - begun < .seconds(30) {
        statuses.append(try await tfe.get("/organizations/acme").status)
      }
      #expect(statuses.contains(429))
      var last = try await tfe.get("/organizations/acme")
      while last.status == 429 {
        let reset = try #require(last.headers["x-ratelimit-reset"].flatMap { Double($0) })
        #expect(reset <= 1)
        try await Task.sleep(for: .seconds(reset))
        last = try await tfe.get("/organizations/acme")
      }
      #expect(last.status == 200)
    }
  }

  @Test func terraformSurvivesLimitsAndSlowAnswers() async throws {
    let plan = try Self.plan([
      "seed": 7,
      "requests": [
        ["fault": "rate_limited", "rate": 1, "times": 1, "path": "*/entitlement-set", "seconds": 0.3],
        ["fault": "rate_limited", "rate": 1, "times": 2, "method": "POST", "path": "/api/v2/runs", "seconds": 0.2],
        ["fault": "rate_limited", "rate": 0.1, "path": "/api/v2/*", "seconds": [0.1, 0.3]],
        ["fault": "slow", "rate": 0.3, "seconds": [0.05, 0.2]],
      ],
    ])
    try await TFE.run(faults: plan) { tfe in
      let terraform = try CLI(tfe)
      for command in [["init"], ["apply", "-auto-approve"], ["output"]] {
        let output = try await terraform(command)
        #expect(output.status.isSuccess, "\(output.text)")
      }
      let records = tfe.sandbox.requests.records()
      #expect(records.filter { $0.line == "POST /api/v2/runs" }.map(\.status) == [429, 429, 201])
    }
  }

  @Test func aWrongPlanIsRefusedWithAllThatIsWrong() throws {
    let wrong: JSONValue = [
      "sead": 1,
      "limits": ["requests_per_second": 0],
      "requests": [
        ["fault": "explode", "rate": -1], ["fault": "slow", "rate": 2, "seconds": [3, 1]],
        ["fault": "error_before", "rate": 0.1, "seconds": 1, "times": 0, "method": 5],
      ],
      "notifications": [["fault": "lost", "rate": 0.1, "path": "/x"]],
    ]
    let refused = #expect(throws: FaultPlan.Problems.self) { try Self.plan(wrong) }
    let problems = refused?.problems ?? []
    let places = problems.map { String($0.prefix { $0 != ":" }) }
    #expect(
      Set(places) == [
        "/sead", "/seed", "/limits/requests_per_second", "/requests/0/fault", "/requests/0/rate", "/requests/1/rate",
        "/requests/1/seconds", "/requests/2/seconds", "/requests/2/times", "/requests/2/method",
        "/notifications/0/path",
      ])
    #expect(problems.contains { $0.contains("/requests/1/seconds: FROM is more than TO.") })
    #expect(problems.contains { $0.contains("No fault has this name. There are 'rate_limited', 'error_before'") })
    let text = #expect(throws: FaultPlan.Problems.self) { try FaultPlan(parsing: Array("{".utf8)) }
    #expect(text?.description.contains("Write one JSON object.") == true)
    #expect(throws: Never.self) { try Self.plan(["seed": 0]) }
  }
}
