import Foundation
import PorcCore
import PorcStore

/// The access token with which Port's actions call PORC. Its secret lies in Port and nowhere else.
struct PortToken: Sendable {
  let store: any Store
  /// What it may do.
  let scopes: [Scope]

  /// Those that are not revoked: one, but for the moment in which one takes another's place.
  func current() async throws -> [TokenRecord] {
    try await store.tokens().filter { $0.revokedAt == nil && Self.isName($0.name) }
  }

  /// A new one, beside those that are there.
  ///
  /// - Returns: its record and its secret.
  func make() async throws -> (record: TokenRecord, secret: String) {
    while true {
      let taken = Set(try await current().map(\.name))
      var (name, number) = ("port", 1)
      while taken.contains(name) {
        number += 1
        name = "port-\(number)"
      }
      do {
        let secret = try await Tokens(store: store).create(named: name, scopes: scopes)
        if let record = try await store.token(hash: AccessToken.hash(secret)) { return (record, secret) }
      } catch {
        // Another setup may have taken the name in this very moment.
        guard try await current().contains(where: { $0.name == name }) else { throw error }
      }
    }
  }

  func revoke(_ tokens: [TokenRecord]) async throws {
    for token in tokens { _ = try await store.revokeToken(named: token.id) }
  }

  private static func isName(_ name: String) -> Bool {
    name == "port" || (name.hasPrefix("port-") && Int(name.dropFirst("port-".count)) != nil)
  }
}

extension PortalSettings {
  /// What the buttons need, and no more.
  var tokenScopes: [Scope] { [.plan, .apply, .approve, .destroy] + (impersonates ? [.impersonate] : []) }
}
