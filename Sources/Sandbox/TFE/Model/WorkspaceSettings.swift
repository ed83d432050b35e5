/// The attributes of a workspace that a client may set, with what they must look like.
enum WorkspaceSettings {
  private enum Shape {
    case flag, text, optionalText, texts, anything
  }

  private static let shapes: [String: Shape] = [
    "allow-destroy-plan": .flag, "assessments-enabled": .flag, "auto-apply": .flag, "auto-apply-run-trigger": .flag,
    "auto-destroy-activity-duration": .optionalText, "auto-destroy-at": .optionalText, "description": .optionalText,
    "execution-mode": .text, "file-triggers-enabled": .flag, "global-remote-state": .flag, "queue-all-runs": .flag,
    "setting-overwrites": .anything, "source-name": .optionalText, "source-url": .optionalText,
    "speculative-enabled": .flag, "structured-run-output-enabled": .flag, "terraform-version": .text,
    "trigger-patterns": .texts, "trigger-prefixes": .texts, "vcs-repo": .anything, "working-directory": .optionalText,
  ]

  static func defaults(terraformVersion: String) -> [String: JSONValue] {
    [
      "allow-destroy-plan": true, "assessments-enabled": false, "auto-apply": false, "auto-apply-run-trigger": false,
      "auto-destroy-activity-duration": nil, "auto-destroy-at": nil, "description": nil, "execution-mode": "remote",
      "file-triggers-enabled": true, "global-remote-state": false, "queue-all-runs": false, "setting-overwrites": [:],
      "source-name": nil, "source-url": nil, "speculative-enabled": true, "structured-run-output-enabled": true,
      "terraform-version": .string(terraformVersion), "trigger-patterns": [], "trigger-prefixes": [], "vcs-repo": nil,
      "working-directory": "",
    ]
  }

  /// The settings after a client's attributes; what is no setting is passed over, as TFE does.
  static func merge(_ attributes: JSONValue, into settings: [String: JSONValue]) throws -> [String: JSONValue] {
    var settings = settings
    var attributes = attributes.object ?? [:]
    if let operations = attributes["operations"]?.bool {
      guard attributes["execution-mode"] == nil else {
        throw APIError.invalid("operations", "Operations and execution-mode cannot be combined")
      }
      attributes["execution-mode"] = operations ? "remote" : "local"
    }
    for (name, value) in attributes {
      guard let shape = shapes[name] else { continue }
      let fits =
        switch shape {
        case .flag: value.bool != nil
        case .text: value.string != nil
        case .optionalText: value.string != nil || value.isNull
        case .texts: value.array?.allSatisfy { $0.string != nil } ?? false
        case .anything: true
        }
      guard fits else { throw APIError.invalid(name, "\(name) has the wrong type") }
      settings[name] = value
    }
    guard ["remote", "local"].contains(settings["execution-mode"]?.string) else {
      throw APIError.invalid("execution-mode", "Execution mode must be remote or local: this server has no agents")
    }
    let folder = settings["working-directory"]?.string ?? ""
    guard !folder.hasPrefix("/"), !folder.split(separator: "/").contains(".."), !folder.contains("\\") else {
      throw APIError.invalid("working-directory", "Working directory must be a relative path inside the configuration")
    }
    return settings
  }

  static func checkName(_ name: String?) throws -> String {
    guard let name, !name.isEmpty else { throw APIError.invalid("name", "Name can't be blank") }
    guard name.utf8.count <= 90, name.wholeMatch(of: #/[A-Za-z0-9_-]+/#) != nil else {
      throw APIError.invalid(
        "name", "Name can only include letters, numbers, -, and _, and must be at most 90 characters")
    }
    return name
  }
}
