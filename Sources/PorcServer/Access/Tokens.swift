import Foundation
public import PorcCore
public import PorcStore

/// Making, listing and revoking access tokens, for whoever has the database.
public struct Tokens: Sendable {
  private let store: any Store

  public init(store: any Store) {
    self.store = store
  }

  /// A new token.
  ///
  /// - Returns: its secret, which is shown once and stored only as a hash.
  public func create(named name: String, scopes: [Scope]) async throws -> String {
    guard (1...100).contains(name.count), !name.contains(where: { $0.isNewline || $0 == "\t" }) else {
      throw Fault(.invalidInput, "A token's name has 1 to 100 characters on one line.", fix: "Choose another name.")
    }
    guard !scopes.isEmpty else {
      throw Fault(
        .invalidInput, "A token needs a scope.",
        fix: "Name one or more with --scope: \(Scope.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    let secret = AccessToken.make()
    var random = SystemRandomNumberGenerator()
    let now = Date()
    let record = TokenRecord(
      id: "token-" + ULID.make(at: now, using: &random), name: name, scopes: scopes, createdAt: Timestamp.rounded(now))
    try await store.createToken(record, hash: AccessToken.hash(secret))
    return secret
  }

  public func list() async throws -> [TokenRecord] { try await store.tokens() }

  public func revoke(_ nameOrID: String) async throws {
    guard try await store.revokeToken(named: nameOrID) else {
      throw Fault(.notFound, "There is no token '\(nameOrID)' that is not revoked.", fix: "List them: porc token list.")
    }
  }

  /// The secret in a file, if it is a token here; else a new one that is written there, readable by its owner alone.
  public func ensure(named name: String, scopes: [Scope], in file: String) async throws {
    if let secret = try? SecretFile.read(file), try await store.token(hash: AccessToken.hash(secret)) != nil { return }
    _ = try await store.revokeToken(named: name)
    try SecretFile.write(try await create(named: name, scopes: scopes), to: file)
  }
}

/// A file that holds one secret, readable by its owner alone.
public enum SecretFile {
  public static func read(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Fault(.notFound, "The file '\(path)' cannot be read.", fix: "Check the path and its rights.")
    }
    let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty else {
      throw Fault(.invalidInput, "The file '\(path)' is empty.", fix: "Put the secret in it.")
    }
    return text
  }

  public static func write(_ secret: String, to path: String) throws {
    let files = FileManager.default
    try? files.removeItem(atPath: path)  // absent is as good
    guard files.createFile(atPath: path, contents: Data((secret + "\n").utf8), attributes: [.posixPermissions: 0o600])
    else {
      throw Fault(.invalidInput, "The file '\(path)' cannot be written.", fix: "Check the folder and its rights.")
    }
  }

  /// The secret in the file, or a new random one that is written there.
  public static func ensure(_ path: String) throws -> String {
    if FileManager.default.fileExists(atPath: path) { return try read(path) }
    let secret = AccessToken.make()
    try write(secret, to: path)
    return secret
  }
}
