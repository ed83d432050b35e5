import FoundationEssentials
import HTTPTypes
import Hummingbird
import Synchronization

/// Lets in who has a token and is within the rate limit, and puts Port's headers on every answer.
struct PortDoor: RouterMiddleware {
  typealias Context = BasicRequestContext

  let tokens: PortTokens
  let limit: PortRateLimit
  let now: @Sendable () -> Date

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    guard limit.take(now()) else {
      throw PortFailure(status: .tooManyRequests, error: "rate_limited", message: "Too many requests")
    }
    guard
      request.uri.path == "/v1/auth/access_token"
        || tokens.author(request.headers[.authorization], now: now()) != nil
    else { throw PortFailure.unauthorized("The access token is missing, wrong or expired") }
    return decorated(try await next(request, context))
  }

  /// An answer with Port's headers.
  func decorated(_ response: Response) -> Response {
    var response = response
    for (name, value) in limit.headers(now()) { response.headers[name] = value }
    response.headers[.portTraceID] = String((0..<32).map { _ in "0123456789abcdef".randomElement() ?? "0" })
    return response
  }
}

extension HTTPField.Name {
  // Valid field names: the initialiser refuses only characters that a header cannot carry.
  fileprivate static let portTraceID = HTTPField.Name("X-Trace-Id")!
  fileprivate static let rateLimitPeriod = HTTPField.Name("x-ratelimit-period")!
  fileprivate static let rateLimitLimit = HTTPField.Name("x-ratelimit-limit")!
  fileprivate static let rateLimitRemaining = HTTPField.Name("x-ratelimit-remaining")!
  fileprivate static let rateLimitReset = HTTPField.Name("x-ratelimit-reset")!
}

/// So many requests in a window; the windows follow each other.
final class PortRateLimit: Sendable {
  static let period = 300

  private let limit: Int
  private let state = Mutex((window: 0, used: 0))

  init(_ limit: Int) { self.limit = limit }

  /// Counts a request; false where the window's are used up.
  func take(_ now: Date) -> Bool {
    state.withLock { state in
      let window = Int(now.timeIntervalSince1970) / Self.period
      if window != state.window { state = (window, 0) }
      state.used += 1
      return state.used <= limit
    }
  }

  /// The reset is a time of day, in seconds since 1970, as Port documents it.
  func headers(_ now: Date) -> [(HTTPField.Name, String)] {
    let (window, used) = state.withLock { $0 }
    let current = max(window, Int(now.timeIntervalSince1970) / Self.period)
    let reset = (current + 1) * Self.period
    return [
      (.rateLimitPeriod, String(Self.period)), (.rateLimitLimit, String(limit)),
      (.rateLimitRemaining, String(max(0, limit - used))), (.rateLimitReset, String(reset)),
    ]
  }
}
