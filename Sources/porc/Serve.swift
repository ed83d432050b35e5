import ArgumentParser
import Logging
import PorcServer
import ServiceLifecycle
import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serves PORC in production.",
    discussion: "Settings come from the environment and a file, for example: porc serve --config /etc/porc.yaml")

  @OptionGroup var options: SettingsOptions

  func run() async throws {
    let logger = Log.make(options.logLevel ?? .info)
    let settings = try await options.settings()
    for doubt in settings.doubts { logger.warning("\(doubt)") }
    let server = try PorcServer(settings, logger: logger)
    let address = "\(settings.host):\(settings.listenPort)"
    let ready = Listening(base: ReadyLine(server: server), address: address, setting: "PORC_LISTEN")
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(
            service: Listening(base: server, address: address, setting: "PORC_LISTEN"),
            successTerminationBehavior: .gracefullyShutdownGroup),
          .init(service: ready, successTerminationBehavior: .ignore),
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: Log.quiet))
    try await group.run()
  }
}

/// Says on standard output where the server listens, once it knows its templates.
private struct ReadyLine: Service {
  let server: PorcServer

  func run() async throws {
    let url = try await server.url()
    do {
      try await server.ready(portal: false)  // which may be away for an hour
    } catch is CancellationError {
      return  // stopped before it was ready
    }
    Output.line(#"{"ready":true,"porc":"\#(url)"}"#)
  }
}
