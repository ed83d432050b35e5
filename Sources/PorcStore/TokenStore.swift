public import Foundation
public import PorcCore

/// Access tokens. Only a token's SHA-256 is stored: it is long and random, so no slow hash is needed.
public protocol TokenStore: Sendable {
  /// - Throws: ``StoreError/unusable(_:fix:)`` if there is a token with this name that is not revoked.
  func createToken(_ token: TokenRecord, hash: Data) async throws

  /// A token that is not revoked, by its hash.
  func token(hash: Data) async throws -> TokenRecord?

  /// All, the revoked ones too, oldest first.
  func tokens() async throws -> [TokenRecord]

  /// - Returns: whether there was such a token that was not revoked.
  func revokeToken(named nameOrID: String) async throws -> Bool
}

/// What is known of a token.
public struct TokenRecord: Sendable, Equatable, Codable {
  public var id: String
  public var name: String
  public var scopes: [Scope]
  public var createdAt: Date
  public var revokedAt: Date?

  public init(id: String, name: String, scopes: [Scope], createdAt: Date, revokedAt: Date? = nil) {
    self.id = id
    self.name = name
    self.scopes = scopes
    self.createdAt = createdAt
    self.revokedAt = revokedAt
  }

  enum CodingKeys: String, CodingKey {
    case id, name, scopes
    case createdAt = "created_at"
    case revokedAt = "revoked_at"
  }
}
