import ArgumentParser
import Foundation
import Logging
import PorcCore
import PorcServer
import Sandbox
import ServiceLifecycle
import UnixSignals

struct SandboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox", abstract: "Runs one of the embedded servers alone.", subcommands: [TFE.self, Port.self])

  struct TFE: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "tfe", abstract: "An embedded Terraform Enterprise, with the real terraform behind it.",
      discussion: "For example: porc sandbox tfe --token-file tfe-token")

    @Option(help: "HOST:PORT; port 0 picks a free one.") var listen = "127.0.0.1:8801"
    @Option(help: "The folder that keeps everything.") var data = ".porc/tfe"
    @Option(help: "The name of its one organization.") var organization = "porc-dev"
    @Option(help: "A file with the token that clients send; made if it is absent.") var tokenFile: String
    @Option(help: "A variable of this environment that terraform may see. May be repeated.") var workerEnv: [String] =
      []
    @Option(help: "How many runs terraform works on at once.") var concurrency = 4
    @Option(help: "terraform or tofu: a name on the PATH, or a path. Else whichever of them the PATH has.")
    var terraform: String?
    @Option(help: "A JSON file of faults to rehearse: see docs/sandbox.md.") var faults: String?
    @Flag(help: "Know no notifications for whole projects, as older releases.") var noProjectNotifications = false
    @Flag(help: "Give the token no right to override policies.") var noPolicyOverrides = false
    @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel: Logger.Level = .warning

    func validate() throws {
      _ = try Dev.address(listen, "--listen")
      try Dev.checkConcurrency(concurrency, "--concurrency")
    }

    func run() async throws {
      let address = try Dev.address(listen, "--listen")
      let sandbox = TFESandbox(
        host: address.host, port: address.port, dataFolder: Dev.absolute(data), organization: organization,
        token: try SecretFile.ensure(tokenFile), workerEnvironment: try WorkerEnvironment.named(workerEnv),
        terraform: terraform, concurrency: concurrency, faults: try faults.map(FaultFile.read),
        features: .init(projectNotifications: !noProjectNotifications, policyOverrides: !noPolicyOverrides),
        logger: Log.make(logLevel))
      try await serve(sandbox, at: listen) {
        #"{"ready":true,"tfe":"\#(try await sandbox.baseURL())","tfe_organization":"\#(organization)"}"#
      }
    }
  }

  struct Port: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "port", abstract: "An embedded Port: a registry of entities.",
      discussion: "For example: porc sandbox port --client-secret-file port-secret")

    @Option(help: "HOST:PORT; port 0 picks a free one.") var listen = "127.0.0.1:8802"
    @Option(help: "The folder that keeps everything.") var data = ".porc/port"
    @Option(help: "The client id that is exchanged for tokens.") var clientId = "porc-dev"
    @Option(help: "A file with the client secret; made if it is absent.") var clientSecretFile: String
    @Option(help: "A file with a static token for the plain dialect; made if it is absent.") var apiTokenFile: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel: Logger.Level = .warning

    func run() async throws {
      let address = try Dev.address(listen, "--listen")
      let sandbox = PortSandbox(
        host: address.host, port: address.port, dataFolder: Dev.absolute(data), clientID: clientId,
        clientSecret: try SecretFile.ensure(clientSecretFile),
        apiToken: try apiTokenFile.map { try SecretFile.ensure($0) },
        logger: Log.make(logLevel))
      try await serve(sandbox, at: listen) {
        let url = try await sandbox.baseURL()
        return #"{"ready":true,"port":"\#(url)","console":"\#(url)","port_client_id":"\#(clientId)"}"#
      }
    }
  }
}

/// The faults that the embedded Terraform Enterprise rehearses.
private enum FaultFile {
  static func read(_ path: String) throws -> FaultPlan {
    guard let text = FileManager.default.contents(atPath: path) else {
      throw Fault(
        .invalidInput, "The file '\(path)' that --faults names cannot be read.", fix: "Name one that is there.")
    }
    do throws(FaultPlan.Problems) {
      return try FaultPlan(parsing: text)
    } catch {
      throw Fault(
        .invalidInput,
        "The file '\(path)' that --faults names cannot be used.\n"
          + error.problems.map { "  \($0)" }.joined(separator: "\n"),
        fix: "Mend it: docs/sandbox.md shows the format.", cause: error)
    }
  }
}

/// Prints one line, once it is known.
private struct Announcer: Service {
  let line: @Sendable () async throws -> String
  func run() async throws { Output.line(try await line()) }
}

/// Runs one sandbox until it is told to stop, and says when it is ready.
private func serve(
  _ sandbox: some Service, at address: String, readyLine: @escaping @Sendable () async throws -> String
) async throws {
  let group = ServiceGroup(
    configuration: .init(
      services: [
        .init(
          service: Listening(base: sandbox, address: address, setting: "--listen"),
          successTerminationBehavior: .gracefullyShutdownGroup),
        .init(
          service: Listening(base: Announcer(line: readyLine), address: address, setting: "--listen"),
          successTerminationBehavior: .ignore),
      ], gracefulShutdownSignals: [.sigterm, .sigint], logger: Log.quiet))
  try await group.run()
}
