extension TFEState {
  /// How many configurations a workspace or a project has at most.
  private static let maximumNotifications = 20

  /// The configurations of a workspace or a project, in the order in which they were made.
  private func notifications(of subscribableID: String) -> [NotificationConfiguration] {
    (notificationIDs[subscribableID] ?? []).compactMap { notifications[$0] }
  }

  func notificationList(of subscribableID: String, type: String, query: Query, url: String) throws -> JSONValue {
    try checkSubscribable(subscribableID, type)
    let all = notifications(of: subscribableID)
    let page = Page(query)
    return page.document(page.slice(all).map { resource($0) }, of: all.count, included: [], url: url, query: query)
  }

  func notification(_ id: String) throws -> NotificationConfiguration {
    guard let configuration = notifications[id],
      configuration.subscribableType == "workspaces" || features.projectNotifications
    else { throw APIError.notFound }
    return configuration
  }

  func notificationDocument(_ id: String) throws -> JSONValue { JSONAPI.document(resource(try notification(id))) }

  /// A new configuration, which `addNotification` keeps once its receiver has been heard.
  func newNotification(
    of subscribableID: String, type: String, _ document: JSONValue
  ) throws -> NotificationConfiguration {
    try checkSubscribable(subscribableID, type)
    try checkRoom(subscribableID)
    let attributes = document["data"]["attributes"]
    var configuration = NotificationConfiguration(
      id: Identifier.make("nc"), sequence: nextSequence(), subscribableID: subscribableID, subscribableType: type)
    try configuration.change(attributes)
    try configuration.checkComplete(attributes)
    return configuration
  }

  /// The configuration as a client wants it, which is not kept yet.
  func changedNotification(_ id: String, _ document: JSONValue) throws -> NotificationConfiguration {
    var configuration = try notification(id)
    try configuration.change(document["data"]["attributes"])
    return configuration
  }

  /// Keeps a new configuration. While its receiver was asked, what it belongs to may have gone.
  func addNotification(_ configuration: NotificationConfiguration) throws -> JSONValue {
    try checkSubscribable(configuration.subscribableID, configuration.subscribableType)
    try checkRoom(configuration.subscribableID)
    notifications.set(configuration)
    notificationIDs[configuration.subscribableID, default: []].append(configuration.id)
    return JSONAPI.document(resource(configuration))
  }

  /// Keeps a changed configuration, unless it was deleted while its receiver was asked.
  func replaceNotification(_ configuration: NotificationConfiguration) throws -> JSONValue {
    _ = try notification(configuration.id)
    notifications.set(configuration)
    return JSONAPI.document(resource(configuration))
  }

  /// Keeps what a receiver answered, as the only one: TFE keeps the last.
  func recordDelivery(_ delivery: NotificationConfiguration.Delivery, of id: String) {
    guard var configuration = notifications[id] else { return }
    configuration.delivery = delivery
    notifications.set(configuration)
  }

  func deleteNotification(_ id: String) throws {
    let configuration = try notification(id)
    notificationIDs[configuration.subscribableID]?.removeAll { $0 == id }
    notifications.remove(id)
  }

  /// A workspace or a project is gone.
  func removeNotifications(of subscribableID: String) {
    for id in notificationIDs.removeValue(forKey: subscribableID) ?? [] { notifications.remove(id) }
  }

  /// Queues what those are to hear who asked about the runs of this workspace. Nobody is told of plan-only runs, nor of
  /// workspaces of local execution mode.
  ///
  /// - Parameter before: the run's status before this change; nil for a new run.
  func announce(_ run: Run, before: Run.Status?) {
    guard before != run.status, !run.request.planOnly, let event = RunEvent(run.status, isNew: before == nil),
      let workspace = workspaces[run.workspaceID], workspace.text("execution-mode") == "remote"
    else { return }
    var listeners = notifications(of: workspace.id)
    if features.projectNotifications { listeners += notifications(of: workspace.projectID) }
    for configuration in listeners where configuration.wants(event) {
      outbox.add(
        Notification(
          configurationID: configuration.id, runID: run.id, runMessage: run.request.message,
          runCreatedAt: run.createdAt, workspaceID: workspace.id, workspaceName: workspace.name, event: event,
          runStatus: run.status.rawValue, runUpdatedAt: Timestamp.now()))
    }
  }

  private func checkSubscribable(_ id: String, _ type: String) throws {
    let isThere =
      type == "workspaces" ? workspaces[id] != nil : features.projectNotifications && projects[id] != nil
    guard isThere else { throw APIError.notFound }
  }

  private func checkRoom(_ subscribableID: String) throws {
    guard notificationIDs[subscribableID]?.count ?? 0 < Self.maximumNotifications else {
      throw APIError.unprocessable("/data", "There can be at most \(Self.maximumNotifications) configurations here")
    }
  }

  private func resource(_ configuration: NotificationConfiguration) -> JSONValue {
    JSONAPI.resource(
      "notification-configurations", configuration.id,
      attributes: [
        "enabled": .bool(configuration.isEnabled), "name": .string(configuration.name),
        "url": .string(configuration.url), "destination-type": "generic", "token": nil,
        "triggers": .array(configuration.triggers.map { .string($0) }),
        "delivery-responses": .array(configuration.delivery.map { [Self.document(of: $0)] } ?? []),
        "created-at": .string(configuration.createdAt), "updated-at": .string(configuration.updatedAt),
      ],
      relationships: ["subscribable": JSONAPI.one(configuration.subscribableType, configuration.subscribableID)],
      links: ["self": .string("/api/v2/notification-configurations/\(configuration.id)")])
  }

  private static func document(of delivery: NotificationConfiguration.Delivery) -> JSONValue {
    [
      "url": .string(delivery.url), "body": .string(delivery.body), "code": .init(delivery.code),
      "headers": .object(delivery.headers.mapValues { .array($0.map { .string($0) }) }),
      "sent-at": .string(delivery.sentAt), "successful": delivery.isSuccessful ? "true" : "false",
    ]
  }
}
