/// A key and a value on a workspace or a project.
struct TagBinding: Codable, Sendable, Hashable {
  let id: String
  let key: String
  var value: String
}

struct Project: Stored {
  static let kind = "project"

  let id: String
  let sequence: Int
  let createdAt: String
  var name: String
  var description: String
  var tags: [TagBinding]
}

struct Workspace: Stored {
  static let kind = "workspace"

  /// A lock that somebody set; that of a run is not stored, the run says it.
  struct Lock: Codable, Sendable {
    let reason: String
    let at: String
  }

  let id: String
  let sequence: Int
  let createdAt: String
  var updatedAt: String
  var name: String
  var projectID: String
  /// The attributes that a client may set, by their name in TFE's API; see `WorkspaceSettings`.
  var settings: [String: JSONValue]
  var tags: [TagBinding]
  var flatTags: [String]
  var lock: Lock?
  var currentRunID: String?
  var currentStateVersionID: String?
  var currentConfigurationVersionID: String?

  func flag(_ name: String) -> Bool { settings[name]?.bool ?? false }
  func text(_ name: String) -> String { settings[name]?.string ?? "" }
}

struct Variable: Stored {
  static let kind = "variable"

  let id: String
  let sequence: Int
  let workspaceID: String
  var key: String
  var value: String
  var description: String
  /// `terraform` or `env`.
  var category: String
  var hcl: Bool
  var sensitive: Bool
}

struct ConfigurationVersion: Stored {
  static let kind = "configuration-version"

  enum Status: String, Codable {
    case pending, uploaded, errored
  }

  let id: String
  let sequence: Int
  let workspaceID: String
  let createdAt: String
  let autoQueueRuns: Bool
  let speculative: Bool
  let provisional: Bool
  var status: Status
  var uploadedAt: String?
  var errorMessage: String?
}
