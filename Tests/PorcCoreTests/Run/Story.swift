import Foundation
import HCL
public import PorcCore

/// Of the two modules' outputs, the one with a value.
typealias Output = PorcCore.Output

extension Caller {
  static let alice = Caller(id: "token-alice", name: "Alice")
  static let bob = Caller(id: "token-bob", name: "Bob")
  static let carol = Caller(id: "token-carol", name: "Carol")
}

extension Submission {
  static func sample(
    _ operation: Run.Operation = .apply, template: String = "gke-cluster", version: String = "1.0.0",
    by caller: Caller = .alice, requiresApproval: Bool = false
  ) -> Submission {
    Submission(
      operation: operation,
      template: TemplateReference(
        id: Template.ID(modulePath: "\(template)/\(version)"), name: template, version: version,
        repoURL: "https://github.com/acme/infra-modules/\(template)", commit: "c0ffee", archive: "a1"),
      submitter: caller,
      metadata: BlueprintMetadata(
        name: "gke-dev-west", title: "GKE Dev (West)", environment: "dev", owner: "cloud-platform",
        repoURL: "https://github.com/acme/blueprints"),
      inputs: ["region": "us-west1", "zone": .null, "size": 3], sensitiveInputs: ["admin_password"], region: "us-west1",
      requiresApproval: requiresApproval, blueprintDigest: "b1", sensitiveDigest: "s1")
  }
}

extension PlanSummary {
  static let threeToAdd = PlanSummary(additions: 3, resources: [ResourceChange(address: "a.b", action: "create")])
}

extension Gates {
  /// A policy failed that may be overridden, and another that blocks nothing.
  static let tooDear: Gates = {
    var gates = Gates(tfeStatus: "policy_override")
    gates.cost = CostEstimate(
      status: "finished", priorMonthlyCost: "10.0", proposedMonthlyCost: "400.5", deltaMonthlyCost: "390.5",
      matchedResources: 3, unmatchedResources: 1)
    gates.policies = PolicyResults(
      passed: 2, failed: 2,
      failures: [
        PolicyFailure("tags", enforcementLevel: "advisory"),
        PolicyFailure(
          "costs", policySet: "finance", enforcementLevel: "soft-mandatory", description: "At most 100 more in a month."
        ),
      ])
    gates.tasks = [
      TaskResult(
        "scan", stage: "post_plan", status: "passed", enforcementLevel: "mandatory", message: "nothing found",
        url: "https://scan.example/1")
    ]
    return gates
  }()
}

/// One instance's life, told through the machine's public functions. A second passes with each call.
struct Story {
  let instance = Instance.ID("gke-dev-west")
  private(set) var situation: Situation?
  private(set) var facts: [Fact] = []
  /// All jobs ever asked for.
  private(set) var jobs: [RunJob] = []
  var now = Date(timeIntervalSince1970: 1_800_000_000)
  var rules = RunMachine.Rules()

  var holder: Run.ID? { situation?.instance.holder }
  var waiting: [Run.ID] { situation?.instance.waiting ?? [] }

  func run(_ id: Run.ID) throws -> Run {
    guard let run = situation?.runs[id] else { throw Missing(id: id) }
    return run
  }

  func state(_ id: Run.ID) throws -> RunState { try run(id).state }

  func present() throws -> Situation {
    guard let situation else { throw Missing(id: "no situation") }
    return situation
  }

  struct Missing: Error { var id: Run.ID }

  // MARK: What happens

  @discardableResult
  mutating func submit(_ id: Run.ID, _ submission: Submission = .sample()) throws(Refusal) -> [String] {
    now += 1
    return take(try RunMachine.submit(submission, as: id, for: instance, in: situation, at: now), of: id)
  }

  @discardableResult
  mutating func destroy(
    _ id: Run.ID, _ submission: Submission = .sample(.destroy), _ request: PlanRequest = PlanRequest(by: .alice)
  ) throws -> [String] {
    now += 1
    return take(try RunMachine.destroy(submission, as: id, in: present(), request: request, at: now), of: id)
  }

  @discardableResult
  mutating func tell(_ id: Run.ID, _ command: RunCommand) throws -> [String] {
    now += 1
    return take(try RunMachine.decide(command, for: id, in: present(), at: now, rules: rules), of: id)
  }

  @discardableResult
  mutating func hear(_ id: Run.ID, _ reports: RunReport...) throws -> [String] {
    var names: [String] = []
    for report in reports {
      now += 1
      names += take(RunMachine.hear(report, about: id, in: try present(), at: now), of: id)
    }
    return names
  }

  /// The names of the facts; of another run's with that run before it.
  private mutating func take(_ decision: Decision, of subject: Run.ID) -> [String] {
    for fact in decision.facts {
      situation = RunMachine.evolve(situation, fact)
      if let situation { jobs += RunMachine.jobs(after: fact, in: situation, retention: 86_400) }
    }
    facts += decision.facts
    return decision.facts.map { $0.run == subject ? $0.event.name : "\($0.run):\($0.event.name)" }
  }

  // MARK: Shorthands

  /// From `plan` to a plan that awaits a decision.
  mutating func planned(_ id: Run.ID, plan: Int = 1, tfe: String? = nil, hasChanges: Bool = true) throws {
    try tell(id, .plan(PlanRequest(by: .alice)))
    try finishPlan(id, plan: plan, tfe: tfe, hasChanges: hasChanges)
  }

  /// What workers report of a plan that was asked for.
  mutating func finishPlan(_ id: Run.ID, plan: Int = 1, tfe: String? = nil, hasChanges: Bool = true) throws {
    try hear(
      id, .built(bundle: "digest"), .created(plan, tfe ?? "run-\(id)-\(plan)"),
      .planFinished(plan: plan, hasChanges: hasChanges, summary: hasChanges ? .threeToAdd : PlanSummary()))
  }

  mutating func applied(_ id: Run.ID, plan: Int = 1, outputs: [String: Output] = [:]) throws {
    try tell(id, .apply(tfeRunID: nil, by: .alice))
    try hear(id, .applyStarted(plan: plan), .applyFinished(plan: plan, outputs: outputs))
  }

  /// A run from its submission to `applied`.
  mutating func deployed(_ id: Run.ID) throws {
    try submit(id)
    try planned(id)
    try applied(id)
  }
}

extension RunReport {
  static func created(_ plan: Int, _ tfeRunID: String) -> RunReport {
    .tfeRunCreated(plan: plan, tfeRunID: tfeRunID, configurationVersionID: "cv-of-\(tfeRunID)")
  }
}

extension Run.ID: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self.init(value) }
}

extension Story {
  /// A story whose run `a` has come to `state` on the usual way; its TFE run is `run-1`.
  static func at(_ state: RunState, _ submission: Submission = .sample()) throws -> Story {
    var story = Story()
    try story.submit("a", submission)
    let plan = RunCommand.plan(PlanRequest(by: .alice, key: "key-1"))
    func toPlanning() throws {
      try story.tell("a", plan)
      try story.hear("a", .built(bundle: "digest"), .created(1, "run-1"))
    }
    func toPlanned() throws {
      try toPlanning()
      try story.hear("a", .planFinished(plan: 1, hasChanges: true, summary: .threeToAdd))
    }
    func toApplying() throws {
      try toPlanned()
      if submission.requiresApproval { try story.tell("a", .approve(tfeRunID: nil, by: .bob)) }
      try story.tell("a", .apply(tfeRunID: nil, by: .alice))
      try story.hear("a", .applyStarted(plan: 1))
    }
    switch state {
    case .submitted: break
    case .building: try story.tell("a", .build)
    case .built:
      try story.tell("a", .build)
      try story.hear("a", .built(bundle: "digest"))
    case .buildFailed:
      try story.tell("a", .build)
      try story.hear("a", .buildFailed(Failure("no such module")))
    case .planning: try toPlanning()
    case .planned: try toPlanned()
    case .planFailed:
      try toPlanning()
      try story.hear("a", .planFailed(plan: 1, Failure("Error: Invalid value for variable")))
    case .policyFailed:
      try toPlanning()
      try story.hear("a", .policyFailed(plan: 1, Failure("too dear")))
    case .policyOverride:
      try toPlanning()
      try story.hear("a", .policyOverrideNeeded(plan: 1, "too dear"))
    case .applying: try toApplying()
    case .applied:
      try toApplying()
      try story.hear("a", .applyFinished(plan: 1, outputs: [:]))
    case .applyFailed:
      try toApplying()
      try story.hear("a", .applyFailed(plan: 1, Failure("quota"), began: true))
    case .discarded:
      try toPlanned()
      try story.tell("a", .discard(tfeRunID: nil, by: .bob))
      try story.hear("a", .remoteDiscarded(plan: 1))
    case .canceled:
      try toPlanning()
      try story.tell("a", .cancel(by: .bob))
      try story.hear("a", .remoteCanceled(plan: 1, applyBegan: false))
    }
    return story
  }
}
