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
  ///   - block: what is in `terraform { … }`, with `PORT` for the sandbox's port; the `cloud` block for the workspace
  ///     `demo` unless given.
  init(
    _ tfe: TFE, _ files: [String: String] = Configuration.one, block: String = Self.cloud("name = \"demo\""),
    token: String = TFE.token
  ) throws {
    let configuration = tfe.folder + "/" + UUID().uuidString
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
    var files = files
    files["backend.tf"] = "terraform {\n" + block.replacing("PORT", with: port) + "\n}\n"
    for (path, text) in files {
      try Data(text.utf8).write(to: URL(fileURLWithPath: configuration + "/" + path))
    }
    self.folder = configuration
    environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", "HOME": tfe.folder,
      "TF_CLI_CONFIG_FILE": configuration + ".tfrc", "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1",
    ]
  }

  /// - Parameter workspaces: what is in `workspaces { … }`.
  static func cloud(_ workspaces: String, organization: String = "acme") -> String {
    block("cloud", workspaces, organization)
  }

  static func remoteBackend(_ workspaces: String) -> String { block("backend \"remote\"", workspaces, "acme") }

  private static func block(_ kind: String, _ workspaces: String, _ organization: String) -> String {
    """
    \(kind) {
      hostname     = "localhost:PORT"
      organization = "\(organization)"
      workspaces {
        \(workspaces)
      }
    }
    """
  }

  /// - Parameters:
  ///   - words: the command and its arguments.
  ///   - answer: what is typed where the program asks; without it, it may not ask.
  func callAsFunction(_ words: [String], answer: String? = nil, stop: StopSignal = .init()) async throws -> Output {
    var words = words
    if answer == nil, ["init", "plan", "apply", "destroy", "import", "refresh"].contains(words[0]) {
      words.insert("-input=false", at: 1)
    }
    if ["init", "plan", "apply", "destroy", "import", "refresh", "show"].contains(words[0]) {
      words.insert("-no-color", at: 1)
    }
    let script = "printf '%s\\n' \"$0\" | exec terraform \"$@\""
    let command =
      answer.map { Command("sh", ["-c", script, $0] + words, environment: environment, workingDirectory: folder) }
      ?? Command("terraform", words, environment: environment, workingDirectory: folder)
    let text = Collected()
    let status = try await command.run(stop: stop) { (chunk: [UInt8]) in await text.add(chunk) }
    return Output(status: status, text: await text.text)
  }

  func callAsFunction(_ words: String..., answer: String? = nil, stop: StopSignal = .init()) async throws -> Output {
    try await self(words, answer: answer, stop: stop)
  }

  private actor Collected {
    private var bytes: [UInt8] = []
    func add(_ chunk: [UInt8]) { bytes += chunk }
    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  func read(_ path: String) throws -> String { try String(contentsOfFile: folder + "/" + path, encoding: .utf8) }

  func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + path))
  }
}
