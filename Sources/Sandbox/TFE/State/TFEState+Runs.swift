extension TFEState {
  /// - Parameters:
  ///   - source: who made it.
  ///   - isPlain: whether that one cannot draw structured output.
  func createRun(_ document: JSONValue, source: Run.Source = .api, isPlain: Bool = false) throws -> String {
    let data = document["data"]
    let relationships = data["relationships"]
    guard let workspaceID = relationships["workspace"]["data"]["id"].string else {
      throw APIError.unprocessable("/data/relationships/workspace", "Workspace can't be blank")
    }
    let workspace = try workspace(workspaceID)
    guard workspace.text("execution-mode") == "remote" else {
      throw APIError.unprocessable(
        "/data/relationships/workspace", "Runs cannot be created in a workspace of local execution mode")
    }
    let version = try version(for: relationships["configuration-version"]["data"]["id"].string, workspace)
    var request = try request(data["attributes"], workspace, version)
    request.source = source
    request.isPlain = isPlain
    return queue(request, workspace: workspace, configurationVersionID: version.id)
  }

  /// The configuration version that was named, or the workspace's newest that can be applied.
  private func version(for id: String?, _ workspace: Workspace) throws -> ConfigurationVersion {
    let pointer = "/data/relationships/configuration-version"
    guard let id else {
      let own = configurationVersions[workspace.currentConfigurationVersionID]
      guard let own, own.status == .uploaded else {
        throw APIError.unprocessable(pointer, "Configuration version is missing")
      }
      return own
    }
    guard let version = configurationVersions[id] else { throw APIError.notFound }
    guard version.status == .uploaded else {
      throw APIError.unprocessable(pointer, "Configuration version is not uploaded: it is \(version.status.rawValue)")
    }
    return version
  }

  private func request(
    _ attributes: JSONValue, _ workspace: Workspace, _ version: ConfigurationVersion
  ) throws -> Run.Request {
    func flag(_ name: String, default value: Bool) throws -> Bool {
      if attributes[name].isNull { return value }
      guard let flag = attributes[name].bool else { throw APIError.invalid(name, "\(name) must be true or false") }
      return flag
    }
    func texts(_ name: String) throws -> [String] {
      if attributes[name].isNull { return [] }
      guard let array = attributes[name].array, array.allSatisfy({ $0.string != nil }) else {
        throw APIError.invalid(name, "\(name) must be a list of strings")
      }
      return array.compactMap(\.string)
    }
    var request = Run.Request()
    if let message = attributes["message"].string { request.message = message }
    request.isDestroy = try flag("is-destroy", default: false)
    request.refresh = try flag("refresh", default: true)
    request.refreshOnly = try flag("refresh-only", default: false)
    request.planOnly = try flag("plan-only", default: version.speculative) || version.speculative
    request.savePlan = try flag("save-plan", default: false)
    request.autoApply = try flag("auto-apply", default: workspace.flag("auto-apply"))
    request.allowEmptyApply = try flag("allow-empty-apply", default: false)
    request.allowConfigGeneration = try flag("allow-config-generation", default: false)
    request.debuggingMode = try flag("debugging-mode", default: false)
    request.targets = try texts("target-addrs")
    request.replacements = try texts("replace-addrs")
    request.terraformVersion = attributes["terraform-version"].string
    request.variables = try (attributes["variables"].array ?? []).map { variable in
      guard let key = variable["key"].string, let value = variable["value"].string,
        key.wholeMatch(of: #/[A-Za-z_][A-Za-z0-9_-]*/#) != nil
      else { throw APIError.invalid("variables", "Each variable must have a key and a value, a string of HCL") }
      return .init(key: key, value: value)
    }
    guard !(request.isDestroy && request.refreshOnly) else {
      throw APIError.invalid("refresh-only", "Refresh-only cannot be combined with is-destroy")
    }
    guard !request.isDestroy || workspace.flag("allow-destroy-plan") else {
      throw APIError.invalid("is-destroy", "Destroy plans are not allowed in this workspace")
    }
    guard !(request.planOnly && request.savePlan) else {
      throw APIError.invalid("save-plan", "Save-plan cannot be combined with plan-only")
    }
    guard request.terraformVersion == nil || request.planOnly else {
      throw APIError.invalid("terraform-version", "Terraform version can only be set for plan-only runs")
    }
    return request
  }

  func runDocument(_ id: String, query: Query, origin: String) throws -> JSONValue {
    let run = try run(id)
    let includes = try Includes(query, allowed: Self.runIncludes)
    return JSONAPI.document(resource(run), included: included(with: run, includes, origin: origin))
  }

  /// Newest first. Those of a workspace leave plan-only ones out unless operations are asked for.
  ///
  /// - Parameter workspaceID: nil for those of the whole organization.
  func runList(workspace workspaceID: String?, query: Query, origin: String, url: String) throws -> JSONValue {
    if let workspaceID { _ = try workspace(workspaceID) }
    let includes = try Includes(query, allowed: Self.runIncludes)
    let filter = RunFilter(query, showsPlanOnly: workspaceID == nil)
    let ids = workspaceID.map { runIDs[$0] ?? [] } ?? allRunIDs
    let found = ids.reversed().compactMap { runs[$0] }.filter {
      filter.matches($0, workspace: workspaces[$0.workspaceID]?.name ?? "")
    }
    let page = Page(query)
    let shown = page.slice(found)
    return page.document(
      shown.map { resource($0) }, of: found.count,
      included: shown.flatMap { included(with: $0, includes, origin: origin) }, url: url, query: query,
      hasTotals: workspaceID != nil)
  }

  func planDocument(_ id: String, origin: String) throws -> JSONValue {
    let run = try runOfPlan(id)
    return JSONAPI.document(planResource(run, origin: origin))
  }

  func applyDocument(_ id: String, origin: String) throws -> JSONValue {
    guard let run = runs[runOfPhase[id]], run.apply.id == id else { throw APIError.notFound }
    if run.status == .applying { watchedApplies.insert(run.id) }
    return JSONAPI.document(applyResource(run, origin: origin))
  }

  func runOfPlan(_ id: String) throws -> Run {
    guard let run = runs[runOfPhase[id]], run.plan.id == id else { throw APIError.notFound }
    return run
  }
}
