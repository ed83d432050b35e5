public import FoundationEssentials

/// How the setup of a module in the private registry stands.
public struct RegistryModuleStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: RegistryModuleStatus = "pending"
  /// The repository has no tag that is a version.
  public static let noVersionTags: RegistryModuleStatus = "no_version_tags"
  public static let setupFailed: RegistryModuleStatus = "setup_failed"
  /// Set up, which does not say that it has a version.
  public static let setupComplete: RegistryModuleStatus = "setup_complete"
}

/// How one version of a module stands.
public struct RegistryModuleVersionStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: RegistryModuleVersionStatus = "pending"
  public static let cloning: RegistryModuleVersionStatus = "cloning"
  public static let cloneFailed: RegistryModuleVersionStatus = "clone_failed"
  public static let ingressRequestFailed: RegistryModuleVersionStatus = "reg_ingress_req_failed"
  public static let ingressing: RegistryModuleVersionStatus = "reg_ingressing"
  public static let ingressFailed: RegistryModuleVersionStatus = "reg_ingress_failed"
  /// The only one in which a version can be used.
  public static let ok: RegistryModuleVersionStatus = "ok"
}

/// A version of a module in the private registry.
public struct RegistryModuleVersion: Sendable, Hashable {
  /// The version, as the registry writes it.
  public let version: String
  /// How it stands.
  public let status: RegistryModuleVersionStatus
  /// Why it is not `ok`, in TFE's words.
  public let error: String?
  /// The warning about it, if there is one.
  public let deprecation: Deprecation?

  /// Whether it can be used.
  public var isUsable: Bool { status == .ok }

  /// A publisher's warning about a version.
  public struct Deprecation: Sendable, Hashable {
    /// Why.
    public let reason: String?
    /// Where there is more about it.
    public let link: String?
  }
}

/// The repository that a module is published from.
public struct RegistryModuleRepository: Sendable, Hashable {
  /// `ORG/REPOSITORY`, or what the VCS provider calls it.
  public let identifier: String
  /// The branch, where versions are published from one.
  public let branch: String?
  /// The module's folder in it; nil for the root.
  public let sourceDirectory: String?
  /// What stands before the version in its tags.
  public let tagPrefix: String?
}

/// A module in the private registry.
public struct RegistryModule: Sendable, Hashable, Identifiable, Resource {
  /// `mod-…`
  public let id: String
  /// Its name.
  public let name: String
  /// The organization that owns it.
  public let namespace: String
  /// The provider it is for, the last part of its address.
  public let provider: String
  /// `private`, or `public` for one of the public registry that the organization shows.
  public let registryName: String?
  /// How its setup stands.
  public let status: RegistryModuleStatus?
  /// All versions, whatever their status, in TFE's order.
  public let versions: [RegistryModuleVersion]
  /// Where it is published from; nil where it is uploaded.
  public let repository: RegistryModuleRepository?
  /// When it was last changed.
  public let updatedAt: Date?

  /// The versions that can be used.
  public var usableVersions: [RegistryModuleVersion] { versions.filter(\.isUsable) }

  init(_ source: ResourceSource) throws {
    id = source.id
    name = try source.require("name")
    namespace = try source.require("namespace")
    provider = try source.require("provider")
    registryName = try source.optional("registry-name")
    status = try source.optional("status")
    versions = try source.optional("version-statuses", as: [VersionEntry].self)?.map(\.version) ?? []
    repository = try source.optional("vcs-repo", as: RepositoryEntry.self)?.repository
    updatedAt = try source.date("updated-at")
  }
}

/// `{"version": "1.0.0", "status": "ok", "error": "…", "deprecation": {"deprecated-status", "reason", "link"}}`
private struct VersionEntry: Decodable {
  let version: RegistryModuleVersion

  init(from decoder: any Decoder) throws {
    let entry = try decoder.container(keyedBy: JSONKey.self)
    version = RegistryModuleVersion(
      version: try entry.decode(String.self, forKey: "version"),
      status: try entry.decode(RegistryModuleVersionStatus.self, forKey: "status"),
      // For people only: what is wrong with it never hides a version.
      error: try? entry.decodeIfPresent(String.self, forKey: "error"), deprecation: Self.deprecation(in: entry))
  }

  /// Its shape is documented for the call that sets it ("Manage module versions"), not for lists: read where it is,
  /// and a failure to read it never hides a version.
  private static func deprecation(
    in entry: KeyedDecodingContainer<JSONKey>
  ) -> RegistryModuleVersion.Deprecation? {
    guard let object = try? entry.nestedContainer(keyedBy: JSONKey.self, forKey: "deprecation") else { return nil }
    let status = try? object.decode(String.self, forKey: "deprecated-status")
    guard status?.lowercased() != "undeprecated" else { return nil }
    return .init(
      reason: try? object.decode(String.self, forKey: "reason"), link: try? object.decode(String.self, forKey: "link"))
  }
}

/// `{"identifier": "acme/terraform-aws-net", "branch": "", "source-directory": null, "tag-prefix": null}`
private struct RepositoryEntry: Decodable {
  let repository: RegistryModuleRepository

  init(from decoder: any Decoder) throws {
    let entry = try decoder.container(keyedBy: JSONKey.self)
    func text(_ key: JSONKey) throws -> String? {
      try entry.decodeIfPresent(String.self, forKey: key).flatMap { $0.isEmpty ? nil : $0 }
    }
    repository = RegistryModuleRepository(
      identifier: try entry.decode(String.self, forKey: "identifier"), branch: try text("branch"),
      sourceDirectory: try text("source-directory"), tagPrefix: try text("tag-prefix"))
  }
}

/// Calls of the Registry Modules API. The archives come through the module registry protocol, not from here.
public struct RegistryModulesService: Sendable {
  let client: Client

  /// `GET /organizations/ORG/registry-modules`: the organization's own modules, without those of the public registry
  /// that it shows.
  ///
  /// - Parameters:
  ///   - search: words to find in name, namespace and provider.
  ///   - provider: only modules for this one.
  public func list(
    organization: String, search: String? = nil, provider: String? = nil, pageSize: Int = 100
  ) -> PagedList<RegistryModule> {
    var call = Call(.get, "organizations", organization, "registry-modules")
    call.query.append(("filter[registry_name]", "private"))
    if let provider { call.query.append(("filter[provider]", provider)) }
    if let search { call.query.append(("q", search)) }
    return client.pages(call, pageSize: pageSize)
  }
}

extension Client {
  /// Calls of the Registry Modules API.
  public var registryModules: RegistryModulesService { RegistryModulesService(client: self) }
}
