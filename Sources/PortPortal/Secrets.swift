public import Foundation

/// Port's organization secrets: what actions may use as `{{ .secrets.NAME }}`. Port never gives a value back.
public struct Secrets: Sendable {
  let session: Session

  private struct One: Decodable { let secret: Portal.Secret }
  private struct All: Decodable { let secrets: [Portal.Secret] }

  /// What is known of every secret. Port's document gives this answer no shape; this is the one that its pages read.
  /// `GET /v1/organization/secrets`
  public func list() async throws -> [Portal.Secret] {
    try await session.send(try Request(.get, Self.path())).decode(All.self).secrets
  }

  /// What is known of one secret, or nil where Port has none with this name.
  /// `GET /v1/organization/secrets/{name}`
  public func get(_ name: String) async throws -> Portal.Secret? {
    do {
      return try await session.send(try Request(.get, Self.path(name))).decode(One.self).secret
    } catch let error as PortError where error.saysNotFound {
      return nil
    }
  }

  /// Creates a secret; 409 where it exists. `POST /v1/organization/secrets`
  ///
  /// Repeated only after a 429, since an answer that was lost would make the repetition a 409.
  ///
  /// - Parameters:
  ///   - name: 1 to 100 letters, digits, `-` and `_`.
  ///   - description: at most 200 characters.
  public func create(_ name: String, value: String, description: String? = nil) async throws {
    let body = ["secretName": name, "secretValue": value].merging(description.map { ["description": $0] } ?? [:]) { $1 }
    try await session.send(try Request(.post, Self.path(), json: body, repetition: .onlyIfRefused)).acknowledge()
  }

  /// Gives a secret another value; 404 where it is absent. `PATCH /v1/organization/secrets/{name}`
  public func update(_ name: String, value: String) async throws {
    try await session.send(try Request(.patch, Self.path(name), json: ["secretValue": value])).acknowledge()
  }

  private static func path(_ name: String? = nil) -> [String] {
    ["organization", "secrets"] + (name.map { [$0] } ?? [])
  }
}

extension Portal {
  /// What Port tells of a secret: everything but its value.
  public struct Secret: Sendable, Hashable, Decodable {
    public var name: String
    public var description: String?
    public var updatedAt: Date?

    private enum CodingKeys: String, CodingKey {
      case description, updatedAt
      case name = "secretName"
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      name = try container.decode(String.self, forKey: .name)
      description = try container.decodeIfPresent(String.self, forKey: .description)
      updatedAt = try container.decodeIfPresent(String.self, forKey: .updatedAt).flatMap(Entity.instant)
    }
  }
}
