/// The private registry: what `terraform init` asks (Terraform's module registry protocol).
extension TFEState {
  /// `{"modules": [{"source": "acme/net/aws", "versions": [{"version": "1.0.0"}]}]}`: all that can be used.
  func publishedVersions(_ address: ModuleAddress) throws -> JSONValue {
    let module = try module(address)
    return [
      "modules": [
        [
          "source": .string(source(of: module)),
          "versions": .array(usableVersions(of: module).map { ["version": .string($0.version.text)] }),
        ]
      ]
    ]
  }

  /// - Parameter version: nil for the newest, which is a release where there is one.
  func publishedVersion(_ address: ModuleAddress, version: String?) throws -> RegistryModuleVersion {
    let usable = usableVersions(of: try module(address))
    let found =
      version.map { text in usable.first { $0.version.text == text } }
      ?? usable.first { !$0.version.isPrerelease } ?? usable.first
    guard let found else { throw APIError.notFound }
    return found
  }

  func publishedModule(_ address: ModuleAddress, version: String?) throws -> JSONValue {
    let found = try publishedVersion(address, version: version)
    var document = summary(of: try module(address), found)
    document["versions"] = .array(usableVersions(of: try module(address)).map { .string($0.version.text) })
    return document
  }

  /// The newest version of each module, sorted by name.
  ///
  /// - Parameter words: what is searched for; none for all.
  func publishedModules(namespace: String?, words: [Substring], provider: String?, query: Query) throws -> JSONValue {
    if let namespace { try checkOrganization(namespace) }
    let offset = max(0, query["offset"].flatMap { Int($0) } ?? 0)
    let limit = min(100, max(1, query["limit"].flatMap { Int($0) } ?? 15))
    let found = modules.all.values
      .filter { matches($0, words) && (provider == nil || provider == $0.provider) }
      .sorted { ($0.name, $0.provider) < ($1.name, $1.provider) }
      .compactMap { module in
        let usable = usableVersions(of: module)
        return (usable.first { !$0.version.isPrerelease } ?? usable.first).map { summary(of: module, $0) }
      }
    var meta: JSONValue = ["limit": .init(limit), "current_offset": .init(offset)]
    if found.count > offset, found.count - offset > limit { meta["next_offset"] = .init(offset + limit) }
    return ["meta": meta, "modules": .array(Array(found.dropFirst(offset).prefix(limit)))]
  }

  private func usableVersions(of module: RegistryModule) -> [RegistryModuleVersion] {
    versions(of: module).filter { $0.status == .ok }
  }

  /// `ORGANIZATION/NAME/PROVIDER`.
  func source(of module: RegistryModule) -> String { "\(organization)/\(module.name)/\(module.provider)" }

  private func summary(of module: RegistryModule, _ version: RegistryModuleVersion) -> JSONValue {
    [
      "id": .string("\(source(of: module))/\(version.version.text)"), "owner": "", "namespace": .string(organization),
      "name": .string(module.name), "version": .string(version.version.text), "provider": .string(module.provider),
      "description": "", "source": "", "published_at": .string(version.createdAt), "downloads": 0, "verified": false,
    ]
  }
}
