public import HCL

/// What a developer submits, as far as its form is right: which template, which version, which inputs.
public struct Blueprint: Sendable, Equatable {
  /// The template's name.
  public var kind: String
  /// A version, or a constraint such as `~> 1.0`.
  public var schemaVersion: String
  public var metadata: BlueprintMetadata
  /// With the positions in the submitted text.
  public var inputs: [SourceValue.Member]

  public static let maximumNameLength = 63

  /// The largest document that is read, in bytes.
  public static let maximumSize = 1 << 20

  /// Reads the form of a blueprint; inputs are checked against the template later.
  ///
  /// - Returns: the blueprint as far as it can be made out; it counts only if there are no findings.
  static func read(_ source: SourceValue) -> (blueprint: Blueprint?, findings: [Finding]) {
    var reader = DocumentReader(source)
    guard case .object = source.content else { return (nil, reader.findings) }
    let kind = reader.text("kind", isRequired: true)
    let schemaVersion = reader.text("schema_version", isRequired: true)
    if let schemaVersion, VersionConstraint(schemaVersion) == nil {
      reader.note(
        source.member("schema_version")?.value ?? source, "/schema_version",
        "'schema_version' is neither a version nor a constraint.", fix: "Write it like 1.0.0 or \"~> 1.0\".")
    }
    var metadata: BlueprintMetadata?
    if let value = reader.member("metadata") {
      let (read, metadataReader) = BlueprintMetadata.read(value)
      metadata = read
      reader.adopt(metadataReader)
    } else {
      reader.missing("metadata")
    }
    var inputs: [SourceValue.Member] = []
    if let value = reader.member("inputs") {
      switch value.content {
      case .object(let members): inputs = members
      case .null: break
      default: reader.note(value, "/inputs", "'inputs' is not a mapping.", fix: "Write the template's inputs there.")
      }
    }
    reader.refuseOthers()
    guard let kind else { return (nil, reader.findings) }
    return (
      Blueprint(
        kind: kind, schemaVersion: schemaVersion ?? "", metadata: metadata ?? BlueprintMetadata(name: ""),
        inputs: inputs),
      reader.findings
    )
  }
}

/// What a blueprint says of its instance, beside the inputs.
public struct BlueprintMetadata: Codable, Sendable, Hashable {
  /// The instance: lower-case letters, digits and inner `-`, at most 63.
  public var name: String
  public var title: String?
  public var environment: String?
  public var owner: String?
  public var repoURL: String?
  public var approvalRequired: Bool

  enum CodingKeys: String, CodingKey {
    case name, title, environment, owner
    case repoURL = "repo_url"
    case approvalRequired = "approval_required"
  }

  public init(
    name: String, title: String? = nil, environment: String? = nil, owner: String? = nil, repoURL: String? = nil,
    approvalRequired: Bool = false
  ) {
    self.name = name
    self.title = title
    self.environment = environment
    self.owner = owner
    self.repoURL = repoURL
    self.approvalRequired = approvalRequired
  }

  static func read(_ source: SourceValue) -> (BlueprintMetadata?, DocumentReader) {
    var reader = DocumentReader(source, at: "/metadata")
    guard case .object = source.content else { return (nil, reader) }
    let name = reader.text("name", isRequired: true)
    if let name, !isInstanceName(name) {
      reader.note(
        source.member("name")?.value ?? source, "/metadata/name", "'metadata.name' is no name for an instance.",
        fix: "Use lower-case letters, digits and inner '-', at most \(Blueprint.maximumNameLength) characters.")
    }
    let metadata = BlueprintMetadata(
      name: name ?? "", title: reader.text("title"), environment: reader.text("environment"),
      owner: reader.text("owner"), repoURL: reader.url("repo_url"),
      approvalRequired: reader.flag("approval_required") ?? false)
    reader.refuseOthers()
    return (metadata, reader)
  }

  /// Whether an instance may have this name.
  public static func isInstanceName(_ name: String) -> Bool {
    let characters = Array(name.utf8)
    let isPlain = { (byte: UInt8) in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    guard let first = characters.first, let last = characters.last else { return false }
    return characters.count <= Blueprint.maximumNameLength && isPlain(first) && isPlain(last)
      && characters.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "-") }
  }
}
