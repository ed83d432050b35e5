import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle

/// Deals to requests what a fault plan has for them.
struct RequestFaults: Sendable {
  private let dealer: FaultDealer<RequestFaultKind>
  private let limits: RateLimits?

  init(_ plan: FaultPlan) {
    dealer = FaultDealer(plan.requests, seed: plan.seed)
    limits = plan.limits.map(RateLimits.init)
  }

  /// What happens to the next request; nil for nothing. The sandbox's own pages are left alone.
  func next(for request: Request) -> RequestFault? {
    let (method, path) = (request.method.rawValue, request.uri.path)
    guard !path.hasPrefix("/_sandbox/") else { return nil }
    let dealt = dealer.next { rule in
      rule.method.map { $0 == method } ?? true && rule.path?.matches(path) ?? true
    }
    let standing = limits?.count(method: method, path: path, token: request.headers[.authorization] ?? "")
    if dealt == nil, standing == nil { return nil }
    return RequestFault(dealt: dealt, standing: standing)
  }
}

/// What happens to one request.
struct RequestFault: Sendable {
  let dealt: FaultDealer<RequestFaultKind>.Fault?
  let standing: RateLimits.Standing?

  /// The fault's word in the plan; nil where the request is only counted.
  var name: String? {
    if standing?.isOver ?? false { return RequestFaultKind.rateLimited.rawValue }
    return dealt?.kind.rawValue
  }

  /// The answer, where nothing is to be done; else nil, after the time that it takes.
  func before() async -> Response? {
    if let standing, standing.isOver { return Self.tooMany(standing.limit, standing.reset) }
    switch dealt?.kind {
    case .rateLimited: return Self.tooMany(standing?.limit ?? 30, dealt?.duration ?? .seconds(1))
    case .errorBefore: return Self.error
    case .droppedBefore: return .dropped
    case .slow:
      // A server that stops waits for nobody.
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: dealt?.duration ?? .zero) }
      return nil
    case .errorAfter, .droppedAfter, nil: return nil
    }
  }

  /// What is answered in place of `response`.
  func after(_ response: Response) -> Response {
    switch dealt?.kind {
    case .errorAfter where name == dealt?.kind.rawValue: return Self.error
    case .droppedAfter where name == dealt?.kind.rawValue: return .dropped
    default:
      guard let standing, !standing.isOver, response.status != .tooManyRequests else { return response }
      var response = response
      Self.tell(standing.limit, standing.remaining, standing.reset, in: &response.headers)
      return response
    }
  }

  private static let error = answer(
    APIError(status: .internalServerError, title: "internal server error", detail: "A fault that was asked for."))

  private static func tooMany(_ limit: Int, _ reset: Duration) -> Response {
    var response = answer(
      APIError(
        status: .tooManyRequests, title: "Too many requests", detail: "You have exceeded the API's rate limit."))
    tell(limit, 0, reset, in: &response.headers)
    return response
  }

  private static func answer(_ error: APIError) -> Response {
    .json(error.document, status: error.status, contentType: JSONAPI.mediaType)
  }

  /// Seconds until the next request may be sent, with a fraction: what the Go client reads.
  private static func tell(_ limit: Int, _ remaining: Int, _ reset: Duration, in headers: inout HTTPFields) {
    let milliseconds = max(1, Int((reset / .milliseconds(1)).rounded(.up)))
    let fraction = String(milliseconds % 1000)
    let seconds = "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    for (name, value) in [
      ("X-RateLimit-Limit", String(limit)), ("X-RateLimit-Remaining", String(remaining)),
      ("X-RateLimit-Reset", seconds),
    ] {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
  }
}

extension Response {
  /// None at all: the connection ends. Logged as status 0.
  static var dropped: Response { Response(status: .init(code: 0)) }
}
