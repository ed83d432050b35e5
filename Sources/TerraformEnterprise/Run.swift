public import FoundationEssentials

/// A run: a plan, and perhaps its apply.
public struct Run: Sendable, Hashable, Identifiable, Resource {
  /// What can be done to a run now.
  public struct Actions: Sendable, Hashable, Decodable {
    /// Whether it waits to be confirmed with `apply`.
    public var isConfirmable = false
    /// Whether it can be discarded.
    public var isDiscardable = false
    /// Whether it can be canceled.
    public var isCancelable = false
    /// Whether it can be killed: after a cancel, once a cool-off has passed.
    public var isForceCancelable = false

    init() {}

    public init(from decoder: any Decoder) throws {
      let flags = try decoder.container(keyedBy: JSONKey.self)
      isConfirmable = try flags.decodeIfPresent(Bool.self, forKey: "is-confirmable") ?? false
      isDiscardable = try flags.decodeIfPresent(Bool.self, forKey: "is-discardable") ?? false
      isCancelable = try flags.decodeIfPresent(Bool.self, forKey: "is-cancelable") ?? false
      isForceCancelable = try flags.decodeIfPresent(Bool.self, forKey: "is-force-cancelable") ?? false
    }
  }

  /// `run-…`
  public let id: String
  /// How far it has come.
  public let status: RunStatus
  /// What can be done to it now.
  public let actions: Actions
  /// Whether the plan has changes; false until it is planned.
  public let hasChanges: Bool
  /// The text given at its making.
  public let message: String
  /// Whether it destroys everything.
  public let isDestroy: Bool
  /// Whether it applies by itself.
  public let autoApply: Bool
  /// Whether it can never be applied.
  public let planOnly: Bool
  /// Whether it only brings the state up to date.
  public let refreshOnly: Bool
  /// What started it, such as `tfe-api` or `tfe-ui`.
  public let source: String?
  /// When it was made.
  public let createdAt: Date?
  /// When each status was reached, under names such as `planned-at`.
  public let statusTimestamps: [String: Date]
  /// How many runs are ahead of it in the workspace's queue.
  public let positionInQueue: Int?
  /// The version of Terraform it uses.
  public let terraformVersion: String?
  /// From when it can be killed.
  public let forceCancelAvailableAt: Date?
  /// Whether the token may confirm it, where TFE says.
  public let canApply: Bool?
  /// Whether the token may override its policies, where TFE says.
  public let canOverridePolicies: Bool?
  /// The workspace it belongs to.
  public let workspaceID: String?
  /// The configuration it runs.
  public let configurationVersionID: String?
  /// Its plan; exists from the beginning.
  public let planID: String?
  /// Its apply; exists from the beginning.
  public let applyID: String?
  /// Its cost estimate, where the organization has those.
  public let costEstimateID: String?
  /// Its policy checks (Sentinel's older mode).
  public let policyCheckIDs: [String]
  /// Its task stages, which hold run tasks and policy evaluations.
  public let taskStageIDs: [String]
  /// The plan, where it was asked for with `include`.
  public let plan: Plan?
  /// The apply, where it was asked for with `include`.
  public let apply: Apply?
  /// The cost estimate, where it was asked for with `include`.
  public let costEstimate: CostEstimate?
  /// The configuration version, where it was asked for with `include`.
  public let configurationVersion: ConfigurationVersion?
  /// What its workspace looks like, where it was asked for with `include`.
  public let workspace: WorkspaceGlance?

  init(_ source: ResourceSource) throws {
    id = source.id
    status = try source.require("status")
    actions = try source.optional("actions") ?? Actions()
    hasChanges = try source.flag("has-changes")
    message = try source.optional("message") ?? ""
    isDestroy = try source.flag("is-destroy")
    autoApply = try source.flag("auto-apply")
    planOnly = try source.flag("plan-only")
    refreshOnly = try source.flag("refresh-only")
    self.source = try source.optional("source")
    createdAt = try source.date("created-at")
    statusTimestamps = try source.timestamps()
    positionInQueue = try source.optional("position-in-queue")
    terraformVersion = try source.optional("terraform-version")
    forceCancelAvailableAt = try source.date("force-cancel-available-at")
    let permissions = try source.optional("permissions", as: [String: Bool?].self)
    canApply = permissions?["can-apply"] ?? nil
    canOverridePolicies = permissions?["can-override-policy-check"] ?? nil
    workspaceID = source.one("workspace")
    configurationVersionID = source.one("configuration-version")
    planID = source.one("plan")
    applyID = source.one("apply")
    costEstimateID = source.one("cost-estimate")
    policyCheckIDs = source.many("policy-checks")
    taskStageIDs = source.many("task-stages")
    plan = try source.included("plan")
    apply = try source.included("apply")
    costEstimate = try source.included("cost-estimate")
    configurationVersion = try source.included("configuration-version")
    // One that cannot be understood is no reason not to read the run.
    workspace = try? source.included("workspace")
  }
}
