public import FoundationEssentials

/// How far a plan or an apply has come.
public struct PhaseStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: PhaseStatus = "pending"
  public static let managedQueued: PhaseStatus = "managed_queued"
  public static let queued: PhaseStatus = "queued"
  public static let running: PhaseStatus = "running"
  public static let finished: PhaseStatus = "finished"
  public static let errored: PhaseStatus = "errored"
  public static let canceled: PhaseStatus = "canceled"
  public static let unreachable: PhaseStatus = "unreachable"

  /// Whether nothing will happen to it any more.
  public var isFinal: Bool { [.finished, .errored, .canceled, .unreachable].contains(self) }

  /// Whether Terraform has begun with it, as far as it can be told; one that was canceled may have.
  public var hasBegun: Bool { [.running, .finished, .errored, .canceled].contains(self) }
}

/// The plan of a run.
public struct Plan: Sendable, Hashable, Identifiable, Resource {
  /// `plan-…`
  public let id: String
  /// How far it has come.
  public let status: PhaseStatus
  /// Whether there is anything to apply.
  public let hasChanges: Bool
  /// How many resources would be created.
  public let additions: Int
  /// How many would be changed in place.
  public let changes: Int
  /// How many would be destroyed.
  public let destructions: Int
  /// How many would be imported.
  public let imports: Int
  /// Where its output is read; see ``LogsService``.
  public let logReadURL: SignedURL?
  /// When each status was reached, under names such as `finished-at`.
  public let statusTimestamps: [String: Date]

  init(_ source: ResourceSource) throws {
    id = source.id
    status = try source.require("status")
    hasChanges = try source.flag("has-changes")
    additions = try source.optional("resource-additions") ?? 0
    changes = try source.optional("resource-changes") ?? 0
    destructions = try source.optional("resource-destructions") ?? 0
    imports = try source.optional("resource-imports") ?? 0
    logReadURL = try source.optional("log-read-url", as: String.self).map(SignedURL.init)
    statusTimestamps = try source.timestamps()
  }
}

/// What Terraform's plan JSON says will happen, without any value: values may be secrets, and are not even read.
///
/// Both the full form and the redacted one have these members. The format is Terraform's "JSON Output Format".
public struct PlanJSON: Sendable, Hashable, Decodable {
  /// One resource that changes, or that changed outside Terraform.
  public struct ResourceChange: Sendable, Hashable, Decodable {
    /// The full address, such as `module.net.aws_vpc.main[0]`.
    public let address: String
    /// The address it had before, if it moves.
    public let previousAddress: String?
    /// `managed` or `data`.
    public let mode: String?
    /// The resource type.
    public let type: String?
    /// `["no-op"]`, `["create"]`, `["read"]`, `["update"]`, `["delete", "create"]`, …: in the order they happen.
    public let actions: [String]

    private enum CodingKeys: String, CodingKey {
      case address, mode, type, change
      case previousAddress = "previous_address"
    }
    private struct Change: Decodable { let actions: [String] }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      address = try container.decode(String.self, forKey: .address)
      previousAddress = try container.decodeIfPresent(String.self, forKey: .previousAddress)
      mode = try container.decodeIfPresent(String.self, forKey: .mode)
      type = try container.decodeIfPresent(String.self, forKey: .type)
      actions = try container.decodeIfPresent(Change.self, forKey: .change)?.actions ?? []
    }
  }

  /// What will happen, resource by resource; those without a change are listed with `no-op`.
  public let resourceChanges: [ResourceChange]
  /// What changed outside Terraform since the last apply.
  public let resourceDrift: [ResourceChange]

  private enum CodingKeys: String, CodingKey {
    case resourceChanges = "resource_changes"
    case resourceDrift = "resource_drift"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    resourceChanges = try container.decodeIfPresent([ResourceChange].self, forKey: .resourceChanges) ?? []
    resourceDrift = try container.decodeIfPresent([ResourceChange].self, forKey: .resourceDrift) ?? []
  }
}

/// Calls of the Plans API.
public struct PlansService: Sendable {
  let client: Client

  /// `GET /plans/ID`.
  public func read(_ id: String) async throws -> Plan {
    try await client.fetch(Call(.get, "plans", id))
  }

  /// `GET /plans/ID/json-output-redacted`: readable with the permission to plan. Not documented, but what Terraform's own
  /// command line reads.
  /// - Returns: `nil` while the plan is unfinished (204).
  public func redactedJSONOutput(_ id: String) async throws -> PlanJSON? {
    try await json(id, "json-output-redacted")
  }

  /// `GET /plans/ID/json-output`, which redirects to an address that lives for a minute and is read without the token.
  /// Needs an administrator of the workspace.
  /// - Returns: `nil` while the plan is unfinished (204).
  public func jsonOutput(_ id: String) async throws -> PlanJSON? {
    try await json(id, "json-output")
  }

  private func json(_ id: String, _ form: String) async throws -> PlanJSON? {
    var call = Call(.get, "plans", id, form)
    call.mayRedirect = true
    call.isTransfer = true
    let answer = try await client.send(call)
    return answer.status == 204 ? nil : try client.decode(PlanJSON.self, from: answer, of: call)
  }
}

extension Client {
  /// Calls of the Plans API.
  public var plans: PlansService { PlansService(client: self) }
}
