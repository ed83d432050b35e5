import Archive
import Foundation
import Git
import ModuleRegistry
import PorcCore
import TerraformEnterprise

/// Templates in a module registry: each module a template `NAME-SYSTEM`, each version one of its versions.
struct RegistrySource: ModuleSource {
  let name: String
  let registry: RegistryClient
  let modules: Modules
  let limits: TarGzip.Limits
  /// Where copies of repositories go that a registry refers to.
  let repositories: @Sendable (ModuleRepository) async throws -> Mirror

  /// Which of the registry's modules.
  enum Modules: Sendable {
    case named([ModuleAddress])
    /// Those of an organization of Terraform Enterprise; of these, if any are named.
    case organization(String, of: Client, only: [ModuleAddress])
  }

  func look() async throws -> any ModuleView {
    try await RegistryFault.translating {
      switch modules {
      case .named(let addresses): View(source: self, releases: try await releases(of: addresses))
      case .organization(let organization, let client, let only):
        View(source: self, releases: try await Self.releases(of: organization, client, only))
      }
    }
  }

  /// A version that can be had.
  struct Release: Sendable, Hashable {
    var module: ModuleAddress
    var version: Version
    var isDeprecated: Bool
    var path: String { "\(module.name)-\(module.system)/\(version)" }
  }

  private typealias Found = (all: [Release], findings: [Finding], unread: [String])

  private func releases(of addresses: [ModuleAddress]) async throws -> Found {
    var releases: [Release] = []
    var (findings, unread): ([Finding], [String]) = ([], [])
    for address in addresses {
      let answer: ModuleVersions
      do {
        answer = try await registry.versions(of: address)
      } catch let error as RegistryError where addresses.count > 1 && !error.isRetryable {
        // One that the registry does not give keeps no other out.
        findings.append(Finding(at: "", "\(address.key): \(error.message)", fix: error.fix))
        unread.append("\(address.name)-\(address.system)")
        continue
      }
      var (good, bad) = ([Release](), answer.unreadable)
      for text in answer.versions {
        guard let version = Version(text) else {
          bad.append(text)
          continue
        }
        good.append(Release(module: address, version: version, isDeprecated: answer.deprecations[text] != nil))
      }
      releases += good
      if !bad.isEmpty { findings.append(Self.unread(bad, of: address)) }
    }
    return (releases, findings, unread)
  }

  private static func releases(
    of organization: String, _ client: Client, _ only: [ModuleAddress]
  ) async throws -> Found {
    var releases: [Release] = []
    var findings: [Finding] = []
    let wanted = Set(only.map(\.key))
    for try await module in client.registryModules.list(organization: organization) {
      guard
        let address = try? ModuleAddress(namespace: module.namespace, name: module.name, system: module.provider),
        wanted.isEmpty || wanted.contains(address.key)
      else { continue }
      var bad: [String] = []
      for version in module.usableVersions {
        guard let number = Version(version.version) else {
          bad.append(version.version)
          continue
        }
        releases.append(Release(module: address, version: number, isDeprecated: version.deprecation != nil))
      }
      if !bad.isEmpty { findings.append(unread(bad, of: address)) }
    }
    let missing = wanted.subtracting(releases.map(\.module.key)).sorted()
    findings += missing.map {
      Finding(at: "", "\($0): is not in the registry, or has no version.", fix: "Publish it, or take it off the list.")
    }
    return (releases, findings, [])
  }

  private static func unread(_ versions: [String], of module: ModuleAddress) -> Finding {
    Finding(
      .warning, at: "",
      "\(module): no SemVer, and passed over: \(versions.prefix(5).joined(separator: ", "))\(versions.count > 5 ? ", …" : "").",
      fix: "Publish versions like 1.2.3.")
  }

  /// The versions as they were listed. A version that is published never changes, so its number stands for its content.
  private struct View: ModuleView {
    let source: RegistrySource
    let releases: [String: Release]
    let listing: ModuleListing
    let fingerprint: String

    init(source: RegistrySource, releases found: Found) {
      self.source = source
      releases = Dictionary(found.all.map { ($0.path, $0) }, uniquingKeysWith: { one, _ in one })
      var listing = ModuleListing(findings: found.findings, unread: found.unread)
      listing.modules = releases.values.map { release in
        ListedModule(
          path: release.path, content: release.isDeprecated ? "\(release.module) deprecated" : "\(release.module)",
          isDeprecated: release.isDeprecated)
      }.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
      self.listing = listing
      let lines = listing.modules.map { "\($0.path) \($0.content)" } + listing.findings.map(\.message)
      fingerprint = Digest.sha256(Data(lines.joined(separator: "\n").utf8))
    }

    func list() async throws -> ModuleListing { listing }

    func read(_ modules: [ListedModule], _ take: (ReadModule) async throws -> Void) async throws {
      let source = self
      try await withThrowingTaskGroup(of: ReadModule.self) { group in
        for (index, module) in modules.enumerated() {
          if index >= 4, let done = try await group.next() { try await take(done) }
          group.addTask { try await source.read(module) }
        }
        for try await done in group { try await take(done) }
      }
    }

    private func refused(_ module: ListedModule, _ message: String, _ fix: String, isPassing: Bool) -> ReadModule {
      ReadModule(module: module, files: .failure(ModuleRefusal(message: message, fix: fix, isPassing: isPassing)))
    }

    /// One version that cannot be had harms no other.
    private func read(_ module: ListedModule) async throws -> ReadModule {
      guard let release = releases[module.path] else {
        return ReadModule(module: module, files: .failure(ModuleRefusal(message: "It is gone.", fix: "Sync again.")))
      }
      do {
        return ReadModule(module: module, files: .success(try await source.files(of: release)))
      } catch let error as RegistryError {
        return refused(module, error.message, error.fix, isPassing: error.isRetryable)
      } catch let error as ArchiveError {
        let refusal = ModuleRefusal(message: error.description, fix: "Mend it, and publish it as a new version.")
        return ReadModule(module: module, files: .failure(refusal))
      } catch let error as GitError {
        return refused(module, error.message, error.fix, isPassing: error.isRetryable)
      } catch let refusal as ModuleRefusal {
        return ReadModule(module: module, files: .failure(refusal))
      }
    }
  }

  private func files(of release: Release) async throws -> [ArchiveEntry] {
    switch try await registry.location(of: release.module, version: release.version.description) {
    case .archive(let archive):
      let bytes = try await registry.download(archive)
      let entries = try AnyArchive.unpack(bytes, limits: limits)
      let module = try archive.subfolder.map { try entries.subtree($0) } ?? entries
      return module.filter { !Bundle.leavesOut($0.path) }
    case .git(let repository): return try await files(of: repository)
    case .unsupported(let text):
      throw ModuleRefusal(message: text, fix: "Let the registry serve archives over https, or git repositories.")
    }
  }

  private func files(of repository: ModuleRepository) async throws -> [ArchiveEntry] {
    let mirror = try await repositories(repository)
    let references = try await mirror.references(withHead: repository.ref == nil)
    let reference: Reference? =
      if let ref = repository.ref {
        references.tags[ref] ?? references.branches[ref] ?? ObjectID(ref).map { Reference(name: ref, id: $0) }
      } else {
        references.head
      }
    guard let reference else {
      throw ModuleRefusal(
        message: "The repository '\(mirror.remote)' has no '\(repository.ref ?? "HEAD")'.",
        fix: "Publish the version anew.")
    }
    try await mirror.fetch([reference])
    let place = Place(commit: reference.commit, path: repository.subfolder ?? "")
    guard let tree = try await mirror.trees(of: [place])[0] else {
      throw ModuleRefusal(
        message: "The repository '\(mirror.remote)' has no folder '\(place.path)'.", fix: "Publish the version anew.")
    }
    for try await contents in try await mirror.read([tree]) { return try contents.entries.get() }
    throw ModuleRefusal(message: "Its folder could not be read.", fix: "Sync again.")
  }
}

extension ModuleAddress {
  /// Without the host.
  fileprivate var key: String { "\(namespace)/\(name)/\(system)" }
}
