public import FoundationEssentials

/// An organization; its name is its id in this API.
public struct Organization: Sendable, Hashable, Identifiable, Resource {
  /// The name.
  public let id: String
  /// When it was made.
  public let createdAt: Date?
  /// The execution mode of workspaces that do not choose one.
  public let defaultExecutionMode: ExecutionMode?

  init(_ source: ResourceSource) throws {
    id = source.id
    createdAt = try source.date("created-at")
    defaultExecutionMode = try source.optional("default-execution-mode")
  }
}

/// What an organization's plan or license includes.
public struct EntitlementSet: Sendable, Hashable, Resource {
  /// Every flag under the vendor's name, such as `run-tasks`.
  public let flags: [String: Bool]

  /// Whether runs are executed there at all.
  public var operations: Bool { flags["operations"] ?? false }
  /// Whether states are kept there.
  public var stateStorage: Bool { flags["state-storage"] ?? false }
  /// Whether run tasks can be used.
  public var runTasks: Bool { flags["run-tasks"] ?? false }
  /// Whether policies can be enforced.
  public var policyEnforcement: Bool { flags["policy-enforcement"] ?? false }
  /// Whether costs are estimated.
  public var costEstimation: Bool { flags["cost-estimation"] ?? false }
  /// Whether agents can be used.
  public var agents: Bool { flags["agents"] ?? false }

  init(_ source: ResourceSource) throws {
    flags = try source.everyAttribute().compactMapValues { if case .bool(let flag) = $0 { flag } else { nil } }
  }
}

/// Calls of the Organizations API.
public struct OrganizationsService: Sendable {
  let client: Client

  /// `GET /organizations/NAME`.
  public func read(_ name: String) async throws -> Organization {
    try await client.fetch(Call(.get, "organizations", name))
  }

  /// `GET /organizations/NAME/entitlement-set`.
  public func entitlements(of name: String) async throws -> EntitlementSet {
    try await client.fetch(Call(.get, "organizations", name, "entitlement-set"))
  }
}

extension Client {
  /// Calls of the Organizations API.
  public var organizations: OrganizationsService { OrganizationsService(client: self) }
}
