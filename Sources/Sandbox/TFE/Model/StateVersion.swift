struct StateVersion: Stored {
  static let kind = "state-version"

  enum Status: String, Codable {
    case pending, finalized
  }

  /// An output of the configuration. Values stay in the state's file.
  struct Output: Codable, Sendable {
    let id: String
    let name: String
    let sensitive: Bool
    /// Terraform's type: `"string"`, `["object", {…}]`.
    let type: JSONValue

    /// TFE's coarse word for the type.
    var kind: String {
      switch type.string ?? type[0].string ?? "" {
      case "bool": "boolean"
      case "list", "set", "tuple": "array"
      case "map": "object"
      case let kind: kind.isEmpty ? "string" : kind
      }
    }
  }

  /// Resources of one name, as TFE sums them up.
  struct Resource: Codable, Sendable {
    let name: String
    let type: String
    let count: Int
    let module: String
    let provider: String
  }

  let id: String
  let sequence: Int
  let workspaceID: String
  let runID: String?
  let createdAt: String
  let serial: Int
  let lineage: String
  /// Of the raw file, hexadecimal.
  let md5: String
  var status: Status
  var size = 0
  var terraformVersion = ""
  var hasJSON = false
  var outputs: [Output] = []
  var resources: [Resource] = []
  /// Managed resource instances: what keeps a workspace from being safely deleted.
  var resourceCount = 0
}

/// What is read from Terraform's own state file (format 4).
struct StateFile {
  let serial: Int
  let lineage: String
  let terraformVersion: String
  let outputs: [(name: String, value: JSONValue, type: JSONValue, sensitive: Bool)]
  let resources: [StateVersion.Resource]
  let resourceCount: Int

  /// nil for what is no state.
  init?(_ bytes: [UInt8]) {
    guard let document = try? JSONValue(parsing: bytes), document["version"].int == 4,
      let serial = document["serial"].int, let lineage = document["lineage"].string
    else { return nil }
    self.serial = serial
    self.lineage = lineage
    terraformVersion = document["terraform_version"].string ?? ""
    outputs = (document["outputs"].object ?? [:]).sorted { $0.key < $1.key }.map { name, output in
      (name, output["value"], output["type"], output["sensitive"].bool ?? false)
    }
    let all = document["resources"].array ?? []
    resources = all.map { resource in
      StateVersion.Resource(
        name: resource["name"].string ?? "", type: resource["type"].string ?? "",
        count: resource["instances"].array?.count ?? 0, module: resource["module"].string ?? "root",
        provider: resource["provider"].string ?? "")
    }
    resourceCount = all.reduce(0) { count, resource in
      resource["mode"].string == "managed" ? count + (resource["instances"].array?.count ?? 0) : count
    }
  }

  /// The value of an output.
  func value(_ name: String) -> JSONValue { outputs.first { $0.name == name }?.value ?? .null }
}
