import FoundationEssentials

/// Runs, plans and applies as JSON:API resources, and what may be included with them.
extension TFEState {
  static let workspaceIncludes: Set<String> = [
    "organization", "current_run", "current_run.plan", "current_run.apply", "current_run.configuration_version",
    "current_configuration_version", "current_state_version", "locked_by", "readme", "outputs", "project",
  ]
  static let runIncludes: Set<String> = [
    "plan", "apply", "created_by", "cost_estimate", "configuration_version",
    "configuration_version.ingress_attributes", "workspace", "task_stages",
  ]
  static let stateIncludes: Set<String> = [
    "created_by", "run", "run.created_by", "run.configuration_version", "outputs",
  ]

  func resource(_ run: Run) -> JSONValue {
    let request = run.request
    let isForceCancelable = !run.status.isFinal && forceCancelAvailableAt(run).map { $0 <= .now } ?? false
    var attributes: [String: JSONValue] = [
      "status": .string(run.status.rawValue), "has-changes": .bool(run.hasChanges),
      "auto-apply": .bool(request.autoApply), "is-destroy": .bool(request.isDestroy),
      "plan-only": .bool(request.planOnly), "refresh": .bool(request.refresh),
      "refresh-only": .bool(request.refreshOnly), "save-plan": .bool(request.savePlan),
      "allow-empty-apply": .bool(request.allowEmptyApply),
      "allow-config-generation": .bool(request.allowConfigGeneration),
      "debugging-mode": .bool(request.debuggingMode), "message": .string(request.message),
      "source": .string(run.source.rawValue),
      "trigger-reason": "manual", "created-at": .string(run.createdAt),
      "canceled-at": .init(run.timestamps["canceled-at"] ?? run.timestamps["force-canceled-at"]),
      "position-in-queue": .init(positionInQueue(run)),
      "terraform-version": .string(request.terraformVersion ?? terraformVersion),
      "target-addrs": .array(request.targets.map { .string($0) }),
      "replace-addrs": .array(request.replacements.map { .string($0) }),
      "variables": .array(request.variables.map { ["key": .string($0.key), "value": .string($0.value)] }),
      "status-timestamps": .object(run.timestamps.mapValues { .string($0) }),
      "actions": [
        "is-cancelable": .bool(run.isCancelable), "is-confirmable": .bool(run.isConfirmable),
        "is-discardable": .bool(run.isDiscardable), "is-force-cancelable": .bool(isForceCancelable),
      ],
      "permissions": .object(
        Dictionary(
          uniqueKeysWithValues: [
            "apply", "cancel", "comment", "discard", "force-execute", "force-cancel", "override-policy-check",
          ].map { ("can-\($0)", .bool($0 != "override-policy-check" || features.policyOverrides)) })),
    ]
    if let available = forceCancelAvailableAt(run), !run.status.isFinal {
      attributes["force-cancel-available-at"] = .string(Timestamp.string(available))
    }
    let isConfirmed = run.timestamps["confirmed-at"] != nil
    return JSONAPI.resource(
      "runs", run.id, attributes: attributes,
      relationships: [
        "workspace": JSONAPI.one("workspaces", run.workspaceID),
        "configuration-version": JSONAPI.one("configuration-versions", run.configurationVersionID),
        "plan": JSONAPI.one("plans", run.plan.id), "apply": JSONAPI.one("applies", run.apply.id),
        "created-by": JSONAPI.one("users", Self.userID),
        "confirmed-by": JSONAPI.one("users", isConfirmed ? Self.userID : nil),
        "input-state-version": JSONAPI.one("state-versions", run.inputStateVersionID),
        "cost-estimate": JSONAPI.one("cost-estimates", run.checks?.costEstimate?.id),
        "policy-checks": JSONAPI.many("policy-checks", run.checks?.policyCheck.map { [$0.id] } ?? []),
        "task-stages": JSONAPI.many("task-stages", run.checks?.taskStage.map { [$0.id] } ?? []),
        "run-events": JSONAPI.many("run-events", events(of: run).map(\.id)),
        "comments": JSONAPI.many("comments", comments(on: run.id).map(\.id)),
      ], links: ["self": .string("/api/v2/runs/\(run.id)")])
  }

  func planResource(_ run: Run, origin: String) -> JSONValue {
    var attributes = phaseAttributes(run.plan)
    attributes["has-changes"] = .bool(run.hasChanges)
    attributes["generated-configuration"] = .bool(run.request.allowConfigGeneration)
    attributes["log-read-url"] = .string(links.url(.planLog, run.id, origin: origin))
    return JSONAPI.resource(
      "plans", run.plan.id, attributes: attributes, relationships: ["state-versions": ["data": []]],
      links: [
        "self": .string("/api/v2/plans/\(run.plan.id)"),
        "json-output": .string("/api/v2/plans/\(run.plan.id)/json-output"),
      ])
  }

  func applyResource(_ run: Run, origin: String) -> JSONValue {
    var attributes = phaseAttributes(run.apply)
    attributes["log-read-url"] = .string(links.url(.applyLog, run.id, origin: origin))
    return JSONAPI.resource(
      "applies", run.apply.id, attributes: attributes,
      relationships: ["state-versions": JSONAPI.many("state-versions", run.stateVersionIDs)],
      links: ["self": .string("/api/v2/applies/\(run.apply.id)")])
  }

  private func phaseAttributes(_ phase: Run.Phase) -> [String: JSONValue] {
    [
      "status": .string(phase.status.rawValue), "execution-details": ["mode": "remote"],
      "status-timestamps": .object(phase.timestamps.mapValues { .string($0) }),
      "resource-additions": .init(phase.changes.additions), "resource-changes": .init(phase.changes.changes),
      "resource-destructions": .init(phase.changes.destructions), "resource-imports": .init(phase.changes.imports),
    ]
  }

  func included(with run: Run, _ includes: Includes, origin: String) -> [JSONValue] {
    var included: [JSONValue] = []
    if includes.contains("plan") { included.append(planResource(run, origin: origin)) }
    if includes.contains("apply") { included.append(applyResource(run, origin: origin)) }
    if includes.contains("created_by") { included.append(Self.user) }
    if includes.below("configuration_version") != nil, let version = configurationVersions[run.configurationVersionID] {
      included.append(resource(version))
    }
    if includes.contains("workspace"), let workspace = workspaces[run.workspaceID] {
      included.append(resource(workspace))
    }
    if includes.contains("task_stages"), let stage = run.checks?.taskStage { included.append(resource(stage, run)) }
    if includes.contains("cost_estimate"), let estimate = run.checks?.costEstimate {
      included.append(resource(estimate))
    }
    return included
  }

  func included(with workspace: Workspace, _ includes: Includes, origin: String) -> [JSONValue] {
    var included: [JSONValue] = []
    if includes.contains("organization") { included.append(organizationResource()) }
    if includes.contains("project"), let project = projects[workspace.projectID] { included.append(resource(project)) }
    if let below = includes.below("current_run"), let run = runs[workspace.currentRunID] {
      included.append(resource(run))
      included += self.included(with: run, below, origin: origin)
    }
    if includes.contains("current_configuration_version"),
      let version = configurationVersions[workspace.currentConfigurationVersionID]
    {
      included.append(resource(version))
    }
    if let version = stateVersions[workspace.currentStateVersionID] {
      if includes.contains("current_state_version") { included.append(resource(version, origin: origin)) }
      if includes.contains("outputs") {
        included += ((try? outputs(of: version)) ?? []).map { output in
          var output = output
          output["type"] = "workspace-outputs"
          return output
        }
      }
    }
    if includes.contains("locked_by") {
      if let holder = holder(of: workspace.id) {
        included.append(resource(holder))
      } else if workspace.lock != nil {
        included.append(Self.user)
      }
    }
    return included
  }

  func included(with version: StateVersion, _ includes: Includes, origin: String) throws -> [JSONValue] {
    var included: [JSONValue] = []
    if includes.contains("created_by") { included.append(Self.user) }
    if let below = includes.below("run"), let run = runs[version.runID] {
      included.append(resource(run))
      included += self.included(with: run, below, origin: origin)
    }
    if includes.contains("outputs"), version.status == .finalized { included += try outputs(of: version) }
    return included
  }
}
