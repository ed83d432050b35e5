/// Task stages, cost estimates and policies as JSON:API resources.
extension TFEState {
  static let taskStageIncludes: Set<String> = ["run", "run.workspace", "task_results", "policy_evaluations"]
  static let policyCheckIncludes: Set<String> = ["run", "run.workspace"]

  func taskStageList(run id: String, query: Query, origin: String, url: String) throws -> JSONValue {
    let run = try run(id)
    let includes = try Includes(query, allowed: Self.taskStageIncludes)
    let stages = run.checks?.taskStage.map { [$0] } ?? []
    let page = Page(query)
    return page.document(
      page.slice(stages).map { resource($0, run) }, of: stages.count,
      included: stages.flatMap { included(with: $0, run, includes, origin: origin) }, url: url, query: query)
  }

  func taskStageDocument(_ id: String, query: Query, origin: String) throws -> JSONValue {
    let (run, stage) = try taskStage(id)
    guard stage.id == id else { throw APIError.notFound }
    let includes = try Includes(query, allowed: Self.taskStageIncludes)
    return JSONAPI.document(resource(stage, run), included: included(with: stage, run, includes, origin: origin))
  }

  func policyEvaluationList(taskStage id: String, query: Query, url: String) throws -> JSONValue {
    let (run, stage) = try taskStage(id)
    guard stage.id == id else { throw APIError.notFound }
    return Page(query).document([evaluation(of: stage, run)], of: 1, included: [], url: url, query: query)
  }

  /// The outcome of the one policy set; none before the policies were evaluated.
  func policySetOutcomeList(evaluation id: String, query: Query, url: String) throws -> JSONValue {
    let (_, stage) = try taskStage(id)
    guard stage.evaluationID == id else { throw APIError.notFound }
    let outcomes = stage.hasOutcome ? [outcome(of: stage)] : []
    return Page(query).document(outcomes, of: outcomes.count, included: [], url: url, query: query)
  }

  func policySetOutcomeDocument(_ id: String) throws -> JSONValue {
    let (_, stage) = try taskStage(id)
    guard stage.outcomeID == id, stage.hasOutcome else { throw APIError.notFound }
    return JSONAPI.document(outcome(of: stage))
  }

  /// The stage with this id, or with an evaluation or outcome of this id.
  private func taskStage(_ id: String) throws -> (Run, RunChecks.TaskStage) {
    let run = try run(ofCheck: id)
    guard let stage = run.checks?.taskStage else { throw APIError.notFound }
    return (run, stage)
  }

  func policyCheckList(run id: String, query: Query, origin: String, url: String) throws -> JSONValue {
    let run = try run(id)
    let includes = try Includes(query, allowed: Self.policyCheckIncludes)
    let checks = run.checks?.policyCheck.map { [$0] } ?? []
    let page = Page(query)
    return page.document(
      page.slice(checks).map { resource($0, run) }, of: checks.count,
      included: checks.isEmpty ? [] : included(runOf: run, includes, origin: origin), url: url, query: query)
  }

  func policyCheckDocument(_ id: String, query: Query, origin: String) throws -> JSONValue {
    let run = try run(ofCheck: id)
    guard let check = run.checks?.policyCheck, check.id == id else { throw APIError.notFound }
    let includes = try Includes(query, allowed: Self.policyCheckIncludes)
    return JSONAPI.document(resource(check, run), included: included(runOf: run, includes, origin: origin))
  }

  func policyCheckOutput(_ id: String) throws -> String {
    guard let check = try run(ofCheck: id).checks?.policyCheck, check.id == id else { throw APIError.notFound }
    return check.output
  }

  func costEstimateDocument(_ id: String) throws -> JSONValue {
    guard let estimate = try run(ofCheck: id).checks?.costEstimate, estimate.id == id else { throw APIError.notFound }
    return JSONAPI.document(resource(estimate))
  }

  func resource(_ estimate: RunChecks.CostEstimate) -> JSONValue {
    let isFinished = estimate.status == .finished
    return JSONAPI.resource(
      "cost-estimates", estimate.id,
      attributes: [
        "status": .string(estimate.status.rawValue), "error-message": nil,
        "status-timestamps": .object(estimate.timestamps.mapValues { .string($0) }), "resources": [:],
        "resources-count": isFinished ? 1 : 0, "matched-resources-count": isFinished ? 1 : 0,
        "unmatched-resources-count": 0, "prior-monthly-cost": .string(isFinished ? estimate.prior : "0.0"),
        "proposed-monthly-cost": .string(isFinished ? estimate.monthly : "0.0"),
        "delta-monthly-cost": .string(isFinished ? estimate.delta : "0.0"),
      ], links: ["self": .string("/api/v2/cost-estimates/\(estimate.id)")])
  }

  func resource(_ stage: RunChecks.TaskStage, _ run: Run) -> JSONValue {
    JSONAPI.resource(
      "task-stages", stage.id,
      attributes: [
        "stage": "post_plan", "status": .string(stage.status.rawValue),
        "status-timestamps": .object(stage.timestamps.mapValues { .string($0) }),
        "created-at": .string(run.createdAt), "updated-at": .string(stage.timestamps.values.max() ?? run.createdAt),
        "permissions": [
          "can-override-policy": .bool(features.policyOverrides), "can-override-tasks": false,
          "can-override": .bool(features.policyOverrides),
        ],
        "actions": ["is-overridable": .bool(isOverridable(stage, run))],
      ],
      relationships: [
        "run": JSONAPI.one("runs", run.id), "task-results": ["data": []],
        "policy-evaluations": JSONAPI.many("policy-evaluations", [stage.evaluationID]),
      ], links: ["self": .string("/api/v2/task-stages/\(stage.id)")])
  }

  private func evaluation(of stage: RunChecks.TaskStage, _ run: Run) -> JSONValue {
    JSONAPI.resource(
      "policy-evaluations", stage.evaluationID,
      attributes: [
        "status": .string(stage.evaluationStatus), "policy-kind": "opa", "policy-tool-version": "sandbox",
        "result-count": stage.hasOutcome ? stage.policies.opaCounts : [Policy]().opaCounts,
        "status-timestamps": .object(stage.timestamps.mapValues { .string($0) }),
        "created-at": .string(run.createdAt), "updated-at": .string(stage.timestamps.values.max() ?? run.createdAt),
      ],
      relationships: [
        "policy-attachable": JSONAPI.one("task-stages", stage.id),
        "policy-set-outcomes": [
          "links": ["related": .string("/api/v2/policy-evaluations/\(stage.evaluationID)/policy-set-outcomes")]
        ],
      ], links: ["self": .string("/api/v2/policy-evaluations/\(stage.evaluationID)")])
  }

  private func outcome(of stage: RunChecks.TaskStage) -> JSONValue {
    JSONAPI.resource(
      "policy-set-outcomes", stage.outcomeID,
      attributes: [
        "outcomes": .array(
          stage.policies.map { policy in
            [
              "enforcement_level": policy.enforcement == .advisory ? "advisory" : "mandatory",
              "query": "data.terraform.policies.deny", "status": policy.passes ? "passed" : "failed",
              "policy_name": .string(policy.name), "description": .string(policy.description),
            ]
          }),
        "error": "", "overridable": .bool(stage.policies.failedCount(.hardMandatory) == 0),
        "policy-set-name": "sandbox", "policy-set-description": nil, "result-count": stage.policies.opaCounts,
        "policy-tool-version": "sandbox",
      ], relationships: ["policy-evaluation": JSONAPI.one("policy-evaluations", stage.evaluationID)])
  }

  func resource(_ check: RunChecks.PolicyCheck, _ run: Run) -> JSONValue {
    let policies = check.hasResult ? check.policies : []
    let hard = policies.failedCount(.hardMandatory)
    let soft = policies.failedCount(.softMandatory)
    let advisory = policies.failedCount(.advisory)
    return JSONAPI.resource(
      "policy-checks", check.id,
      attributes: [
        "scope": "organization", "status": .string(check.status.rawValue),
        "status-timestamps": .object(check.timestamps.mapValues { .string($0) }),
        "result": [
          "result": .bool(check.hasResult && hard + soft == 0), "passed": .init(policies.passedCount),
          "total-failed": .init(hard + soft + advisory), "hard-failed": .init(hard), "soft-failed": .init(soft),
          "advisory-failed": .init(advisory), "duration-ms": 0, "sentinel": [:],
        ],
        "actions": ["is-overridable": .bool(isOverridable(check, run))],
        "permissions": ["can-override": .bool(features.policyOverrides)],
      ],
      relationships: ["run": JSONAPI.one("runs", run.id)],
      links: ["output": .string("/api/v2/policy-checks/\(check.id)/output")])
  }

  private func included(
    with stage: RunChecks.TaskStage, _ run: Run, _ includes: Includes, origin: String
  ) -> [JSONValue] {
    let evaluations = includes.contains("policy_evaluations") ? [evaluation(of: stage, run)] : []
    return evaluations + included(runOf: run, includes, origin: origin)
  }

  private func included(runOf run: Run, _ includes: Includes, origin: String) -> [JSONValue] {
    guard let below = includes.below("run") else { return [] }
    return [resource(run)] + included(with: run, below, origin: origin)
  }
}

extension RunChecks.TaskStage {
  /// Whether the policies were evaluated.
  fileprivate var hasOutcome: Bool { ![.pending, .running, .unreachable].contains(status) }
}

extension RunChecks.PolicyCheck {
  /// Whether the policies were checked.
  fileprivate var hasResult: Bool { ![.pending, .queued, .unreachable, .errored].contains(status) }

  /// What people read of it; nothing before the policies were checked.
  fileprivate var output: String {
    if status == .errored, let problem { return "Sentinel Result: false\n\n\(problem)\n" }
    guard hasResult else { return "" }
    var lines = [
      "Sentinel Result: \(policies.verdict == .passed)", "",
      policies.verdict == .passed
        ? "This result means that no mandatory policy failed."
        : "This result means that one or more mandatory policies failed.",
      "", "\(policies.count) policies evaluated.",
    ]
    for (index, policy) in policies.enumerated() {
      lines += ["", "## Policy \(index + 1): \(policy.name) (\(policy.enforcement.rawValue))", ""]
      lines.append("Result: \(policy.passes)")
      if !policy.description.isEmpty { lines += ["", policy.description] }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension [Policy] {
  /// As policy evaluations count: both mandatory kinds are one.
  fileprivate var opaCounts: JSONValue {
    [
      "passed": .init(passedCount), "advisory-failed": .init(failedCount(.advisory)), "errored": 0,
      "mandatory-failed": .init(failedCount(.softMandatory) + failedCount(.hardMandatory)),
    ]
  }
}
