/// The private registry: what its managers do.
extension TFEState {
  func moduleList(organization: String, query: Query, url: String) throws -> JSONValue {
    try checkOrganization(organization)
    let words = (query["q"] ?? "").lowercased().split(separator: " ")
    let isPrivate = ["private", nil].contains(query["filter[registry_name]"])
    let isOurs = [organization, nil].contains(query["filter[organization_name]"])
    let provider = query["filter[provider]"]
    let found = modules.all.values.filter { module in
      isPrivate && isOurs && (provider == nil || provider == module.provider) && matches(module, words)
    }.sorted { ($0.name, $0.provider) < ($1.name, $1.provider) }
    let page = Page(query)
    return page.document(page.slice(found).map { resource($0) }, of: found.count, included: [], url: url, query: query)
  }

  /// Whether each word is in the name, the namespace or the provider.
  func matches(_ module: RegistryModule, _ words: [Substring]) -> Bool {
    words.allSatisfy { word in
      [module.name, organization, module.provider].contains { $0.lowercased().contains(word) }
    }
  }

  func createModule(organization: String, _ document: JSONValue) throws -> JSONValue {
    try checkOrganization(organization)
    let attributes = document["data"]["attributes"]
    guard ["private", nil].contains(attributes["registry-name"].string), attributes["namespace"].isNull else {
      throw APIError.invalid("registry-name", "Registry name must be private: this server shows no public modules")
    }
    let name = try RegistryModule.checkName(attributes["name"].string)
    let provider = try RegistryModule.checkProvider(attributes["provider"].string)
    guard (try? module(organization, name, provider)) == nil else {
      throw APIError.invalid("name", "Name has already been taken")
    }
    let now = Timestamp.now()
    let module = RegistryModule(
      id: Identifier.make("mod"), sequence: nextSequence(), createdAt: now, updatedAt: now, name: name,
      provider: provider)
    modules.set(module)
    return JSONAPI.document(resource(module))
  }

  func moduleDocument(_ address: ModuleAddress) throws -> JSONValue {
    JSONAPI.document(resource(try module(address)))
  }

  /// Deletes a version, a module, or a module for all its providers; a module goes with its last version.
  ///
  /// - Parameter version: nil for all versions.
  func deleteModules(_ address: ModuleAddress, version: String?) throws {
    try address.check(organization)
    let found = modules.all.values.filter {
      $0.name == address.name && (address.provider == nil || $0.provider == address.provider)
    }
    guard !found.isEmpty else { throw APIError.notFound }
    for module in found {
      let all = versions(of: module)
      let gone = version.map { text in all.filter { $0.version.text == text } } ?? all
      guard version == nil || !gone.isEmpty else { throw APIError.notFound }
      for version in gone {
        moduleVersions.remove(version.id)
        Files.remove(folder.module(version.id))
      }
      if gone.count == all.count { modules.remove(module.id) }
    }
  }

  /// A new version, and where its archive is to be put.
  func createModuleVersion(_ address: ModuleAddress, _ document: JSONValue, origin: String) throws -> JSONValue {
    let module = try module(address)
    guard let text = document["data"]["attributes"]["version"].string, let number = SemanticVersion(text) else {
      throw APIError.invalid("version", "Version must be a semantic version such as 1.0.0")
    }
    guard !versions(of: module).contains(where: { $0.version == number }) else {
      throw APIError.invalid("version", "Version has already been taken")
    }
    let now = Timestamp.now()
    let version = RegistryModuleVersion(
      id: Identifier.make("modver"), sequence: nextSequence(), createdAt: now, updatedAt: now, moduleID: module.id,
      version: number)
    moduleVersions.set(version)
    return JSONAPI.document(
      JSONAPI.resource(
        "registry-module-versions", version.id,
        attributes: [
          "source": "tfe-api", "status": .string(version.status.rawValue), "version": .string(text),
          "created-at": .string(now), "updated-at": .string(now),
        ], relationships: ["registry-module": JSONAPI.one("registry-modules", module.id)],
        links: ["upload": .string(links.url(.uploadModule, version.id, origin: origin))]))
  }

  func moduleVersion(_ id: String) throws -> RegistryModuleVersion {
    guard let version = moduleVersions[id] else { throw APIError.notFound }
    return version
  }

  /// What became of an upload, which is in its file by now.
  ///
  /// - Parameter problem: why the archive is refused; nil where it is good.
  func moduleUploaded(_ id: String, problem: String?) throws {
    var version = try moduleVersion(id)
    version.status = problem == nil ? .ok : .ingressFailed
    version.error = problem
    version.updatedAt = Timestamp.now()
    moduleVersions.set(version)
    guard var module = modules[version.moduleID] else { return }
    module.updatedAt = version.updatedAt
    modules.set(module)
  }

  func module(_ address: ModuleAddress) throws -> RegistryModule {
    try address.check(organization)
    return try module(organization, address.name, address.provider ?? "")
  }

  private func module(_ organization: String, _ name: String, _ provider: String) throws -> RegistryModule {
    guard let module = modules.all.values.first(where: { $0.name == name && $0.provider == provider }) else {
      throw APIError.notFound
    }
    return module
  }

  /// Newest first.
  func versions(of module: RegistryModule) -> [RegistryModuleVersion] {
    moduleVersions.all.values.filter { $0.moduleID == module.id }.sorted { $0.version > $1.version }
  }

  private func resource(_ module: RegistryModule) -> JSONValue {
    let versions = versions(of: module)
    return JSONAPI.resource(
      "registry-modules", module.id,
      attributes: [
        "name": .string(module.name), "namespace": .string(organization), "provider": .string(module.provider),
        "registry-name": "private", "no-code": false, "publishing-mechanism": "git_tag",
        "status": versions.contains { $0.status == .ok } ? "setup_complete" : "pending",
        "version-statuses": .array(
          versions.map { version in
            var status: JSONValue = [
              "version": .string(version.version.text), "status": .string(version.status.rawValue),
            ]
            if let error = version.error { status["error"] = .string(error) }
            return status
          }),
        "created-at": .string(module.createdAt), "updated-at": .string(module.updatedAt),
        "permissions": ["can-delete": true, "can-resync": true, "can-retry": true],
      ], relationships: ["organization": JSONAPI.one("organizations", organization)],
      links: [
        "self": .string("/api/v2/organizations/\(organization)/registry-modules/private/\(source(of: module))")
      ])
  }
}
