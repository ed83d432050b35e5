/// What can be known of a Terraform module from its files alone.
public struct Module: Hashable, Sendable {
  /// In the order of declaration, files in byte order of their names. Of a name declared twice only the first.
  public var variables: [Variable] = []
  public var outputs: [Output] = []
  /// By the provider's local name.
  public var requiredProviders: [String: ProviderRequirement] = [:]
  /// Constraints on Terraform's version; all of them hold.
  public var requiredVersions: [String] = []
  public var moduleCalls: [ModuleCall] = []
  public var providerConfigurations: [ProviderConfiguration] = []
  /// Resources, data sources and ephemeral resources.
  public var resources: [ModuleResource] = []
  /// In the order of files and lines as far as they go with one.
  public var diagnostics: [Diagnostic] = []

  public init() {}

  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  /// The local names of all providers that the module needs, in byte order: required, configured, or implied by a resource.
  public var providerNames: [String] {
    let names = providerConfigurations.map(\.name) + resources.map(\.providerName)
    return Value.sorted(requiredProviders.merging(names.map { ($0, ProviderRequirement()) }) { first, _ in first })
      .map(\.key)
  }

  public func variable(named name: String) -> Variable? { variables.first { $0.name == name } }

  /// Reads a module.
  ///
  /// Never fails: what is wrong becomes a diagnostic, and the rest is read. The files are those of one folder; names with a
  /// slash and everything that Terraform does not read are ignored. If the task is canceled it ends early, with what there is.
  ///
  /// - Parameter files: the content by file name.
  public static func read(files: [String: [UInt8]]) -> Module {
    var reader = ModuleReader()
    for (name, bytes) in Value.sorted(files.filter { ModuleFile.isOne($0.key) && !ModuleFile.isOverride($0.key) }) {
      if Task.isCancelled { break }
      reader.read(ModuleFile(name: name, bytes: bytes))
    }
    for (name, bytes) in Value.sorted(files.filter { ModuleFile.isOne($0.key) && ModuleFile.isOverride($0.key) }) {
      reader.override(with: ModuleFile(name: name, bytes: bytes))
    }
    return reader.module()
  }
}

/// A value that a module gives to its caller.
public struct Output: Hashable, Sendable {
  public let name: String
  public let description: String?
  public let isSensitive: Bool
  public let isEphemeral: Bool
  /// Why not to use it any more, if the module says so (Terraform 1.15).
  public let deprecated: String?
  public let file: String
  public let range: SourceRange

  public init(
    name: String, description: String? = nil, isSensitive: Bool = false, isEphemeral: Bool = false,
    deprecated: String? = nil, file: String, range: SourceRange
  ) {
    self.name = name
    self.description = description
    self.isSensitive = isSensitive
    self.isEphemeral = isEphemeral
    self.deprecated = deprecated
    self.file = file
    self.range = range
  }
}

/// What a module says of a provider that it needs.
public struct ProviderRequirement: Hashable, Sendable {
  /// `hashicorp/google`, for example; nil if the module does not say.
  public var source: String?
  /// All of them hold.
  public var versionConstraints: [String]
  /// The aliases of the configurations that a caller must pass: `network` for `google.network`.
  public var configurationAliases: [String]

  public init(source: String? = nil, versionConstraints: [String] = [], configurationAliases: [String] = []) {
    self.source = source
    self.versionConstraints = versionConstraints
    self.configurationAliases = configurationAliases
  }
}

/// A `provider` block.
public struct ProviderConfiguration: Hashable, Sendable {
  /// The provider's local name.
  public let name: String
  /// Nil for the default configuration.
  public let alias: String?
  /// A version constraint, as Terraform before 0.13 had it here.
  public let version: String?
  public let file: String
  public let range: SourceRange

  public init(name: String, alias: String? = nil, version: String? = nil, file: String, range: SourceRange) {
    self.name = name
    self.alias = alias
    self.version = version
    self.file = file
    self.range = range
  }
}

/// A `resource`, `data` or `ephemeral` block.
public struct ModuleResource: Hashable, Sendable {
  public let mode: Mode
  public let type: String
  public let name: String
  /// What its `provider` argument says: `google`, `google.network`; nil without one.
  public let provider: String?
  public let file: String
  public let range: SourceRange

  public enum Mode: String, Hashable, Sendable {
    case managed, data, ephemeral
  }

  /// The local name of its provider: of what it says itself, else the first word of its type.
  public var providerName: String {
    if let provider { return String(provider.prefix { $0 != "." }) }
    return String(type.prefix { $0 != "_" })
  }

  public init(
    mode: Mode, type: String, name: String, provider: String? = nil, file: String, range: SourceRange
  ) {
    self.mode = mode
    self.type = type
    self.name = name
    self.provider = provider
    self.file = file
    self.range = range
  }
}

/// A module that a module calls.
public struct ModuleCall: Hashable, Sendable {
  public let name: String
  /// Local folders begin with `./` or `../`. Nil if it is no constant.
  public let source: String?
  public let version: String?
  public let file: String
  public let range: SourceRange

  /// The block's place in its file.
  public var position: SourcePosition { range.start }

  /// Whether the source is a folder beside this one.
  public var isLocal: Bool { source.map { $0.hasPrefix("./") || $0.hasPrefix("../") } ?? false }

  public init(name: String, source: String?, version: String? = nil, file: String, range: SourceRange) {
    self.name = name
    self.source = source
    self.version = version
    self.file = file
    self.range = range
  }
}
