public import Foundation

/// What is known here of one remote repository: a bare partial copy in a folder, brought up to date on demand.
///
/// The copy is a cache. It holds the newest commit of what was fetched, without history, and files only as far as they
/// were read. It may be removed at any time, and is thrown away and made anew when it is damaged or has grown too large;
/// so keep what you have read. Nothing is ever checked out, and nothing in a repository is executed.
///
/// Calls run one after another. Each may take up to `Limits.duration` per git process, ends at once when its task is
/// cancelled, and throws `GitError` or `CancellationError`.
public actor Mirror {
  /// Where the repository is.
  public nonisolated let remote: RemoteURL
  /// How much it may cost.
  public nonisolated let limits: Limits

  let git: GitProgram
  let turn = Turn()
  private let folder: String
  private var lock: FolderLock?

  /// - Parameters:
  ///   - folder: the mirror's own, made when it is first needed. All that is in it belongs to the mirror.
  ///   - environment: of which `PATH`, `TMPDIR`, proxies and `SSL_CERT_FILE` reach git, and nothing else.
  /// - Throws: `GitError` of kind `misconfigured` for credentials that do not fit the remote.
  public init(
    remote: RemoteURL, credentials: Credentials = .none, folder: URL, limits: Limits = Limits(),
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(GitError) {
    if let misfit = credentials.misfit(for: remote) {
      throw GitError(
        .misconfigured, "The credentials for '\(remote)' cannot be used. \(misfit)",
        fix: "Use a token with 'https', a key with 'ssh'.")
    }
    self.remote = remote
    self.limits = limits
    self.folder = folder.path
    git = GitProgram(
      remote: remote, credentials: credentials, limits: limits, folder: folder.path, environment: environment)
  }

  /// Asks the remote what its branches and tags name: one or two requests, and the mirror is not touched. A sync begins
  /// with this, and ends where nothing has moved.
  ///
  /// - Parameter withHead: whether to ask for the default branch too. The remote then lists whatever it has, on GitHub
  ///   also two lines for each pull request; so ask once, or not at all where the branch is configured.
  public func references(withHead: Bool = true) async throws -> RemoteReferences {
    try await turn.take {
      try open()
      let parser = Locked(ReferenceParser(limit: limits.references))
      do {
        try await git.run(
          ["ls-remote", "--quiet"] + (withHead ? ["--symref"] : ["--heads", "--tags"]) + ["origin"], reach: .remote,
          inRepository: false
        ) { chunk in try parser.withLock { try $0.feed(chunk) } }
      } catch is ReferenceParser.TooMany {
        throw GitError(
          .tooLarge, "The repository '\(remote)' has more than \(limits.references) branches and tags.",
          fix: "Remove some, or raise the limit.")
      }
      return parser.withLock { $0.references }
    }
  }

  /// Lets go of the folder once the calls before have ended, so that another mirror can have it. The next call takes it
  /// again. A mirror that nobody holds any more lets go too, but not at a known moment.
  public func close() async throws {
    try await turn.take { lock = nil }
  }

  /// Makes the folder, takes it, and clears away what a killed git has left. Once.
  func open() throws {
    guard lock == nil else { return }
    do {
      // What is in a private repository is nobody else's business; the attributes are for all folders on the way.
      try FileManager.default.createDirectory(
        atPath: git.home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      guard let lock = FolderLock(folder + "/lock") else {
        throw GitError(
          .inUse, "The mirror of '\(remote)' in '\(folder)' is in use.",
          fix: "Let one process at a time use it, or give it another folder.")
      }
      // The folder may have been another remote's.
      let label = "\(Self.layout) \(remote.text)\n"
      if (try? String(contentsOfFile: folder + "/remote", encoding: .utf8)) != label {
        try removeRepository()
        try label.write(toFile: folder + "/remote", atomically: true, encoding: .utf8)
      }
      sweep()
      self.lock = lock
    } catch let error as GitError {
      throw error
    } catch {
      throw GitError(
        .misconfigured, "The folder '\(folder)' for the mirror of '\(remote)' cannot be used.",
        fix: "Check its rights and the space on the disk.", detail: error.localizedDescription)
    }
  }

  /// Changes with what is in the folder.
  private static let layout = 1

  /// Forgets all that was fetched.
  func removeRepository() throws {
    guard FileManager.default.fileExists(atPath: git.repository) else { return }
    try FileManager.default.removeItem(atPath: git.repository)
  }

  /// Removes the half-written files of a git that was killed: a lock would stop the next one, and a pack takes space.
  func sweep() {
    let files = FileManager.default
    func remove(in path: String, _ isLeftover: (String) -> Bool) {
      for name in (try? files.contentsOfDirectory(atPath: path)) ?? [] where isLeftover(name) {
        // What cannot be removed shows when git stumbles over it.
        try? files.removeItem(atPath: "\(path)/\(name)")
      }
    }
    let isTemporary = { (name: String) in name.hasSuffix(".lock") || name.hasPrefix("shallow_") }
    remove(in: git.repository, isTemporary)
    remove(in: git.repository + "/refs/porc", isTemporary)
    remove(in: git.repository + "/objects") { $0.hasPrefix("tmp_") || $0.hasPrefix("incoming-") }
    remove(in: git.repository + "/objects/pack") { $0.hasPrefix("tmp_") || $0.hasSuffix(".keep") }
  }

  /// Runs `work`; if git then complains about what is here, runs it once more on a new mirror.
  func healing<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
    try open()
    do {
      return try await work()
    } catch let error as GitError where error.kind == .broken {
      try removeRepository()
      return try await work()
    }
  }
}
