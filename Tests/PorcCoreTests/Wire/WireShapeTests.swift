import Foundation
import HCL
import PorcCore
import TestKit
import Testing

/// The JSON that clients rely on, key by key.
@Suite struct WireShapeTests {
  static let statusKeys: Set = [
    "run_id", "status", "terraform_status", "operation", "has_changes", "tfe_run_id", "superseded_by", "is_final",
    "waiting_for", "next_actions", "last_updated",
  ]
  /// Beyond what the contract lists.
  static let moreStatusKeys: Set = ["instance_id", "partial", "wait"]
  static let summaryKeys: Set = [
    "instance", "template", "workspace", "tfe_link", "region", "repo_url", "inputs", "plan", "outputs", "error",
    "phases", "portal",
  ]

  static func object(_ value: some Encodable) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: JSONEncoder.porc.encode(value)) as? [String: Any])
  }

  static func status(_ story: Story, asked: String? = nil) throws -> RunStatus {
    RunStatus(try story.run("a"), in: try story.present(), asked: asked, at: story.now, rules: story.rules)
  }

  static func summary(_ story: Story) throws -> RunSummary {
    let link = try story.run("a").currentPlan?.tfeRunID.map { "https://tfe.example/app/o/workspaces/w/runs/\($0)" }
    return RunSummary(
      try story.run("a"), status: try status(story), in: try story.present(), portal: PortalSummary(inSync: true),
      tfeLink: link)
  }

  @Test(arguments: RunState.allCases) func theStatusHasAllItsKeysInEveryState(state: RunState) throws {
    let object = try Self.object(try Self.status(try Story.at(state)))
    #expect(Set(object.keys) == Self.statusKeys.union(Self.moreStatusKeys))
    #expect(object["status"] as? String == state.rawValue)
    #expect(object["terraform_status"] as? String == state.rawValue)
    #expect(object["is_final"] as? Bool == state.isFinal)
    #expect(object["superseded_by"] is NSNull)
  }

  @Test(arguments: RunState.allCases) func theSummaryHasAllItsKeysInEveryState(state: RunState) throws {
    let object = try Self.object(try Self.summary(try Story.at(state)))
    let more: Set = ["approvals", "overrides"]
    #expect(
      Set(object.keys) == Self.statusKeys.union(Self.moreStatusKeys).union(Self.summaryKeys).union(more))
  }

  @Test func whatIsNotKnownIsNull() throws {
    let object = try Self.object(try Self.summary(try Story.at(.submitted)))
    for key in [
      "has_changes", "tfe_run_id", "superseded_by", "waiting_for", "wait", "workspace", "tfe_link", "plan", "error",
    ] {
      #expect(object[key] is NSNull, "\(key)")
    }
    let phases = try #require(object["phases"] as? [String: Any])
    #expect(Set(phases.keys) == ["submitted_at", "built_at", "planned_at", "applied_at"])
    #expect(phases["applied_at"] is NSNull && phases["built_at"] is NSNull && phases["planned_at"] is NSNull)
    let portal = try #require(object["portal"] as? [String: Any])
    #expect(Set(portal.keys) == ["in_sync", "behind_since"])
    #expect(portal["behind_since"] is NSNull)
  }

  @Test func theSummaryIsTheContractsSummary() throws {
    var story = try Story.at(.planned)
    try story.hear("a", .workspaceReady(Workspace(id: "ws-1", name: "porc-gke-dev-west")))
    try story.tell("a", .apply(tfeRunID: "run-1", by: .bob))
    let outputs = [
      "endpoint": Output(value: "https://x", isSensitive: false), "key": Output(value: "hush", isSensitive: true),
    ]
    try story.hear("a", .applyStarted(plan: 1), .applyFinished(plan: 1, outputs: outputs))
    let object = try Self.object(try Self.summary(story))
    func inner(_ key: String) throws -> [String: Any] { try #require(object[key] as? [String: Any]) }
    #expect(Set(try inner("instance").keys) == ["identifier", "title", "environment", "owner"])
    #expect(Set(try inner("template").keys) == ["identifier", "name", "version", "repo_url", "commit"])
    #expect(try inner("template")["identifier"] as? String == "gke-cluster-1-0-0")
    #expect(Set(try inner("workspace").keys) == ["id", "name"])
    #expect(
      Set(try inner("plan").keys) == [
        "number", "additions", "changes", "destructions", "imports", "resources", "tfe_status", "cost_estimate",
        "policies", "tasks",
      ])
    #expect(try inner("plan")["policies"] is NSNull)
    #expect(try inner("plan")["cost_estimate"] is NSNull)
    let tasks = try #require(try inner("plan")["tasks"] as? [Any])
    #expect(tasks.isEmpty)
    let resources = try #require(try inner("plan")["resources"] as? [[String: String]])
    #expect(resources == [["address": "a.b", "action": "create"]])
    #expect(try inner("inputs")["region"] as? String == "us-west1")
    #expect(try inner("inputs")["zone"] is NSNull)
    #expect(try inner("inputs")["admin_password"] as? [String: Bool] == ["sensitive": true])
    let endpoint = try #require(try inner("outputs")["endpoint"] as? [String: Any])
    #expect(endpoint["value"] as? String == "https://x" && endpoint["sensitive"] as? Bool == false)
    #expect(try inner("outputs")["key"] as? [String: Bool] == ["sensitive": true])
    #expect(try inner("phases")["applied_at"] as? String == Timestamp.text(story.now))
    #expect(object["has_changes"] as? Bool == true)
    #expect(object["region"] as? String == "us-west1")
    #expect(object["error"] is NSNull)
  }

  /// What stands between a plan and its apply, to the letter.
  @Test func theSummaryShowsTheGates() throws {
    var story = try Story.at(.policyOverride)
    try story.hear("a", .planEvaluated(plan: 1, summary: .threeToAdd, .tooDear))
    try story.tell("a", .override(tfeRunID: "run-1", by: .bob, reason: "agreed"))
    let overriddenAt = Timestamp.text(story.now)
    try story.hear("a", .overrideRefused(plan: 1, Failure("not allowed")))
    let summary = try Self.summary(story)
    let golden = """
      {"additions":3,"changes":0,"cost_estimate":{"delta_monthly_cost":"390.5","matched_resources":3,\
      "prior_monthly_cost":"10.0","proposed_monthly_cost":"400.5","status":"finished","unmatched_resources":1},\
      "destructions":0,"imports":0,"number":1,"policies":{"failed":2,"failures":[{"description":\
      "At most 100 more in a month.","enforcement_level":"soft-mandatory","name":"costs","overridden":false,\
      "policy_set":"finance"},{"enforcement_level":"advisory","name":"tags","overridden":false}],"passed":2},\
      "resources":[{"action":"create","address":"a.b"}],"tasks":[{"enforcement_level":"mandatory","message":\
      "nothing found","name":"scan","stage":"post_plan","status":"passed","url":"https://scan.example/1"}],\
      "tfe_status":"policy_override"}
      """
    func sorted(_ value: some Encodable) throws -> String {
      let object = try JSONSerialization.jsonObject(with: JSONEncoder.porc.encode(value))
      let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try JSONSerialization.data(withJSONObject: object, options: options), as: UTF8.self)
    }
    let plan = try #require(summary.plan)
    #expect(try sorted(plan) == golden)
    #expect(
      try sorted(summary.overrides) == """
        [{"at":"\(overriddenAt)","by":{"id":"token-bob","name":"Bob"},"reason":"agreed","refusal":{"summary":"not allowed"}}]
        """)
    #expect(try JSONDecoder.porc.decode(RunSummary.self, from: JSONEncoder.porc.encode(summary)) == summary)
  }

  /// A plan as earlier versions stored it.
  @Test func plansWithoutGatesAreReadStill() throws {
    let json = """
      {"number":1,"request":{"by":{"id":"alice","name":"alice"},"supersedes":false,"applies_automatically":false},\
      "startedAt":"2026-11-23T10:15:00.000Z","approvals":[],"applyBegan":false,"isSettled":false}
      """
    let plan = try JSONDecoder.porc.decode(Plan.self, from: Data(json.utf8))
    #expect(plan.gates == nil && plan.overrides == nil && plan.forceCancelAt == nil)
  }

  @Test func theSummaryReadsBackAsItWasWritten() throws {
    for state in RunState.allCases {
      let summary = try Self.summary(try Story.at(state, .sample(requiresApproval: true)))
      #expect(try JSONDecoder.porc.decode(RunSummary.self, from: JSONEncoder.porc.encode(summary)) == summary)
    }
  }

  @Test func aQuestionByAnOldPlanIsAnsweredWithTheNewOnesName() throws {
    var story = try Story.at(.planned)
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(try Self.status(story, asked: "run-1").supersededBy == "a")
    try story.hear("a", .remoteDiscarded(plan: 1), .created(2, "run-2"))
    #expect(try Self.status(story, asked: "run-1").supersededBy == "run-2")
    #expect(try Self.status(story, asked: "run-1").tfeRunID == "run-1")
    #expect(try Self.status(story, asked: "run-2").supersededBy == nil)
  }

  @Test func anEndedRunThatWaitsForAnotherPlanIsNotFinal() throws {
    var story = try Story.at(.discarded)
    try story.submit("b")
    try story.tell("b", .plan(PlanRequest(by: .bob)))
    try story.tell("a", .plan(PlanRequest(by: .alice)))
    #expect(try !Self.status(story).isFinal)
    #expect(try Self.status(story).waitingFor?.contains("the run b") == true)
  }

  @Test(arguments: RunState.allCases) func noSecretIsInAnythingThatIsWritten(state: RunState) throws {
    var story = try Story.at(state)
    try story.hear("a", .applyFinished(plan: 1, outputs: ["key": Output(value: "hush-hush", isSensitive: true)]))
    var texts = [
      try JSONEncoder.porc.encode(try Self.summary(story)), try JSONEncoder.porc.encode(try story.run("a")),
      try JSONEncoder.porc.encode(try story.present().instance),
    ]
    texts += try story.facts.map { try JSONEncoder.porc.encode($0.event) }
    if let entity = PortalEntity(try story.present(), waitingFor: nil, tfeLink: { _, run in run }) {
      texts.append(try JSONEncoder.porc.encode(entity))
    }
    for text in texts { #expect(!String(decoding: text, as: UTF8.self).contains("hush-hush")) }
  }

  @Test func outputsKeepNullsAndDropSecrets() throws {
    for output in [Output(value: nil, isSensitive: true), Output(value: .null, isSensitive: false)] {
      #expect(try JSONDecoder.porc.decode(Output.self, from: JSONEncoder.porc.encode(output)) == output)
    }
    #expect(Output(value: "hush", isSensitive: true).value == nil)
  }

  @Test func timesToTheMillisecondReadBackAsTheyWere() throws {
    for milliseconds in stride(from: 1_795_000_000_000, to: 1_795_000_030_000, by: 97) {
      let time = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
      let text = Timestamp.text(time)
      #expect(text.hasSuffix(String(format: ".%03dZ", milliseconds % 1000)) && text.count == 24)
      #expect(Timestamp.date(text) == time, "\(text)")
    }
    let time = Date(timeIntervalSince1970: 1_795_428_900.2501)
    #expect(Timestamp.text(time) == "2026-11-23T10:15:00.250Z")
    #expect(Timestamp.date("2026-11-23T10:15:00Z") == Date(timeIntervalSince1970: 1_795_428_900))
    #expect(Timestamp.date("yesterday") == nil)
  }

  /// Foundation's styles are the judge, up to the year 9999.
  @Test func timesAreWrittenAndReadAsFoundationDoes() throws {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    var random = SplitMix(seed: 1)
    var times = (0..<2000).map { _ in Int64.random(in: -11_676_096_000_000...253_402_300_799_999, using: &random) }
    times += [-11_676_096_000_000, -1, 0, 951_782_400_000, 951_868_799_999, 253_402_300_799_999]
    for milliseconds in times {
      let time = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
      let text = Timestamp.text(time)
      // The style cuts what lies a hair below the millisecond.
      #expect(text == (time + 0.0001).formatted(style))
      #expect(Timestamp.date(text) == time, "\(text)")
    }
    for text in [
      "2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "2026-01-01 00:00",
    ] {
      #expect(Timestamp.date(text) == (try? Date(text, strategy: style)), "\(text)")
    }
    #expect(Timestamp.date("2028-02-29T00:00:00.000Z") != nil)
    #expect(!Timestamp.text(.distantFuture).isEmpty && !Timestamp.text(Date(timeIntervalSince1970: 1e15)).isEmpty)
  }
}
