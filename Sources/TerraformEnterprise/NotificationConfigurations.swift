/// What makes TFE tell something about a run.
public struct NotificationTrigger: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  /// A run waits for somebody: to be confirmed, or for a policy to be overridden.
  public static let needsAttention: NotificationTrigger = "run:needs_attention"
  /// An apply has begun.
  public static let applying: NotificationTrigger = "run:applying"
  /// A run was applied, or had nothing to apply.
  public static let completed: NotificationTrigger = "run:completed"
  /// A run failed or was canceled.
  public static let errored: NotificationTrigger = "run:errored"
}

/// What TFE tells by itself, and to whom. The secret that signs it can only be written.
public struct NotificationConfiguration: Sendable, Hashable, Identifiable, Resource {
  /// `nc-…`
  public let id: String
  /// What people call it.
  public let name: String
  /// Where it is sent to; `nil` where it is not sent to a URL.
  public let url: String?
  /// Whether anything is sent.
  public let isEnabled: Bool
  /// What is told.
  public let triggers: [NotificationTrigger]

  init(_ source: ResourceSource) throws {
    id = source.id
    name = try source.optional("name") ?? ""
    url = try source.optional("url")
    isEnabled = try source.flag("enabled")
    triggers = try source.optional("triggers") ?? []
  }
}

/// What to set on a notification configuration that sends JSON to a URL.
public struct NotificationSettings: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  /// What people call it.
  public var name: String
  /// Where it is sent to.
  public var url: String
  /// Signs every delivery: HMAC-SHA512 of the body.
  public var token: String
  /// What is told.
  public var triggers: [NotificationTrigger]

  /// Settings of a configuration that is enabled.
  public init(name: String, url: String, token: String, triggers: [NotificationTrigger]) {
    self.name = name
    self.url = url
    self.token = token
    self.triggers = triggers
  }

  /// Never the token.
  public var description: String { "notifications \(name) to \(url)" }
  /// Nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }

  func document(id: String?) -> RequestDocument {
    RequestDocument(
      type: "notification-configuration", id: id,
      attributes: [
        // It cannot be changed, so only a new one has it.
        "destination-type": id == nil ? .some("generic") : .none,
        "enabled": true, "name": .string(name), "url": .string(url), "token": .string(token),
        "triggers": .array(triggers.map { .string($0.rawValue) }),
      ])
  }
}

/// Calls of the Notification Configurations API. They need the workspace's or project's admin.
public struct NotificationConfigurationsService: Sendable {
  let client: Client

  /// What configurations are about.
  public enum Subject: Sendable, Hashable {
    case workspace(String)
    /// All workspaces of a project, since 2026-04; a TFE that does not have it yet answers 404.
    case project(String)

    var path: (String, String) {
      switch self {
      case .workspace(let id): ("workspaces", id)
      case .project(let id): ("projects", id)
      }
    }
  }

  /// `GET /workspaces/ID/notification-configurations`, or a project's.
  public func list(of subject: Subject, pageSize: Int = 100) -> PagedList<NotificationConfiguration> {
    client.pages(Call(.get, subject.path.0, subject.path.1, "notification-configurations"), pageSize: pageSize)
  }

  /// `POST /workspaces/ID/notification-configurations`, or a project's. Before TFE answers it sends a verification to the
  /// URL; what is not answered with 2xx makes the call fail with 400.
  public func create(
    for subject: Subject, _ settings: NotificationSettings
  ) async throws -> NotificationConfiguration {
    try await client.fetch(
      Call(.post, subject.path.0, subject.path.1, "notification-configurations").with(settings.document(id: nil)))
  }

  /// `PATCH /notification-configurations/ID`. Verifies as ``create(for:_:)`` does.
  public func update(
    _ id: NotificationConfiguration.ID, _ settings: NotificationSettings
  ) async throws -> NotificationConfiguration {
    try await client.fetch(Call(.patch, "notification-configurations", id).with(settings.document(id: id)))
  }
}

extension Client {
  /// Calls of the Notification Configurations API.
  public var notificationConfigurations: NotificationConfigurationsService {
    NotificationConfigurationsService(client: self)
  }
}
