/// One event on its way to one receiver, as it was when it happened.
struct Notification: Sendable {
  let configurationID: String
  let runID: String
  let runMessage: String
  let runCreatedAt: String
  let workspaceID: String
  let workspaceName: String
  let event: RunEvent
  let runStatus: String
  let runUpdatedAt: String

  /// The payload of version 1, for run events.
  ///
  /// - Parameters:
  ///   - base: the server's own address, which the link to the run begins with.
  ///   - hasTypes: whether this TFE knows the finer triggers.
  func payload(organization: String, base: String, hasTypes: Bool) -> JSONValue {
    var notification: JSONValue = [
      "message": .string(event.message), "trigger": .string(event.trigger), "run_status": .string(runStatus),
      "run_updated_at": .string(runUpdatedAt), "run_updated_by": .string(TFEState.userName),
    ]
    if hasTypes, let type = event.type { notification["trigger_type"] = .string(type) }
    return [
      "payload_version": 1, "notification_configuration_id": .string(configurationID),
      "run_url": .string("\(base)/app/\(organization)/\(workspaceName)/runs/\(runID)"), "run_id": .string(runID),
      "run_message": .string(runMessage), "run_created_at": .string(runCreatedAt),
      "run_created_by": .string(TFEState.userName), "workspace_id": .string(workspaceID),
      "workspace_name": .string(workspaceName), "organization_name": .string(organization),
      "notifications": [notification],
    ]
  }

  /// What is sent to see whether anybody takes notifications.
  static func verification(of configuration: NotificationConfiguration) -> JSONValue {
    [
      "payload_version": 1, "notification_configuration_id": .string(configuration.id), "run_url": nil, "run_id": nil,
      "run_message": nil, "run_created_at": nil, "run_created_by": nil, "workspace_id": nil, "workspace_name": nil,
      "organization_name": nil,
      "notifications": [
        [
          "message": .string("Verification of \(configuration.name)"), "trigger": "verification", "run_status": nil,
          "run_updated_at": nil, "run_updated_by": nil,
        ]
      ],
    ]
  }
}
