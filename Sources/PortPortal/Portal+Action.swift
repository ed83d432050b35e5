extension Portal {
  /// What people can start in the portal, or an automation.
  ///
  /// ```json
  /// {"identifier": "restart", "title": "Restart", "icon": "Restart",
  ///  "trigger": {"type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "service",
  ///              "userInputs": {"properties": {}, "required": [], "order": []}},
  ///  "invocationMethod": {"type": "WEBHOOK", "url": "https://example.com/restart", "synchronized": false}}
  /// ```
  public struct Action: Sendable, Hashable, Codable {
    /// Letters, digits and `@_.+:=-`.
    public var identifier: String
    public var title: String?
    public var icon: String?
    public var description: String?
    /// Who or what starts it, on which blueprint, under which condition, and with which inputs.
    public var trigger: JSON
    /// What Port does then. Strings in it may hold `{{ jq }}`.
    public var invocationMethod: JSON
    /// Whether somebody has to approve a run of it in the portal: a Boolean, or `{"type": "ANY"}`.
    public var requiredApproval: JSON?
    public var approvalNotification: JSON?
    /// Whether an automation is active.
    public var publish: Bool?
    public var allowAnyoneToViewRuns: Bool?

    public init(
      identifier: String, title: String? = nil, icon: String? = nil, description: String? = nil, trigger: JSON,
      invocationMethod: JSON, requiredApproval: JSON? = nil, approvalNotification: JSON? = nil, publish: Bool? = nil,
      allowAnyoneToViewRuns: Bool? = nil
    ) {
      self.identifier = identifier
      self.title = title
      self.icon = icon
      self.description = description
      self.trigger = trigger
      self.invocationMethod = invocationMethod
      self.requiredApproval = requiredApproval
      self.approvalNotification = approvalNotification
      self.publish = publish
      self.allowAnyoneToViewRuns = allowAnyoneToViewRuns
    }
  }
}
