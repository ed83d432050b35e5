public import Foundation

/// What stands in TFE between a plan and its apply: what it would cost, and what policies and run tasks said of it.
public struct Gates: Codable, Sendable, Equatable {
  /// TFE's status of the run when this was read, such as `policy_override`.
  public var tfeStatus: String
  /// What the plan would cost, where TFE estimates that.
  public var cost: CostEstimate?
  /// What the policies said, if there are any.
  public var policies: PolicyResults?
  /// What the run tasks said.
  public var tasks: [TaskResult] = []
  /// The run's page in TFE, where somebody must override what failed because PORC's token may not.
  public var overrideLink: String?

  enum CodingKeys: String, CodingKey {
    case cost, policies, tasks
    case tfeStatus = "tfe_status"
    case overrideLink = "override_link"
  }

  public init(tfeStatus: String) { self.tfeStatus = tfeStatus }

  /// Why the plan may not be applied as it is; `nil` where nothing mandatory failed.
  public var failure: Failure? {
    let refusals = (policies?.blocking ?? []).map(\.failure) + tasks.filter(\.isBlocking).map(\.failure)
    if refusals.count == 1 { return refusals[0] }
    guard !refusals.isEmpty else { return nil }
    let policyCount = policies?.blocking.count ?? 0
    let parts = [(policyCount, "policies"), (refusals.count - policyCount, "run tasks")].filter { $0.0 > 0 }
    return Failure(
      parts.map { "\($0.0) \($0.1)" }.joined(separator: " and ") + " failed",
      detail: refusals.map(\.text).joined(separator: "\n"))
  }
}

/// What a plan would cost in a month, in decimal numbers of the currency that TFE counts in.
public struct CostEstimate: Codable, Sendable, Equatable {
  /// `finished`, or why there are no numbers: `errored`, `skipped_due_to_targeting` …
  public var status: String
  public var priorMonthlyCost: String?
  public var proposedMonthlyCost: String?
  public var deltaMonthlyCost: String?
  /// How many resources have a known price.
  public var matchedResources: Int
  public var unmatchedResources: Int
  public var errorMessage: String?

  enum CodingKeys: String, CodingKey {
    case status
    case priorMonthlyCost = "prior_monthly_cost"
    case proposedMonthlyCost = "proposed_monthly_cost"
    case deltaMonthlyCost = "delta_monthly_cost"
    case matchedResources = "matched_resources"
    case unmatchedResources = "unmatched_resources"
    case errorMessage = "error_message"
  }

  public init(
    status: String, priorMonthlyCost: String? = nil, proposedMonthlyCost: String? = nil,
    deltaMonthlyCost: String? = nil, matchedResources: Int = 0, unmatchedResources: Int = 0,
    errorMessage: String? = nil
  ) {
    self.status = status
    self.priorMonthlyCost = priorMonthlyCost
    self.proposedMonthlyCost = proposedMonthlyCost
    self.deltaMonthlyCost = deltaMonthlyCost
    self.matchedResources = matchedResources
    self.unmatchedResources = unmatchedResources
    self.errorMessage = errorMessage
  }
}

/// What the policies said of a plan.
public struct PolicyResults: Codable, Sendable, Equatable {
  public var passed: Int
  /// How many did not pass, advisory ones among them.
  public var failed: Int
  /// Those that did not pass. At most ``maximumFailures``.
  public private(set) var failures: [PolicyFailure]

  public static let maximumFailures = 100

  public init(passed: Int, failed: Int, failures: [PolicyFailure]) {
    self.passed = passed
    self.failed = failed
    // What blocks the plan comes first, so that it is what is kept.
    let ordered = failures.filter(\.isBlocking) + failures.filter { !$0.isBlocking }
    self.failures = Array(ordered.prefix(Self.maximumFailures))
  }

  /// Those that keep the plan from being applied.
  public var blocking: [PolicyFailure] { failures.filter(\.isBlocking) }
}

/// A policy that did not pass.
public struct PolicyFailure: Codable, Sendable, Equatable {
  public var name: String
  public var policySet: String?
  /// `advisory`, `soft-mandatory`, `hard-mandatory`, or `mandatory` (OPA).
  public var enforcementLevel: String
  public var description: String?
  /// Whether somebody let the plan pass all the same.
  public var isOverridden: Bool

  enum CodingKeys: String, CodingKey {
    case name, description
    case policySet = "policy_set"
    case enforcementLevel = "enforcement_level"
    case isOverridden = "overridden"
  }

  public init(
    _ name: String, policySet: String? = nil, enforcementLevel: String, description: String? = nil,
    isOverridden: Bool = false
  ) {
    self.name = name
    self.policySet = policySet
    self.enforcementLevel = enforcementLevel
    self.description = description
    self.isOverridden = isOverridden
  }

  /// Whether it keeps the plan from being applied.
  public var isBlocking: Bool { enforcementLevel != "advisory" && !isOverridden }

  var failure: Failure { Failure("The policy '\(name)' (\(enforcementLevel)) failed", detail: description) }
}

/// What a run task said of a run.
public struct TaskResult: Codable, Sendable, Equatable {
  public var name: String
  /// `pre_plan`, `post_plan`, `pre_apply` or `post_apply`.
  public var stage: String
  /// `passed`, `failed`, `errored` …
  public var status: String
  /// `advisory` or `mandatory`.
  public var enforcementLevel: String
  public var message: String?
  /// Where the task says more.
  public var url: String?

  enum CodingKeys: String, CodingKey {
    case name, stage, status, message, url
    case enforcementLevel = "enforcement_level"
  }

  public init(
    _ name: String, stage: String, status: String, enforcementLevel: String, message: String? = nil, url: String? = nil
  ) {
    self.name = name
    self.stage = stage
    self.status = status
    self.enforcementLevel = enforcementLevel
    self.message = message
    self.url = url
  }

  public var isFailed: Bool { status != "passed" && status != "running" && status != "pending" }

  /// Whether it keeps the plan from being applied.
  public var isBlocking: Bool { isFailed && enforcementLevel != "advisory" }

  var failure: Failure {
    let words = [message, url].compactMap { $0 }.filter { !$0.isEmpty }
    return Failure(
      "The run task '\(name)' (\(enforcementLevel)) failed", detail: words.isEmpty ? nil : words.joined(separator: " "))
  }
}

/// Somebody's word that a plan may pass although a policy refused it.
public struct PolicyOverride: Codable, Sendable, Equatable {
  public var by: Caller
  public var at: Date
  public var reason: String
  /// Why TFE did not take it.
  public var refusal: Failure?

  public init(by caller: Caller, at time: Date, reason: String, refusal: Failure? = nil) {
    by = caller
    at = time
    self.reason = reason
    self.refusal = refusal
  }
}
