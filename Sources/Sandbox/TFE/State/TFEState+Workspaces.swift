import Processes

extension TFEState {
  func workspaceDocument(_ id: String, query: Query, origin: String) throws -> JSONValue {
    let workspace = try workspace(id)
    let includes = try Includes(query, allowed: Self.workspaceIncludes)
    return JSONAPI.document(
      resource(workspace), included: included(with: workspace, includes, origin: origin))
  }

  func workspaceList(organization: String, query: Query, origin: String, url: String) throws -> JSONValue {
    try checkOrganization(organization)
    let includes = try Includes(query, allowed: Self.workspaceIncludes)
    let wanted = WorkspaceFilter(query)
    var found = workspaces.all.values.filter { workspace in
      wanted.matches(workspace, effectiveTags: effectiveTags(workspace), status: runs[workspace.currentRunID]?.status)
    }
    let sort = query["sort"] ?? "name"
    let key = sort.hasPrefix("-") ? String(sort.dropFirst()) : sort
    found.sort { left, right in
      switch key {
      case "current-run.created-at":
        (runs[left.currentRunID]?.sequence ?? 0, left.name) < (runs[right.currentRunID]?.sequence ?? 0, right.name)
      case "latest-change-at": (left.updatedAt, left.name) < (right.updatedAt, right.name)
      default: left.name < right.name
      }
    }
    if sort.hasPrefix("-") { found.reverse() }
    let page = Page(query)
    let shown = page.slice(found)
    return page.document(
      shown.map { resource($0) }, of: found.count,
      included: shown.flatMap { included(with: $0, includes, origin: origin) }, url: url, query: query)
  }

  func createWorkspace(organization: String, _ document: JSONValue) throws -> JSONValue {
    try checkOrganization(organization)
    let data = document["data"]
    let name = try WorkspaceSettings.checkName(data["attributes"]["name"].string)
    guard workspaceIDs[name.lowercased()] == nil else {
      throw APIError.invalid("name", "Name has already been taken")
    }
    let projectID = data["relationships"]["project"]["data"]["id"].string ?? defaultProject?.id ?? ""
    guard projects[projectID] != nil else {
      throw APIError.unprocessable("/data/relationships/project", "Project not found")
    }
    let now = Timestamp.now()
    let workspace = Workspace(
      id: Identifier.make("ws"), sequence: nextSequence(), createdAt: now, updatedAt: now, name: name,
      projectID: projectID,
      settings: try WorkspaceSettings.merge(
        data["attributes"], into: WorkspaceSettings.defaults(terraformVersion: terraformVersion)),
      tags: try tagBindings(data["relationships"]["tag-bindings"], updating: []),
      flatTags: (data["attributes"]["tag-names"].array ?? []).compactMap(\.string)
        + (data["relationships"]["tags"]["data"].array ?? []).compactMap { $0["attributes"]["name"].string })
    workspaces.set(workspace)
    workspaceIDs[name.lowercased()] = workspace.id
    return JSONAPI.document(resource(workspace))
  }

  func updateWorkspace(_ id: String, _ document: JSONValue) throws -> JSONValue {
    var workspace = try workspace(id)
    let data = document["data"]
    let attributes = data["attributes"]
    if !attributes["name"].isNull {
      let name = try WorkspaceSettings.checkName(attributes["name"].string)
      guard [nil, id].contains(workspaceIDs[name.lowercased()]) else {
        throw APIError.invalid("name", "Name has already been taken")
      }
      workspaceIDs[workspace.name.lowercased()] = nil
      workspaceIDs[name.lowercased()] = id
      workspace.name = name
    }
    if let projectID = data["relationships"]["project"]["data"]["id"].string {
      guard projects[projectID] != nil else {
        throw APIError.unprocessable("/data/relationships/project", "Project not found")
      }
      workspace.projectID = projectID
    }
    // Who made a workspace is said once.
    let origin = workspace.settings.filter { $0.key == "source-name" || $0.key == "source-url" }
    workspace.settings = try WorkspaceSettings.merge(attributes, into: workspace.settings).merging(origin) { $1 }
    workspace.tags = try tagBindings(data["relationships"]["tag-bindings"], replacing: workspace.tags)
    workspace.updatedAt = Timestamp.now()
    workspaces.set(workspace)
    return JSONAPI.document(resource(workspace))
  }

  func lockWorkspace(_ id: String, reason: String) throws -> JSONValue {
    var workspace = try workspace(id)
    if let run = holder(of: id) {
      throw APIError.conflict("Unable to lock workspace. The workspace is locked by Run \(run.id)")
    }
    guard workspace.lock == nil else { throw APIError.conflict("Unable to lock workspace. It is already locked") }
    workspace.lock = .init(reason: reason, at: Timestamp.now())
    workspaces.set(workspace)
    return JSONAPI.document(resource(workspace))
  }

  /// Lets the next run begin.
  func unlockWorkspace(_ id: String) throws -> JSONValue {
    var workspace = try workspace(id)
    guard workspace.lock != nil else {
      if let run = holder(of: id) {
        throw APIError.conflict("Unable to unlock workspace. The workspace is locked by Run \(run.id)")
      }
      throw APIError.conflict("Unable to unlock workspace. It is already unlocked")
    }
    workspace.lock = nil
    workspaces.set(workspace)
    advance(id)
    return JSONAPI.document(resource(workspace))
  }

  /// Refuses a workspace that is locked or still manages resources.
  func safelyDeleteWorkspace(_ id: String) throws {
    let workspace = try workspace(id)
    guard workspace.lock == nil, holder(of: id) == nil else {
      throw APIError.conflict("Workspace cannot be safely deleted because it is locked")
    }
    guard (stateVersions[workspace.currentStateVersionID]?.resourceCount ?? 0) == 0 else {
      throw APIError.conflict("Workspace cannot be safely deleted because it is still managing resources")
    }
    try deleteWorkspace(id)
  }

  /// Deletes a workspace with all that belongs to it; terraform that runs for it is interrupted.
  func deleteWorkspace(_ id: String) throws {
    let workspace = try workspace(id)
    for runID in runIDs.removeValue(forKey: id) ?? [] {
      stops.stop(for: runID)?.interrupt()
      if let run = runs[runID] {
        (runOfPhase[run.plan.id], runOfPhase[run.apply.id]) = (nil, nil)
        for id in run.checks?.ids ?? [] { runOfCheck[id] = nil }
      }
      for comment in commentIDs.removeValue(forKey: runID) ?? [] { comments.remove(comment) }
      runs.remove(runID)
      Files.remove(folder.run(runID).path)
    }
    allRunIDs.removeAll { runs[$0] == nil }
    openRunIDs[id] = nil
    for versionID in stateVersionIDs.removeValue(forKey: id) ?? [] {
      for output in stateVersions[versionID]?.outputs ?? [] { stateVersionOfOutput[output.id] = nil }
      stateVersions.remove(versionID)
      Files.remove(folder.state(versionID))
      Files.remove(folder.stateJSON(versionID))
    }
    for versionID in configurationVersionIDs.removeValue(forKey: id) ?? [] {
      configurationVersions.remove(versionID)
      Files.remove(folder.archive(versionID))
    }
    for variable in variables.all.values where variable.workspaceID == id { variables.remove(variable.id) }
    removeNotifications(of: id)
    workspaceIDs[workspace.name.lowercased()] = nil
    workspaces.remove(id)
  }

  func workspaceTags(_ id: String) throws -> JSONValue {
    JSONAPI.document(.array(try workspace(id).tags.map { resource($0) }))
  }

  /// With those of its project, which it inherits.
  func effectiveWorkspaceTags(_ id: String) throws -> JSONValue {
    JSONAPI.document(
      .array(
        effectiveTags(try workspace(id)).map { tag in
          JSONAPI.resource(
            "effective-tag-bindings", tag.id, attributes: ["key": .string(tag.key), "value": .string(tag.value)])
        }))
  }

  func updateWorkspaceTags(_ id: String, _ document: JSONValue) throws -> JSONValue {
    var workspace = try workspace(id)
    workspace.tags = try tagBindings(document, updating: workspace.tags)
    workspaces.set(workspace)
    return try workspaceTags(id)
  }

  func flatTags(_ id: String) throws -> JSONValue {
    JSONAPI.document(
      .array(
        try workspace(id).flatTags.map { name in
          JSONAPI.resource("tags", "tag-\(name)", attributes: ["name": .string(name)])
        }))
  }

  func changeFlatTags(_ id: String, _ document: JSONValue, adding: Bool) throws {
    var workspace = try workspace(id)
    let names = (document["data"].array ?? []).compactMap { tag in
      tag["attributes"]["name"].string ?? tag["id"].string.map { String($0.trimmingPrefix("tag-")) }
    }
    workspace.flatTags.removeAll { names.contains($0) }
    if adding { workspace.flatTags = (workspace.flatTags + names).sorted() }
    workspaces.set(workspace)
  }

  func effectiveTags(_ workspace: Workspace) -> [TagBinding] {
    let own = Set(workspace.tags.map(\.key))
    return workspace.tags + (projects[workspace.projectID]?.tags ?? []).filter { !own.contains($0.key) }
  }
}
