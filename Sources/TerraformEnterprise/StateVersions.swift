public import FoundationEssentials

/// A state of a workspace, without its contents.
public struct StateVersion: Sendable, Hashable, Identifiable, Resource {
  /// Resources of one kind in the state.
  public struct ResourceSummary: Sendable, Hashable, Decodable {
    /// The name in the configuration.
    public let name: String
    /// The resource type.
    public let type: String
    /// How many there are.
    public let count: Int
    /// The module's address, or `root`.
    public let module: String?
    /// The provider's address.
    public let provider: String?
  }

  /// `sv-…`
  public let id: String
  /// Counts up with every change.
  public let serial: Int?
  /// When it was written.
  public let createdAt: Date?
  /// `pending`, `finalized`, `discarded`, …; absent in older releases.
  public let status: String?
  /// Whether ``resources`` and the outputs are there already: the vendor reads them out of the state later.
  public let areResourcesProcessed: Bool
  /// What it holds.
  public let resources: [ResourceSummary]
  /// The version of Terraform that wrote it.
  public let terraformVersion: String?
  /// The run that wrote it.
  public let runID: String?
  /// The outputs, where they were asked for with `include`.
  public let outputs: [StateVersionOutput]

  init(_ source: ResourceSource) throws {
    id = source.id
    serial = try source.optional("serial")
    createdAt = try source.date("created-at")
    status = try source.optional("status")
    areResourcesProcessed = try source.flag("resources-processed")
    resources = try source.optional("resources") ?? []
    terraformVersion = try source.optional("terraform-version")
    runID = source.one("run")
    outputs = try source.includedAll("outputs")
  }
}

/// An output value of a state.
public struct StateVersionOutput: Sendable, Hashable, Identifiable, Resource {
  /// `wsout-…`
  public let id: String
  /// The output's name.
  public let name: String
  /// Whether it is sensitive: its ``value`` is then null, unless it was read by its id.
  public let isSensitive: Bool
  /// A coarse type, such as `string` or `array`.
  public let type: String?
  /// Its value.
  public let value: JSONValue

  init(_ source: ResourceSource) throws {
    id = source.id
    name = try source.require("name")
    isSensitive = try source.flag("sensitive")
    type = try source.optional("type")
    value = try source.optional("value") ?? .null
  }
}

/// Calls of the State Versions and State Version Outputs APIs.
public struct StateVersionsService: Sendable {
  let client: Client

  /// `GET /workspaces/ID/current-state-version`, with its outputs if asked for: resources and outputs in one call.
  /// A workspace without a state is a 404.
  public func current(workspace id: String, includeOutputs: Bool = false) async throws -> StateVersion {
    var call = Call(.get, "workspaces", id, "current-state-version")
    if includeOutputs { call.include(["outputs"]) }
    return try await client.fetch(call)
  }

  /// `GET /workspaces/ID/current-state-version-outputs`: all of them; sensitive values are null. 503, and so asked
  /// again, while they are being read out of the state.
  public func currentOutputs(workspace id: String) async throws -> [StateVersionOutput] {
    try await client.fetchAll(Call(.get, "workspaces", id, "current-state-version-outputs"))
  }

  /// `GET /state-version-outputs/ID`: the only way to a sensitive value. Needs the permission to read states.
  public func readOutput(_ id: StateVersionOutput.ID) async throws -> StateVersionOutput {
    try await client.fetch(Call(.get, "state-version-outputs", id))
  }
}

extension Client {
  /// Calls of the State Versions and State Version Outputs APIs.
  public var stateVersions: StateVersionsService { StateVersionsService(client: self) }
}
