import Crypto
public import Foundation
import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore
import Synchronization

/// Looks the bearer token up. Whether one is needed is each route's own business; a wrong one is refused everywhere.
struct AccessMiddleware: RouterMiddleware {
  let tokens: TokenLookup

  func handle(
    _ request: Request, context: PorcContext, next: (Request, PorcContext) async throws -> Response
  ) async throws -> Response {
    guard let header = request.headers[.authorization] else { return try await next(request, context) }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else {
      throw Fault(.notSignedIn, "The Authorization header is not 'Bearer TOKEN'.", fix: "Send the token that way.")
    }
    let secret = parts[1].trimmingCharacters(in: .whitespaces)
    guard let token = try await tokens.token(secret) else {
      throw Fault(
        .notSignedIn, "The token is unknown or was revoked.", fix: "Make a new one: porc token create NAME --scope ….")
    }
    var context = context
    context.token = token
    context.isStillAllowed = { [tokens] in try await tokens.token(secret) != nil }
    return try await next(request, context)
  }
}

/// Tokens that were looked up a moment ago: somebody who polls costs no query each time. A token that is revoked is refused
/// a second later at the latest.
final class TokenLookup: Sendable {
  private let store: any Store
  private let known = Mutex<[Data: (token: TokenRecord, until: ContinuousClock.Instant)]>([:])
  private static let capacity = 1000

  init(store: any Store) { self.store = store }

  /// - Returns: `nil` for what is no token, or one that was revoked.
  func token(_ secret: String) async throws -> TokenRecord? {
    let hash = AccessToken.hash(secret)
    let now = ContinuousClock.now
    if let known = known.withLock({ $0[hash] }), known.until > now { return known.token }
    guard let token = try await store.token(hash: hash) else { return nil }
    known.withLock { known in
      if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
      known[hash] = (token, now + .seconds(1))
    }
    return token
  }
}

/// Access tokens: `porc_` and 256 random bits.
public enum AccessToken {
  /// A new secret; only its hash is stored.
  public static func make() -> String {
    let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
    let text = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
      "=", with: "")
    return "porc_" + text
  }

  /// SHA-256 of the secret.
  public static func hash(_ secret: String) -> Data { Data(SHA256.hash(data: Data(secret.utf8))) }
}
