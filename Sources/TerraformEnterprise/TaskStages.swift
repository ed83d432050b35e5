/// How a task stage stands.
public struct TaskStageStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: TaskStageStatus = "pending"
  public static let running: TaskStageStatus = "running"
  public static let passed: TaskStageStatus = "passed"
  public static let failed: TaskStageStatus = "failed"
  public static let awaitingOverride: TaskStageStatus = "awaiting_override"
  public static let errored: TaskStageStatus = "errored"
  public static let canceled: TaskStageStatus = "canceled"
  public static let unreachable: TaskStageStatus = "unreachable"
}

/// A stage of a run between its phases, at which run tasks and policies decide.
public struct TaskStage: Sendable, Hashable, Identifiable, Resource {
  /// `ts-…`
  public let id: String
  /// `pre_plan`, `post_plan`, `pre_apply` or `post_apply`.
  public let stage: String
  /// How it stands.
  public let status: TaskStageStatus
  /// Whether an override is possible now.
  public let isOverridable: Bool
  /// Whether the token may override it, where TFE says.
  public let canOverride: Bool?
  /// What its run tasks said.
  public let taskResultIDs: [String]
  /// What its policies said.
  public let policyEvaluationIDs: [String]
  /// The task results, where they were asked for with `include`.
  public let taskResults: [TaskResult]
  /// The policy evaluations, where they were asked for with `include`.
  public let policyEvaluations: [PolicyEvaluation]

  init(_ source: ResourceSource) throws {
    id = source.id
    stage = try source.require("stage")
    status = try source.require("status")
    isOverridable = try source.optional("actions", as: [String: Bool?].self)?["is-overridable"] == true
    canOverride = try source.optional("permissions", as: [String: Bool?].self)?["can-override"] ?? nil
    taskResultIDs = source.many("task-results")
    policyEvaluationIDs = source.many("policy-evaluations")
    taskResults = try source.includedAll("task-results")
    policyEvaluations = try source.includedAll("policy-evaluations")
  }
}

/// What may be asked for together with a task stage.
public enum TaskStageInclude: String, Sendable, Hashable {
  case taskResults = "task_results"
  case policyEvaluations = "policy_evaluations"
}

/// Calls of the Task Stages API.
public struct TaskStagesService: Sendable {
  let client: Client

  /// `GET /runs/ID/task-stages`.
  public func list(run id: String, pageSize: Int = 20) -> PagedList<TaskStage> {
    client.pages(Call(.get, "runs", id, "task-stages"), pageSize: pageSize)
  }

  /// `GET /task-stages/ID`.
  public func read(_ id: TaskStage.ID, include: [TaskStageInclude] = []) async throws -> TaskStage {
    var call = Call(.get, "task-stages", id)
    call.include(include.map(\.rawValue))
    return try await client.fetch(call)
  }

  /// `POST /task-stages/ID/actions/override`. A stage that does not wait for it is a 409.
  public func override(_ id: TaskStage.ID, comment: String? = nil) async throws {
    _ = try await client.send(Call(.post, "task-stages", id, "actions", "override").with(.comment(comment)))
  }
}

extension Client {
  /// Calls of the Task Stages API.
  public var taskStages: TaskStagesService { TaskStagesService(client: self) }
}
