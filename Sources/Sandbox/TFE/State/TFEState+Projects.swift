extension TFEState {
  func projectDocument(_ id: String) throws -> JSONValue {
    guard let project = projects[id] else { throw APIError.notFound }
    return JSONAPI.document(resource(project))
  }

  func projectList(organization: String, query: Query, url: String) throws -> JSONValue {
    try checkOrganization(organization)
    var found = projects.all.values.sorted { $0.sequence < $1.sequence }
    if let names = query.list("filter[names]").map({ Set($0.map { $0.lowercased() }) }) {
      found = found.filter { names.contains($0.name.lowercased()) }
    }
    if let text = query["q"]?.lowercased() { found = found.filter { $0.name.lowercased().contains(text) } }
    let page = Page(query)
    return page.document(page.slice(found).map { resource($0) }, of: found.count, included: [], url: url, query: query)
  }

  func createProject(organization: String, _ document: JSONValue) throws -> JSONValue {
    try checkOrganization(organization)
    let attributes = document["data"]["attributes"]
    let project = Project(
      id: Identifier.make("prj"), sequence: nextSequence(), createdAt: Timestamp.now(),
      name: try checkProjectName(attributes["name"].string, besides: nil),
      description: attributes["description"].string ?? "",
      tags: try tagBindings(document["data"]["relationships"]["tag-bindings"], updating: []))
    projects.set(project)
    return JSONAPI.document(resource(project))
  }

  func updateProject(_ id: String, _ document: JSONValue) throws -> JSONValue {
    guard var project = projects[id] else { throw APIError.notFound }
    let attributes = document["data"]["attributes"]
    if !attributes["name"].isNull { project.name = try checkProjectName(attributes["name"].string, besides: id) }
    if let description = attributes["description"].string { project.description = description }
    project.tags = try tagBindings(document["data"]["relationships"]["tag-bindings"], replacing: project.tags)
    projects.set(project)
    return JSONAPI.document(resource(project))
  }

  /// Refuses a project that has workspaces, and the default one.
  func deleteProject(_ id: String) throws {
    guard projects[id] != nil else { throw APIError.notFound }
    guard id != defaultProject?.id, !workspaces.all.values.contains(where: { $0.projectID == id }) else {
      throw APIError.forbidden("Project must not be the default project and must have no workspaces")
    }
    removeNotifications(of: id)
    projects.remove(id)
  }

  func projectTags(_ id: String) throws -> JSONValue {
    guard let project = projects[id] else { throw APIError.notFound }
    return JSONAPI.document(.array(project.tags.map { resource($0) }))
  }

  func updateProjectTags(_ id: String, _ document: JSONValue) throws -> JSONValue {
    guard var project = projects[id] else { throw APIError.notFound }
    project.tags = try tagBindings(document, updating: project.tags)
    projects.set(project)
    return try projectTags(id)
  }

  /// The tags after a list of bindings was set on top: a key that is there gets the new value.
  func tagBindings(_ list: JSONValue, updating tags: [TagBinding]) throws -> [TagBinding] {
    var tags = tags
    for binding in list["data"].array ?? [] {
      guard let key = binding["attributes"]["key"].string, !key.isEmpty, key.utf8.count <= 128 else {
        throw APIError.unprocessable("/data/attributes/key", "Key can't be blank and must be at most 128 characters")
      }
      let value = binding["attributes"]["value"].string ?? ""
      if let index = tags.firstIndex(where: { $0.key == key }) {
        tags[index].value = value
      } else {
        tags.append(TagBinding(id: Identifier.make("tb"), key: key, value: value))
      }
    }
    return tags
  }

  /// The tags after a change of what carries them: where the change names bindings, those are all there are.
  func tagBindings(_ list: JSONValue, replacing tags: [TagBinding]) throws -> [TagBinding] {
    guard let bindings = list["data"].array else { return tags }
    let named = Set(bindings.map { $0["attributes"]["key"].string })
    return try tagBindings(list, updating: tags.filter { named.contains($0.key) })
  }

  /// Moves workspaces into a project.
  func moveWorkspaces(to id: String, _ document: JSONValue) throws {
    guard projects[id] != nil else { throw APIError.notFound }
    let moved = try (document["data"].array ?? []).map { try workspace($0["id"].string ?? "") }
    for var workspace in moved {
      workspace.projectID = id
      workspaces.set(workspace)
    }
  }

  private func checkProjectName(_ name: String?, besides id: String?) throws -> String {
    guard let name, (3...40).contains(name.count), name.wholeMatch(of: #/[A-Za-z0-9 _-]+/#) != nil else {
      throw APIError.invalid(
        "name", "Name must be 3 to 40 characters and can only include letters, numbers, spaces, -, and _")
    }
    guard !projects.all.values.contains(where: { $0.id != id && $0.name.lowercased() == name.lowercased() }) else {
      throw APIError.invalid("name", "Name has already been taken")
    }
    return name
  }
}
