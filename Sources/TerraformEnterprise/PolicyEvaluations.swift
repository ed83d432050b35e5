/// How a policy evaluation stands.
public struct PolicyEvaluationStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: PolicyEvaluationStatus = "pending"
  public static let running: PolicyEvaluationStatus = "running"
  public static let passed: PolicyEvaluationStatus = "passed"
  public static let failed: PolicyEvaluationStatus = "failed"
  public static let overridden: PolicyEvaluationStatus = "overridden"
  public static let errored: PolicyEvaluationStatus = "errored"
  public static let canceled: PolicyEvaluationStatus = "canceled"
  public static let unreachable: PolicyEvaluationStatus = "unreachable"
}

/// What all policies of one kind said at a ``TaskStage``.
public struct PolicyEvaluation: Sendable, Hashable, Identifiable, Resource {
  /// `poleval-…`
  public let id: String
  /// How it stands.
  public let status: PolicyEvaluationStatus
  /// `opa` or `sentinel`.
  public let policyKind: String?
  /// How many policies passed.
  public let passed: Int
  /// How many advisory policies failed.
  public let advisoryFailed: Int
  /// How many mandatory policies failed.
  public let mandatoryFailed: Int
  /// How many could not be evaluated.
  public let errored: Int

  init(_ source: ResourceSource) throws {
    let counts = try source.optional("result-count", as: [String: Int?].self) ?? [:]
    let count = { (key: String) -> Int in (counts[key] ?? nil) ?? 0 }
    id = source.id
    status = try source.require("status")
    policyKind = try source.optional("policy-kind")
    passed = count("passed")
    advisoryFailed = count("advisory-failed")
    mandatoryFailed = count("mandatory-failed")
    errored = count("errored")
  }
}

/// What the policies of one set said.
public struct PolicySetOutcome: Sendable, Hashable, Identifiable, Resource {
  /// What one policy said.
  public struct Outcome: Sendable, Hashable, Decodable {
    /// The policy's name.
    public let policyName: String
    /// `advisory` or `mandatory`.
    public let enforcementLevel: String?
    /// `passed`, `failed` or `errored`.
    public let status: String?
    /// What the policy is about.
    public let description: String?

    private enum CodingKeys: String, CodingKey {
      case status, description
      case policyName = "policy_name"
      case enforcementLevel = "enforcement_level"
    }
  }

  /// `psout-…`
  public let id: String
  /// The set's name.
  public let policySetName: String?
  /// Whether the set's failures may be overridden.
  public let isOverridable: Bool?
  /// Why the set could not be evaluated.
  public let error: String?
  /// Policy by policy.
  public let outcomes: [Outcome]

  init(_ source: ResourceSource) throws {
    id = source.id
    policySetName = try source.optional("policy-set-name")
    isOverridable = try source.optional("overridable")
    error = try source.optional("error")
    outcomes = try source.optional("outcomes") ?? []
  }
}

/// Calls of the Policy Evaluations API.
public struct PolicyEvaluationsService: Sendable {
  let client: Client

  /// `GET /policy-evaluations/ID/policy-set-outcomes`.
  public func outcomes(of id: PolicyEvaluation.ID, pageSize: Int = 20) -> PagedList<PolicySetOutcome> {
    client.pages(Call(.get, "policy-evaluations", id, "policy-set-outcomes"), pageSize: pageSize)
  }
}

extension Client {
  /// Calls of the Policy Evaluations API.
  public var policyEvaluations: PolicyEvaluationsService { PolicyEvaluationsService(client: self) }
}
