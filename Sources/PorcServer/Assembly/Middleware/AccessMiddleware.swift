import Crypto
public import Foundation
import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore

/// Looks the bearer token up. Whether one is needed is each route's own business; a wrong one is refused everywhere.
struct AccessMiddleware: RouterMiddleware {
  let store: any Store

  func handle(
    _ request: Request, context: PorcContext, next: (Request, PorcContext) async throws -> Response
  ) async throws -> Response {
    guard let header = request.headers[.authorization] else { return try await next(request, context) }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else {
      throw Fault(.notSignedIn, "The Authorization header is not 'Bearer TOKEN'.", fix: "Send the token that way.")
    }
    let secret = parts[1].trimmingCharacters(in: .whitespaces)
    guard let token = try await store.token(hash: AccessToken.hash(secret)) else {
      throw Fault(
        .notSignedIn, "The token is unknown or was revoked.", fix: "Make a new one: porc token create NAME --scope ….")
    }
    var context = context
    context.token = token
    return try await next(request, context)
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
