/// How a cost estimate stands.
public struct CostEstimateStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: CostEstimateStatus = "pending"
  public static let queued: CostEstimateStatus = "queued"
  public static let finished: CostEstimateStatus = "finished"
  public static let errored: CostEstimateStatus = "errored"
  public static let canceled: CostEstimateStatus = "canceled"
  public static let skippedDueToTargeting: CostEstimateStatus = "skipped_due_to_targeting"
}

/// What a plan would cost in a month. Costs are decimal numbers as text.
public struct CostEstimate: Sendable, Hashable, Identifiable, Resource {
  /// `ce-…`
  public let id: String
  /// How it stands.
  public let status: CostEstimateStatus
  /// Before the plan is applied.
  public let priorMonthlyCost: String?
  /// After it.
  public let proposedMonthlyCost: String?
  /// The difference.
  public let deltaMonthlyCost: String?
  /// How many resources have a known price.
  public let matchedResources: Int
  /// How many have none.
  public let unmatchedResources: Int
  /// Why there is no estimate.
  public let errorMessage: String?

  init(_ source: ResourceSource) throws {
    id = source.id
    status = try source.require("status")
    priorMonthlyCost = try source.optional("prior-monthly-cost")
    proposedMonthlyCost = try source.optional("proposed-monthly-cost")
    deltaMonthlyCost = try source.optional("delta-monthly-cost")
    matchedResources = try source.optional("matched-resources-count") ?? 0
    unmatchedResources = try source.optional("unmatched-resources-count") ?? 0
    errorMessage = try source.optional("error-message")
  }
}

/// Calls of the Cost Estimates API.
public struct CostEstimatesService: Sendable {
  let client: Client

  /// `GET /cost-estimates/ID`. A run can include its own (``RunInclude/costEstimate``).
  public func read(_ id: CostEstimate.ID) async throws -> CostEstimate {
    try await client.fetch(Call(.get, "cost-estimates", id))
  }
}

extension Client {
  /// Calls of the Cost Estimates API.
  public var costEstimates: CostEstimatesService { CostEstimatesService(client: self) }
}
