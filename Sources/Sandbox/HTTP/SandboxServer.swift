import Hummingbird
import Logging
import ServiceLifecycle

/// An HTTP/1.1 server on one address. It runs as a `Service`: graceful shutdown takes no new connections, ends the
/// bodies that are streamed through `cancelOnGracefulShutdown()`, and returns.
struct SandboxServer: Service {
  /// Tells the address that the server got, once it listens.
  let listening: Listening

  private let host: String
  private let port: Int
  private let responder: RouterResponder<BasicRequestContext>
  private let services: [any Service]
  private let logger: Logger

  /// - Parameters:
  ///   - port: 0 picks a free one.
  ///   - services: started before the server, stopped after it.
  init(
    host: String, port: Int, router: Router<BasicRequestContext>, services: [any Service] = [],
    listening: Listening = Listening(), logger: Logger
  ) {
    self.host = host
    self.port = port
    responder = router.buildResponder()
    self.services = services
    self.listening = listening
    self.logger = logger
  }

  func run() async throws {
    let listening = listening
    let host = host
    // Below that level the framework prints its services, and all that they hold.
    var logger = logger
    logger.logLevel = max(logger.logLevel, .info)
    let application = Application(
      responder: responder,
      configuration: .init(address: .hostname(host, port: port)),
      services: services,
      onServerRunning: { channel in
        listening.succeed(host: host, port: channel.localAddress?.port ?? 0)
      },
      logger: logger)
    do {
      try await application.run()
      listening.fail(CancellationError())
    } catch {
      listening.fail(error)
      throw error
    }
  }
}
