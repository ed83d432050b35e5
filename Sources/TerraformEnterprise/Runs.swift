/// What may be asked for together with a run.
public enum RunInclude: String, Sendable, Hashable {
  case plan, apply, workspace
  case configurationVersion = "configuration_version"
  case taskStages = "task_stages"
  case costEstimate = "cost_estimate"
}

/// What a new run shall do; what is `nil` is not sent.
public struct RunOptions: Sendable, Hashable {
  /// A value for an input variable, for this run only. It is stored with the run and readable: no secrets.
  public struct Variable: Sendable, Hashable {
    /// The variable's name.
    public var key: String
    /// The value as an HCL literal: text needs its quotes and escapes.
    public var hclValue: String

    /// A value for one variable.
    public init(key: String, hclValue: String) {
      self.key = key
      self.hclValue = hclValue
    }
  }

  /// The workspace to run in.
  public var workspaceID: String
  /// The configuration to run; without it the workspace's newest that is not speculative.
  public var configurationVersionID: String?
  /// Shown with the run; ``RunFilter/search`` finds it by its words.
  public var message: String?
  /// Destroys everything. The workspace must allow it.
  public var isDestroy: Bool?
  /// Whether to read the real resources first. The vendor's default is true.
  public var refresh: Bool?
  /// Only brings the state up to date.
  public var refreshOnly: Bool?
  /// Never applied.
  public var planOnly: Bool?
  /// Plans without taking the workspace's queue.
  public var savePlan: Bool?
  /// Applies by itself; without it the workspace's setting counts.
  public var autoApply: Bool?
  /// Applies even where nothing changes.
  public var allowEmptyApply: Bool?
  /// Only these resources and what they need.
  public var targetAddresses: [String]?
  /// These resources are replaced.
  public var replaceAddresses: [String]?
  /// Values of input variables, which win over nearly everything.
  public var variables: [Variable]?
  /// Another version of Terraform; only with ``planOnly``.
  public var terraformVersion: String?

  /// A run with the workspace's settings.
  public init(workspaceID: String, configurationVersionID: String? = nil, message: String? = nil) {
    self.workspaceID = workspaceID
    self.configurationVersionID = configurationVersionID
    self.message = message
  }

  var document: RequestDocument {
    let strings = { (list: [String]) in JSONValue.array(list.map(JSONValue.string)) }
    return RequestDocument(
      type: "runs",
      attributes: [
        "message": message.map(JSONValue.string),
        "is-destroy": isDestroy.map(JSONValue.bool),
        "refresh": refresh.map(JSONValue.bool),
        "refresh-only": refreshOnly.map(JSONValue.bool),
        "plan-only": planOnly.map(JSONValue.bool),
        "save-plan": savePlan.map(JSONValue.bool),
        "auto-apply": autoApply.map(JSONValue.bool),
        "allow-empty-apply": allowEmptyApply.map(JSONValue.bool),
        "target-addrs": targetAddresses.map(strings),
        "replace-addrs": replaceAddresses.map(strings),
        "variables": variables.map { list in
          .array(list.map { ["key": .string($0.key), "value": .string($0.hclValue)] })
        },
        "terraform-version": terraformVersion.map(JSONValue.string),
      ],
      relationships: [
        "workspace": RequestDocument.one("workspaces", workspaceID),
        "configuration-version": RequestDocument.one("configuration-versions", configurationVersionID),
      ])
  }
}

/// Which runs to list. Everything that is set must hold.
public struct RunFilter: Sendable, Hashable {
  /// Groups of statuses that the API knows.
  public enum StatusGroup: String, Sendable, Hashable {
    case final, discardable
    case nonFinal = "non_final"
  }

  /// Words in the run's id, message, commit or user (`search[basic]`).
  public var search: String?
  /// One of these statuses.
  public var statuses: [RunStatus] = []
  /// A group of statuses.
  public var statusGroup: StatusGroup?
  /// One of these operations, such as `plan_only`; a workspace's list leaves plan-only runs out unless they are named.
  public var operations: [String] = []
  /// Of these workspaces, by name; in the organization's list only.
  public var workspaceNames: [String] = []

  /// A filter that lets everything through.
  public init(search: String? = nil, statusGroup: StatusGroup? = nil) {
    self.search = search
    self.statusGroup = statusGroup
  }

  var query: [(name: String, value: String)] {
    var query: [(name: String, value: String)] = []
    if let search { query.append(("search[basic]", search)) }
    if !statuses.isEmpty { query.append(("filter[status]", statuses.map(\.rawValue).joined(separator: ","))) }
    if let statusGroup { query.append(("filter[status_group]", statusGroup.rawValue)) }
    if !operations.isEmpty { query.append(("filter[operation]", operations.joined(separator: ","))) }
    if !workspaceNames.isEmpty { query.append(("filter[workspace_names]", workspaceNames.joined(separator: ","))) }
    return query
  }
}

/// Calls of the Runs API. Actions are only accepted (202): read the run to see what they did. One that is not possible
/// in the run's status is a 409.
public struct RunsService: Sendable {
  let client: Client

  /// `POST /runs`. The API knows no idempotency key: after a failure for which ``TFEError/wasNotExecuted`` is false, look
  /// for the run by its message before creating another.
  public func create(_ options: RunOptions) async throws -> Run {
    try await client.fetch(Call(.post, "runs").with(options.document))
  }

  /// `GET /runs/ID`.
  public func read(_ id: String, include: [RunInclude] = []) async throws -> Run {
    var call = Call(.get, "runs", id)
    call.include(include.map(\.rawValue))
    return try await client.fetch(call)
  }

  /// `GET /workspaces/ID/runs`, newest first. 30 requests a minute.
  public func list(
    workspace id: String, _ filter: RunFilter = RunFilter(), include: [RunInclude] = [], pageSize: Int = 20
  ) -> PagedList<Run> {
    var call = Call(.get, "workspaces", id, "runs", query: filter.query)
    call.scope = .runLists
    call.include(include.map(\.rawValue))
    return client.pages(call, pageSize: pageSize)
  }

  /// `GET /organizations/ORG/runs`, newest first, of the last year. 30 requests a minute.
  public func list(
    organization: String, _ filter: RunFilter = RunFilter(), include: [RunInclude] = [], pageSize: Int = 100
  ) -> PagedList<Run> {
    var call = Call(.get, "organizations", organization, "runs", query: filter.query)
    call.scope = .runLists
    call.include(include.map(\.rawValue))
    return client.pages(call, pageSize: pageSize)
  }

  /// `POST /runs/ID/actions/apply`: confirms the plan.
  public func apply(_ id: String, comment: String? = nil) async throws { try await act("apply", id, comment) }

  /// `POST /runs/ID/actions/discard`: gives the plan up.
  public func discard(_ id: String, comment: String? = nil) async throws { try await act("discard", id, comment) }

  /// `POST /runs/ID/actions/cancel`: interrupts Terraform, which ends in an orderly way.
  public func cancel(_ id: String, comment: String? = nil) async throws { try await act("cancel", id, comment) }

  /// `POST /runs/ID/actions/force-cancel`: kills Terraform; its state may be lost. Only after a cancel and a cool-off.
  public func forceCancel(_ id: String, comment: String? = nil) async throws {
    try await act("force-cancel", id, comment)
  }

  private func act(_ action: String, _ id: String, _ comment: String?) async throws {
    _ = try await client.send(Call(.post, "runs", id, "actions", action).with(.comment(comment)))
  }
}

extension Client {
  /// Calls of the Runs API.
  public var runs: RunsService { RunsService(client: self) }
}
