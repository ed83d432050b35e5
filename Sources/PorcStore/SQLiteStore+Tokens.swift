public import Foundation
import GRDB
import PorcCore

extension SQLiteStore {
  public func createToken(_ token: TokenRecord, hash: Data) async throws {
    try await write { db in
      let isTaken =
        try db.value(
          Int.self, "SELECT 1 FROM token WHERE name = ? AND revoked_at IS NULL", [token.name]) != nil
      if isTaken {
        throw StoreError.unusable(
          "There is a token named '\(token.name)' already.", fix: "Choose another name, or revoke that one first.")
      }
      try db.run(
        "INSERT INTO token (id, name, scopes, hash, created_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?)",
        [
          token.id, token.name, try StoredJSON.text(token.scopes), hash, token.createdAt.milliseconds,
          token.revokedAt?.milliseconds,
        ])
    }
  }

  public func token(hash: Data) async throws -> TokenRecord? {
    try await read { db in
      try db.row("\(Self.tokenColumns) WHERE hash = ? AND revoked_at IS NULL", [hash]).map(Self.token)
    }
  }

  public func tokens() async throws -> [TokenRecord] {
    try await read { db in try db.rows("\(Self.tokenColumns) ORDER BY created_at, rowid").map(Self.token) }
  }

  public func revokeToken(named nameOrID: String) async throws -> Bool {
    try await write { [self] db in
      // By its id before by its name, should somebody have named a token like another's id.
      try db.run(
        """
        UPDATE token SET revoked_at = ?1 WHERE id = (
          SELECT id FROM token WHERE revoked_at IS NULL AND (id = ?2 OR name = ?2) ORDER BY id = ?2 DESC LIMIT 1)
        """, [now().milliseconds, nameOrID]) > 0
    }
  }

  private static let tokenColumns = "SELECT id, name, scopes, created_at, revoked_at FROM token"

  private static func token(_ row: Row) throws -> TokenRecord {
    TokenRecord(
      id: row[0], name: row[1], scopes: try StoredJSON.read([Scope].self, from: row[2]),
      createdAt: Date(milliseconds: row[3]), revokedAt: (row[4] as Int64?).map(Date.init(milliseconds:)))
  }
}
