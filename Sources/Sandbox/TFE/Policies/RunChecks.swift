import FoundationEssentials

/// What is ahead of a run between its plan and its apply, and how it went: OPA policies in a task stage, a cost
/// estimate, Sentinel policies in a policy check, in this order.
struct RunChecks: Codable, Sendable {
  enum Step: Sendable {
    case postPlan, costEstimate, policyCheck

    /// What the run's status is while it is under way.
    var running: Run.Status {
      switch self {
      case .postPlan: .postPlanRunning
      case .costEstimate: .costEstimating
      case .policyCheck: .policyChecking
      }
    }

    /// What the run's status is once nothing stands in its way.
    var done: Run.Status {
      switch self {
      case .postPlan: .postPlanCompleted
      case .costEstimate: .costEstimated
      case .policyCheck: .policyChecked
      }
    }
  }

  /// The stage behind the plan, with its one policy evaluation, which has one policy set.
  struct TaskStage: Codable, Sendable {
    enum Status: String, Codable {
      case pending, running, passed, failed, canceled, unreachable
      case awaitingOverride = "awaiting_override"
    }

    let id: String
    let evaluationID: String
    let outcomeID: String
    let policies: [Policy]
    var status = Status.pending
    var isOverridden = false
    var timestamps: [String: String] = [:]

    init(policies: [Policy]) {
      id = Identifier.make("ts")
      evaluationID = Identifier.make("poleval")
      outcomeID = Identifier.make("psout")
      self.policies = policies
    }

    mutating func enter(_ status: Status) {
      self.status = status
      timestamps[status.rawValue.replacing("_", with: "-") + "-at"] = Timestamp.now()
    }

    /// The status of its policy evaluation.
    var evaluationStatus: String {
      switch status {
      case .awaitingOverride: "failed"
      case .canceled: policies.verdict == .passed ? "canceled" : "failed"
      case .passed where isOverridden: "overridden"
      default: status.rawValue
      }
    }
  }

  struct CostEstimate: Codable, Sendable {
    enum Status: String, Codable {
      case pending, queued, finished, canceled
    }

    let id: String
    /// Decimal numbers, as all amounts.
    let monthly: String
    let prior: String
    var status = Status.pending
    var timestamps: [String: String] = [:]

    init(monthly: String, prior: String) {
      id = Identifier.make("ce")
      (self.monthly, self.prior) = (monthly, prior)
    }

    mutating func enter(_ status: Status) {
      self.status = status
      timestamps["\(status.rawValue)-at"] = Timestamp.now()
    }

    var delta: String { ((Decimal(string: monthly) ?? 0) - (Decimal(string: prior) ?? 0)).description }
  }

  struct PolicyCheck: Codable, Sendable {
    enum Status: String, Codable {
      case pending, queued, passed, overridden, errored, unreachable
      case softFailed = "soft_failed"
      case hardFailed = "hard_failed"
    }

    let id: String
    let policies: [Policy]
    /// Why the policies could not even be read.
    let problem: String?
    var status = Status.pending
    var timestamps: [String: String] = [:]

    init(policies: [Policy], problem: String? = nil) {
      id = Identifier.make("polchk")
      (self.policies, self.problem) = (policies, problem)
    }

    mutating func enter(_ status: Status) {
      self.status = status
      timestamps[status.rawValue.replacing("_", with: "-") + "-at"] = Timestamp.now()
    }
  }

  /// How long each step takes.
  var milliseconds = 0
  var taskStage: TaskStage?
  var costEstimate: CostEstimate?
  var policyCheck: PolicyCheck?

  /// The ids by which clients ask for its parts.
  var ids: [String] {
    [taskStage?.id, taskStage?.evaluationID, taskStage?.outcomeID, costEstimate?.id, policyCheck?.id].compactMap(\.self)
  }

  /// The first step that has not ended; nil when all have.
  var next: Step? {
    if let taskStage, [.pending, .running].contains(taskStage.status) { return .postPlan }
    if let costEstimate, [.pending, .queued].contains(costEstimate.status) { return .costEstimate }
    if let policyCheck, [.pending, .queued].contains(policyCheck.status) { return .policyCheck }
    return nil
  }

  mutating func begin(_ step: Step) {
    switch step {
    case .postPlan: taskStage?.enter(.running)
    case .costEstimate: costEstimate?.enter(.queued)
    case .policyCheck: policyCheck?.enter(.queued)
    }
  }

  /// Ends a step with what its policies say.
  ///
  /// - Parameter canWait: whether somebody may override a failure; nobody decides about a plan-only run.
  mutating func conclude(_ step: Step, canWait: Bool) -> Policy.Verdict {
    switch step {
    case .postPlan:
      let verdict = taskStage?.policies.verdict ?? .passed
      taskStage?.enter(verdict == .passed ? .passed : verdict == .overridable && canWait ? .awaitingOverride : .failed)
      return verdict
    case .costEstimate:
      costEstimate?.enter(.finished)
      return .passed
    case .policyCheck:
      guard policyCheck?.problem == nil else {
        policyCheck?.enter(.errored)
        return .refused
      }
      let verdict = policyCheck?.policies.verdict ?? .passed
      policyCheck?.enter(verdict == .passed ? .passed : verdict == .overridable ? .softFailed : .hardFailed)
      return verdict
    }
  }

  /// The run is over: what has not ended never will.
  mutating func close() {
    if let status = taskStage?.status {
      if [.pending, .running].contains(status) { taskStage?.enter(.unreachable) }
      if status == .awaitingOverride { taskStage?.enter(.canceled) }
    }
    if [.pending, .queued].contains(costEstimate?.status) { costEstimate?.enter(.canceled) }
    if [.pending, .queued].contains(policyCheck?.status) { policyCheck?.enter(.unreachable) }
  }
}
