public import Foundation

/// Answers kept under the keys that callers chose, for at least 24 hours.
public protocol IdempotencyKeys: Sendable {
  /// What was answered under this caller's key, if anything was.
  func answer(to key: IdempotencyKey) async throws -> StoredAnswer?

  /// Forgets answers older than this many seconds.
  func forgetAnswers(olderThan age: TimeInterval) async throws
}

/// A key with whose it is and what it was sent with.
public struct IdempotencyKey: Sendable, Hashable {
  /// The id of the token it came with.
  public var caller: String
  public var key: String
  /// SHA-256 over method, path and body: the same key with another one is a mistake.
  public var fingerprint: String
  public init(caller: String, key: String, fingerprint: String) {
    self.caller = caller
    self.key = key
    self.fingerprint = fingerprint
  }
}

/// An answer as it was sent, byte for byte.
public struct StoredAnswer: Sendable, Equatable {
  public var status: Int
  public var body: Data
  /// Of the request that it answers.
  public var fingerprint: String
  /// The `Location` it had.
  public var location: String?
  public init(status: Int, body: Data, fingerprint: String, location: String? = nil) {
    self.status = status
    self.body = body
    self.fingerprint = fingerprint
    self.location = location
  }
}
