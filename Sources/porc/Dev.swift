import ArgumentParser
import Foundation
import HCL
import Logging
import PorcServer
import Sandbox
import ServiceLifecycle
import UnixSignals

struct Dev: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs PORC, a Terraform Enterprise and a Port on this machine, with nothing to set up.",
    discussion: "For example: porc dev --templates examples/templates")

  @Option(help: "Where PORC listens; port 0 picks a free one.")
  var listen = "127.0.0.1:8800"
  @Option(help: "Where the embedded Terraform Enterprise listens.")
  var tfeListen = "127.0.0.1:8801"
  @Option(help: "Where the embedded Port listens.")
  var portListen = "127.0.0.1:8802"
  @Option(help: "The folder that keeps everything.")
  var data = DevFolder.usual
  @Option(help: "A YAML file with more of PORC's settings, as porc serve takes it. Its addresses are not used.")
  var config: String?
  @Option(help: "A folder of templates, NAME/VERSION/ in it.")
  var templates: String?
  @Option(help: "How the embedded Port is spoken to: api is Port's own way, entities the plain one.")
  var portApi: String?
  @Option(help: "How long a destroyed instance stays visible, in seconds.")
  var retentionSeconds: Int?
  @Flag(help: "Every apply needs an approval.")
  var approvalRequired = false
  @Option(help: "A variable of this environment that terraform may see. May be repeated.")
  var workerEnv: [String] = []
  @Option(help: "How many runs the embedded Terraform Enterprise works on at once.")
  var tfeConcurrency = 4
  @Option(help: "terraform or tofu: a name on the PATH, or a path. Else whichever of them the PATH has.")
  var terraform: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel: Logger.Level = .warning

  func run() async throws {
    let folder = try DevFolder(data)
    let logger = Log.make(logLevel)
    let tfeAddress = try Self.address(tfeListen, "--tfe-listen")
    let portAddress = try Self.address(portListen, "--port-listen")
    _ = try Self.address(listen, "--listen")
    try Self.checkConcurrency(tfeConcurrency, "--tfe-concurrency")
    guard portApi.map({ ["api", "entities"].contains($0) }) ?? true else {
      throw ValidationError("--port-api is neither api nor entities.")
    }
    if let templates, !FileManager.default.fileExists(atPath: templates) {
      throw ValidationError("The templates' folder '\(templates)' is not there.")
    }

    let tfe = TFESandbox(
      host: tfeAddress.host, port: tfeAddress.port, dataFolder: folder.path("tfe"),
      organization: DevFolder.organization,
      token: try SecretFile.ensure(folder.tfeTokenFile), workerEnvironment: try WorkerEnvironment.named(workerEnv),
      terraform: terraform, concurrency: tfeConcurrency, logger: logger)
    let port = PortSandbox(
      host: portAddress.host, port: portAddress.port, dataFolder: folder.path("port"), clientID: DevFolder.clientID,
      clientSecret: try SecretFile.ensure(folder.portSecretFile), apiToken: try SecretFile.ensure(folder.portTokenFile),
      logger: logger)
    let server = DevServer(
      settings: DevSettings(
        folder: folder, config: config, asked: asked, webhookSecrets: Self.webhookSecrets),
      tfeURL: { [tfeListen] in try await StartFailure.naming(tfeListen, "--tfe-listen", tfe.baseURL) },
      portURL: { [portListen] in try await StartFailure.naming(portListen, "--port-listen", port.baseURL) },
      logger: logger)
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(
            service: Listening(base: tfe, address: tfeListen, setting: "--tfe-listen"),
            successTerminationBehavior: .gracefullyShutdownGroup),
          .init(
            service: Listening(base: port, address: portListen, setting: "--port-listen"),
            successTerminationBehavior: .gracefullyShutdownGroup),
          .init(
            service: Listening(base: server, address: listen, setting: "--listen"),
            successTerminationBehavior: .gracefullyShutdownGroup),
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: Log.quiet))
    try await group.run()
    folder.forget()
  }

  /// What the options say, by the keys of the settings.
  private var asked: [String: Value] {
    var asked: [String: Value] = ["porc.listen": .string(listen)]
    asked["port.api"] = portApi.map(Value.string)
    asked["porc.templates"] = templates.map { [.string(Self.absolute($0))] }
    asked["porc.retention_seconds"] = retentionSeconds.map { .string(String($0)) }
    if approvalRequired { asked["porc.approval_required"] = true }
    return asked
  }

  private static var webhookSecrets: [String] {
    ProcessInfo.processInfo.environment["GITHUB_WEBHOOK_SECRET"]?.split(separator: ",").map(String.init) ?? []
  }

  static func address(_ text: String, _ option: String) throws -> (host: String, port: Int) {
    guard let address = ServerSettings.address(text) else { throw ValidationError("\(option) is not HOST:PORT.") }
    return address
  }

  static func checkConcurrency(_ count: Int, _ option: String) throws {
    guard count >= 1 else { throw ValidationError("\(option) is not a number from 1 on.") }
  }

  static func absolute(_ path: String) -> String {
    URL(
      filePath: path, relativeTo: URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
    )
    .standardizedFileURL.path
  }
}

/// The variables that the sandbox's terraform may see, out of this process's.
enum WorkerEnvironment {
  static func named(_ names: [String]) throws -> [String: String] {
    let environment = ProcessInfo.processInfo.environment
    return try Dictionary(
      names.map { name in
        guard let value = environment[name] else {
          throw ValidationError("The variable '\(name)' that --worker-env names is not set.")
        }
        return (name, value)
      }, uniquingKeysWith: { $1 })
  }
}
