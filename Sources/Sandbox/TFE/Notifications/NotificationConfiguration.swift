import FoundationEssentials

/// Where the events of a workspace's runs, or of those of all workspaces of a project, are sent.
struct NotificationConfiguration: Stored {
  static let kind = "notification-configuration"

  /// What a receiver answered last.
  struct Delivery: Codable, Sendable {
    let url: String
    /// The HTTP status; nil where nothing answered.
    let code: String?
    let headers: [String: [String]]
    /// The beginning of the answer, or why there is none.
    let body: String
    let sentAt: String

    /// Whether it answered 2xx.
    var isSuccessful: Bool { code?.hasPrefix("2") ?? false }
  }

  let id: String
  let sequence: Int
  let createdAt: String
  /// The workspace or the project.
  let subscribableID: String
  /// `workspaces` or `projects`.
  let subscribableType: String
  var updatedAt: String
  var name = ""
  var url = ""
  /// The key that notifications are signed with. It is never shown.
  var token: String?
  var triggers: [String] = []
  var isEnabled = false
  var delivery: Delivery?

  /// The `triggers` that TFE documents ("Notification configurations API reference").
  static let knownTriggers: Set<String> = [
    "run:created", "run:planning", "run:needs_attention", "run:applying", "run:completed", "run:errored",
    "run:pending_apply_approval", "run:cost_estimated", "run:policy_override_required", "run:policies_checked",
    "run:run_errored", "run:run_canceled", "run:policy_soft_failed", "assessment:drifted", "assessment:check_failure",
    "assessment:failed", "workspace:auto_destroy_reminder", "workspace:auto_destroy_run_results", "workspace:deleted",
  ]

  init(id: String, sequence: Int, subscribableID: String, subscribableType: String) {
    self.id = id
    self.sequence = sequence
    self.subscribableID = subscribableID
    self.subscribableType = subscribableType
    createdAt = Timestamp.now()
    updatedAt = createdAt
  }

  /// Takes the attributes that a client sends; those that it does not send stay as they are.
  mutating func change(_ attributes: JSONValue) throws {
    if !attributes["destination-type"].isNull, attributes["destination-type"] != "generic" {
      throw APIError.invalid("destination-type", "Destination type must be generic: this server sends no other kind")
    }
    if !attributes["name"].isNull {
      guard let name = attributes["name"].string, !name.isEmpty, name.utf8.count <= 255 else {
        throw APIError.invalid("name", "Name can't be blank and must be at most 255 characters")
      }
      self.name = name
    }
    if !attributes["url"].isNull {
      guard let text = attributes["url"].string, let url = URL(string: text),
        ["http", "https"].contains(url.scheme?.lowercased()), !(url.host() ?? "").isEmpty
      else { throw APIError.invalid("url", "Url must be an http or https address") }
      self.url = text
    }
    if !attributes["enabled"].isNull {
      guard let enabled = attributes["enabled"].bool else {
        throw APIError.invalid("enabled", "Enabled must be true or false")
      }
      isEnabled = enabled
    }
    if attributes.object?["token"] != nil {
      guard attributes["token"].isNull || attributes["token"].string != nil else {
        throw APIError.invalid("token", "Token must be a string or null")
      }
      token = attributes["token"].string.flatMap { $0.isEmpty ? nil : $0 }
    }
    if !attributes["triggers"].isNull {
      let triggers = attributes["triggers"].array?.compactMap(\.string) ?? []
      guard let sent = attributes["triggers"].array, sent.count == triggers.count else {
        throw APIError.invalid("triggers", "Triggers must be a list of strings")
      }
      if let unknown = triggers.first(where: { !Self.knownTriggers.contains($0) }) {
        throw APIError.invalid("triggers", "Triggers has an unknown value: \(unknown)")
      }
      self.triggers = triggers
    }
    updatedAt = Timestamp.now()
  }

  /// Refuses what a new configuration must not be without.
  func checkComplete(_ attributes: JSONValue) throws {
    if attributes["destination-type"].isNull {
      throw APIError.invalid("destination-type", "Destination type can't be blank")
    }
    if name.isEmpty { throw APIError.invalid("name", "Name can't be blank") }
    if url.isEmpty { throw APIError.invalid("url", "Url can't be blank") }
  }

  /// Whether it wants to hear of an event.
  func wants(_ event: RunEvent) -> Bool {
    isEnabled && (triggers.contains(event.trigger) || event.type.map { triggers.contains($0) } ?? false)
  }
}
