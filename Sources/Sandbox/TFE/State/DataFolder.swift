import Glibc

/// Where the sandbox keeps what, below one folder that is private to its owner (0700) and that only one sandbox uses.
struct DataFolder: Sendable {
  let path: String
  private let lock: FolderLock

  init(_ path: String) throws {
    self.path = path
    try DurableFile.createFolder(path)
    guard chmod(path, 0o700) == 0 else { throw DurableFile.Failure("chmod", path) }
    lock = try FolderLock(path)
    for folder in ["archives", "states", "runs", "modules", "plugin-cache", "tmp"] {
      try DurableFile.createFolder("\(path)/\(folder)")
    }
  }

  /// Lets another sandbox use the folder.
  func release() { lock.release() }

  var journal: String { path + "/journal" }
  var requests: String { path + "/requests.jsonl" }
  var key: String { path + "/key" }
  var cliConfiguration: String { path + "/terraform.rc" }
  var pluginCache: String { path + "/plugin-cache" }

  func archive(_ configurationVersion: String) -> String { "\(path)/archives/\(configurationVersion).tar.gz" }
  func state(_ stateVersion: String) -> String { "\(path)/states/\(stateVersion).tfstate" }
  /// The form of `terraform show -json`, where the client sent it.
  func stateJSON(_ stateVersion: String) -> String { "\(path)/states/\(stateVersion).json" }
  /// The archive of a version of a module.
  func module(_ version: String) -> String { "\(path)/modules/\(version).tar.gz" }
  /// What policies are to say: the developer's own file.
  var policies: String { path + "/policies.json" }
  func run(_ run: String) -> RunFolder { RunFolder(path: "\(path)/runs/\(run)") }
  var runs: String { path + "/runs" }
}

/// The files of one run.
struct RunFolder: Sendable {
  let path: String

  var planLog: String { path + "/plan.log" }
  var applyLog: String { path + "/apply.log" }
  /// Terraform's own plan file.
  var plan: String { path + "/plan" }
  /// `terraform show -json` of it: sensitive values in clear.
  var planJSON: String { path + "/plan.json" }
  /// What a client may see of it.
  var redactedPlan: String { path + "/plan-redacted.json" }
  /// The unpacked configuration.
  var work: String { path + "/work" }
}
