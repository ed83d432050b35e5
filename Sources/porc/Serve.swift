public import ArgumentParser
import Configuration
import Foundation
public import Logging
import PorcServer
import ServiceLifecycle
import SystemPackage
import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serves PORC in production.",
    discussion: "Settings come from the environment and a file, for example: porc serve --config /etc/porc.yaml")

  @OptionGroup var options: SettingsOptions

  func run() async throws {
    let logger = Log.make(options.logLevel)
    let settings = try await options.settings()
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

/// Where the settings of a server are.
struct SettingsOptions: ParsableArguments {
  @Option(help: "A YAML file with settings; the environment goes before it.")
  var config: String?

  @Option(help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel: Logger.Level = .info

  func settings() async throws -> ServerSettings {
    let reader = try await reader()
    return try ServerSettings(reader, file: try config.map { Array(try Data(contentsOf: URL(filePath: $0))) })
  }

  func reader() async throws -> ConfigReader {
    let environment = EnvironmentVariablesProvider()
    guard let config else { return ConfigReader(provider: environment) }
    do {
      return ConfigReader(providers: [environment, try await FileProvider<YAMLSnapshot>(filePath: FilePath(config))])
    } catch {
      throw ValidationError("The settings' file '\(config)' cannot be read: \(error)")
    }
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
