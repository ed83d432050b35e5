import Archive

/// How a plan or an apply ended.
enum RunOutcome: Sendable {
  /// - Parameters:
  ///   - hasChanges: of a plan, whether there is something to apply.
  case finished(hasChanges: Bool, Run.ChangeCount)
  case errored
  case canceled(forced: Bool)
}

/// All that planning or applying a run needs to know.
struct RunJob: Sendable {
  let run: Run
  let workspace: Workspace
  let variables: [Variable]
  let folder: RunFolder
  /// The uploaded configuration.
  let archive: String
  /// The workspace's current state; nil for none.
  let state: String?

  /// Why terraform cannot even begin.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// Whether terraform writes JSON lines.
  var isStructured: Bool { workspace.flag("structured-run-output-enabled") && run.request.isPlain != true }

  /// Where terraform runs.
  var workingDirectory: String { Self.workingDirectory(in: folder, workspace) }

  private static func workingDirectory(in folder: RunFolder, _ workspace: Workspace?) -> String {
    let inner = workspace?.text("working-directory").split(separator: "/").joined(separator: "/") ?? ""
    return inner.isEmpty ? folder.work : folder.work + "/" + inner
  }

  /// Sorts after other override files, so that what it says holds: the state is kept in the folder, whatever `cloud`
  /// or `backend` block the configuration has.
  private static let override = ArchiveEntry(
    path: "zzzz_sandbox_override.tf", text: "terraform {\n  backend \"local\" {}\n}\n")

  /// Unpacks the configuration and puts the state beside it. What an earlier init left in an upload, but for fetched
  /// modules, and any state in it are left out.
  func prepare() throws {
    Files.remove(folder.path)
    try DurableFile.createFolder(folder.path)
    guard let archive = try DurableFile.read(archive) else { throw Problem(description: "The configuration is gone.") }
    let inner = workspace.text("working-directory").split(separator: "/").map(String.init)
    let placed = Set(
      ["terraform.tfstate", "errored.tfstate", Self.override.path].map {
        (inner + [$0]).joined(separator: "/")
      })
    var entries = try TarGzip.unpack(archive).filter { entry in
      let parts = entry.path.split(separator: "/")
      let isOfInit = zip(parts, parts.dropFirst() + [""]).contains { $0 == ".terraform" && $1 != "modules" }
      return !isOfInit && !placed.contains(entry.path)
    }
    var override = Self.override
    override.path = (inner + [override.path]).joined(separator: "/")
    entries.append(override)
    guard inner.isEmpty || entries.contains(where: { $0.path != override.path && isBelow(inner, $0.path) }) else {
      throw Problem(description: "The working directory '\(inner.joined(separator: "/"))' is not in the configuration.")
    }
    try TarGzip.write(entries, into: folder.work)
    if let state {
      guard let bytes = try DurableFile.read(state) else { throw Problem(description: "The state is gone.") }
      try DurableFile.write(bytes, to: workingDirectory + "/terraform.tfstate", syncing: false)
    }
  }

  private func isBelow(_ folder: [String], _ path: String) -> Bool {
    path.hasPrefix(folder.joined(separator: "/") + "/")
  }

  /// The state that terraform left; one that it could not write where it belongs comes first.
  static func state(in folder: RunFolder, _ workspace: Workspace?) throws -> [UInt8]? {
    let place = workingDirectory(in: folder, workspace)
    return try DurableFile.read(place + "/errored.tfstate") ?? DurableFile.read(place + "/terraform.tfstate")
  }

  /// Terraform variables as files for `-var-file`, later ones winning: the workspace's, then the run's.
  ///
  /// - Returns: their paths; to be removed once terraform has read them.
  func writeVariableFiles() throws -> [String] {
    let own = variables.filter { $0.category == "terraform" }.map { variable in
      "\(variable.key) = \(variable.hcl ? variable.value : HCLText.quoted(variable.value))\n"
    }
    let given = run.request.variables.map { "\($0.key) = \($0.value)\n" }
    var paths: [String] = []
    for (name, lines) in [("workspace", own), ("run", given)] where !lines.isEmpty {
      let path = "\(folder.path)/\(name).tfvars"
      try DurableFile.write(Array(lines.joined().utf8), to: path, syncing: false)
      paths.append(path)
    }
    return paths
  }
}

enum HCLText {
  /// A string literal of HCL without any interpolation.
  static func quoted(_ text: String) -> String {
    var output = "\""
    var scalars = text.unicodeScalars.makeIterator()
    var pending = scalars.next()
    while let scalar = pending {
      pending = scalars.next()
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case "$" where pending == "{": output += "$$"
      case "%" where pending == "{": output += "%%"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let hex = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output + "\""
  }
}
