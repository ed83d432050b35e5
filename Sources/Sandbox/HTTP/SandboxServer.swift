import Hummingbird
import Logging
import NIOCore
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
      responder: Responder(router: responder),
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

/// Answers by a router, but ends the connection instead where the router's answer is `Response.dropped`.
private struct Responder: HTTPResponder {
  struct Context: InitializableFromSource {
    let channel: any Channel
    let basic: BasicRequestContext

    init(source: ApplicationRequestContextSource) {
      channel = source.channel
      basic = BasicRequestContext(source: source)
    }
  }

  let router: RouterResponder<BasicRequestContext>

  func respond(to request: Request, context: Context) async throws -> Response {
    let connection = LocalPeer.Connection(peer: context.channel.remoteAddress, own: context.channel.localAddress)
    let response = try await LocalPeer.$connection.withValue(connection) {
      try await router.respond(to: request, context: context.basic)
    }
    if response.status.code == Response.dropped.status.code {
      // One that is closed already is as good.
      try? await context.channel.close()
    }
    return response
  }
}
