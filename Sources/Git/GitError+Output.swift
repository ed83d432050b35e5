extension GitError {
  /// What git's last words mean.
  ///
  /// git tells by text alone. The texts are those of git 2.39 to 2.51 (`remote-curl.c`, `http.c`, `connect.c`,
  /// `fetch-pack.c`, `upload-pack.c`, `wrapper.c`), of curl and of OpenSSH, in the C locale.
  ///
  /// - Parameter secrets: what is cut out of the detail.
  init(output: String, remote: RemoteURL, secrets: [String]) {
    func says(_ texts: String...) -> Bool { texts.contains { output.contains($0) } }
    let place = "The repository '\(remote)'"
    let detail = Self.detail(output, secrets: secrets)

    if says("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED") {
      self.init(
        .refused, "\(place) is on a host whose key is not the known one.",
        fix: "Check the host's key, then mend the known_hosts file.", detail: detail)
    } else if says(
      "Authentication failed", "could not read Username", "could not read Password", "returned error: 401",
      "returned error: 403", "Permission denied", "Load key", "access denied")
    {
      self.init(
        .refused, "\(place) does not open to these credentials, or does not exist.",
        fix: "Check the URL, and that the token or key is valid and may read it.", detail: detail)
    } else if says("returned error: 301", "returned error: 302", "returned error: 307", "returned error: 308") {
      self.init(
        .moved, "\(place) has moved: its host answers with another address.",
        fix: "Give the address it has now. (GitLab's end in '.git'.)", detail: detail)
    } else if says(
      "returned error: 404", "Repository not found", "does not appear to be a git repository", "not our ref",
      "no such remote ref", "couldn't find remote ref", "unadvertised object")
      || output.contains("repository '") && output.contains("' not found")
    {
      self.init(
        .notFound, "\(place), or a commit in it, does not exist, or is hidden from these credentials.",
        fix: "Check the URL, and that it may be read.", detail: detail)
    } else if says("returned error: 5", "returned error: 429") {
      self.init(
        .unreachable, "\(place) cannot be read now: its host answers with an error of its own.",
        fix: "It is tried again. If it stays so, ask those who run the host.", detail: detail)
    } else if says("transport '", "not allowed") {
      self.init(.misconfigured, "\(place) is of a kind that is not allowed.", fix: "Use 'https'.", detail: detail)
    } else if says("Out of memory", "out of memory", "Cannot allocate memory", "File too large", "signal 25") {
      self.init(
        .tooLarge, "\(place) takes more memory or space than it is allowed to.",
        fix: "Move the modules to a repository of their own, or raise the limits.", detail: detail)
    } else if says(
      "Could not resolve", "Couldn't connect", "Failed to connect", "Connection refused", "Connection reset",
      "Connection timed out", "Connection closed", "Network is unreachable", "No route to host", "timed out",
      "Operation too slow", "unable to access", "Empty reply", "hung up", "early EOF", "unexpected disconnect",
      "RPC failed", "certificate", "Could not read from remote repository", "not valid: is this a git repository")
    {
      self.init(
        .unreachable, "\(place) cannot be reached.",
        fix: "Check the host's name, the network, the proxy and the certificate. It is tried again.", detail: detail)
    } else {
      self.init(
        .broken, "\(place) cannot be read.", fix: "Try 'git fetch' by hand: the repository may be damaged.",
        detail: detail)
    }
  }

  /// Whether the remote does not do the partial fetch that it was asked for (`upload-pack.c`).
  var isFilterRefusal: Bool { detail.contains("filter '") && detail.contains("not supported") }

  /// The last thing that git called an error, without secrets, without control characters, in at most 300 characters.
  static func detail(_ output: String, secrets: [String]) -> String {
    let lines = output.split(whereSeparator: \.isNewline)
    let last =
      lines.last { $0.hasPrefix("fatal: ") && !$0.contains("Could not read from remote") }
      ?? lines.last { $0.hasPrefix("error: ") || $0.hasPrefix("ERROR: ") || $0.hasPrefix("fatal: ") } ?? lines.last
      ?? ""
    var text = String(last.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
    for secret in secrets where !secret.isEmpty { text = text.replacing(secret, with: "•••") }
    // A proxy's password, for one.
    text = text.replacing(#/:\/\/[^\/@\s]+@/#, with: "://•••@")
    return text.count > 300 ? text.prefix(300) + "…" : text
  }
}
