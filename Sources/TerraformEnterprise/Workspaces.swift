/// What may be asked for together with a workspace.
public enum WorkspaceInclude: String, Sendable, Hashable {
  case currentRun = "current_run"
  case currentRunPlan = "current_run.plan"
  case currentRunConfigurationVersion = "current_run.configuration_version"
  case lockedBy = "locked_by"
}

/// Which workspaces to list. Everything that is set must hold.
public struct WorkspaceFilter: Sendable, Hashable {
  /// A name with `*` at its start or end.
  public var wildcardName: String?
  /// Only those of this project.
  public var projectID: String?
  /// Only those with all of these tags; an empty value stands for any.
  public var tags: [TagBinding] = []
  /// Only those whose current run has one of these statuses.
  public var currentRunStatuses: [RunStatus] = []
  /// The order, such as `name` or `-latest-change-at`.
  public var sort: String?

  /// A filter that lets everything through.
  public init() {}

  var query: [(name: String, value: String)] {
    var query: [(name: String, value: String)] = []
    if let wildcardName { query.append(("search[wildcard-name]", wildcardName)) }
    if let projectID { query.append(("filter[project][id]", projectID)) }
    for (index, tag) in tags.enumerated() {
      query.append(("filter[tagged][\(index)][key]", tag.key))
      if !tag.value.isEmpty { query.append(("filter[tagged][\(index)][value]", tag.value)) }
    }
    if !currentRunStatuses.isEmpty {
      query.append(("filter[current-run][status]", currentRunStatuses.map(\.rawValue).joined(separator: ",")))
    }
    if let sort { query.append(("sort", sort)) }
    return query
  }
}

/// Calls of the Workspaces API.
public struct WorkspacesService: Sendable {
  let client: Client

  /// `POST /organizations/ORG/workspaces`. A name that is taken is a 422.
  public func create(organization: String, _ settings: WorkspaceSettings) async throws -> Workspace {
    try await client.fetch(Call(.post, "organizations", organization, "workspaces").with(settings.document))
  }

  /// `GET /workspaces/ID`.
  public func read(_ id: String, include: [WorkspaceInclude] = []) async throws -> Workspace {
    var call = Call(.get, "workspaces", id)
    call.include(include.map(\.rawValue))
    return try await client.fetch(call)
  }

  /// `GET /organizations/ORG/workspaces/NAME`.
  public func read(
    named name: String, organization: String, include: [WorkspaceInclude] = []
  ) async throws -> Workspace {
    var call = Call(.get, "organizations", organization, "workspaces", name)
    call.include(include.map(\.rawValue))
    return try await client.fetch(call)
  }

  /// `PATCH /workspaces/ID`: changes what is set.
  public func update(_ id: String, _ settings: WorkspaceSettings) async throws -> Workspace {
    try await client.fetch(Call(.patch, "workspaces", id).with(settings.document))
  }

  /// `GET /organizations/ORG/workspaces`. With `include: [.currentRun]` one call tells the current runs of 100
  /// workspaces, and unlike the lists of runs it has the normal rate limit.
  public func list(
    organization: String, _ filter: WorkspaceFilter = WorkspaceFilter(), include: [WorkspaceInclude] = [],
    pageSize: Int = 100
  ) -> PagedList<Workspace> {
    var call = Call(.get, "organizations", organization, "workspaces", query: filter.query)
    call.include(include.map(\.rawValue))
    return client.pages(call, pageSize: pageSize)
  }

  /// `POST /workspaces/ID/actions/safe-delete`: deletes it unless it manages resources, is locked, or its state is being
  /// processed, which are a 409.
  public func safeDelete(_ id: String) async throws {
    _ = try await client.send(Call(.post, "workspaces", id, "actions", "safe-delete"))
  }

  /// `GET /workspaces/ID/tag-bindings`: its own tags, not those of its project.
  public func tagBindings(_ id: String) async throws -> [TagBinding] {
    try await client.fetchAll(Call(.get, "workspaces", id, "tag-bindings"))
  }

  /// `PATCH /workspaces/ID/tag-bindings`: adds tags and changes the values of those that exist; removes none.
  /// - Returns: all its tags afterwards.
  @discardableResult
  public func addTagBindings(_ id: String, _ bindings: [TagBinding]) async throws -> [TagBinding] {
    let body = try Call.Body.json(
      ["data": .array(bindings.map(\.json))], contentType: "application/vnd.api+json")
    return try await client.fetchAll(Call(.patch, "workspaces", id, "tag-bindings").with(body))
  }
}

extension Client {
  /// Calls of the Workspaces API.
  public var workspaces: WorkspacesService { WorkspacesService(client: self) }
}
