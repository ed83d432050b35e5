import Hummingbird

extension TFERoutes {
  func addOrganization(to api: API) {
    let state = state
    let base: RouterPath = "/organizations/:organization"
    api.on(.get, "/account/details") { _ in .ok(JSONAPI.document(TFEState.user)) }
    api.on(.get, "/organizations") { call in
      let page = Page(call.query)
      let all = [await state.organizationResource()]
      return .ok(page.document(Array(page.slice(all)), of: 1, included: [], url: call.url, query: call.query))
    }
    api.on(.get, base) { call in
      try await state.checkOrganization(call.organization)
      return .ok(JSONAPI.document(await state.organizationResource()))
    }
    api.on(.get, base.appendingPath("/entitlement-set")) { call in
      try await state.checkOrganization(call.organization)
      return .ok(JSONAPI.document(await state.entitlementsResource()))
    }
    api.on(.get, base.appendingPath("/capacity")) { call in
      .ok(try await state.capacityDocument(organization: call.organization))
    }
    api.on(.get, base.appendingPath("/runs/queue")) { call in
      .ok(try await state.runQueue(organization: call.organization, query: call.query, url: call.url))
    }
    api.on(.get, base.appendingPath("/runs")) { call in
      try await state.checkOrganization(call.organization)
      return .ok(try await state.runList(workspace: nil, query: call.query, origin: call.origin, url: call.url))
    }
    api.on(.get, base.appendingPath("/projects")) { call in
      .ok(try await state.projectList(organization: call.organization, query: call.query, url: call.url))
    }
    api.on(.post, base.appendingPath("/projects")) { call in
      .created(try await state.createProject(organization: call.organization, call.json()))
    }
    api.on(.get, "/projects/:id") { call in .ok(try await state.projectDocument(call.id)) }
    api.on(.patch, "/projects/:id") { call in .ok(try await state.updateProject(call.id, call.json())) }
    api.on(.delete, "/projects/:id") { call in
      try await state.deleteProject(call.id)
      return .noContent
    }
    api.on(.post, "/projects/:id/relationships/workspaces") { call in
      try await state.moveWorkspaces(to: call.id, call.json())
      return .noContent
    }
    api.on(.get, "/projects/:id/effective-tag-bindings") { call in .ok(try await state.projectTags(call.id)) }
    api.on(.get, "/projects/:id/tag-bindings") { call in .ok(try await state.projectTags(call.id)) }
    api.on(.patch, "/projects/:id/tag-bindings") { call in
      .ok(try await state.updateProjectTags(call.id, call.json()))
    }
  }

  func addWorkspaces(to api: API) {
    let state = state
    let list: RouterPath = "/organizations/:organization/workspaces"
    api.on(.get, list) { call in
      .ok(
        try await state.workspaceList(
          organization: call.organization, query: call.query, origin: call.origin, url: call.url))
    }
    api.on(.post, list) { call in
      .created(try await state.createWorkspace(organization: call.organization, call.json()))
    }
    // Each of these works by id and by name.
    let byID: @Sendable (Call) async throws -> String = { call in call.id }
    let byName: @Sendable (Call) async throws -> String = { call in
      try await state.workspaceID(organization: call.organization, name: call.context.path("name"))
    }
    for (path, id) in [(RouterPath("/workspaces/:id"), byID), (list.appendingPath("/:name"), byName)] {
      api.on(.get, path) { call in
        .ok(try await state.workspaceDocument(id(call), query: call.query, origin: call.origin))
      }
      api.on(.patch, path) { call in .ok(try await state.updateWorkspace(id(call), call.json())) }
      api.on(.delete, path) { call in
        try await state.deleteWorkspace(id(call))
        return .noContent
      }
      api.on(.post, path.appendingPath("/actions/safe-delete")) { call in
        try await state.safelyDeleteWorkspace(id(call))
        return .noContent
      }
    }
    api.on(.post, "/workspaces/:id/actions/lock") { call in
      let document = try await call.json()
      // The Go client wraps the reason, the Python client does not.
      let reason = document["data"]["attributes"]["reason"].string ?? document["reason"].string ?? ""
      return .ok(try await state.lockWorkspace(call.id, reason: reason))
    }
    for action in ["unlock", "force-unlock"] {
      api.on(.post, "/workspaces/:id/actions/\(action)") { call in .ok(try await state.unlockWorkspace(call.id)) }
    }
  }

  func addWorkspaceParts(to api: API) {
    let state = state
    let base: RouterPath = "/workspaces/:id"
    api.on(.get, base.appendingPath("/tag-bindings")) { call in .ok(try await state.workspaceTags(call.id)) }
    api.on(.patch, base.appendingPath("/tag-bindings")) { call in
      .ok(try await state.updateWorkspaceTags(call.id, call.json()))
    }
    api.on(.get, base.appendingPath("/effective-tag-bindings")) { call in
      .ok(try await state.effectiveWorkspaceTags(call.id))
    }
    api.on(.get, base.appendingPath("/relationships/tags")) { call in .ok(try await state.flatTags(call.id)) }
    api.on(.post, base.appendingPath("/relationships/tags")) { call in
      try await state.changeFlatTags(call.id, call.json(), adding: true)
      return .noContent
    }
    api.on(.delete, base.appendingPath("/relationships/tags")) { call in
      try await state.changeFlatTags(call.id, call.json(), adding: false)
      return .noContent
    }
    api.on(.get, base.appendingPath("/vars")) { call in .ok(try await state.variableList(workspace: call.id)) }
    api.on(.post, base.appendingPath("/vars")) { call in
      .created(try await state.createVariable(workspace: call.id, call.json()))
    }
    let variable = base.appendingPath("/vars/:variable")
    api.on(.get, variable) { call in
      .ok(try await state.variableDocument(workspace: call.id, call.context.path("variable")))
    }
    api.on(.patch, variable) { call in
      .ok(try await state.updateVariable(workspace: call.id, call.context.path("variable"), call.json()))
    }
    api.on(.delete, variable) { call in
      try await state.deleteVariable(workspace: call.id, call.context.path("variable"))
      return .noContent
    }
    api.on(.get, base.appendingPath("/configuration-versions")) { call in
      .ok(try await state.configurationVersionList(workspace: call.id, query: call.query, url: call.url))
    }
    api.on(.post, base.appendingPath("/configuration-versions")) { call in
      .created(try await state.createConfigurationVersion(workspace: call.id, call.json(), origin: call.origin))
    }
    api.on(.get, "/configuration-versions/:id") { call in
      .ok(try await state.configurationVersionDocument(call.id))
    }
  }
}
