import Foundation
import Processes
import Sandbox

/// The real `terraform` as a client of the sandbox, with a configuration in a folder of its own.
struct CLI: Sendable {
  let folder: String
  private let environment: [String: String]

  struct Output {
    let status: ExitStatus
    let text: String
  }

  /// - Parameters:
  ///   - block: what is in `terraform { … }`; the `cloud` block for the workspace `demo` unless given.
  init(
    _ tfe: TFE, in folder: String, _ files: [String: String] = Configuration.one, block: String? = nil,
    token: String = TFE.token, organization: String = "acme"
  ) throws {
    let configuration = folder + "/" + UUID().uuidString
    let port = tfe.url.split(separator: ":").last ?? ""
    try FileManager.default.createDirectory(atPath: configuration, withIntermediateDirectories: true)
    // A host block takes the place of discovery and allows plain http.
    let settings = """
      disable_checkpoint = true
      host "localhost:\(port)" {
        services = {
          "tfe.v2"   = "\(tfe.url)/api/v2/"
          "tfe.v2.1" = "\(tfe.url)/api/v2/"
        }
      }
      credentials "localhost:\(port)" {
        token = "\(token)"
      }
      """
    try Data(settings.utf8).write(to: URL(fileURLWithPath: configuration + ".tfrc"))
    let cloud = """
      cloud {
        hostname     = "localhost:\(port)"
        organization = "\(organization)"
        workspaces {
          name = "demo"
        }
      }
      """
    var files = files
    files["backend.tf"] = "terraform {\n" + (block?.replacing("PORT", with: port) ?? cloud) + "\n}\n"
    for (path, text) in files {
      try Data(text.utf8).write(to: URL(fileURLWithPath: configuration + "/" + path))
    }
    self.folder = configuration
    environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", "HOME": folder,
      "TF_CLI_CONFIG_FILE": configuration + ".tfrc", "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1",
    ]
  }

  /// - Parameter answer: what is typed where the program asks.
  func callAsFunction(_ arguments: String..., answer: String? = nil, stop: StopSignal = .init()) async throws -> Output
  {
    let takesColor = ["plan", "apply", "destroy", "init", "show", "refresh"].contains(arguments[0])
    let words = [arguments[0]] + (takesColor ? ["-no-color"] : []) + arguments.dropFirst()
    let script = "printf '%s\\n' \"$0\" | exec terraform \"$@\""
    let command =
      answer.map { Command("sh", ["-c", script, $0] + words, environment: environment, workingDirectory: folder) }
      ?? Command("terraform", words, environment: environment, workingDirectory: folder)
    let text = Collected()
    let status = try await command.run(stop: stop) { (chunk: [UInt8]) in await text.add(chunk) }
    return Output(status: status, text: await text.text)
  }

  private actor Collected {
    private var bytes: [UInt8] = []
    func add(_ chunk: [UInt8]) { bytes += chunk }
    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + path))
  }
}
