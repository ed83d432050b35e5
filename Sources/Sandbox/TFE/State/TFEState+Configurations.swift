extension TFEState {
  func createConfigurationVersion(workspace id: String, _ document: JSONValue, origin: String) throws -> JSONValue {
    _ = try workspace(id)
    let attributes = document["data"]["attributes"]
    let version = ConfigurationVersion(
      id: Identifier.make("cv"), sequence: nextSequence(), workspaceID: id, createdAt: Timestamp.now(),
      autoQueueRuns: attributes["auto-queue-runs"].bool ?? true, speculative: attributes["speculative"].bool ?? false,
      provisional: attributes["provisional"].bool ?? false, status: .pending)
    configurationVersions.set(version)
    configurationVersionIDs[id, default: []].append(version.id)
    var resource = resource(version)
    // Only this answer has the address, as with TFE.
    resource["attributes"]["upload-url"] = .string(links.url(.uploadConfiguration, version.id, origin: origin))
    return JSONAPI.document(resource)
  }

  func configurationVersionDocument(_ id: String) throws -> JSONValue {
    JSONAPI.document(resource(try configurationVersion(id)))
  }

  func configurationVersionList(workspace id: String, query: Query, url: String) throws -> JSONValue {
    _ = try workspace(id)
    let all = (configurationVersionIDs[id] ?? []).reversed().compactMap { configurationVersions[$0] }
    let page = Page(query)
    return page.document(page.slice(all).map { resource($0) }, of: all.count, included: [], url: url, query: query)
  }

  func configurationVersion(_ id: String) throws -> ConfigurationVersion {
    guard let version = configurationVersions[id] else { throw APIError.notFound }
    return version
  }

  /// What became of an upload, which is in its file by now. The run that `auto-queue-runs` asks for is queued.
  ///
  /// - Parameter problem: why the archive is refused; nil where it is good.
  func configurationUploaded(_ id: String, problem: String?) throws {
    var version = try configurationVersion(id)
    version.status = problem == nil ? .uploaded : .errored
    version.errorMessage = problem
    version.uploadedAt = Timestamp.now()
    configurationVersions.set(version)
    guard problem == nil, var workspace = workspaces[version.workspaceID] else { return }
    if !version.speculative, !version.provisional {
      workspace.currentConfigurationVersionID = id
      workspaces.set(workspace)
    }
    if version.autoQueueRuns {
      var request = Run.Request()
      request.planOnly = version.speculative
      request.autoApply = workspace.flag("auto-apply")
      request.source = .configurationVersion
      request.message = "Queued automatically by configuration upload"
      queue(request, workspace: workspace, configurationVersionID: id)
    }
  }
}
