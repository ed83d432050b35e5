/// How a policy check stands.
public struct PolicyCheckStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: PolicyCheckStatus = "pending"
  public static let queued: PolicyCheckStatus = "queued"
  public static let passed: PolicyCheckStatus = "passed"
  public static let softFailed: PolicyCheckStatus = "soft_failed"
  public static let hardFailed: PolicyCheckStatus = "hard_failed"
  public static let overridden: PolicyCheckStatus = "overridden"
  public static let errored: PolicyCheckStatus = "errored"
  public static let canceled: PolicyCheckStatus = "canceled"
  public static let unreachable: PolicyCheckStatus = "unreachable"
}

/// The outcome of a run's Sentinel policies, in the older mode. Newer policies hang on a ``TaskStage``.
public struct PolicyCheck: Sendable, Hashable, Identifiable, Resource {
  /// `polchk-…`
  public let id: String
  /// How it stands.
  public let status: PolicyCheckStatus
  /// `organization` or `workspace`.
  public let scope: String?
  /// Whether an override is possible now.
  public let isOverridable: Bool
  /// Whether the token may override it, where TFE says.
  public let canOverride: Bool?
  /// How many policies passed.
  public let passed: Int
  /// How many mandatory policies failed that can be overridden.
  public let softFailed: Int
  /// How many mandatory policies failed that cannot.
  public let hardFailed: Int
  /// How many advisory policies failed.
  public let advisoryFailed: Int

  init(_ source: ResourceSource) throws {
    struct Result: Decodable {
      var passed: Int?
      var softFailed: Int?
      var hardFailed: Int?
      var advisoryFailed: Int?
      private enum CodingKeys: String, CodingKey {
        case passed
        case softFailed = "soft-failed"
        case hardFailed = "hard-failed"
        case advisoryFailed = "advisory-failed"
      }
    }
    id = source.id
    status = try source.require("status")
    scope = try source.optional("scope")
    isOverridable = try source.optional("actions", as: [String: Bool?].self)?["is-overridable"] == true
    canOverride = try source.optional("permissions", as: [String: Bool?].self)?["can-override"] ?? nil
    let result: Result? = try source.optional("result")
    passed = result?.passed ?? 0
    softFailed = result?.softFailed ?? 0
    hardFailed = result?.hardFailed ?? 0
    advisoryFailed = result?.advisoryFailed ?? 0
  }
}

/// Calls of the Policy Checks API.
public struct PolicyChecksService: Sendable {
  let client: Client

  /// `GET /runs/ID/policy-checks`.
  public func list(run id: String, pageSize: Int = 20) -> PagedList<PolicyCheck> {
    client.pages(Call(.get, "runs", id, "policy-checks"), pageSize: pageSize)
  }

  /// `POST /policy-checks/ID/actions/override`. Needs the organization's permission to manage policy overrides; a check
  /// that cannot be overridden is a 409.
  public func override(_ id: PolicyCheck.ID) async throws {
    _ = try await client.send(Call(.post, "policy-checks", id, "actions", "override"))
  }
}

extension Client {
  /// Calls of the Policy Checks API.
  public var policyChecks: PolicyChecksService { PolicyChecksService(client: self) }
}
