public import FoundationEssentials

/// The apply of a run.
public struct Apply: Sendable, Hashable, Identifiable, Resource {
  /// `apply-…`
  public let id: String
  /// How far it has come.
  public let status: PhaseStatus
  /// How many resources were created.
  public let additions: Int
  /// How many were changed in place.
  public let changes: Int
  /// How many were destroyed.
  public let destructions: Int
  /// How many were imported.
  public let imports: Int
  /// Where its output is read; see ``LogsService``.
  public let logReadURL: SignedURL?
  /// When each status was reached, under names such as `finished-at`.
  public let statusTimestamps: [String: Date]
  /// The states it wrote; the last one is final.
  public let stateVersionIDs: [String]

  init(_ source: ResourceSource) throws {
    id = source.id
    status = try source.require("status")
    additions = try source.optional("resource-additions") ?? 0
    changes = try source.optional("resource-changes") ?? 0
    destructions = try source.optional("resource-destructions") ?? 0
    imports = try source.optional("resource-imports") ?? 0
    logReadURL = try source.optional("log-read-url", as: String.self).map(SignedURL.init)
    statusTimestamps = try source.timestamps()
    stateVersionIDs = source.many("state-versions")
  }
}

/// Calls of the Applies API.
public struct AppliesService: Sendable {
  let client: Client

  /// `GET /applies/ID`.
  public func read(_ id: String) async throws -> Apply {
    try await client.fetch(Call(.get, "applies", id))
  }
}

extension Client {
  /// Calls of the Applies API.
  public var applies: AppliesService { AppliesService(client: self) }
}
