import AsyncHTTPClient
import Foundation
import HTTPExchange
import HTTPTypes
import Hummingbird
public import Logging
import PorcCore
public import PorcStore
import PortPortal
import Retry
public import ServiceLifecycle
import TerraformEnterprise

/// PORC's server, assembled: the only place that knows all parts. Everything is built here, in order, by plain
/// initialisers.
public struct PorcServer: Service {
  public let store: any Store
  private let settings: ServerSettings
  private let http: HTTPClient
  private let services: [any Service]
  private let application: any ApplicationProtocol
  private let address: Announcement
  private let readiness: Readiness
  private let doorbell: Doorbell
  let routes: RouteTable

  /// Opens the database and builds everything; nothing runs yet.
  ///
  /// - Throws: a `StoreError` or a vault error that says what is wrong and what to do.
  public init(_ settings: ServerSettings, logger: Logger) throws {
    let links = TFELinks(address: settings.tfe.address.absoluteString, organization: settings.tfe.organization)
    let store = try SQLiteStore.open(path: settings.databasePath, settings: Self.storeSettings(settings))
    let vault = try InputVault(keyFile: settings.secretKeyFile)
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .plain)
    // One for all that calls TFE with the token.
    let budget = RateBudget(callsPerSecond: settings.tfe.callsPerSecond)
    let tfe = Self.tfeClient(settings.tfe, budget, http, logger)
    let portal = Self.portalClient(settings.portal, http, logger)
    let rules = RunMachine.Rules(maximumPlanAge: settings.maximumPlanAge)
    let doorbell = Doorbell(store: store)
    let catalog = CatalogCache(store: store)
    let factory = SourceFactory(
      settings.catalog, vault: vault, http: http, tfe: (tfe.with(priority: .background), settings.tfe), logger: logger)
    let sync = CatalogSync(store: store, factory: factory, logger: logger)
    let readiness = Readiness(store: store)
    let watch = CatalogWatch(
      sync: sync, interval: .seconds(settings.catalog.interval), readiness: readiness, logger: logger)
    let views = RunViews(store: store, rules: rules, links: links)
    let idempotency = Idempotency(store: store)
    let buttons = Buttons(store: store, idempotency: idempotency, settings: settings.portal, logger: logger)
    let submissions = Submissions(
      store: store, catalog: catalog, vault: vault, approvalRequired: settings.approvalRequired)

    let streams = Limit(settings.maximumStreams, of: "open streams", setting: "porc.maximum_streams")
    let waits = Limit(settings.maximumWaits, of: "requests that wait", setting: "porc.maximum_waits")

    let tokens = TokenLookup(store: store)
    let backstage = BackstageModel(
      settings: settings.backstage, installation: settings.tfe.installation, links: links,
      project: settings.tfe.project)

    let router = Router(context: PorcContext.self, options: .autoGenerateHeadEndpoints)
    let table = RouteTable()
    if let origins = settings.corsOrigins { router.add(middleware: CORSMiddleware(origins: origins)) }
    router.addMiddleware {
      ProblemMiddleware(logger: logger)
      NotFoundMiddleware(routes: table)
      AccessMiddleware(tokens: tokens)
    }
    let routes = Routes(router: router, table: table)
    let address = Announcement()
    let notifications = Self.notifications(settings, store, tfe, vault, address, logger)
    let portalHealth = PortalHealth()
    HealthRoutes(
      store: store, readiness: readiness, sync: sync, budget: budget, notifications: notifications,
      portal: portalHealth
    ).register(in: routes)
    RunRoutes(
      store: store, views: views, submissions: submissions, idempotency: idempotency, buttons: buttons,
      doorbell: doorbell, waits: waits
    ).register(in: routes)
    RunLogRoutes(
      store: store, client: tfe.with(priority: .poll), secrets: SecretKeeper(store: store, vault: vault),
      doorbell: doorbell, streams: streams
    ).register(in: routes)
    EventRoutes(store: store, doorbell: doorbell, streams: streams).register(in: routes)
    InstanceRoutes(store: store, views: views, submissions: submissions, buttons: buttons).register(in: routes)
    TemplateRoutes(store: store, catalog: catalog).register(in: routes)
    BackstageRoutes(
      feed: BackstageFeed(store: store, catalog: catalog, model: backstage), tokens: tokens, model: backstage
    ).register(in: routes)
    SourceRoutes(store: store, sync: sync, watch: watch, factory: factory, vault: vault).register(in: routes)
    GitHubWebhook(
      store: store, sync: sync, watch: watch, secrets: settings.catalog.webhookSecrets, logger: logger
    ).register(in: routes)

    TFEWebhook(store: store, notifications: notifications, logger: logger).register(in: routes)
    application = Application(
      router: router,
      // A connection that asks nothing, or never ends what it asks, is closed: later than clients give up idle ones.
      server: .http1(
        configuration: .init(additionalChannelHandlers: [Departure()], idleTimeout: .seconds(75))),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host, port: settings.listenPort), serverName: "porc"),
      onServerRunning: { channel in address.announce(port: channel.localAddress?.port ?? settings.listenPort) },
      logger: logger)
    var driver = RunDriver(
      store: store, client: tfe, settings: settings.tfe, vault: vault, logger: logger, notifications: notifications)
    driver.delay = { budget.delay(for: $0) }
    let sweeper = Sweeper(
      store: store, driver: driver.with(priority: .background), retention: settings.retention,
      idle: 2 * settings.sweepInterval, logger: logger)
    let isPlain = settings.portal.dialect == .entities
    let writer = PortalWriter(
      store: store, client: portal, names: settings.portal.names, isPlain: isPlain, health: portalHealth, logger: logger
    )
    let reconciler =
      isPlain ? nil : PortalReconciler(store: store, client: portal, names: settings.portal.names, logger: logger)
    services = [
      doorbell,
      PortalRedraw(store: store, logger: logger),
      PortalSync(
        store: store, writer: writer, setUp: Self.portalSetUp(settings, store, portal, http, address, logger),
        health: portalHealth, removalLimit: settings.portal.removalLimit, doorbell: doorbell, logger: logger),
      ActionReporter(
        store: store, client: portal, names: settings.portal.names, links: links, doorbell: doorbell, logger: logger),
      watch,
      RepeatingService(
        name: "the portal's comparison", interval: .seconds(settings.reconcileInterval), logger: logger,
        delay: .seconds(min(settings.reconcileInterval, 30))
      ) { try await reconciler?.reconcile() },
      RepeatingService(
        name: "the sweeper", interval: .seconds(settings.sweepInterval), logger: logger,
        delay: .seconds(settings.sweepInterval)
      ) { try await sweeper.sweep() },
      RepeatingService(
        name: "the look at TFE's workspaces", interval: .seconds(settings.followInterval), logger: logger,
        // What TFE told while PORC was away is found at once.
        delay: .seconds(notifications == nil ? settings.sweepInterval : 1)
      ) { try await sweeper.look() },
      RepeatingService(name: "the forgetting of old answers", interval: .seconds(3600), logger: logger) {
        try await store.forgetAnswers(olderThan: 25 * 3600)
        try await store.forgetActionRuns(closedFor: 25 * 3600)
      },
      JobWorker(store: store, driver: driver, doorbell: doorbell, lanes: settings.lanes, logger: logger),
    ]
    self.settings = settings
    self.store = store
    self.http = http
    self.address = address
    self.readiness = readiness
    self.doorbell = doorbell
    self.routes = table
  }

  /// Runs until graceful shutdown. Started in order, stopped in reverse: HTTP first, the store last.
  public func run() async throws {
    var group = ServiceGroupConfiguration(
      services: (services + [Listener(server: application, address: address)]).map {
        .init(service: $0, successTerminationBehavior: .ignore, failureTerminationBehavior: .gracefullyShutdownGroup)
      }, logger: Logger(label: "porc.services") { _ in SwiftLogNoOpLogHandler() })
    group.maximumGracefulShutdownDuration = .seconds(3)
    do {
      try await ServiceGroup(configuration: group).run()
    } catch {
      address.fail(error)
      await end()
      throw error
    }
    await end()
  }

  /// The URL it listens on, once it does.
  public func url() async throws -> String { try await Self.url(settings, address) }

  private static func url(_ settings: ServerSettings, _ address: Announcement) async throws -> String {
    "http://\(settings.host.contains(":") ? "[\(settings.host)]" : settings.host):\(try await address.port())"
  }

  /// Returns once the first catalog sync is done and, with `portal`, the portal has acknowledged everything it should show.
  public func ready(portal: Bool = true) async throws {
    while !doorbell.isOver {
      let seen = doorbell.count
      if readiness.isReady {
        if !portal { return }
        if try await store.portalBacklog().count == 0 { return }
      }
      await doorbell.wait(since: seen, upTo: .milliseconds(200))
      try Task.checkCancellation()
    }
    throw CancellationError()
  }

  private func end() async {
    // Both have nothing left to do; a failure here changes nothing any more.
    try? await http.shutdown()
    try? await store.close()
  }

  private static func notifications(
    _ settings: ServerSettings, _ store: any Store, _ client: Client, _ vault: InputVault, _ address: Announcement,
    _ logger: Logger
  ) -> Notifications? {
    guard let publicURL = settings.publicURL else { return nil }
    return Notifications(
      store: store, client: client, settings: settings.tfe, vault: vault,
      publicURL: {
        // TFE tries it before it answers, so nothing is asked for before PORC listens.
        let listening = try await Self.url(settings, address)
        return if case .named(let url) = publicURL { url } else { listening }
      }, logger: logger)
  }

  /// What the store has to know of what the portal should show.
  static func storeSettings(_ settings: ServerSettings) -> SQLiteStore.Settings {
    let links = TFELinks(address: settings.tfe.address.absoluteString, organization: settings.tfe.organization)
    let extras = settings.portal.extras
    return SQLiteStore.Settings(
      retention: settings.retention,
      entity: { situation in
        PortalEntity(
          situation, waitingFor: situation.currentRun.flatMap { situation.waitingFor($0) },
          tfeLink: { links.run($1, in: $0) }
        ).map(extras.added)
      }, templateEntity: { extras.added(to: PortalEntity($0)) })
  }

  /// What `porc port setup` does, at start.
  private static func portalSetUp(
    _ settings: ServerSettings, _ store: any Store, _ client: PortClient, _ http: HTTPClient, _ address: Announcement,
    _ logger: Logger
  ) -> (@Sendable () async throws -> Void)? {
    guard settings.portal.setsUp else { return nil }
    var portal = settings.portal
    var client = client
    if let credentials = portal.setUpCredentials {
      (portal.credentials, portal.dialect) = (credentials, .api)
      client = portalClient(portal, http, logger)
    }
    // What is spoken to plainly has no buttons.
    let hasButtons = settings.portal.dialect == .api
    return { [portal, client] in
      let publicURL =
        !hasButtons
        ? nil
        : settings.publicURL == .listening ? try await url(settings, address) : settings.publicURL?.named
      let report = try await PortSetup(portal, client: client, store: store, publicURL: publicURL).run()
      for item in report.items where item.outcome != .unchanged {
        logger.info(
          "the portal was set up",
          metadata: ["what": "\(item.subject)", "details": "\(item.details.joined(separator: "; "))"])
      }
      for text in report.warnings { logger.warning("the portal was set up, but", metadata: ["warning": "\(text)"]) }
      for text in report.notes { logger.info("the portal was set up", metadata: ["note": "\(text)"]) }
    }
  }

  private static func tfeClient(
    _ settings: TFESettings, _ budget: any CallBudget, _ http: HTTPClient, _ logger: Logger
  ) -> Client {
    var configuration = Client.Configuration(
      address: settings.address, token: BearerToken(settings.token), userAgent: "porc/\(PorcVersion.current)")
    configuration.budget = budget
    return Client(configuration, httpClient: http, logger: logger)
  }

  static func portalClient(_ settings: PortalSettings, _ http: HTTPClient, _ logger: Logger) -> PortClient {
    PortClient(
      baseURL: settings.baseURL, credentials: settings.credentials, dialect: settings.dialect, http: http,
      // The level-triggered sync is the retry: a call that fails gives way to a newer state.
      retries: RetryPolicy(maximumAttempts: 2, totalDeadline: .seconds(10)), requestTimeout: .seconds(20),
      userAgent: "porc/\(PorcVersion.current)", logger: logger)
  }
}
