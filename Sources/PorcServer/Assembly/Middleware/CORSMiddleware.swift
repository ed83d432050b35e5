import HTTPTypes
import Hummingbird

/// Lets pages of other origins call PORC from a browser (Fetch Standard, section 3.3). Around everything, so that they can
/// read errors and streams too. Nothing is said of credentials: tokens are sent in a header, and PORC has no cookies.
struct CORSMiddleware: RouterMiddleware {
  let origins: Origins

  /// Whose pages may call.
  enum Origins: Sendable, Equatable {
    case any
    /// As browsers send them: `https://portal.example.com`, with the port where it is not the scheme's own.
    case some(Set<String>)
  }

  private static let methods = "GET, HEAD, POST, DELETE"
  private static let requestHeaders = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID"
  private static let responseHeaders = "ETag, Location, Retry-After, WWW-Authenticate, X-Request-ID"

  func handle(
    _ request: Request, context: PorcContext, next: (Request, PorcContext) async throws -> Response
  ) async throws -> Response {
    let origin = request.headers[.origin]
    let isPreflight = request.method == .options && request.headers[.accessControlRequestMethod] != nil
    let allowed = origin.flatMap { allows($0) }
    guard isPreflight, let allowed else {
      var response = try await next(request, context)
      if let allowed {
        response.headers[.accessControlAllowOrigin] = allowed
        response.headers[.accessControlExposeHeaders] = Self.responseHeaders
      }
      varies(&response)
      return response
    }
    // A browser asks first, without the token.
    var response = Response(
      status: .noContent,
      headers: [
        .accessControlAllowOrigin: allowed, .accessControlAllowMethods: Self.methods,
        .accessControlAllowHeaders: Self.requestHeaders, .accessControlMaxAge: "7200",
      ])
    varies(&response)
    return response
  }

  /// What is said to a page of this origin; `nil` where it may not call.
  private func allows(_ origin: String) -> String? {
    switch origins {
    case .any: "*"
    case .some(let origins): origins.contains(origin) ? origin : nil
    }
  }

  /// A cache must not give one origin's answer to another.
  private func varies(_ response: inout Response) {
    guard origins != .any else { return }
    response.headers[.vary] = [response.headers[.vary], "Origin"].compactMap(\.self).joined(separator: ", ")
  }
}
