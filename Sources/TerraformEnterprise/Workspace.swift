public import FoundationEssentials

/// Where a workspace's runs are executed.
public struct ExecutionMode: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let remote: ExecutionMode = "remote"
  public static let local: ExecutionMode = "local"
  public static let agent: ExecutionMode = "agent"
}

/// A workspace: one state, its variables and its runs.
public struct Workspace: Sendable, Hashable, Identifiable, Resource {
  /// `ws-…`
  public let id: String
  /// Unique in the organization.
  public let name: String
  /// What it is for.
  public let description: String?
  /// Where its runs are executed.
  public let executionMode: ExecutionMode?
  /// Whether its runs apply by themselves unless they say otherwise.
  public let autoApply: Bool
  /// Whether destroy runs are allowed.
  public let allowDestroyPlan: Bool
  /// A version, or a constraint such as `~> 1.11.0`.
  public let terraformVersion: String?
  /// The folder of the configuration in which Terraform runs.
  public let workingDirectory: String?
  /// Whether somebody or some run holds it.
  public let isLocked: Bool
  /// Why it is locked, in the words of whoever did.
  public let lockedReason: String?
  /// How many resources its state holds.
  public let resourceCount: Int?
  /// Whether it is connected to a version control system; such a workspace refuses applies through the API.
  public let hasVCSConnection: Bool
  /// What made it: `tfe-api`, or the name given at its making.
  public let sourceName: String?
  /// The flat tags, and those with values as `key:value`.
  public let tagNames: [String]
  /// When it was made.
  public let createdAt: Date?
  /// When its state or settings last changed.
  public let latestChangeAt: Date?
  /// The name of its organization.
  public let organization: String?
  /// The id of its project.
  public let projectID: String?
  /// The id of the run that holds it, or was its last; never a plan-only or saved-plan one.
  public let currentRunID: String?
  /// The id of its state as of now.
  public let currentStateVersionID: String?
  /// The id of the configuration version that was uploaded last.
  public let currentConfigurationVersionID: String?
  /// The current run, where it was asked for with `include`.
  public let currentRun: Run?
  /// Who or what locked it, while it is locked.
  public let lockedBy: WorkspaceLocker?

  init(_ source: ResourceSource) throws {
    id = source.id
    name = try source.require("name")
    description = try source.optional("description")
    executionMode = try source.optional("execution-mode")
    autoApply = try source.flag("auto-apply")
    allowDestroyPlan = try source.optional("allow-destroy-plan") ?? true
    terraformVersion = try source.optional("terraform-version")
    workingDirectory = try source.optional("working-directory")
    isLocked = try source.flag("locked")
    lockedReason = try source.optional("locked-reason")
    resourceCount = try source.optional("resource-count")
    hasVCSConnection = try source.optional("vcs-repo", as: JSONValue.self).map { $0 != .null } ?? false
    sourceName = try source.optional("source-name")
    tagNames = try source.optional("tag-names") ?? []
    createdAt = try source.date("created-at")
    latestChangeAt = try source.date("latest-change-at")
    organization = source.one("organization")
    projectID = source.one("project")
    currentRunID = source.one("current-run")
    currentStateVersionID = source.one("current-state-version")
    currentConfigurationVersionID = source.one("current-configuration-version")
    currentRun = try source.included("current-run")
    lockedBy = try WorkspaceLocker(source)
  }

  /// What a run's document says of its workspace too.
  public var glance: WorkspaceGlance {
    WorkspaceGlance(
      id: id, name: name, isLocked: isLocked, lockedReason: lockedReason, currentRunID: currentRunID, lockedBy: lockedBy
    )
  }
}

/// The part of a workspace that tells why a run of it waits; also of one that is included in a run's document.
public struct WorkspaceGlance: Sendable, Hashable, Resource {
  /// `ws-…`
  public let id: String
  /// Unique in the organization.
  public let name: String
  /// Whether somebody or some run holds it.
  public let isLocked: Bool
  /// Why it is locked, in the words of whoever did.
  public let lockedReason: String?
  /// The id of the run that holds it, or was its last.
  public let currentRunID: String?
  /// Who or what locked it, while it is locked.
  public let lockedBy: WorkspaceLocker?

  init(
    id: String, name: String, isLocked: Bool, lockedReason: String?, currentRunID: String?, lockedBy: WorkspaceLocker?
  ) {
    self.id = id
    self.name = name
    self.isLocked = isLocked
    self.lockedReason = lockedReason
    self.currentRunID = currentRunID
    self.lockedBy = lockedBy
  }

  init(_ source: ResourceSource) throws {
    self.init(
      id: source.id, name: try source.require("name"), isLocked: try source.flag("locked"),
      lockedReason: try source.optional("locked-reason"), currentRunID: source.one("current-run"),
      lockedBy: try WorkspaceLocker(source))
  }
}

/// Who or what locked a workspace.
public struct WorkspaceLocker: Sendable, Hashable {
  /// The type of the resource: `runs`, `users` or `teams`.
  public let type: String
  /// Its id.
  public let id: String
  /// The user's or the team's name, where it was asked for with `include`.
  public let name: String?

  /// Whether it is a run that holds its workspace, as each does until its end.
  public var isRun: Bool { type == "runs" }

  init?(_ workspace: ResourceSource) throws {
    guard let reference = workspace.reference("locked-by") else { return nil }
    (type, id) = (reference.type, reference.id)
    let included = try workspace.included("locked-by", as: Named.self)
    name = included?.name
  }

  private struct Named: Resource {
    let name: String?
    init(_ source: ResourceSource) throws {
      name = try source.optional("username") ?? source.optional("name")
    }
  }
}

/// A tag with a value.
public struct TagBinding: Sendable, Hashable, Resource {
  /// The name of the tag.
  public let key: String
  /// Its value; may be empty.
  public let value: String

  /// A tag to be set.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }

  init(_ source: ResourceSource) throws {
    key = try source.require("key")
    value = try source.optional("value") ?? ""
  }

  var json: JSONValue {
    ["type": "tag-bindings", "attributes": ["key": .string(key), "value": .string(value)]]
  }
}

/// What to set on a workspace; what is `nil` is not sent, and so keeps its value or gets the vendor's default.
public struct WorkspaceSettings: Sendable, Hashable {
  /// At most 90 letters, digits, `-` and `_`. Required to create one.
  public var name: String?
  /// What it is for.
  public var description: String?
  /// Where runs are executed; `agent` needs ``agentPoolID``.
  public var executionMode: ExecutionMode?
  /// The pool whose agents execute the runs.
  public var agentPoolID: String?
  /// Whether runs apply by themselves unless they say otherwise.
  public var autoApply: Bool?
  /// Whether destroy runs are allowed.
  public var allowDestroyPlan: Bool?
  /// A version, or a constraint such as `~> 1.11.0`.
  public var terraformVersion: String?
  /// The folder of the configuration in which Terraform runs.
  public var workingDirectory: String?
  /// Whether every workspace of the organization may read its state.
  public var globalRemoteState: Bool?
  /// Whether runs may be planned that can never be applied.
  public var speculativeEnabled: Bool?
  /// Whether the vendor looks for drift about once a day.
  public var assessmentsEnabled: Bool?
  /// Shown as "Created via NAME". Only when creating.
  public var sourceName: String?
  /// Where ``sourceName`` links to. Only when creating.
  public var sourceURL: String?
  /// The project it belongs to.
  public var projectID: String?
  /// Tags with values. When updating, all of them are replaced.
  public var tagBindings: [TagBinding]?

  /// Settings of which nothing but the name is set.
  public init(name: String? = nil) {
    self.name = name
  }

  var document: RequestDocument {
    RequestDocument(
      type: "workspaces",
      attributes: [
        "name": name.map(JSONValue.string),
        "description": description.map(JSONValue.string),
        "execution-mode": executionMode.map { .string($0.rawValue) },
        "agent-pool-id": agentPoolID.map(JSONValue.string),
        "auto-apply": autoApply.map(JSONValue.bool),
        "allow-destroy-plan": allowDestroyPlan.map(JSONValue.bool),
        "terraform-version": terraformVersion.map(JSONValue.string),
        "working-directory": workingDirectory.map(JSONValue.string),
        "global-remote-state": globalRemoteState.map(JSONValue.bool),
        "speculative-enabled": speculativeEnabled.map(JSONValue.bool),
        "assessments-enabled": assessmentsEnabled.map(JSONValue.bool),
        "source-name": sourceName.map(JSONValue.string),
        "source-url": sourceURL.map(JSONValue.string),
      ],
      relationships: [
        "project": RequestDocument.one("projects", projectID),
        "tag-bindings": tagBindings.map { ["data": .array($0.map(\.json))] },
      ])
  }
}
