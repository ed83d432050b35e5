import FoundationEssentials

struct Run: Stored {
  static let kind = "run"

  /// The statuses that a run here passes, in TFE's spelling.
  enum Status: String, Codable, Sendable {
    case pending, planning, planned, confirmed, applying, applied, discarded, errored, canceled
    case planQueued = "plan_queued"
    case plannedAndSaved = "planned_and_saved"
    case plannedAndFinished = "planned_and_finished"
    case applyQueued = "apply_queued"
    case forceCanceled = "force_canceled"
    case postPlanRunning = "post_plan_running"
    case postPlanCompleted = "post_plan_completed"
    case postPlanAwaitingDecision = "post_plan_awaiting_decision"
    case costEstimating = "cost_estimating"
    case costEstimated = "cost_estimated"
    case policyChecking = "policy_checking"
    case policyChecked = "policy_checked"
    case policyOverride = "policy_override"
    case policySoftFailed = "policy_soft_failed"

    var isFinal: Bool {
      switch self {
      case .applied, .discarded, .errored, .canceled, .forceCanceled, .plannedAndFinished, .policySoftFailed: true
      default: false
      }
    }

    /// The attribute of `status-timestamps` that tells when the status came.
    var timestamp: String? {
      switch self {
      case .pending: nil
      default: rawValue.replacing("_", with: "-") + "-at"
      }
    }
  }

  /// A plan or an apply.
  struct Phase: Codable, Sendable {
    enum Status: String, Codable, Sendable {
      case pending, queued, running, finished, errored, canceled, unreachable

      var isFinal: Bool { [.finished, .errored, .canceled, .unreachable].contains(self) }
    }

    let id: String
    var status = Status.pending
    var changes = ChangeCount()
    var timestamps: [String: String] = [:]

    init(id: String) { self.id = id }

    mutating func enter(_ status: Status) {
      self.status = status
      switch status {
      case .pending: timestamps["pending-at"] = Timestamp.now()
      case .queued: timestamps["queued-at"] = Timestamp.now()
      case .running: timestamps["started-at"] = Timestamp.now()
      default: timestamps["\(status.rawValue)-at"] = Timestamp.now()
      }
    }
  }

  /// Of how many resources a plan or an apply says what.
  struct ChangeCount: Codable, Sendable, Hashable {
    var additions = 0
    var changes = 0
    var destructions = 0
    var imports = 0
  }

  /// Who made a run, in TFE's spelling.
  enum Source: String, Codable, Sendable {
    case api = "tfe-api"
    case configurationVersion = "tfe-configuration-version"
    /// The CLI with a `cloud` block.
    case cloud = "terraform+cloud"
  }

  /// A value for a variable of the configuration, as an HCL expression.
  struct Assignment: Codable, Sendable {
    let key: String
    let value: String
  }

  /// What whoever created the run asked for.
  struct Request: Codable, Sendable {
    var message = "Queued manually via the Terraform Enterprise API"
    var isDestroy = false
    var refresh = true
    var refreshOnly = false
    var planOnly = false
    var savePlan = false
    var autoApply = false
    var allowEmptyApply = false
    var allowConfigGeneration = false
    var debuggingMode = false
    var targets: [String] = []
    var replacements: [String] = []
    var variables: [Assignment] = []
    var terraformVersion: String?
    /// nil in old journals.
    var source: Source?
    /// Whether whoever made the run cannot draw structured output, as the CLI with `backend "remote"` cannot.
    var isPlain: Bool?
  }

  let id: String
  let sequence: Int
  let workspaceID: String
  let configurationVersionID: String
  let createdAt: String
  let request: Request
  var status = Status.pending
  var timestamps: [String: String] = [:]
  var hasChanges = false
  var plan: Phase
  var apply: Phase
  /// Once somebody cancelled it while terraform ran; a forced cancel is allowed some time after.
  var cancelRequestedAt: Date?
  var inputStateVersionID: String?
  var stateVersionIDs: [String] = []
  /// What is between its plan and its apply; nil for nothing.
  var checks: RunChecks?

  init(id: String, sequence: Int, workspaceID: String, configurationVersionID: String, request: Request) {
    self.id = id
    self.sequence = sequence
    self.workspaceID = workspaceID
    self.configurationVersionID = configurationVersionID
    self.request = request
    createdAt = Timestamp.now()
    plan = Phase(id: Identifier.make("plan"))
    apply = Phase(id: Identifier.make("apply"))
  }

  /// Whether it waits its turn in the workspace: plan-only and saved plans run beside the queue.
  var takesTheQueue: Bool { !request.planOnly && !request.savePlan }

  /// Whether the workspace is its own now, until it is final.
  var holdsTheWorkspace: Bool {
    switch status {
    case .planQueued, .planning, .planned, .postPlanRunning, .postPlanCompleted, .postPlanAwaitingDecision,
      .costEstimating, .costEstimated, .policyChecking, .policyChecked, .policyOverride:
      takesTheQueue
    case .confirmed: takesTheQueue
    case .applyQueued, .applying: true
    default: false
    }
  }

  var source: Source { request.source ?? .api }
  /// Whether terraform works on it or is about to, so that it takes or wants one of the places there are.
  var wantsCapacity: Bool { [.planQueued, .planning, .applyQueued, .applying].contains(status) }
  var isUnderWay: Bool { status == .planning || status == .applying }

  /// Since when it has wanted a place.
  var queuedAt: String {
    let name = status == .planQueued || status == .planning ? "plan-queued-at" : "apply-queued-at"
    return timestamps[name] ?? createdAt
  }

  /// A run whose checks went well waits in the status of the last of them.
  var isConfirmable: Bool {
    [.planned, .plannedAndSaved, .postPlanCompleted, .costEstimated, .policyChecked].contains(status)
  }
  /// Whether it waits for somebody.
  var awaitsDecision: Bool { isConfirmable || status == .policyOverride || status == .postPlanAwaitingDecision }
  var isDiscardable: Bool { awaitsDecision || status == .pending }
  var isCancelable: Bool { !status.isFinal }

  /// The word for it in `filter[operation]`.
  var operation: String {
    if request.planOnly { return "plan_only" }
    if request.savePlan { return "save_plan" }
    if request.isDestroy { return "destroy" }
    if request.refreshOnly { return "refresh_only" }
    return request.allowEmptyApply ? "empty_apply" : "plan_and_apply"
  }

  mutating func enter(_ status: Status) {
    self.status = status
    if let name = status.timestamp { timestamps[name] = Timestamp.now() }
    if status.isFinal { checks?.close() }
  }
}
