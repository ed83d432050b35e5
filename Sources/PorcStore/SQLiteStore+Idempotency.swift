public import Foundation
import GRDB
import PorcCore

extension SQLiteStore {
  public func answer(to key: IdempotencyKey) async throws -> StoredAnswer? {
    try await read { try Self.answer(to: key, $0) }
  }

  static func answer(to key: IdempotencyKey, _ db: Database) throws -> StoredAnswer? {
    try db.row(
      "SELECT status, body, fingerprint, location FROM answer WHERE caller = ? AND key = ?", [key.caller, key.key]
    ).map { StoredAnswer(status: $0[0], body: $0[1], fingerprint: $0[2], location: $0[3]) }
  }

  static func keep(_ answer: StoredAnswer, under key: IdempotencyKey, at now: Int64, _ db: Database) throws {
    try db.run(
      """
      INSERT INTO answer (caller, key, fingerprint, status, body, location, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
      """, [key.caller, key.key, answer.fingerprint, answer.status, answer.body, answer.location, now])
  }

  public func forgetAnswers(olderThan age: TimeInterval) async throws {
    try await write(isNews: false) { [self] db in
      try db.run("DELETE FROM answer WHERE created_at < ?", [now().addingTimeInterval(-age).milliseconds])
    }
  }
}
