import Foundation
import HCL
import PorcCore
import PortPortal
import Testing

@testable import PorcServer

/// The buttons that Port shows, against what the machine takes.
struct PortActionTests {
  private static let actions = PortActions(
    names: PortNames(), publicURL: "https://porc.example.com", usesAgent: false)

  /// How far the current run of an instance has come, and what came before it.
  struct Point: Sendable, CustomTestStringConvertible {
    var state: RunState
    var operation: PorcCore.Run.Operation
    var isApproved: Bool?
    var isDeployed: Bool

    var testDescription: String {
      let approval = isApproved.map { $0 ? ", approved" : ", to be approved" } ?? ""
      return "\(operation.rawValue), \(state.rawValue)\(approval)\(isDeployed ? ", deployed" : "")"
    }

    static let all: [Point] = RunState.allCases.flatMap { state in
      [nil, false, true].flatMap { approval in
        [true, false].flatMap { isDeployed in
          PorcCore.Run.Operation.allCases.map {
            Point(state: state, operation: $0, isApproved: approval, isDeployed: isDeployed)
          }
        }
      }
    }.filter { point in
      // A destroy is planned at once, and needs no build; where nothing was deployed it is planned without TFE.
      guard point.operation == .destroy else { return true }
      if !point.isDeployed { return [.planned, .applied, .discarded].contains(point.state) }
      return ![.submitted, .building, .built, .buildFailed].contains(point.state)
    }
  }

  @Test(arguments: Point.all) func aButtonIsShownWhereItLeadsToSomething(point: Point) throws {
    let life = try Life(point)
    let situation = life.situation
    let run = try #require(situation.currentRun)
    #expect(run.state == point.state && run.operation == point.operation)
    let entity = try #require(
      PortalEntity(situation, waitingFor: situation.waitingFor(run), tfeLink: { "https://tfe/\($0.name)/\($1)" }))
    let isUnderWay = [.building, .planning, .planned, .policyOverride, .applying].contains(point.state)
    let isThere = situation.instance.deployed != nil || point.state == .applyFailed
    let namesItsPlan = run.currentPlan?.tfeRunID != nil
    for button in PortButton.allCases {
      let leadsToSomething = life.leadsToSomething(button)
      let expected =
        switch button {
        case .plan, .cancel: leadsToSomething
        case .apply, .confirmDestroy:
          leadsToSomething && namesItsPlan && (button == .apply) == (point.operation == .apply)
        case .approve: leadsToSomething && namesItsPlan && situation.needsApproval(run)
        case .discard: leadsToSomething && namesItsPlan
        // It would wait for what is under way, and where nothing is there it would destroy nothing.
        case .destroy: leadsToSomething && !isUnderWay && isThere
        }
      let isShown = try Condition(button.condition).isTrue(of: Entity(entity))
      #expect(isShown == expected, "\(button.title)")
    }
  }

  @Test func applyNowNeverConfirmsADestroy() throws {
    for button in [PortButton.apply, .confirmDestroy] {
      let operation: JSON = button == .apply ? "apply" : "destroy"
      let action = Self.actions.action(button)
      #expect(
        action.trigger["condition"]?["rules"]?.array?.contains(
          ["property": "operation", "operator": "=", "value": operation]) == true)
      #expect(action.invocationMethod["body"]?["operation"] == operation)
    }
  }

  @Test func aButtonCallsPorcWithWhatItIsAbout() {
    let plan = Self.actions.action(.plan)
    #expect(plan.identifier == "porc_plan" && plan.title == "Re-run plan")
    #expect(plan.trigger["blueprintIdentifier"] == "blueprint_instance" && plan.trigger["operation"] == "DAY-2")
    #expect(plan.invocationMethod["method"] == "POST" && plan.invocationMethod["synchronized"] == false)
    let subjects: [PortButton: (url: String, member: String)] = [
      .plan: ("/runs/{{ .entity.properties.porc_run_id }}/plan", "porc_run_id"),
      .apply: ("/runs/{{ .entity.properties.run_id }}/apply", "run_id"),
      .approve: ("/runs/{{ .entity.properties.run_id }}/approve", "run_id"),
      .discard: ("/runs/{{ .entity.properties.run_id }}/discard", "run_id"),
      .cancel: ("/runs/{{ .entity.properties.porc_run_id }}/cancel", "porc_run_id"),
      .destroy: ("/instances/{{ .entity.identifier }}/destroy", "instance"),
      .confirmDestroy: ("/runs/{{ .entity.properties.run_id }}/apply", "run_id"),
    ]
    for (button, subject) in subjects {
      let call = Self.actions.action(button).invocationMethod
      #expect(call["url"] == .string("https://porc.example.com" + subject.url))
      #expect(call["body"]?["action"]?.string == subject.url.split(separator: "/").last.map(String.init))
      #expect(call["body"]?[subject.member] != nil)
      #expect(
        call["body"]?["port_context"] == [
          "runId": "{{ .run.id }}", "entity": "{{ .entity.identifier }}", "actor": "{{ .trigger.by.user.email }}",
        ])
    }
  }

  @Test func noTokenLiesInAnAction() {
    var names = PortNames()
    #expect(
      Self.actions.action(.apply).invocationMethod["headers"]?["Authorization"] == "Bearer {{ .secrets.PORC_TOKEN }}")
    names.secretName = "porc-token"
    let actions = PortActions(names: names, publicURL: "https://porc.example.com", usesAgent: true)
    #expect(
      actions.action(.apply).invocationMethod["headers"]?["Authorization"] == #"Bearer {{ .secrets["porc-token"] }}"#)
    #expect(actions.action(.apply).invocationMethod["agent"] == true)
  }

  @Test func theNamesAreTheOnesThatTheSettingsGive() {
    var names = PortNames()
    names.instanceBlueprint = "deployment"
    names.actionPrefix = "team_a_"
    let actions = PortActions(names: names, publicURL: "https://porc.example.com", usesAgent: false).all
    #expect(actions.map(\.identifier).allSatisfy { $0.hasPrefix("team_a_") })
    #expect(actions.allSatisfy { $0.trigger["blueprintIdentifier"] == "deployment" })
    #expect(Set(actions.map(\.identifier)).count == 7)
  }
}

/// A condition as Port reads it, as far as PORC's go.
private indirect enum Condition {
  case all([Condition])
  case any([Condition])
  case rule(property: String, operation: String, value: JSON?)

  struct Unknown: Error { var json: JSON }

  init(_ json: JSON) throws {
    if let rules = json["rules"]?.array {
      self = json["combinator"] == "or" ? .any(try rules.map(Condition.init)) : .all(try rules.map(Condition.init))
    } else if let property = json["property"]?.string, let operation = json["operator"]?.string {
      self = .rule(property: property, operation: operation, value: json["value"])
    } else {
      throw Unknown(json: json)
    }
  }

  func isTrue(of entity: Entity) throws -> Bool {
    switch self {
    case .all(let rules): return try rules.allSatisfy { try $0.isTrue(of: entity) }
    case .any(let rules): return try rules.contains { try $0.isTrue(of: entity) }
    case .rule(let property, let operation, let value):
      let shown = entity.properties[property]
      switch operation {
      case "=": return shown == value
      case "in": return shown.map { value?.array?.contains($0) == true } ?? false
      case "isNotEmpty": return shown != nil
      default: throw Unknown(json: .string(operation))
      }
    }
  }
}

/// An instance whose current run has come to a point, told through the machine's public functions.
private struct Life {
  private(set) var situation: Situation
  private var now = Date(timeIntervalSince1970: 1_800_000_000)
  private let run: PorcCore.Run.ID

  private static let alice = Caller(id: "alice", name: "Alice")
  private static let bob = Caller(id: "bob", name: "Bob")
  private static let instance = Instance.ID("web")

  init(_ point: PortActionTests.Point) throws {
    let first = PorcCore.Run.ID("first")
    let decision = try RunMachine.submit(
      Self.submission(.apply), as: first, for: Self.instance, in: nil, at: now)
    situation = try #require(decision.situation)
    run = PorcCore.Run.ID("current")
    if point.isDeployed { try go(first, to: .applied, isApproved: nil) }
    let submission = Self.submission(point.operation, requiresApproval: point.isApproved != nil)
    switch point.operation {
    case .apply:
      try take(try RunMachine.submit(submission, as: run, for: Self.instance, in: situation, at: now))
    case .destroy:
      try take(
        try RunMachine.destroy(submission, as: run, in: situation, request: PlanRequest(by: Self.alice), at: now))
    }
    try go(run, to: point.state, isApproved: point.isApproved)
  }

  private static func submission(_ operation: PorcCore.Run.Operation, requiresApproval: Bool = false) -> Submission {
    Submission(
      operation: operation, template: PortalBench.template.reference, submitter: alice,
      metadata: BlueprintMetadata(name: "web"), inputs: [:], sensitiveInputs: [], region: nil,
      requiresApproval: requiresApproval, blueprintDigest: "d", sensitiveDigest: nil)
  }

  private mutating func take(_ decision: Decision) throws {
    now += 1
    situation = try #require(decision.situation)
  }

  private mutating func tell(_ run: PorcCore.Run.ID, _ command: RunCommand) throws {
    try take(try RunMachine.decide(command, for: run, in: situation, at: now))
  }

  private mutating func hear(_ run: PorcCore.Run.ID, _ report: RunReport) throws {
    try take(RunMachine.hear(report, about: run, in: situation, at: now))
  }

  private mutating func go(_ run: PorcCore.Run.ID, to state: RunState, isApproved: Bool?) throws {
    func summary() -> PlanSummary { PlanSummary(additions: 1) }
    let isDestroy = situation.runs[run]?.operation == .destroy
    if !isDestroy {
      if state == .submitted { return }
      try tell(run, .build)
      if state == .building { return }
      if state == .buildFailed { return try hear(run, .buildFailed(Failure("no"))) }
      try hear(run, .built(bundle: "digest"))
      if state == .built { return }
      try tell(run, .plan(PlanRequest(by: Self.alice)))
    }
    if situation.runs[run]?.state == .planning {
      try hear(
        run, .tfeRunCreated(plan: 1, tfeRunID: "run-\(run)", configurationVersionID: "cv-1"))
      switch state {
      case .planning: return
      case .planFailed: return try hear(run, .planFailed(plan: 1, Failure("no")))
      case .policyFailed: return try hear(run, .policyFailed(plan: 1, Failure("no")))
      case .policyOverride: return try hear(run, .policyOverrideNeeded(plan: 1, "too dear"))
      case .canceled:
        try tell(run, .cancel(by: Self.bob))
        return try hear(run, .remoteCanceled(plan: 1, applyBegan: false))
      default: try hear(run, .planFinished(plan: 1, hasChanges: true, summary: summary()))
      }
    }
    if state == .discarded {
      try tell(run, .discard(tfeRunID: nil, by: Self.bob))
      return try hear(run, .remoteDiscarded(plan: 1))
    }
    if isApproved == true || isApproved == false && state != .planned {
      try tell(run, .approve(tfeRunID: nil, by: Self.bob))
    }
    if state == .planned { return }
    try tell(run, .apply(tfeRunID: nil, by: Self.alice))
    try hear(run, .applyStarted(plan: 1))
    switch state {
    case .applied: try hear(run, .applyFinished(plan: 1, outputs: [:]))
    case .applyFailed: try hear(run, .applyFailed(plan: 1, Failure("no"), began: true))
    default: break
    }
  }

  /// Whether PORC would do something, if somebody pressed the button who may.
  func leadsToSomething(_ button: PortButton) -> Bool {
    let somebody = Caller(id: "carol", name: "Carol")
    let command: RunCommand
    switch button {
    case .plan: command = .plan(PlanRequest(by: somebody))
    case .apply, .confirmDestroy: command = .apply(tfeRunID: nil, by: somebody)
    case .approve: command = .approve(tfeRunID: nil, by: somebody)
    case .discard: command = .discard(tfeRunID: nil, by: somebody)
    case .cancel: command = .cancel(by: somebody)
    case .destroy:
      let decision = try? RunMachine.destroy(
        Self.submission(.destroy), as: PorcCore.Run.ID("next"), in: situation, request: PlanRequest(by: somebody),
        at: now)
      return decision.map { !$0.facts.isEmpty } ?? false
    }
    let decision = try? RunMachine.decide(command, for: run, in: situation, at: now)
    return decision.map { !$0.facts.isEmpty } ?? false
  }
}
