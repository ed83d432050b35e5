import FoundationEssentials
import Logging
import Processes

/// The terraform (or OpenTofu) program, and the surroundings it runs in. What is in them is never printed: they hold the
/// credentials of clouds.
struct Terraform: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  var description: String { "\(name) v\(version)" }
  var debugDescription: String { description }
  var customMirror: Mirror { Mirror(self, children: []) }

  /// As its users call it: `Terraform` or `OpenTofu`.
  let name: String
  let executable: String
  /// `1.11.4`; `latest` where it could not be asked.
  let version: String
  /// `linux_amd64`.
  private let platform: String
  private let environment: [String: String]
  private let grace: Duration
  /// The shared plugin cache is not made for two inits at once.
  private let initSlot = Slots(1)

  /// Looks the program up and asks its version.
  ///
  /// - Parameters:
  ///   - executable: nil looks for `terraform`, then `tofu`, on the PATH. One that is not found is no failure yet:
  ///     the runs that need it say so.
  ///   - grace: how long it may take to end after an interrupt.
  static func find(
    _ executable: String?, workerEnvironment: [String: String], folder: DataFolder, grace: Duration, logger: Logger
  ) async throws -> Terraform {
    let inherited = ProcessInfo.processInfo.environment
    var environment = inherited.filter { ["PATH", "HOME", "TMPDIR"].contains($0.key) }
    environment["TF_CLI_CONFIG_FILE"] = folder.cliConfiguration
    environment.merge(workerEnvironment) { $1 }
    environment["TF_IN_AUTOMATION"] = "1"
    environment["TF_INPUT"] = "0"
    environment["CHECKPOINT_DISABLE"] = "1"
    environment["TF_PLUGIN_CACHE_DIR"] = folder.pluginCache
    // Uploaded configurations seldom bring a lock file, without which terraform would pass the cache over.
    environment["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
    try DurableFile.write(Array("disable_checkpoint = true\n".utf8), to: folder.cliConfiguration)

    let path = environment["PATH"]
    let program =
      executable.map { $0.contains("/") ? Files.absolute($0) : $0 } ?? Command.find("terraform", path: path)
      ?? Command.find("tofu", path: path) ?? "terraform"
    var answer = JSONValue.null
    do {
      let said = try await Command(program, ["version", "-json"], environment: environment).capture()
      answer = (try? JSONValue(parsing: said.standardOutput)) ?? .null
    } catch {
      logger.warning("terraform was not found; runs will fail", metadata: ["error": "\(error)"])
    }
    return Terraform(
      name: isTofu(program) ? "OpenTofu" : "Terraform", executable: program,
      version: answer["terraform_version"].string ?? "latest", platform: answer["platform"].string ?? "unknown",
      environment: environment, grace: grace)
  }

  /// Both call their version `terraform_version`: only the program's own name tells which it is.
  private static func isTofu(_ program: String) -> Bool {
    (program.split(separator: "/").last ?? "").lowercased().contains("tofu")
  }

  /// The three lines that each log begins with: the CLI drops as many of an apply's log.
  var header: [UInt8] {
    Array("\(name) v\(version)\non \(platform)\nInitializing plugins and modules...\n".utf8)
  }

  func initialize(_ job: RunJob, stop: StopSignal, onOutput: @escaping @Sendable ([UInt8]) async -> Void) async throws
    -> ExitStatus
  {
    try await initSlot.occupy {
      try await command(["init", "-input=false", "-no-color"], job).run(stop: stop, onOutput: onOutput)
    }
  }

  /// Exit code 0 for no changes, 2 for changes, anything else for a failure.
  func plan(
    _ job: RunJob, variableFiles: [String], stop: StopSignal, onOutput: @escaping @Sendable ([UInt8]) async -> Void
  ) async throws -> ExitStatus {
    let request = job.run.request
    var arguments = ["plan", "-input=false", "-no-color", "-detailed-exitcode", "-out=\(job.folder.plan)"]
    if job.isStructured { arguments.append("-json") }
    if request.isDestroy { arguments.append("-destroy") }
    if request.refreshOnly { arguments.append("-refresh-only") }
    if !request.refresh { arguments.append("-refresh=false") }
    if request.allowConfigGeneration { arguments.append("-generate-config-out=generated.tf") }
    arguments += request.targets.map { "-target=\($0)" } + request.replacements.map { "-replace=\($0)" }
    arguments += variableFiles.map { "-var-file=\($0)" }
    return try await command(arguments, job).run(stop: stop, onOutput: onOutput)
  }

  func apply(
    _ job: RunJob, stop: StopSignal, onOutput: @escaping @Sendable ([UInt8]) async -> Void
  ) async throws -> ExitStatus {
    let format = job.isStructured ? ["-json"] : []
    return try await command(["apply", "-input=false", "-no-color"] + format + [job.folder.plan], job)
      .run(stop: stop, onOutput: onOutput)
  }

  /// The plan as JSON, sensitive values in clear.
  func showPlan(_ job: RunJob) async throws -> [UInt8] {
    try await output(["show", "-json", job.folder.plan], job)
  }

  func providerSchemas(_ job: RunJob) async throws -> [UInt8] {
    try await output(["providers", "schema", "-json"], job)
  }

  private func output(_ arguments: [String], _ job: RunJob) async throws -> [UInt8] {
    let result = try await command(arguments, job).capture(limit: 512 << 20)
    guard result.status.isSuccess, !result.isTruncated else {
      throw RunJob.Problem(description: "\(name) \(arguments[0]) failed: \(result.errorText)")
    }
    return result.standardOutput
  }

  private func command(_ arguments: [String], _ job: RunJob) -> Command {
    var environment = environment
    let fixed = ["TF_CLI_CONFIG_FILE", "TF_DATA_DIR", "TF_WORKSPACE", "TF_IN_AUTOMATION", "TF_INPUT"]
    for variable in job.variables where variable.category == "env" && !fixed.contains(variable.key) {
      environment[variable.key] = variable.value
    }
    if job.run.request.debuggingMode { environment["TF_LOG"] = "TRACE" }
    return Command(
      executable, arguments, environment: environment, workingDirectory: job.workingDirectory, grace: grace)
  }
}
