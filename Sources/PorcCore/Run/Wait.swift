public import Foundation

/// What a run waits for. Some of it is told by how things stand in PORC; the rest a worker has learned outside, and that
/// is kept as a fact (``RunEvent/waiting(number:wait:since:)``).
///
/// The names are stored and sent over the wire: never rename or reuse one.
public enum Wait: Codable, Sendable, Equatable {
  // MARK: Told by how things stand

  /// Another run of the same instance holds it.
  case anotherRun(runID: Run.ID, state: RunState, instance: Instance.ID)
  case turn
  case decision
  case approval
  case policyOverride
  /// An earlier plan of the same run is being settled in TFE.
  case earlierPlan
  case cancelOfPlan
  case cancelOfApply
  case discard
  case override
  case beginOfApply
  /// TFE does not delete the workspace of a destroyed instance.
  case removal

  // MARK: Learned

  /// As many of PORC's runs plan or apply as the setting allows.
  case maximumRuns(limit: Int)
  /// PORC has more to do than its workers can.
  case workers
  /// A run is before it in the queue of its workspace: anybody's, or one of PORC's (`runID`).
  case tfeRunAhead(tfeRunID: String, runID: Run.ID?)
  /// Somebody locked the workspace; by whom and why where TFE says it.
  case workspaceLocked(workspace: String, by: String?, reason: String?)
  /// TFE has not begun with it, and nothing says why.
  case tfeQueue
  /// TFE has taken it and has nobody to do it.
  case tfeCapacity
  /// TFE waits for the answer of run tasks.
  case runTasks(stage: String)
  case tfeUnreachable
  case tfeFailing(status: Int?)
  case tokenRefused
  case tfeRefused
  case rateLimited(until: Date)
  /// What PORC itself has to do fails; only its log says how.
  case stepFailing

  enum CodingKeys: String, CodingKey, CaseIterable {
    case anotherRun = "another_run"
    case turn
    case decision
    case approval
    case policyOverride = "policy_override"
    case earlierPlan = "earlier_plan"
    case cancelOfPlan = "cancel_of_plan"
    case cancelOfApply = "cancel_of_apply"
    case discard
    case override
    case beginOfApply = "begin_of_apply"
    case removal
    case maximumRuns = "maximum_runs"
    case workers
    case tfeRunAhead = "tfe_run_ahead"
    case workspaceLocked = "workspace_locked"
    case tfeQueue = "tfe_queue"
    case tfeCapacity = "tfe_capacity"
    case runTasks = "run_tasks"
    case tfeUnreachable = "tfe_unreachable"
    case tfeFailing = "tfe_failing"
    case tokenRefused = "token_refused"
    case tfeRefused = "tfe_refused"
    case rateLimited = "rate_limited"
    case stepFailing = "step_failing"
  }

  enum AnotherRunCodingKeys: String, CodingKey {
    case state, instance
    case runID = "run_id"
  }

  enum TfeRunAheadCodingKeys: String, CodingKey {
    case tfeRunID = "tfe_run_id"
    case runID = "run_id"
  }

  /// The name it is stored and sent under, e.g. `workspace_locked`.
  public var name: String { key.rawValue }

  /// All names there are, for the schema and the documents.
  public static var allNames: [String] { CodingKeys.allCases.map(\.rawValue) }

  private var key: CodingKeys {
    switch self {
    case .anotherRun: .anotherRun
    case .turn: .turn
    case .decision: .decision
    case .approval: .approval
    case .policyOverride: .policyOverride
    case .earlierPlan: .earlierPlan
    case .cancelOfPlan: .cancelOfPlan
    case .cancelOfApply: .cancelOfApply
    case .discard: .discard
    case .override: .override
    case .beginOfApply: .beginOfApply
    case .removal: .removal
    case .maximumRuns: .maximumRuns
    case .workers: .workers
    case .tfeRunAhead: .tfeRunAhead
    case .workspaceLocked: .workspaceLocked
    case .tfeQueue: .tfeQueue
    case .tfeCapacity: .tfeCapacity
    case .runTasks: .runTasks
    case .tfeUnreachable: .tfeUnreachable
    case .tfeFailing: .tfeFailing
    case .tokenRefused: .tokenRefused
    case .tfeRefused: .tfeRefused
    case .rateLimited: .rateLimited
    case .stepFailing: .stepFailing
    }
  }

  /// Whether a step that PORC took has failed and is tried again: nothing else matters then.
  public var isTrouble: Bool {
    switch self {
    case .tfeUnreachable, .tfeFailing, .tokenRefused, .tfeRefused, .rateLimited, .stepFailing: true
    default: false
    }
  }

  /// Whether TFE is away. A proxy may answer in its place now and then: that is the same outage.
  var isOutage: Bool {
    switch self {
    case .tfeUnreachable, .tfeFailing: true
    default: false
    }
  }

  /// Longer texts of others are cut.
  public static let maximumText = 200
}

/// What a run waits for, and since when, where that was noted.
public struct Waiting: Sendable, Equatable {
  public var wait: Wait
  public var since: Date?
  /// Instead of the usual sentence, where more is known.
  var words: String?
  /// What clears it, instead of the usual words.
  var clearing: String?

  public init(_ wait: Wait, since: Date? = nil, words: String? = nil, clearing: String? = nil) {
    self.wait = wait
    self.since = since
    self.words = words
    self.clearing = clearing
  }
}
