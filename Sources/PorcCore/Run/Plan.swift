public import Foundation

/// One plan of a run. Each is one TFE run; planning again makes the next one.
public struct Plan: Codable, Sendable, Equatable {
  /// From 1. Never used twice within a run.
  public let number: Int
  public let request: PlanRequest
  public let startedAt: Date
  /// The earlier plan whose TFE run has to be settled before this one's is made.
  public internal(set) var clears: Int?
  /// TFE's id, `run-…`, once TFE has made it. A plan that needed no TFE run has none.
  public internal(set) var tfeRunID: String?
  public internal(set) var configurationVersionID: String?
  /// Known once the plan has finished.
  public internal(set) var hasChanges: Bool?
  public internal(set) var summary: PlanSummary?
  public internal(set) var plannedAt: Date?
  public internal(set) var approvals: [Approval] = []
  /// Who said apply; a confirmation in TFE's own pages has no caller.
  public internal(set) var confirmation: Confirmation?
  /// TFE has begun to change things: from here on a cancel or an error leaves something half-built.
  public internal(set) var applyBegan = false
  public internal(set) var discardRequestedAt: Date?
  /// What stood between it and its apply in TFE, once that was read.
  public internal(set) var gates: Gates?
  /// Who overrode its policies, or wanted to.
  public internal(set) var overrides: [PolicyOverride]?
  /// Until TFE says what became of the last override.
  public internal(set) var overrideRequestedAt: Date?
  /// From when TFE takes a forced cancel; known once a cancel was asked for and has not ended the run.
  public internal(set) var forceCancelAt: Date?
  public internal(set) var forceCancelRequestedAt: Date?
  /// Why TFE did not take a forced cancel.
  public internal(set) var forceCancelRefusal: Failure?
  /// TFE has the last word on whether the run can be applied; from here on it cannot.
  public internal(set) var isSettled = false
  public internal(set) var finishedAt: Date?
  /// Why this plan was given up before TFE made a run for it.
  public internal(set) var withdrawal: String?

  public struct Confirmation: Codable, Sendable, Equatable {
    public var by: Caller?
    public var at: Date
  }

  /// What the TFE run's message carries: a retry finds its earlier attempt by it, since TFE has no idempotency keys.
  public static func message(run: Run.ID, number: Int) -> String { "\(run)/\(number)" }

  /// The run and the plan's number that a TFE run's message names; `nil` for a message that is not one of ours.
  public static func named(by message: String) -> (run: Run.ID, number: Int)? {
    let parts = message.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].hasPrefix(Run.ID.prefix), let number = Int(parts[1]), number > 0 else {
      return nil
    }
    return (Run.ID(String(parts[0])), number)
  }
}

/// Somebody's wish for a plan.
public struct PlanRequest: Codable, Sendable, Equatable {
  public var by: Caller
  /// The idempotency key it came with: the same key while planning is the same wish.
  public var key: String?
  /// Discards another run's plan that awaits a decision.
  public var supersedes: Bool
  /// Apply was asked in the same breath, and nothing requires an approval.
  public var appliesAutomatically: Bool

  enum CodingKeys: String, CodingKey {
    case by, key, supersedes
    case appliesAutomatically = "applies_automatically"
  }

  public init(by caller: Caller, key: String? = nil, supersedes: Bool = false, appliesAutomatically: Bool = false) {
    self.by = caller
    self.key = key
    self.supersedes = supersedes
    self.appliesAutomatically = appliesAutomatically
  }
}

/// A person's consent to exactly one plan.
public struct Approval: Codable, Sendable, Equatable {
  public var by: Caller
  public var at: Date
}

/// What a plan would do, in numbers and by resource.
public struct PlanSummary: Codable, Sendable, Equatable {
  public var additions: Int
  public var changes: Int
  public var destructions: Int
  public var imports: Int
  /// Addresses with what happens to each; no values. At most ``maximumResources``.
  public var resources: [ResourceChange]
  /// What is there, where the plan changes nothing and the apply before it did not finish: nothing else tells then.
  public var outputs: [String: Output]?

  /// Beyond this many, only the counts are kept.
  public static let maximumResources = 500

  public init(
    additions: Int = 0, changes: Int = 0, destructions: Int = 0, imports: Int = 0, resources: [ResourceChange] = [],
    outputs: [String: Output]? = nil
  ) {
    self.additions = additions
    self.changes = changes
    self.destructions = destructions
    self.imports = imports
    self.resources = Array(resources.prefix(Self.maximumResources))
    self.outputs = outputs
  }

  /// `3 to add, 0 to change, 1 to destroy`, as Terraform says it.
  public var sentence: String {
    var parts = imports > 0 ? ["\(imports) to import"] : []
    parts += ["\(additions) to add", "\(changes) to change", "\(destructions) to destroy"]
    return parts.joined(separator: ", ")
  }
}

/// One resource in a plan.
public struct ResourceChange: Codable, Sendable, Equatable {
  public var address: String
  /// `create`, `update`, `delete`, `replace`, `read`, `import` or `forget`.
  public var action: String
  public init(address: String, action: String) {
    self.address = address
    self.action = action
  }
}
