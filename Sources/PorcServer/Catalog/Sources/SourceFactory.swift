import Archive
import AsyncHTTPClient
import Foundation
import Git
import HCL
import HTTPExchange
import Logging
import ModuleRegistry
import PorcCore
import PorcStore
import Synchronization
import TerraformEnterprise

/// Makes readers of sources, with what signs them in.
final class SourceFactory: Sendable {
  private let configured: [ConfiguredSource]
  private let settings: CatalogSettings
  private let vault: InputVault
  private let http: HTTPClient
  private let tfe: (client: Client, settings: TFESettings)
  private let apps: GitHubApps
  /// The mirrors of git sources, with the credentials that they were made with: they know what they have fetched.
  private let mirrors = Mutex<[String: (remote: RemoteURL, credentials: Credentials, mirror: Mirror)]>([:])
  private let registries = Mutex<[String: (host: RegistryHost, token: String?, client: RegistryClient)]>([:])
  private let logger: Logger

  init(
    _ settings: CatalogSettings, vault: InputVault, http: HTTPClient, tfe: (client: Client, settings: TFESettings),
    logger: Logger
  ) {
    configured =
      settings.folders.map { ConfiguredSource(source: .folder($0), access: SourceAccess()) }
      + settings.sources.map { ConfiguredSource(source: $0.source, access: $0.access) }
    self.settings = settings
    self.vault = vault
    self.http = http
    self.tfe = tfe
    self.logger = logger
    apps = GitHubApps(http: http)
  }

  /// The configuration's, then those that were added; of one name the configuration's.
  func sources(_ records: [SourceRecord]) -> [ConfiguredSource] {
    let known = Dictionary(records.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    let mine = configured.map { entry in
      var entry = entry
      entry.record = known[entry.source.name]
      return entry
    }
    let names = Set(configured.map(\.source.name))
    let added = records.filter { !names.contains($0.name) }.compactMap { record in
      record.source.map { ConfiguredSource(source: $0, record: record) }
    }
    return mine + added
  }

  func isConfigured(_ name: String) -> Bool { configured.contains { $0.source.name == name } }

  /// - Parameter outerFolders: those that a folder source's templates take along.
  /// - Throws: a `Fault` where it cannot be read as it is described.
  func make(_ entry: ConfiguredSource, outerFolders: Set<String> = []) async throws -> any ModuleSource {
    let source = entry.source
    let findings = SourceCheck.findings(
      in: source, allowsLocalPaths: entry.isReadOnly || settings.allowsLocalPaths)
    guard findings.isEmpty else { throw SourceCheck.fault(findings) }
    switch source.place {
    case .folder(let folder): return FolderSource(name: source.name, folder: folder, outerFolders: outerFolders)
    case .git(let text):
      let remote = try remote(text, isTrusted: entry.isReadOnly)
      return GitSource(
        source: source,
        mirror: try await mirror(of: source.name, remote, try await credentials(of: entry, for: remote)))
    case .registry(let host):
      return try registrySource(
        entry, try RegistryHost(host), token: try token(of: entry),
        .named(try source.modules.map { try ModuleAddress($0) })
      )
    case .tfe(let organization):
      let address = tfe.settings.address
      let text = address.port.map { "\(address.host() ?? ""):\($0)" } ?? address.host() ?? ""
      guard let host = try? RegistryHost(text) else {
        throw Fault(
          .invalidInput, "The host of TFE_ADDRESS is none that a registry can have.",
          fix: "Give TFE_ADDRESS a host name, not an IPv6 address.")
      }
      let token = try token(of: entry)
      return try registrySource(
        entry, host, token: token ?? tfe.settings.token,
        .organization(organization, of: tfe.client, only: try source.modules.map { try ModuleAddress($0) }),
        // With PORC's own token these are calls like all others.
        sharesBudget: token == nil, allowsPlainHTTP: address.scheme == "http")
    }
  }

  /// Forgets what is kept of a source that was removed.
  func forget(_ name: String) async throws {
    // Those of repositories that a registry refers to are named after it.
    let gone = mirrors.withLock { mirrors in
      let keys = mirrors.keys.filter { $0 == name || $0.hasPrefix("\(name)/") }
      return keys.map { ($0, mirrors.removeValue(forKey: $0)?.mirror) }
    }
    registries.withLock { _ = $0.removeValue(forKey: name) }
    for (_, mirror) in gone { try await mirror?.close() }
    // A folder that stays costs space and nothing else.
    for key in Set(gone.map(\.0) + [name]) { try? FileManager.default.removeItem(at: folder(of: key)) }
  }

  /// - Throws: a `Fault` with all that is wrong with a description from somebody who may not name what is on this machine.
  func check(_ description: SourceDescription) throws {
    let findings = SourceCheck.findings(in: description, allowsLocalPaths: settings.allowsLocalPaths)
    guard findings.isEmpty else { throw SourceCheck.fault(findings) }
  }

  private func registrySource(
    _ entry: ConfiguredSource, _ host: RegistryHost, token: String?, _ modules: RegistrySource.Modules,
    sharesBudget: Bool = false, allowsPlainHTTP: Bool = false
  ) throws -> RegistrySource {
    let name = entry.source.name
    var limits = TarGzip.Limits()
    (limits.entries, limits.fileBytes, limits.totalBytes) = (
      settings.limits.entries, settings.limits.fileBytes, settings.limits.treeBytes
    )
    let registry = registries.withLock { registries in
      if let known = registries[name], known.host == host, known.token == token { return known.client }
      var configuration = RegistryClient.Configuration(
        host: host, token: token.map { BearerToken($0) }, userAgent: "porc/\(PorcVersion.current)")
      configuration.allowsPlainHTTP = allowsPlainHTTP || settings.allowsLocalPaths
      if sharesBudget { configuration.admit = { [tfe] in try await tfe.client.admit() } }
      let client = RegistryClient(configuration, httpClient: http, logger: logger)
      registries[name] = (host, token, client)
      return client
    }
    return RegistrySource(name: name, registry: registry, modules: modules, limits: limits) { [self] repository in
      let remote = try remote(repository.url, isTrusted: false)
      return try await mirror(of: "\(name)/\(Digest.sha256(Data(remote.publicURL.utf8)).prefix(12))", remote, .none)
    }
  }

  private func remote(_ text: String, isTrusted: Bool) throws -> RemoteURL {
    do throws(RemoteURL.Problem) {
      return try RemoteURL(text, allowing: isTrusted || settings.allowsLocalPaths ? .localPaths : [])
    } catch {
      throw SourceCheck.fault([
        Finding(at: "/git", error.description, fix: "Write it like https://github.com/acme/modules.git.")
      ])
    }
  }

  private func mirror(of name: String, _ remote: RemoteURL, _ credentials: Credentials) async throws -> Mirror {
    let known = mirrors.withLock { $0[name] }
    if let known, known.remote == remote, known.credentials == credentials { return known.mirror }
    if let known {
      mirrors.withLock { _ = $0.removeValue(forKey: name) }
      try await known.mirror.close()  // it gives its folder back
    }
    let mirror = try GitFault.translated {
      try Mirror(remote: remote, credentials: credentials, folder: folder(of: name), limits: settings.limits)
    }
    mirrors.withLock { $0[name] = (remote, credentials, mirror) }
    return mirror
  }

  private func folder(of name: String) -> URL {
    let safe = name.replacing("/", with: "_").replacing(":", with: "_")
    return URL(filePath: settings.cacheFolder, directoryHint: .isDirectory).appending(path: "git/\(safe)")
  }

  private func credentials(of entry: ConfiguredSource, for remote: RemoteURL) async throws -> Credentials {
    if let app = entry.access?.app { return .token(try await apps.token(app, for: remote)) }
    if let file = entry.access?.sshKeyFile { return .sshKey(file: file) }
    return Self.credentials(try token(of: entry), try username(of: entry))
  }

  private static func credentials(_ token: String?, _ username: String?) -> Credentials {
    guard let token else { return .none }
    return username.map { .token(token, username: $0) } ?? .token(token)
  }

  /// What was sealed when the source was added.
  private func secret(of entry: ConfiguredSource) throws -> Value? {
    guard let bytes = entry.record?.secret else { return nil }
    do {
      return try vault.openSecret(bytes, of: "source \(entry.source.name)")
    } catch {
      throw Fault(
        .forbidden, "The stored token of the source '\(entry.source.name)' cannot be read with this secret key.",
        fix: "Remove the source and add it anew, or bring the key back.", cause: error)
    }
  }

  private func username(of entry: ConfiguredSource) throws -> String? {
    if let access = entry.access { return access.username }
    return try secret(of: entry)?["username"]?.stringValue
  }

  private func token(of entry: ConfiguredSource) throws -> String? {
    guard let access = entry.access else { return try secret(of: entry)?["token"]?.stringValue }
    if let token = access.token { return token }
    let name = entry.source.name
    if let variable = access.tokenVariable {
      guard let token = ProcessInfo.processInfo.environment[variable], !token.isEmpty else {
        throw Fault(
          .forbidden, "The variable '\(variable)', which holds the token of the source '\(name)', is not set.",
          fix: "Set it in PORC's environment.")
      }
      return try checked(token, "variable '\(variable)'", name)
    }
    guard let file = access.tokenFile else { return nil }
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw Fault(
        .forbidden, "The file '\(file)', which holds the token of the source '\(name)', cannot be read.",
        fix: "Let PORC's user read it.")
    }
    return try checked(text.trimmingCharacters(in: .whitespacesAndNewlines), "file '\(file)'", name)
  }

  private func checked(_ token: String, _ place: String, _ name: String) throws -> String {
    guard SourceCheck.isToken(token) else {
      throw Fault(
        .invalidInput,
        token.isEmpty
          ? "The \(place) holds no token for the source '\(name)'."
          : "The \(place), which holds the token of the source '\(name)', has \(SourceCheck.notInToken) in it.",
        fix: "Write the token into it, and nothing else.")
    }
    return token
  }
}
