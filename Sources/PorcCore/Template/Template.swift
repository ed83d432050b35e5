public import HCL

/// A versioned Terraform module that the platform team offers.
public struct Template: Codable, Sendable, Equatable, Identifiable {
  /// The slug of the module path: `gke-cluster/1.0.0` is `gke-cluster-1-0-0`.
  public struct ID: TextIdentifier {
    public let rawValue: String
    public init(_ rawValue: String) { self.rawValue = rawValue }

    /// Lower case; every character but ASCII letters and digits becomes `-`.
    public init(modulePath: String) {
      rawValue = String(
        modulePath.lowercased().unicodeScalars.map { scalar in
          scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            ? Character(scalar) : "-"
        })
    }
  }

  public enum Status: String, Codable, Sendable, CaseIterable {
    case active
    /// Still runs, with a warning.
    case deprecated
    /// Takes no new run.
    case retired
  }

  public var id: ID
  public var name: String
  public var version: Version
  /// `NAME/VERSION`.
  public var modulePath: String
  public var title: String?
  public var description: String?
  public var owner: String?
  public var status: Status
  public var repoURL: String?
  /// The name of the input that holds the instance's region, where it is not `region`.
  public var regionInput: String?
  public var approvalRequired: Bool
  /// A Terraform version constraint for the workspaces of its instances.
  public var terraformVersion: String?
  /// In the order of declaration, files in byte order.
  public var inputs: [TemplateInput]
  public var outputs: [TemplateOutput]
  public var commit: String?
  public var readme: String?
  /// SHA-256 of the archive that holds the module's files.
  public var archive: String
  /// Which source it came from.
  public var source: String
  /// How the source names the content, to tell whether it has changed.
  public var content: String?
  /// What the module says of the providers it needs, by their local names in byte order.
  public var requiredProviders: [RequiredProvider] = []
  /// The module's constraints on Terraform's version; all of them hold.
  public var requiredVersions: [String] = []
  /// Rules for the inputs beyond their types: a JSON Schema of the inputs' object, from the module's `schema.json`.
  public var schema: Value?

  public var inputsRequired: [String] { inputs.filter(\.isRequired).map(\.name) }

  public var reference: TemplateReference {
    TemplateReference(
      id: id, name: name, version: version.description, repoURL: repoURL, commit: commit, archive: archive,
      terraformVersion: terraformVersion)
  }

  public init(
    name: String, version: Version, inputs: [TemplateInput], outputs: [TemplateOutput] = [], archive: String,
    source: String
  ) {
    self.name = name
    self.version = version
    modulePath = "\(name)/\(version)"
    id = ID(modulePath: modulePath)
    status = .active
    approvalRequired = false
    self.inputs = inputs
    self.outputs = outputs
    self.archive = archive
    self.source = source
  }

  enum CodingKeys: String, CodingKey {
    case id, name, version, title, description, owner, status, inputs, outputs, commit, readme, archive, source, content
    case schema
    case requiredProviders = "required_providers"
    case requiredVersions = "required_versions"
    case modulePath = "module_path"
    case repoURL = "repo_url"
    case regionInput = "region_input"
    case approvalRequired = "approval_required"
    case terraformVersion = "terraform_version"
  }
}

extension Template {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    id = try container.decode(ID.self, forKey: .id)
    name = try container.decode(String.self, forKey: .name)
    version = try container.decode(Version.self, forKey: .version)
    modulePath = try container.decode(String.self, forKey: .modulePath)
    title = try container.decodeIfPresent(String.self, forKey: .title)
    description = try container.decodeIfPresent(String.self, forKey: .description)
    owner = try container.decodeIfPresent(String.self, forKey: .owner)
    status = try container.decode(Status.self, forKey: .status)
    repoURL = try container.decodeIfPresent(String.self, forKey: .repoURL)
    regionInput = try container.decodeIfPresent(String.self, forKey: .regionInput)
    approvalRequired = try container.decode(Bool.self, forKey: .approvalRequired)
    terraformVersion = try container.decodeIfPresent(String.self, forKey: .terraformVersion)
    inputs = try container.decode([TemplateInput].self, forKey: .inputs)
    outputs = try container.decode([TemplateOutput].self, forKey: .outputs)
    commit = try container.decodeIfPresent(String.self, forKey: .commit)
    readme = try container.decodeIfPresent(String.self, forKey: .readme)
    archive = try container.decode(String.self, forKey: .archive)
    source = try container.decode(String.self, forKey: .source)
    content = try container.decodeIfPresent(String.self, forKey: .content)
    schema = try container.decodeIfPresent(Value.self, forKey: .schema)
    // Absent in what an earlier PORC has stored.
    requiredProviders = try container.decodeIfPresent([RequiredProvider].self, forKey: .requiredProviders) ?? []
    requiredVersions = try container.decodeIfPresent([String].self, forKey: .requiredVersions) ?? []
  }
}

/// A provider that a template's module needs.
public struct RequiredProvider: Codable, Sendable, Equatable {
  /// Its local name.
  public var name: String
  /// `hashicorp/aws`, for example; absent if the module does not say.
  public var source: String?
  /// All of them hold.
  public var versions: [String]

  public init(name: String, source: String?, versions: [String]) {
    self.name = name
    self.source = source
    self.versions = versions
  }
}

/// A variable of a template's module.
public struct TemplateInput: Codable, Sendable, Equatable {
  public var name: String
  /// The type constraint in Terraform's words, e.g. `list(string)`.
  public var type: String
  public var description: String?
  /// Absent where there is none, where it is sensitive, and where it is no plain literal.
  public var `default`: Value?
  public var isRequired: Bool
  public var isSensitive: Bool
  public var isNullable: Bool

  enum CodingKeys: String, CodingKey {
    case name, type, description
    case `default`
    case isRequired = "required"
    case isSensitive = "sensitive"
    case isNullable = "nullable"
  }
}

extension TemplateInput {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    type = try container.decode(String.self, forKey: .type)
    description = try container.decodeIfPresent(String.self, forKey: .description)
    // A default of null is not the same as none.
    `default` = container.contains(.default) ? try container.decode(Value.self, forKey: .default) : nil
    isRequired = try container.decode(Bool.self, forKey: .isRequired)
    isSensitive = try container.decode(Bool.self, forKey: .isSensitive)
    isNullable = try container.decode(Bool.self, forKey: .isNullable)
  }
}

/// An output of a template's module.
public struct TemplateOutput: Codable, Sendable, Equatable {
  public var name: String
  public var description: String?
  public var isSensitive: Bool

  enum CodingKeys: String, CodingKey {
    case name, description
    case isSensitive = "sensitive"
  }
}
