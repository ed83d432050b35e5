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
    switch source.place {
    case .folder(let folder): return FolderSource(name: source.name, folder: folder, outerFolders: outerFolders)
    case .git(let text):
      let remote = try remote(text, isTrusted: entry.isReadOnly)
      return GitSource(
        source: source,
        mirror: try await mirror(of: source.name, remote, try await credentials(of: entry, for: remote)))
    case .registry(let host):
      let host = try Self.host(host)
      return try registrySource(entry, host, token: try token(of: entry), .named(try Self.addresses(source)))
    case .tfe(let organization):
      let address = tfe.settings.address
      let text = address.port.map { "\(address.host() ?? ""):\($0)" } ?? address.host() ?? ""
      let token = try token(of: entry)
      return try registrySource(
        entry, try Self.host(text), token: token ?? tfe.settings.token,
        .organization(organization, of: tfe.client, only: try Self.addresses(source)),
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

  /// What is wrong with a description that only a reader can tell.
  func check(_ description: SourceDescription) throws {
    switch description.source.place {
    case .git(let text):
      let remote = try remote(text, isTrusted: false)
      let credentials = Self.credentials(description.access.token, description.access.username)
      _ = try GitFault.translated { try Mirror(remote: remote, credentials: credentials, folder: folder(of: "check")) }
    case .registry(let host):
      _ = try Self.host(host)
      _ = try Self.addresses(description.source)
    case .tfe(let organization):
      guard organization.utf8.allSatisfy(Self.isPlain) else {
        throw Fault(
          .invalidInput, "The source cannot be read as it is described.",
          findings: [
            Finding(
              at: "/tfe", "This is no name of an organization.", fix: "Use letters, digits, '-' and '_'.")
          ])
      }
      _ = try Self.addresses(description.source)
    case .folder: break
    }
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

  /// Modules as `NAMESPACE/NAME/SYSTEM`, all wrong ones at once.
  private static func addresses(_ source: TemplateSource) throws -> [ModuleAddress] {
    var findings: [Finding] = []
    let addresses = source.modules.enumerated().compactMap { index, text -> ModuleAddress? in
      do throws(InvalidAddress) {
        return try ModuleAddress(text)
      } catch {
        findings.append(
          Finding(at: "/modules/\(index)", error.description, fix: "Write it as NAMESPACE/NAME/SYSTEM."))
        return nil
      }
    }
    if findings.isEmpty { return addresses }
    throw Fault(
      .invalidInput, "Some modules of the source '\(source.name)' are no addresses.",
      fix: "Write them as NAMESPACE/NAME/SYSTEM.", findings: findings)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func host(_ text: String) throws -> RegistryHost {
    do throws(InvalidAddress) {
      return try RegistryHost(text)
    } catch {
      throw Fault(
        .invalidInput, "The source cannot be read as it is described.",
        fix: "Write the registry's host like registry.example.com.",
        findings: [Finding(at: "/registry", error.description, fix: "Write it like registry.example.com.")])
    }
  }

  private func remote(_ text: String, isTrusted: Bool) throws -> RemoteURL {
    do throws(RemoteURL.Problem) {
      return try RemoteURL(text, allowing: isTrusted || settings.allowsLocalPaths ? .localPaths : [])
    } catch {
      let fix = "Write it like https://github.com/acme/modules.git."
      throw Fault(
        .invalidInput, "The source cannot be read as it is described.", fix: fix,
        findings: [Finding(at: "/git", error.description, fix: fix)])
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
      return token
    }
    guard let file = access.tokenFile else { return nil }
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw Fault(
        .forbidden, "The file '\(file)', which holds the token of the source '\(name)', cannot be read.",
        fix: "Let PORC's user read it.")
    }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
