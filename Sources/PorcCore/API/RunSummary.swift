public import Foundation
public import HCL

/// Everything a portal displays of a run: `GET /run/{run_id}/summary`. The fields of ``RunStatus``, and these.
public struct RunSummary: Codable, Sendable, Equatable {
  public var status: RunStatus
  public var instance: InstanceSummary
  public var template: TemplateSummary
  @ExplicitNull public var workspace: Workspace?
  /// The run's page in TFE.
  @ExplicitNull public var tfeLink: String?
  @ExplicitNull public var region: String?
  @ExplicitNull public var repoURL: String?
  /// A sensitive one is `{"sensitive": true}`.
  public var inputs: [String: Value]
  @ExplicitNull public var plan: PlanDetails?
  /// What the run's apply left; a sensitive one has no value.
  public var outputs: [String: Output]
  @ExplicitNull public var error: Failure?
  public var phases: Phases
  public var portal: PortalSummary
  public var approvals: [Approval]
  /// Who let the plan pass although a policy refused it, and why; those that TFE did not take say so.
  public var overrides: [PolicyOverride]
  /// The plan was applied or discarded in TFE, without a word to PORC; absent where it was not.
  public var decidedInTFE: Bool?
  /// What was doubtful in the blueprint; only in the answer to its submission.
  public var warnings: [Finding]?

  public struct InstanceSummary: Codable, Sendable, Equatable {
    public var identifier: String
    @ExplicitNull public var title: String?
    @ExplicitNull public var environment: String?
    @ExplicitNull public var owner: String?
  }

  public struct TemplateSummary: Codable, Sendable, Equatable {
    public var identifier: String
    public var name: String
    public var version: String
    @ExplicitNull public var repoURL: String?
    @ExplicitNull public var commit: String?

    enum CodingKeys: String, CodingKey {
      case identifier, name, version, commit
      case repoURL = "repo_url"
    }
  }

  public struct PlanDetails: Codable, Sendable, Equatable {
    public var number: Int
    public var additions: Int
    public var changes: Int
    public var destructions: Int
    public var imports: Int
    public var resources: [ResourceChange]
    /// TFE's own status of the plan's run when its cost, policies and tasks were read.
    @ExplicitNull public var tfeStatus: String?
    @ExplicitNull public var costEstimate: CostEstimate?
    @ExplicitNull public var policies: PolicyResults?
    /// What run tasks said.
    public var tasks: [TaskResult]

    enum CodingKeys: String, CodingKey {
      case number, additions, changes, destructions, imports, resources, policies, tasks
      case tfeStatus = "tfe_status"
      case costEstimate = "cost_estimate"
    }

    public init(_ plan: Plan, _ summary: PlanSummary) {
      number = plan.number
      additions = summary.additions
      changes = summary.changes
      destructions = summary.destructions
      imports = summary.imports
      resources = summary.resources
      tasks = plan.gates?.tasks ?? []
      _tfeStatus = ExplicitNull(wrappedValue: plan.gates?.tfeStatus)
      _costEstimate = ExplicitNull(wrappedValue: plan.gates?.cost)
      _policies = ExplicitNull(wrappedValue: plan.gates?.policies)
    }
  }

  public struct Phases: Codable, Sendable, Equatable {
    public var submittedAt: Date
    @ExplicitNull public var builtAt: Date?
    @ExplicitNull public var plannedAt: Date?
    @ExplicitNull public var appliedAt: Date?

    enum CodingKeys: String, CodingKey {
      case submittedAt = "submitted_at"
      case builtAt = "built_at"
      case plannedAt = "planned_at"
      case appliedAt = "applied_at"
    }
  }

  enum CodingKeys: String, CodingKey {
    case instance, template, workspace, region, inputs, plan, outputs, error, phases, portal, approvals, overrides,
      warnings
    case decidedInTFE = "decided_in_tfe"
    case tfeLink = "tfe_link"
    case repoURL = "repo_url"
  }

  public init(
    _ run: Run, status: RunStatus, in situation: Situation, portal: PortalSummary, tfeLink: String?,
    warnings: [Finding]? = nil
  ) {
    let submission = run.submission
    // Asked for by an earlier plan's id, it tells of that plan.
    let plan = status.tfeRunID.flatMap { run.plan(tfeRunID: $0) } ?? run.currentPlan
    self.status = status
    self.portal = portal
    self.warnings = warnings
    instance = InstanceSummary(
      identifier: run.instance.rawValue, title: submission.metadata.title,
      environment: submission.metadata.environment,
      owner: submission.metadata.owner)
    template = TemplateSummary(
      identifier: submission.template.id.rawValue, name: submission.template.name,
      version: submission.template.version, repoURL: submission.template.repoURL,
      commit: submission.template.commit)
    inputs = submission.shownInputs
    approvals = plan?.approvals ?? []
    overrides = plan?.overrides ?? []
    decidedInTFE = plan == run.currentPlan && run.wasDecidedInTFE ? true : nil
    let isDeployed = run.state == .applied && situation.instance.deployed?.run == run.id
    outputs = isDeployed ? situation.instance.deployed?.outputs ?? [:] : [:]
    phases = Phases(
      submittedAt: run.submittedAt, builtAt: run.builtAt,
      plannedAt: plan?.plannedAt,
      appliedAt: run.state == .applied ? plan?.finishedAt : nil)
    let details = plan.flatMap { plan in
      // One that ended before it was planned may still have been judged: a run task can come first.
      (plan.summary ?? plan.gates.map { _ in PlanSummary() }).map { PlanDetails(plan, $0) }
    }
    _plan = ExplicitNull(wrappedValue: details)
    _workspace = ExplicitNull(wrappedValue: situation.instance.workspace)
    _tfeLink = ExplicitNull(wrappedValue: tfeLink)
    _region = ExplicitNull(wrappedValue: submission.region)
    _repoURL = ExplicitNull(wrappedValue: submission.metadata.repoURL)
    _error = ExplicitNull(wrappedValue: run.failure)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    status = try RunStatus(from: decoder)
    instance = try container.decode(InstanceSummary.self, forKey: .instance)
    template = try container.decode(TemplateSummary.self, forKey: .template)
    _workspace = try container.decode(ExplicitNull<Workspace>.self, forKey: .workspace)
    _tfeLink = try container.decode(ExplicitNull<String>.self, forKey: .tfeLink)
    _region = try container.decode(ExplicitNull<String>.self, forKey: .region)
    _repoURL = try container.decode(ExplicitNull<String>.self, forKey: .repoURL)
    inputs = try container.decode([String: Value].self, forKey: .inputs)
    _plan = try container.decode(ExplicitNull<PlanDetails>.self, forKey: .plan)
    outputs = try container.decode([String: Output].self, forKey: .outputs)
    _error = try container.decode(ExplicitNull<Failure>.self, forKey: .error)
    phases = try container.decode(Phases.self, forKey: .phases)
    portal = try container.decode(PortalSummary.self, forKey: .portal)
    approvals = try container.decode([Approval].self, forKey: .approvals)
    overrides = try container.decode([PolicyOverride].self, forKey: .overrides)
    decidedInTFE = try container.decodeIfPresent(Bool.self, forKey: .decidedInTFE)
    warnings = try container.decodeIfPresent([Finding].self, forKey: .warnings)
  }

  public func encode(to encoder: any Encoder) throws {
    try status.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(instance, forKey: .instance)
    try container.encode(template, forKey: .template)
    try container.encode(_workspace, forKey: .workspace)
    try container.encode(_tfeLink, forKey: .tfeLink)
    try container.encode(_region, forKey: .region)
    try container.encode(_repoURL, forKey: .repoURL)
    try container.encode(inputs, forKey: .inputs)
    try container.encode(_plan, forKey: .plan)
    try container.encode(outputs, forKey: .outputs)
    try container.encode(_error, forKey: .error)
    try container.encode(phases, forKey: .phases)
    try container.encode(portal, forKey: .portal)
    try container.encode(approvals, forKey: .approvals)
    try container.encode(overrides, forKey: .overrides)
    try container.encodeIfPresent(decidedInTFE, forKey: .decidedInTFE)
    try container.encodeIfPresent(warnings, forKey: .warnings)
  }
}

extension Run {
  /// Whether somebody applied or discarded the current plan in TFE's own pages.
  fileprivate var wasDecidedInTFE: Bool {
    guard let plan = currentPlan, plan.tfeRunID != nil else { return false }
    switch state {
    // A cancel in PORC may end so too, but not while somebody was to decide. Of a plan without changes TFE has nothing to
    // discard: giving it up is PORC's alone.
    case .discarded:
      return plan.discardRequestedAt == nil && plan.hasChanges != false && plan.confirmation == nil
        && (plan.plannedAt != nil || plan.gates != nil)
    case .applying, .applied, .applyFailed:
      return plan.applyBegan && plan.confirmation?.by == nil && !plan.request.appliesAutomatically
    default: return false
    }
  }
}

/// Whether the portal shows what it should.
public struct PortalSummary: Codable, Sendable, Equatable {
  public var inSync: Bool
  @ExplicitNull public var behindSince: Date?
  /// Why the portal refused the entity, while it does.
  public var rejection: String?

  public init(inSync: Bool, behindSince: Date? = nil, rejection: String? = nil) {
    self.inSync = inSync
    self.rejection = rejection
    _behindSince = ExplicitNull(wrappedValue: behindSince)
  }

  enum CodingKeys: String, CodingKey {
    case inSync = "in_sync"
    case behindSince = "behind_since"
    case rejection
  }
}
