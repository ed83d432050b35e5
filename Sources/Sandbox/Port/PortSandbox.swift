public import FoundationEssentials
import Hummingbird
public import Logging
public import ServiceLifecycle

/// An embedded Port (port.io): enough of its API for blueprints and entities to be a working registry. Keeps its data
/// across restarts; what it has answered is on the disk.
///
/// It behaves as Port's documentation says, validation included, and refuses what it does not know. Self-service actions run
/// and send their webhooks, signed. Integrations on Ocean, Port's framework, work with it, and so does Port's agent where it
/// polls. Beyond Port's own routes it has a page at its root for whoever runs it, and `POST /v1/entities` (the entity
/// alone). Not here: automations, inbound webhooks, computed properties.
public struct PortSandbox: Service {
  /// What it was asked; also `GET /_sandbox/requests?after=N` with a token, and `requests.jsonl` in the data folder.
  public let requests: RequestLog

  /// Of the e-mail addresses of those who run actions and have none of their own.
  static let userDomain = "port-sandbox.local"

  private let host: String
  private let port: Int
  private let dataFolder: String
  private let credentials: PortTokens.Credentials
  private let requestsPerWindow: Int
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let listening = Listening()

  /// - Parameters:
  ///   - host: the address to listen on.
  ///   - port: 0 picks a free one; ``baseURL()`` tells which.
  ///   - dataFolder: made if missing, private to its owner; one sandbox at a time.
  ///   - clientID: with `clientSecret` the credentials for which `POST /v1/auth/access_token` gives a token.
  ///   - clientSecret: changing it ends the tokens given out.
  ///   - apiToken: a bearer token that is always accepted, and never ends.
  ///   - requestsPerWindow: how many requests are answered in five minutes; beyond that 429.
  ///   - logger: gets what fails inside the server.
  ///   - now: the time.
  public init(
    host: String = "127.0.0.1", port: Int = 0, dataFolder: String, clientID: String, clientSecret: String,
    apiToken: String? = nil, requestsPerWindow: Int = 35_000, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.host = host
    self.port = port
    self.dataFolder = dataFolder
    credentials = PortTokens.Credentials(clientID: clientID, clientSecret: clientSecret, apiToken: apiToken)
    self.requestsPerWindow = requestsPerWindow
    self.logger = logger
    self.now = now
    requests = RequestLog(path: dataFolder + "/requests.jsonl")
  }

  /// `http://HOST:PORT`, once the sandbox listens. Throws what kept it from listening.
  public func baseURL() async throws -> String { try await listening.baseURL() }

  /// Serves until graceful shutdown or cancellation.
  public func run() async throws {
    do {
      try await serve()
      listening.fail(CancellationError())
    } catch {
      listening.fail(error)
      throw error
    }
  }

  private func serve() async throws {
    try DurableFile.createFolder(dataFolder)
    let lock = try FolderLock(dataFolder)
    let journal = try Journal(path: dataFolder + "/journal")
    let store = try PortStore(journal: journal)
    let tokens = PortTokens(credentials, journal: journal)
    let door = PortDoor(tokens: tokens, limit: PortRateLimit(requestsPerWindow), now: now)
    let sender = WebhookSender(
      store: store, clientSecret: credentials.clientSecret, logger: logger, now: now)
    let router = Router(context: BasicRequestContext.self)
    var mask = RequestMask()
    mask.isSecret = { _, key, _ in key == "clientSecret" || key == "secretValue" }
    let routes = PortRoutes(store: store, tokens: tokens, sender: sender, now: now)
    router.add(middleware: PortPage(routes))
    router.add(
      middleware: RequestDoor(log: requests, mask: mask, maximumBody: PortRoutes.maximumBody, logger: logger) {
        failure, _ in
        let failure = PortFailure(failure)
        return door.decorated(.json(failure.json, status: failure.status))
      })
    router.add(middleware: door)
    routes.add(to: router)
    router.get("/_sandbox/requests") { [requests] request, _ in requests.response(to: request) }
    let server = SandboxServer(
      host: host, port: port, router: router, services: [sender], listening: listening, logger: logger)
    try await server.run()
    try await journal.settle()
    lock.release()
  }
}
