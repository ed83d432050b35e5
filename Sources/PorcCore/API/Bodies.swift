public import Foundation
public import HCL

/// `POST /runs/{run_id}/plan`. Everything is optional.
public struct PlanBody: Codable, Sendable {
  /// Discards another run's plan that awaits a decision.
  public var supersede: Bool?
  /// Applies the plan as soon as it has finished, where nothing requires an approval.
  public var apply: Bool?
  public init(supersede: Bool? = nil, apply: Bool? = nil) {
    self.supersede = supersede
    self.apply = apply
  }
  public enum CodingKeys: String, CodingKey, CaseIterable { case supersede, apply }
}

/// `POST /runs/{run_id}/apply`, `/approve`, `/discard` and `/override`: names the plan that was seen.
public struct DecisionBody: Codable, Sendable {
  public var tfeRunID: String?
  /// Only for an override, and needed there.
  public var reason: String?
  /// What the run is taken for: one that does something else to its instance is refused.
  public var operation: Run.Operation?
  public init(tfeRunID: String? = nil, reason: String? = nil, operation: Run.Operation? = nil) {
    self.tfeRunID = tfeRunID
    self.reason = reason
    self.operation = operation
  }
  public enum CodingKeys: String, CodingKey, CaseIterable {
    case tfeRunID = "tfe_run_id"
    case reason, operation
  }
}

/// `POST /runs/{run_id}/cancel`.
public struct CancelBody: Codable, Sendable {
  public var tfeRunID: String?
  /// Kills what an earlier cancel did not stop. Terraform's state may be lost.
  public var force: Bool?
  public init(tfeRunID: String? = nil, force: Bool? = nil) {
    self.tfeRunID = tfeRunID
    self.force = force
  }
  public enum CodingKeys: String, CodingKey, CaseIterable {
    case tfeRunID = "tfe_run_id"
    case force
  }
}

/// `GET /runs`.
public struct RunList: Codable, Sendable {
  public var runs: [RunStatus]
  /// Send it as `cursor` for the next page; null on the last.
  @ExplicitNull public var nextCursor: String?
  public init(runs: [RunStatus], nextCursor: String?) {
    self.runs = runs
    _nextCursor = ExplicitNull(wrappedValue: nextCursor)
  }
  enum CodingKeys: String, CodingKey {
    case runs
    case nextCursor = "next_cursor"
  }
}

/// One of `GET /instances`.
public struct InstanceBody: Codable, Sendable {
  public var identifier: String
  @ExplicitNull public var title: String?
  @ExplicitNull public var environment: String?
  @ExplicitNull public var owner: String?
  public var template: String
  /// As the portal shows it.
  public var terraformStatus: String
  public var currentRun: RunStatus
  /// Runs whose plan was accepted and waits, in order.
  public var waiting: [String]
  @ExplicitNull public var workspace: Workspace?
  @ExplicitNull public var deployed: DeployedBody?
  @ExplicitNull public var destroyedAt: Date?
  public var portal: PortalSummary

  /// What really runs.
  public struct DeployedBody: Codable, Sendable, Equatable {
    public var blueprint: String
    public var runID: String
    @ExplicitNull public var tfeRunID: String?
    public var at: Date
    public var outputs: [String: Output]
    enum CodingKeys: String, CodingKey {
      case blueprint, at, outputs
      case runID = "run_id"
      case tfeRunID = "tfe_run_id"
    }
  }

  enum CodingKeys: String, CodingKey {
    case identifier, title, environment, owner, template, waiting, workspace, deployed, portal
    case terraformStatus = "terraform_status"
    case currentRun = "current_run"
    case destroyedAt = "destroyed_at"
  }

  public init?(_ situation: Situation, portal: PortalSummary, at now: Date, rules: RunMachine.Rules) {
    guard let run = situation.currentRun else { return nil }
    let instance = situation.instance
    identifier = instance.id.rawValue
    template = run.submission.template.id.rawValue
    terraformStatus = run.terraformStatus(in: instance)
    currentRun = RunStatus(run, in: situation, at: now, rules: rules)
    waiting = instance.waiting.map(\.rawValue)
    self.portal = portal
    let metadata = run.submission.metadata
    _title = ExplicitNull(wrappedValue: metadata.title)
    _environment = ExplicitNull(wrappedValue: metadata.environment)
    _owner = ExplicitNull(wrappedValue: metadata.owner)
    _workspace = ExplicitNull(wrappedValue: instance.workspace)
    _deployed = ExplicitNull(
      wrappedValue: instance.deployed.map {
        DeployedBody(
          blueprint: $0.template.id.rawValue, runID: $0.run.rawValue,
          tfeRunID: $0.tfeRunID, at: $0.at, outputs: $0.outputs)
      })
    _destroyedAt = ExplicitNull(wrappedValue: instance.destroyedAt)
  }
}

/// `GET /instances`.
public struct InstanceList: Codable, Sendable {
  public var instances: [InstanceBody]
  @ExplicitNull public var nextCursor: String?
  public init(instances: [InstanceBody], nextCursor: String?) {
    self.instances = instances
    _nextCursor = ExplicitNull(wrappedValue: nextCursor)
  }
  enum CodingKeys: String, CodingKey {
    case instances
    case nextCursor = "next_cursor"
  }
}

/// One of `GET /templates`: the template, and what it requires.
public struct TemplateBody: Codable, Sendable {
  public var template: Template
  public var inputsRequired: [String]

  public init(_ template: Template) {
    self.template = template
    inputsRequired = template.inputsRequired
  }

  enum CodingKeys: String, CodingKey { case inputsRequired = "inputs_required" }

  public init(from decoder: any Decoder) throws {
    template = try Template(from: decoder)
    inputsRequired = try decoder.container(keyedBy: CodingKeys.self).decode([String].self, forKey: .inputsRequired)
  }

  public func encode(to encoder: any Encoder) throws {
    try template.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(inputsRequired, forKey: .inputsRequired)
  }
}

/// `GET /templates`.
public struct TemplateList: Codable, Sendable {
  public var templates: [TemplateBody]
  /// Send it as `cursor` for the next page; null on the last.
  @ExplicitNull public var nextCursor: String?
  public init(templates: [TemplateBody], nextCursor: String? = nil) {
    self.templates = templates
    _nextCursor = ExplicitNull(wrappedValue: nextCursor)
  }
  enum CodingKeys: String, CodingKey {
    case templates
    case nextCursor = "next_cursor"
  }
}

/// One of `GET /events` and `GET /runs/{run_id}/events`.
public struct EventBody: Codable, Sendable {
  /// Its place in the one order of all events: resume after it.
  public var position: Int64
  /// Of an instance, the run that the event came by.
  public var runID: String?
  public var instance: String?
  /// Of an instance, the template version that the event is about.
  public var template: String?
  public var at: Date
  /// See ``allTypes``.
  public var type: String
  public var data: Value

  enum CodingKeys: String, CodingKey {
    case position, instance, template, at, type, data
    case runID = "run_id"
  }

  public init(
    position: Int64, runID: String?, instance: String?, template: String?, at time: Date, type: String, data: Value
  ) {
    self.position = position
    self.runID = runID
    self.instance = instance
    self.template = template
    self.at = time
    self.type = type
    self.data = data
  }

  /// All types there are: of runs, of instances, of templates.
  public static var allTypes: [String] {
    RunEvent.allNames + InstanceEvent.Name.allCases.map(\.rawValue) + TemplateEvent.Name.allCases.map(\.rawValue)
  }
}

/// `GET /events` and `GET /runs/{run_id}/events`.
public struct EventList: Codable, Sendable {
  public var events: [EventBody]
  /// Send it as `after` for what follows.
  public var lastPosition: Int64
  public init(events: [EventBody], lastPosition: Int64) {
    self.events = events
    self.lastPosition = lastPosition
  }
  enum CodingKeys: String, CodingKey {
    case events
    case lastPosition = "last_position"
  }
}

/// What a token may do. The raw values are stored and written in configuration: never rename one.
public enum Scope: String, Codable, Sendable, CaseIterable {
  case read, submit, plan, apply, approve, destroy, catalog
  /// Presses buttons in the portal's name: who pressed is who its user is said to be.
  case impersonate
  case admin

  /// Whether a token with `granted` may do what needs this scope: `admin` may do everything, every scope may read.
  public func isGranted(by granted: Set<Scope>) -> Bool {
    granted.contains(self) || granted.contains(.admin) || (self == .read && !granted.isEmpty)
  }
}
