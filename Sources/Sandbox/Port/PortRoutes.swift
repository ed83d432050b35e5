import FoundationEssentials
import Hummingbird

/// What the routes share.
struct PortRoutes: Sendable {
  let store: PortStore
  let tokens: PortTokens
  let sender: WebhookSender
  let now: @Sendable () -> Date

  /// The largest body that Port takes.
  static let maximumBody = 1 << 20

  func add(to router: Router<BasicRequestContext>) {
    router.post("/v1/auth/access_token", use: accessToken)
    addBlueprints(to: router)
    addEntities(to: router)
    addSearch(to: router)
    addActions(to: router)
    addRuns(to: router)
    addAgent(to: router)
    addSecrets(to: router)
    addIntegrations(to: router)
    addOrganization(to: router)
  }

  /// `{clientId, clientSecret}` → `{ok, accessToken, expiresIn, tokenType}`
  @Sendable private func accessToken(_ request: Request, _: BasicRequestContext) async throws -> Response {
    let body = try await closedBody(request, ["clientId", "clientSecret"])
    guard let id = body["clientId"].string, let secret = body["clientSecret"].string else {
      throw PortFailure.invalid("body must have required properties 'clientId' and 'clientSecret'")
    }
    let now = now()
    guard let token = try await tokens.token(clientID: id, clientSecret: secret, now: now) else {
      throw PortFailure.unauthorized("Invalid credentials")
    }
    return .json([
      "ok": true, "accessToken": .string(token.value), "tokenType": "Bearer",
      "expiresIn": .init(Int(token.expiresAt.timeIntervalSince(now))),
    ])
  }

  func body(_ request: Request) async throws -> JSONValue { try await request.json(upTo: Self.maximumBody) }

  /// A body that may have no other members than these.
  func closedBody(_ request: Request, _ members: [String]) async throws -> JSONValue {
    let body = try await body(request)
    guard let sent = body.object else { throw PortFailure.invalid("body must be object") }
    for name in sent.keys.sorted() where !members.contains(name) {
      throw PortFailure.invalid("body must NOT have additional property '\(name)'")
    }
    return body
  }

  func stamp(_ request: Request) -> PortStamp {
    let now = now()
    return PortStamp(
      time: now.rfc3339, author: tokens.author(request.headers[.authorization], now: now) ?? "",
      datasource: request.headers[.userAgent] ?? "", run: request.query["run_id"])
  }
}

extension Query {
  /// A flag that is false where it is not sent.
  func flag(_ name: String) throws(PortFailure) -> Bool {
    switch self[name] {
    case nil, "false": return false
    case "true": return true
    default: throw .invalid("querystring/\(name) must be boolean")
    }
  }

  /// A whole number within bounds; nil where it was not sent.
  func number(_ name: String, in bounds: ClosedRange<Int>) throws(PortFailure) -> Int? {
    guard let text = self[name] else { return nil }
    guard let number = Int(text), bounds.contains(number) else {
      throw .invalid("querystring/\(name) must be a whole number from \(bounds.lowerBound)")
    }
    return number
  }

  /// A list sent as `name=a&name=b` or `name[]=a&name[]=b`; nil where it was not sent.
  func strings(_ name: String) -> [String]? {
    let values = all(name) + all(name + "[]")
    return values.isEmpty ? nil : values
  }
}
