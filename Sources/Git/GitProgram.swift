internal import Foundation
import Processes

/// Runs the installed git so that neither the machine's settings nor a remote's content decide what it does.
///
/// What is fetched is not checked by git (`transfer.fsckObjects`): before 2.46 a partial fetch takes no exceptions from
/// it (`fetch.fsck.*`), and one odd file name or an old commit's odd date would bar a whole repository. Nothing is ever
/// checked out, so names do no harm in the mirror; `TreeObject` judges every one of them.
struct GitProgram: Sendable {
  let remote: RemoteURL
  let credentials: Credentials
  let limits: Limits
  /// The mirror's.
  let folder: String
  var repository: String { folder + "/git" }
  /// Where git starts, and takes its user's home to be.
  var home: String { folder + "/home" }
  /// Of the operator's environment: where programs, proxies and certificates are.
  let surroundings: [String: String]

  private static let passedOn = [
    "PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
    "ALL_PROXY", "no_proxy", "NO_PROXY",
  ]

  /// - Parameter environment: what `passedOn` is taken from.
  init(
    remote: RemoteURL, credentials: Credentials, limits: Limits, folder: String, environment: [String: String]
  ) {
    self.remote = remote
    self.credentials = credentials
    self.limits = limits
    self.folder = folder
    surroundings = environment.filter { Self.passedOn.contains($0.key) }
  }

  /// What a call may do beside reading the mirror.
  enum Reach {
    /// Nothing.
    case mirror
    /// Speak to the remote, with the credentials.
    case remote
  }

  /// Runs git to its end.
  ///
  /// - Parameters:
  ///   - settings: more of git's settings.
  ///   - inRepository: whether the mirror's repository is the one git works on; otherwise there is none.
  ///   - onOutput: what it throws ends git and is thrown here.
  /// - Throws: `GitError`, `CancellationError`, and what `onOutput` throws.
  func run(
    _ arguments: [String], reach: Reach, settings: [String: String] = [:], input: [UInt8] = [],
    inRepository: Bool = true, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void = { _ in }
  ) async throws {
    try Task.checkCancellation()
    var command = Command(
      "git", arguments, environment: environment(reach, settings: settings, inRepository: inRepository),
      workingDirectory: home, grace: .seconds(2))
    command.standardInput = input
    command.limits = ResourceLimits(fileBytes: limits.fetchedBytes, memoryBytes: limits.memoryBytes)
    // A remote may keep git busy for longer than this process lives. Without a remote git ends with its output.
    if reach == .remote { command.limits.seconds = Int(limits.duration.components.seconds) + 10 }

    let result: (status: ExitStatus, errorText: String)?
    do {
      result = try await Self.run(command, for: limits.duration, onOutput: onOutput)
    } catch let error as ProcessError {
      throw GitError(
        .misconfigured, "git cannot be started.", fix: "Install git 2.39 or newer.", detail: error.description)
    }
    try Task.checkCancellation()
    guard let result else {
      throw GitError(
        .timedOut, "The repository '\(remote)' took longer than \(limits.duration.components.seconds) seconds.",
        fix: "It is tried again. If it is large, move the modules to a repository of their own, or raise the limit.")
    }
    guard !result.status.isSuccess else { return }
    throw GitError(output: result.errorText, remote: remote, secrets: credentials.secrets)
  }

  /// - Returns: nil if it had to be stopped.
  private static func run(
    _ command: Command, for duration: Duration, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws -> (status: ExitStatus, errorText: String)? {
    let stop = StopSignal()
    return try await withThrowingTaskGroup(of: (status: ExitStatus, errorText: String)?.self) { group in
      group.addTask { try await command.stream(stop: stop, onOutput: onOutput) }
      group.addTask {
        // Cancelled when git has ended, which is no error.
        if (try? await Task.sleep(for: duration)) != nil { stop.stop(grace: command.grace) }
        return nil
      }
      while let ended = try await group.next() {
        guard let ended else { continue }
        group.cancelAll()
        return stop.isRequested && !Task.isCancelled ? nil : ended
      }
      return nil
    }
  }

  private func environment(_ reach: Reach, settings: [String: String], inRepository: Bool) -> [String: String] {
    var environment = surroundings
    // For git's own texts, which are read.
    environment["LC_ALL"] = "C"
    environment["HOME"] = home
    environment["GIT_CONFIG_NOSYSTEM"] = "1"
    environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
    environment["GIT_ATTR_NOSYSTEM"] = "1"
    environment["GIT_TERMINAL_PROMPT"] = "0"
    // Nothing is asked: an empty name is no program.
    environment["GIT_ASKPASS"] = ""
    environment["GIT_NO_LAZY_FETCH"] = "1"
    environment["GIT_NO_REPLACE_OBJECTS"] = "1"
    // A folder above may be a repository.
    environment["GIT_CEILING_DIRECTORIES"] = folder
    if inRepository { environment["GIT_DIR"] = repository }
    if let file = surroundings["SSL_CERT_FILE"] { environment["GIT_SSL_CAINFO"] = file }

    var all = Self.always
    switch reach {
    case .mirror: environment["GIT_ALLOW_PROTOCOL"] = "none"
    case .remote:
      environment["GIT_ALLOW_PROTOCOL"] = remote.scheme.rawValue
      all.merge(remoteSettings) { $1 }
      if remote.scheme == .ssh {
        environment["GIT_SSH_COMMAND"] = sshCommand
        environment["GIT_SSH_VARIANT"] = "ssh"
      }
    }
    all.merge(settings) { $1 }
    environment["GIT_CONFIG_COUNT"] = String(all.count)
    for (index, setting) in all.sorted(by: { $0.key < $1.key }).enumerated() {
      environment["GIT_CONFIG_KEY_\(index)"] = setting.key
      environment["GIT_CONFIG_VALUE_\(index)"] = setting.value
    }
    return environment
  }

  private static let always: [String: String] = [
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.logAllRefUpdates": "false",
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    // One file per fetch, instead of one per object.
    "fetch.unpackLimit": "1",
    "transfer.unpackLimit": "1",
    "transfer.bundleURI": "false",
    // Larger blobs go to the disk without being held in memory.
    "core.bigFileThreshold": "16m",
    // Mapped files count as memory.
    "core.packedGitWindowSize": "32m",
    "core.packedGitLimit": "256m",
    "pack.threads": "1",
    "protocol.version": "2",
  ]

  /// The remote `origin`, which the mirror's own settings say nothing of: without these, git reads what is there and
  /// fetches nothing.
  private var remoteSettings: [String: String] {
    var settings = [
      "remote.origin.url": remote.text,
      "remote.origin.promisor": "true",
      "remote.origin.partialCloneFilter": "blob:none",
      // Whoever answers for a host decides where a redirect leads, and git takes the credentials along.
      "http.followRedirects": "false",
      // A server that has fallen silent.
      "http.lowSpeedLimit": "1",
      "http.lowSpeedTime": "30",
    ]
    switch remote.scheme {
    case .https, .http:
      if case .token(let token, let username) = credentials {
        settings["http.\(remote.scheme.rawValue)://\(remote.host)/.extraHeader"] =
          "Authorization: Basic \(Credentials.basic(token, username))"
      }
    case .file:
      // The server's side runs here too, with the settings of the other repository only. The operator has allowed the
      // path, whoever it belongs to.
      settings["remote.origin.uploadpack"] =
        "git -c safe.directory='*' -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true upload-pack"
    case .ssh: break
    }
    return settings
  }

  private var sshCommand: String {
    guard case .sshKey(let key, let knownHosts) = credentials else { return "false" }
    let options = [
      "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "ForwardAgent=no", "ForwardX11=no",
      "ClearAllForwardings=yes", "PermitLocalCommand=no", "ControlMaster=no", "ControlPath=none", "ConnectTimeout=20",
      "ServerAliveInterval=15", "GlobalKnownHostsFile=/dev/null",
      "UserKnownHostsFile=\(Self.quotedForSSH(knownHosts ?? home + "/known_hosts"))",
      "StrictHostKeyChecking=\(knownHosts == nil ? "accept-new" : "yes")",
    ]
    return (["ssh", "-F", "/dev/null", "-i", key] + options.flatMap { ["-o", $0] }).map(Self.quoted)
      .joined(separator: " ")
  }

  /// For the shell, which git gives the command to.
  private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: #"'\''"#) + "'" }

  /// ssh takes a list of files, separated by spaces.
  private static func quotedForSSH(_ path: String) -> String {
    path.contains(" ") ? "\"\(path)\"" : path
  }
}
