/// Where templates come from, as an operator describes it; without what signs PORC in there.
public struct TemplateSource: Codable, Sendable, Hashable, Identifiable {
  /// What is there, and where.
  public enum Place: Sendable, Hashable {
    /// A git repository's URL: https, ssh, or a path of this machine.
    case git(String)
    /// The host of a module registry, e.g. `registry.example.com`.
    case registry(String)
    /// An organization whose private registry is in the Terraform Enterprise that PORC works with.
    case tfe(String)
    /// A folder of this machine.
    case folder(String)

    public var kind: Kind {
      switch self {
      case .git: .git
      case .registry: .registry
      case .tfe: .tfe
      case .folder: .folder
      }
    }

    public var text: String {
      switch self {
      case .git(let text), .registry(let text), .tfe(let text), .folder(let text): text
      }
    }
  }

  /// The raw values are keys of the configuration: never rename one.
  public enum Kind: String, Codable, Sendable, CaseIterable { case git, registry, tfe, folder }

  /// How a git repository holds its versions.
  public enum Layout: String, Codable, Sendable, CaseIterable {
    /// `NAME/VERSION/` on a branch.
    case folders
    /// One tag for each version: `v1.2.3`, or `NAME/v1.2.3` where the repository holds several modules.
    case tags
  }

  /// Unique in this PORC.
  public var name: String
  public var place: Place
  public var layout: Layout
  /// The branch of ``Layout/folders``; absent for the repository's own default.
  public var branch: String?
  /// The folder in the repository, without slashes at its ends; absent for the root.
  public var path: String?
  /// The template's name where a repository is one module; absent: the repository's, without `terraform-PROVIDER-`.
  public var template: String?
  /// A registry's modules, each `NAMESPACE/NAME/SYSTEM`. Of `tfe`, empty means all.
  public var modules: [String]

  public var id: String { name }

  public init(
    name: String, place: Place, layout: Layout = .folders, branch: String? = nil, path: String? = nil,
    template: String? = nil, modules: [String] = []
  ) {
    self.name = name
    self.place = place
    self.layout = layout
    self.branch = branch
    self.path = path
    self.template = template
    self.modules = modules
  }

  /// A folder that the setting `porc.templates` names.
  public static func folder(_ path: String) -> TemplateSource {
    TemplateSource(name: "folder:\(path)", place: .folder(path))
  }
}

extension TemplateSource {
  private enum CodingKeys: String, CodingKey { case name, kind, location, layout, branch, path, template, modules }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    let location = try container.decode(String.self, forKey: .location)
    switch try container.decode(Kind.self, forKey: .kind) {
    case .git: place = .git(location)
    case .registry: place = .registry(location)
    case .tfe: place = .tfe(location)
    case .folder: place = .folder(location)
    }
    layout = try container.decodeIfPresent(Layout.self, forKey: .layout) ?? .folders
    branch = try container.decodeIfPresent(String.self, forKey: .branch)
    path = try container.decodeIfPresent(String.self, forKey: .path)
    template = try container.decodeIfPresent(String.self, forKey: .template)
    modules = try container.decodeIfPresent([String].self, forKey: .modules) ?? []
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(place.kind, forKey: .kind)
    try container.encode(place.text, forKey: .location)
    if layout != .folders { try container.encode(layout, forKey: .layout) }
    try container.encodeIfPresent(branch, forKey: .branch)
    try container.encodeIfPresent(path, forKey: .path)
    try container.encodeIfPresent(template, forKey: .template)
    if !modules.isEmpty { try container.encode(modules, forKey: .modules) }
  }
}
