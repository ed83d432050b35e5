public import Foundation

/// The small answer, for polling: `GET /run/{run_id}/status`.
///
/// ```json
/// {"run_id": "porc-01jd…", "status": "planned", "terraform_status": "planned", "operation": "apply", "has_changes": true,
///  "tfe_run_id": "run-…", "superseded_by": null, "is_final": false, "waiting_for": "…", "next_actions": ["apply"],
///  "last_updated": "2026-11-23T10:15:00.000Z"}
/// ```
public struct RunStatus: Codable, Sendable, Equatable {
  public var runID: String
  /// Whose run it is.
  public var instanceID: String
  public var status: RunState
  /// The state as the portal shows it: also `destroyed`.
  public var terraformStatus: String
  public var operation: Run.Operation
  /// Known once a plan has finished.
  @ExplicitNull public var hasChanges: Bool?
  /// The current plan's; or the one that was asked for by its id.
  @ExplicitNull public var tfeRunID: String?
  /// The current plan's TFE run, where an earlier one was asked for by its id.
  @ExplicitNull public var supersededBy: String?
  public var isFinal: Bool
  /// An apply that ended half-way.
  public var isPartial: Bool
  /// ``wait`` in one sentence.
  @ExplicitNull public var waitingFor: String?
  @ExplicitNull public var wait: WaitBody?
  public var nextActions: [String]
  public var lastUpdated: Date

  enum CodingKeys: String, CodingKey {
    case runID = "run_id"
    case instanceID = "instance_id"
    case status
    case terraformStatus = "terraform_status"
    case operation
    case hasChanges = "has_changes"
    case tfeRunID = "tfe_run_id"
    case supersededBy = "superseded_by"
    case isFinal = "is_final"
    case isPartial = "partial"
    case waitingFor = "waiting_for"
    case wait
    case nextActions = "next_actions"
    case lastUpdated = "last_updated"
  }

  /// - Parameter asked: the TFE run id that the question named, if it named one.
  public init(_ run: Run, in situation: Situation, asked: String? = nil, at now: Date, rules: RunMachine.Rules) {
    let current = run.currentPlan
    let shown = asked.flatMap { run.plan(tfeRunID: $0) } ?? current
    runID = run.id.rawValue
    instanceID = run.instance.rawValue
    status = run.state
    terraformStatus = run.terraformStatus(in: situation.instance)
    operation = run.operation
    isFinal = run.state.isFinal && run.request == nil
    isPartial = run.isPartial
    nextActions = situation.nextActions(of: run, at: now, rules: rules)
    lastUpdated = run.updatedAt
    _hasChanges = ExplicitNull(wrappedValue: shown?.hasChanges)
    _tfeRunID = ExplicitNull(wrappedValue: asked ?? current?.tfeRunID)
    let isSuperseded = asked != nil && asked != current?.tfeRunID
    _supersededBy = ExplicitNull(wrappedValue: isSuperseded ? current?.tfeRunID ?? run.id.rawValue : nil)
    let waiting = situation.waiting(run)
    _waitingFor = ExplicitNull(wrappedValue: waiting?.sentence)
    _wait = ExplicitNull(wrappedValue: waiting.map { WaitBody($0) })
  }
}

extension Run {
  /// The state as the portal shows it: a destroy that was applied is `destroyed`.
  public func terraformStatus(in instance: Instance) -> String {
    operation == .destroy && state == .applied ? "destroyed" : state.rawValue
  }
}
