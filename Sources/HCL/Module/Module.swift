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
  /// In the order of files and lines as far as they go with one.
  public var diagnostics: [Diagnostic] = []

  public init() {}

  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  public func variable(named name: String) -> Variable? { variables.first { $0.name == name } }

  /// Reads a module.
  ///
  /// Never fails: what is wrong becomes a diagnostic, and the rest is read. The files are those of one folder; names with a
  /// slash and everything that Terraform does not read are ignored.
  ///
  /// - Parameter files: the content by file name.
  public static func read(files: [String: [UInt8]]) -> Module {
    var reader = ModuleReader()
    for (name, bytes) in Value.sorted(files.filter { ModuleFile.isOne($0.key) && !ModuleFile.isOverride($0.key) }) {
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
  public let file: String
  public let range: SourceRange

  public init(
    name: String, description: String? = nil, isSensitive: Bool = false, isEphemeral: Bool = false, file: String,
    range: SourceRange
  ) {
    self.name = name
    self.description = description
    self.isSensitive = isSensitive
    self.isEphemeral = isEphemeral
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

  public init(source: String? = nil, versionConstraints: [String] = []) {
    self.source = source
    self.versionConstraints = versionConstraints
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
