import Foundation
import Git
import HTTPTypes
import Synchronization
import TestKit
import Testing

private let secret = "s3cret-t0ken"
private let encoded = Data("x-access-token:\(secret)".utf8).base64EncodedString()

/// Programs that stand before the real ones on a `PATH`, and note down how they are called.
private struct Watched {
  let environment: [String: String]
  private let log: URL

  /// - Parameter programs: shell scripts by name; `LOG` in them is where to write.
  init(_ bench: Bench, programs: [String: String]) throws {
    log = bench.folder.file("log")
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    for (name, script) in programs {
      let text = "#!/bin/sh\n\(script)\n".replacingOccurrences(of: "LOG", with: log.path)
        .replacingOccurrences(of: "REAL", with: "PATH='\(path)'")
      let file = try bench.folder.write(text, to: "bin/\(name)")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }
    environment = ["PATH": bench.folder.file("bin").path + ":" + path, "SECRET_OF_OURS": secret, "https_proxy": ""]
  }

  var lines: [String] {
    ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
  }
}

/// Writes its arguments as `arg:`, its environment as `env:`, its ancestors' command lines too.
private let watching = """
  for argument; do echo "arg:$argument" >> LOG; done
  env | sed 's/^/env:/' >> LOG
  tr '\\0' ' ' < /proc/$PPID/cmdline | sed 's/^/arg:/' >> LOG; echo >> LOG
  REAL exec git "$@"
  """

@Suite(.timeLimit(.minutes(1))) struct SafetyTests {
  @Test func nobodyElseReadsTheCopy() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let mirror = try bench.mirror(name: "cache/git/mirror")
    _ = try #require(try await mirror.fetchBranch())
    for folder in ["cache", "cache/git/mirror"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: bench.folder.file(folder).path)
      #expect(attributes[.posixPermissions] as? Int == 0o700, "\(folder)")
    }
  }

  @Test func aTokenIsInNoArgumentAndNothingIsInherited() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let watched = try Watched(bench, programs: ["git": watching])
    let server = GitHTTPServer(folder: bench.remotes, demanding: "x-access-token:\(secret)")
    try await server.serve { url in
      let mirror = try bench.mirror(at: url, credentials: .token(secret), environment: watched.environment)
      let branch = try #require(try await mirror.fetchBranch())
      #expect(try await mirror.texts(branch.commit, "a") == ["main.tf": "a"])
    }
    let arguments = watched.lines.filter { $0.hasPrefix("arg:") }
    #expect(
      arguments.contains("arg:ls-remote") && arguments.contains("arg:fetch") && arguments.contains("arg:cat-file"))
    #expect(!arguments.contains { $0.contains(secret) || $0.contains(encoded) })
    // It is in the environment, where it belongs, and only under that name.
    let holders = watched.lines.filter { $0.contains(secret) || $0.contains(encoded) }
    #expect(!holders.isEmpty && holders.allSatisfy { $0.hasPrefix("env:GIT_CONFIG_VALUE_") })
    let names = Set(watched.lines.filter { $0.hasPrefix("env:") }.map { $0.dropFirst(4).prefix { $0 != "=" } })
    #expect(!names.contains("SECRET_OF_OURS") && !names.contains("SSH_AUTH_SOCK"))
    #expect(
      names.filter {
        !$0.hasPrefix("GIT_") && !["PATH", "HOME", "LC_ALL", "https_proxy", "PWD", "_", "OLDPWD", "SHLVL"].contains($0)
      }.isEmpty)
    let files =
      FileManager.default.enumerator(atPath: bench.folder.file("mirror").path)?.compactMap { $0 as? String } ?? []
    for file in files where !file.hasSuffix(".pack") && !file.hasSuffix(".idx") {
      let text = (try? String(contentsOf: bench.folder.file("mirror/\(file)"), encoding: .utf8)) ?? ""
      #expect(!text.contains(secret) && !text.contains(encoded), "\(file)")
    }
  }

  @Test func wrongCredentialsAreRefusedAndNotShown() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let server = GitHTTPServer(folder: bench.remotes, demanding: "x-access-token:other")
    try await server.serve { url in
      for credentials in [Credentials.none, .token(secret)] {
        let mirror = try bench.mirror(at: url, credentials: credentials, name: "mirror-\(credentials)")
        let error = try #require(await #expect(throws: GitError.self) { try await mirror.references() })
        #expect(error.kind == .refused && !error.isRetryable)
        #expect(!"\(error)".contains(secret) && !"\(error)".contains(encoded))
      }
    }
    // Nobody is asked and nothing is tried twice: 401 for each, once.
    #expect(server.script.requests.count <= 4)
    var text = ""
    dump(Credentials.token(secret), to: &text)
    #expect(!"\(text) \(Credentials.token(secret)) \(String(reflecting: Credentials.token(secret)))".contains(secret))
  }

  @Test func whatAServerSaysIsCutShortAndCleaned() async throws {
    let bench = try await Bench()
    let server = ScriptedServer()
    server.always("GET /modules.git/info/refs") { request in
      let echo = request.headers[.authorization] ?? ""
      let text = "ERR \(echo) \u{1B}[31m" + String(repeating: "x", count: 60_000)
      return .status(
        200, headers: [.contentType: "application/x-git-upload-pack-advertisement"],
        body: Array((String(format: "%04x", text.utf8.count + 4) + text).utf8))
    }
    try await server.serve { url in
      let mirror = try bench.mirror(at: url, credentials: .token(secret))
      let error = try #require(await #expect(throws: GitError.self) { try await mirror.references() })
      #expect("\(error)".utf8.count < 1_000)
      #expect(!"\(error)".contains(encoded) && !"\(error)".contains(secret) && !"\(error)".contains("\u{1B}"))
    }
  }

  @Test(arguments: [Credentials.none, .token(secret)])
  func aRedirectIsNotFollowedAndTakesNothingAlong(credentials: Credentials) async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let other = GitHTTPServer(folder: bench.remotes)
    try await other.serve { elsewhere in
      let server = ScriptedServer()
      server.always("GET /modules.git/info/refs") { request in
        .status(302, headers: [.location: "\(elsewhere)/modules.git/info/refs?\(request.query)"])
      }
      try await server.serve { url in
        let mirror = try bench.mirror(at: url, credentials: credentials)
        let error = await #expect(throws: GitError.self) { try await mirror.references() }
        #expect(error?.kind == .moved)
      }
      #expect(other.script.requests.isEmpty)
    }
  }

  @Test func credentialsThatDoNotFitAreNotUsed() throws {
    let folder = try TemporaryFolder()
    let misfits: [(String, Credentials)] = [
      ("https://example.com/r", .sshKey(file: "/key")), ("git@example.com:r", .token(secret)),
      ("git@example.com:r", .none), ("http://example.com/r", .token(secret)), ("/srv/r", .token(secret)),
    ]
    for (url, credentials) in misfits {
      let remote = try RemoteURL(url, allowing: [.localPaths, .plainHTTP])
      let error = #expect(throws: GitError.self) {
        try Mirror(remote: remote, credentials: credentials, folder: folder.url)
      }
      #expect(error?.kind == .misconfigured && "\(String(describing: error))".contains(secret) == false)
    }
  }

  @Test func sshIsStartedWithoutAnythingOfTheUsers() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    // Stands in for ssh and the host: runs what it was told to, here.
    let watched = try Watched(
      bench,
      programs: ["ssh": "for argument; do echo \"arg:$argument\" >> LOG; done\nfor last; do :; done\neval \"$last\""])
    let remote = try RemoteURL("ssh://git@example.com\(bench.repository.path)")
    let mirror = try Mirror(
      remote: remote, credentials: .sshKey(file: "/keys/it's mine"), folder: bench.folder.file("mirror"),
      environment: watched.environment)
    let branch = try #require(try await mirror.fetchBranch())
    #expect(try await mirror.texts(branch.commit, "a") == ["main.tf": "a"])
    let arguments = Set(watched.lines)
    for option in [
      "-F", "/dev/null", "/keys/it's mine", "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none",
      "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "StrictHostKeyChecking=accept-new",
      "UserKnownHostsFile=\(bench.folder.file("mirror/home/known_hosts").path)", "git@example.com",
    ] { #expect(arguments.contains("arg:\(option)"), "\(option)") }

    let strict = try Mirror(
      remote: remote, credentials: .sshKey(file: "/k", knownHosts: "/etc/hosts of ours"),
      folder: bench.folder.file("strict"), environment: watched.environment)
    _ = try await strict.references()
    #expect(watched.lines.contains("arg:StrictHostKeyChecking=yes"))
    #expect(watched.lines.contains("arg:UserKnownHostsFile=\"/etc/hosts of ours\""))
  }

  @Test func neitherHooksNorSettingsOfARepositoryRun() async throws {
    let bench = try await Bench()
    let flag = bench.folder.file("flag").path
    try await bench.repository.commit([
      "a/main.tf": "a",
      ".gitmodules": "[submodule \"x\"]\n\tpath = x\n\turl = ext::touch \(flag)\n\tupdate = !touch \(flag)\n",
      ".gitattributes": "* filter=lfs diff=lfs merge=lfs\n", "lfsconfig": "x",
    ])
    let script = "#!/bin/sh\ntouch \(flag)\n"
    for hook in ["post-checkout", "reference-transaction", "post-merge", "fsmonitor-watchman", "pre-auto-gc"] {
      let file = try bench.folder.write(script, to: "remotes/modules.git/hooks/\(hook)")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }
    for (key, value) in [
      ("uploadpack.packObjectsHook", "touch \(flag);"), ("core.fsmonitor", "touch \(flag)"),
      ("core.sshCommand", "touch \(flag)"), ("core.alternateRefsCommand", "touch \(flag)"),
      ("credential.helper", "!touch \(flag)"), ("filter.lfs.smudge", "touch \(flag)"),
    ] { try await bench.repository.git("config", key, value) }

    let mirror = try bench.mirror()
    let branch = try #require(try await mirror.fetchBranch())
    #expect(try await mirror.texts(branch.commit).keys.contains("a/main.tf"))
    #expect(!FileManager.default.fileExists(atPath: flag))
    try FileManager.default.removeItem(at: bench.folder.file("remotes/modules.git/hooks"))
    // The mirror's own hooks, and those of a user or a machine.
    let hook = try bench.folder.write(script, to: "mirror/git/hooks/reference-transaction")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook.path)
    try bench.folder.write(
      "[core]\n\thooksPath = \(bench.folder.path)/mirror/git/hooks\n", to: "mirror/home/.gitconfig")
    try await bench.repository.commit(["b/main.tf": "b"])
    _ = try await mirror.fetchBranch()
    #expect(!FileManager.default.fileExists(atPath: flag))
    #expect(!FileManager.default.fileExists(atPath: bench.folder.file("mirror/git/modules").path))
  }

  @Test func aCancelledFetchEndsAtOnceAndTheNextOneWorks() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      let mirror = try bench.mirror(at: url)
      let branch = try #require(try await mirror.references().branches["main"])
      server.script.on("POST /modules.git/git-upload-pack", .silence)
      let before = server.script.requests.count
      let task = Task { try await mirror.fetch([branch]) }
      while !server.script.requests.dropFirst(before).contains(where: { $0.method == "POST" }) { await Task.yield() }
      let waiting = Task { try await mirror.references() }
      let start = ContinuousClock.now
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(ContinuousClock.now - start < .seconds(5))
      try await mirror.fetch([branch])
      #expect(try await mirror.texts(branch.commit, "a") == ["main.tf": "a"])
    }
  }

  @Test func aServerThatFallsSilentTimesOut() async throws {
    let bench = try await Bench()
    let server = ScriptedServer()
    server.on("GET /modules.git/info/refs", .silence)
    var limits = Limits()
    limits.duration = .milliseconds(300)
    try await server.serve { [limits] url in
      let mirror = try bench.mirror(at: url, limits: limits)
      let error = await #expect(throws: GitError.self) { try await mirror.references() }
      #expect(error?.kind == .timedOut && error?.isRetryable == true)
    }
  }

  @Test(arguments: [500, 503, 429]) func aServerThatFailsIsUnreachable(status: Int) async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      server.script.on("GET /modules.git/info/refs", .status(status), .brokenOff, .dropped)
      let mirror = try bench.mirror(at: url)
      for _ in 0..<3 {
        let error = await #expect(throws: GitError.self) { try await mirror.references() }
        #expect(error?.kind == .unreachable)
      }
      let branch = try #require(try await mirror.references().branches["main"])
      server.script.on("POST /modules.git/git-upload-pack", .brokenOff)
      let error = await #expect(throws: GitError.self) { try await mirror.fetch([branch]) }
      #expect(error?.kind == .unreachable)
      try await mirror.fetch([branch])
    }
  }

  @Test func leftoversOfAKilledGitAreClearedAway() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let killed = try bench.mirror()
    _ = try await killed.fetchBranch()
    try await killed.close()
    let leftovers = [
      "shallow.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow_a1", "objects/pack/tmp_pack_x",
      "objects/tmp_obj_x",
    ]
    for name in leftovers { try bench.folder.write("x", to: "mirror/git/\(name)") }
    let next = try await bench.repository.commit(["a/main.tf": "b"])
    try bench.folder.write("x", to: "mirror/git/refs/porc/\(next).lock")
    let mirror = try bench.mirror()
    let branch = try #require(try await mirror.fetchBranch())
    #expect(try await mirror.texts(branch.commit, "a") == ["main.tf": "b"])
    for name in leftovers {
      #expect(!FileManager.default.fileExists(atPath: bench.folder.file("mirror/git/\(name)").path))
    }
  }

  @Test(arguments: ["config", "HEAD", "shallow", "pack", "idx", "objects"])
  func aDamagedMirrorIsMadeAnew(part: String) async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let before = try bench.mirror()
    let first = try #require(try await before.fetchBranch())
    try await before.close()
    let git = bench.folder.file("mirror/git")
    switch part {
    case "objects": try FileManager.default.removeItem(at: git.appending(path: "objects"))
    case "pack", "idx":
      let packs = git.appending(path: "objects/pack")
      for name in try FileManager.default.contentsOfDirectory(atPath: packs.path) where name.hasSuffix(part) {
        let file = packs.appending(path: name)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        try Data("rubbish".utf8).write(to: file)
      }
    default: try Data("rubbish".utf8).write(to: git.appending(path: part))
    }
    let mirror = try bench.mirror()
    // What reads finds the damage, or what fetches does; the next sync is whole again.
    do { _ = try await mirror.trees(of: [Place(commit: first.commit, path: "a")]) } catch let error as GitError {
      #expect(error.kind == .missing)
    }
    let second = try await bench.repository.commit(["a/main.tf": "b"])
    let branch = try #require(try await mirror.fetchBranch())
    #expect(branch.commit.description == second)
    #expect(try await mirror.texts(branch.commit, "a") == ["main.tf": "b"])
  }

  @Test func aMirrorThatHasGrownIsMadeAnew() async throws {
    let bench = try await Bench()
    var limits = Limits()
    limits.packs = 2
    let mirror = try bench.mirror(limits: limits)
    for number in 0..<5 {
      try await bench.repository.commit(["a/main.tf": "\(number)"])
      let branch = try #require(try await mirror.fetchBranch())
      #expect(try await mirror.texts(branch.commit, "a") == ["main.tf": "\(number)"])
      let packs = try FileManager.default.contentsOfDirectory(atPath: bench.folder.file("mirror/git/objects/pack").path)
      #expect(packs.count { $0.hasSuffix(".pack") } <= 4)
    }
  }

  @Test func aFolderThatWasAnotherRemotesIsEmptied() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let first = try bench.mirror()
    let before = try #require(try await first.fetchBranch())
    try await first.close()
    let other = try await GitRepository(bench.folder.file("remotes/other.git").path)
    try await other.commit(["b/main.tf": "b"])
    let mirror = try Mirror(
      remote: RemoteURL(other.path, allowing: .localPaths), folder: bench.folder.file("mirror"))
    let error = await #expect(throws: GitError.self) { try await mirror.trees(of: [Place(commit: before.commit)]) }
    #expect(error?.kind == .missing)
    #expect(try await mirror.fetchBranch() != nil)
  }

  @Test func gitIsMissed() async throws {
    let bench = try await Bench()
    let mirror = try bench.mirror(environment: ["PATH": "/nowhere"])
    let error = await #expect(throws: GitError.self) { try await mirror.references() }
    #expect(error?.kind == .misconfigured && error?.fix.contains("Install git") == true)
  }

  @Test func aPushOverHTTPArrives() async throws {
    let bench = try await Bench()
    try await bench.repository.commit(["a/main.tf": "a"])
    let server = GitHTTPServer(folder: bench.remotes)
    try await server.serve { url in
      let work = bench.folder.file("work").path
      try await GitRepository.git(["clone", "--quiet", "\(url)/modules.git", work])
      try await GitRepository.git(["-C", work, "commit", "--quiet", "--allow-empty", "-m", "pushed"])
      try await GitRepository.git(["-C", work, "push", "--quiet", "origin", "HEAD:main"])
      let head = try await GitRepository.git(["-C", work, "rev-parse", "HEAD"])
      #expect(try await bench.mirror(at: url).fetchBranch()?.commit.description == head)
    }
  }
}
