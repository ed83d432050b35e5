/// How a run task's result stands.
public struct TaskResultStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: TaskResultStatus = "pending"
  public static let running: TaskResultStatus = "running"
  public static let passed: TaskResultStatus = "passed"
  public static let failed: TaskResultStatus = "failed"
  public static let errored: TaskResultStatus = "errored"
  public static let canceled: TaskResultStatus = "canceled"
  public static let unreachable: TaskResultStatus = "unreachable"
}

/// What a run task said at a ``TaskStage``.
public struct TaskResult: Sendable, Hashable, Identifiable, Resource {
  /// `taskrs-…`
  public let id: String
  /// How it stands.
  public let status: TaskResultStatus
  /// The task's name.
  public let taskName: String?
  /// What it said.
  public let message: String?
  /// Where it says more.
  public let url: String?
  /// `advisory` or `mandatory`.
  public let enforcementLevel: String?

  init(_ source: ResourceSource) throws {
    id = source.id
    status = try source.require("status")
    taskName = try source.optional("task-name")
    message = try source.optional("message")
    url = try source.optional("url")
    enforcementLevel = try source.optional("workspace-task-enforcement-level")
  }
}
