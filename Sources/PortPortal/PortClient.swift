public import AsyncHTTPClient
public import Foundation
public import Logging
public import Retry

/// A client of the REST API of Port, the developer portal (`https://api.port.io`, `https://api.us.port.io`).
///
/// Upserts, reads, replacements, changes, deletions and bulk calls are repeated within the retry policy after 408, 429,
/// 5xx (but 501) and failures of the connection, since doing them twice is doing them once. Credentials go to the
/// configured host alone, and redirects are errors. Everything throws ``PortError``, or `CancellationError`.
public struct PortClient: Sendable {
  /// Who speaks.
  public enum Credentials: Sendable {
    /// A client id and secret, exchanged for tokens that are renewed as they expire.
    case clientCredentials(id: String, secret: String)
    /// A token sent as it is; a 401 is then final.
    case staticToken(String)
  }

  /// How entities are written. Everything else is the same in both.
  public enum Dialect: String, Sendable, Hashable, CaseIterable {
    /// Port's API: `POST /v1/blueprints/{blueprint}/entities`, and its bulk routes.
    case api
    /// A plain registry: `POST /v1/entities` with `{identifier, title, blueprint, properties, relations}`, one entity a
    /// call, which creates or updates. Icons and teams are not sent.
    case entities
  }

  public let actions: Actions
  public let blueprints: Blueprints
  public let entities: Entities
  public let secrets: Secrets
  public let actionRuns: ActionRuns

  /// - Parameters:
  ///   - baseURL: scheme, host and port, without `/v1`. A user, a query or a fragment in it is left out.
  ///   - http: shared by the caller, who shuts it down. Best set to follow no redirects (none can carry credentials away
  ///     in any case). Where it repeats failed connections itself, it does so until its connect time-out: keep that short.
  ///   - retries: for each call, and for each fetch of a token.
  ///   - requestTimeout: for one attempt, from connecting to the last byte of the answer.
  ///   - answerLimit: the largest answer that is read, in bytes; the default holds a page of 1,000 entities of 30 KiB.
  ///   - tokenMargin: how long before its end a token is renewed.
  ///   - userAgent: what Port shows as the source of an entity (`$datasource`).
  ///   - clock: waits between attempts.
  ///   - now: wall time, to read expiry and reset moments.
  public init(
    baseURL: URL, credentials: Credentials, dialect: Dialect = .api, http: HTTPClient,
    retries: RetryPolicy = RetryPolicy(), requestTimeout: Duration = .seconds(60), answerLimit: Int = 32 << 20,
    tokenMargin: Duration = .seconds(60), userAgent: String = "port-portal",
    clock: any Clock<Duration> = ContinuousClock(), now: @escaping @Sendable () -> Date = { Date() }, logger: Logger
  ) {
    let connection = Connection(
      base: Self.base(baseURL), http: http, userAgent: userAgent, timeout: requestTimeout, answerLimit: answerLimit,
      retries: retries, clock: clock, now: now, logger: logger)
    let session = Session(
      connection: connection,
      authorizer: Self.authorizer(credentials, connection, margin: tokenMargin / .seconds(1)))
    actions = Actions(session: session)
    blueprints = Blueprints(session: session)
    entities = Entities(session: session, dialect: dialect)
    secrets = Secrets(session: session)
    actionRuns = ActionRuns(session: session)
  }

  private static func base(_ url: URL) -> String {
    guard var components = URLComponents(url: url, resolvingAgainstBaseURL: true) else { return url.absoluteString }
    components.user = nil
    components.password = nil
    components.query = nil
    components.fragment = nil
    var text = components.string ?? url.absoluteString
    while text.hasSuffix("/") { text.removeLast() }
    return text
  }

  private static func authorizer(
    _ credentials: Credentials, _ connection: Connection, margin: TimeInterval
  ) -> Session.Authorizer {
    switch credentials {
    case .staticToken(let token):
      return .fixed("Bearer \(token)")
    case .clientCredentials(let id, let secret):
      return .renewed(
        TokenCache(margin: margin, now: connection.now) {
          let request = try Request(
            .post, ["auth", "access_token"], json: ["clientId": id, "clientSecret": secret])
          return try await connection.send(request, authorization: nil).decode(TokenCache.Token.self)
        })
    }
  }
}

/// Credentials are never printed, whoever prints them.
extension PortClient.Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String {
    switch self {
    case .clientCredentials(let id, _): "client \(id), secret •••"
    case .staticToken: "token •••"
    }
  }

  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
