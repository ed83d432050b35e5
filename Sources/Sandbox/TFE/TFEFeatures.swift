/// What the embedded Terraform Enterprise can do, where real ones differ.
public struct TFEFeatures: Sendable {
  /// Whether notifications can be configured for a whole project. Older releases of TFE answer 404.
  public var projectNotifications: Bool
  /// How long the receiver of a notification may take to answer.
  public var notificationTimeout: Duration
  /// Whether the token may override policies, a right of the organization's that a project's team seldom has.
  public var policyOverrides: Bool

  public init(
    projectNotifications: Bool = true, notificationTimeout: Duration = .seconds(10), policyOverrides: Bool = true
  ) {
    self.projectNotifications = projectNotifications
    self.notificationTimeout = notificationTimeout
    self.policyOverrides = policyOverrides
  }
}
