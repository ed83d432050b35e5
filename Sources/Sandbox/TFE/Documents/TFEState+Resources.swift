/// Objects as JSON:API resources.
extension TFEState {
  static let userName = "sandbox"

  static let user = JSONAPI.resource(
    "users", userID,
    attributes: ["username": .string(userName), "is-service-account": true, "email": "sandbox@localhost"])

  func organizationResource() -> JSONValue {
    JSONAPI.resource(
      "organizations", organization,
      attributes: [
        "name": .string(organization), "external-id": "org-sandbox", "email": "sandbox@localhost",
        "default-execution-mode": "remote",
        "permissions": ["can-update": true, "can-create-workspace": true, "can-create-project": true],
      ])
  }

  func entitlementsResource() -> JSONValue {
    JSONAPI.resource(
      "entitlement-sets", "org-sandbox",
      attributes: [
        "operations": true, "state-storage": true, "private-module-registry": true, "cost-estimation": true,
        "policy-enforcement": true, "sentinel": true, "run-tasks": false, "global-run-tasks": false, "teams": false,
        "vcs-integrations": false, "agents": false, "audit-logging": false, "sso": false, "user-limit": nil,
      ])
  }

  func resource(_ project: Project) -> JSONValue {
    JSONAPI.resource(
      "projects", project.id,
      attributes: [
        "name": .string(project.name), "description": .string(project.description),
        "created-at": .string(project.createdAt), "default-execution-mode": "remote",
        "workspace-count": .init(workspaces.all.values.count { $0.projectID == project.id }),
        "permissions": ["can-update": true, "can-destroy": true, "can-create-workspace": true],
      ], relationships: ["organization": JSONAPI.one("organizations", organization)])
  }

  func resource(_ tag: TagBinding) -> JSONValue {
    JSONAPI.resource("tag-bindings", tag.id, attributes: ["key": .string(tag.key), "value": .string(tag.value)])
  }

  func resource(_ workspace: Workspace) -> JSONValue {
    let holder = holder(of: workspace.id)
    var attributes = workspace.settings
    attributes["name"] = .string(workspace.name)
    attributes["created-at"] = .string(workspace.createdAt)
    attributes["updated-at"] = .string(workspace.updatedAt)
    attributes["latest-change-at"] = .string(workspace.updatedAt)
    attributes["operations"] = .bool(workspace.text("execution-mode") == "remote")
    attributes["locked"] = .bool(workspace.lock != nil || holder != nil)
    attributes["locked-reason"] = .string(workspace.lock?.reason ?? holder.map { "Locked by run \($0.id)" } ?? "")
    attributes["environment"] = "default"
    attributes["source"] = "tfe-api"
    attributes["tag-names"] = .array(workspace.flatTags.map { .string($0) })
    attributes["resource-count"] = .init(stateVersions[workspace.currentStateVersionID]?.resourceCount ?? 0)
    attributes["actions"] = ["is-destroyable": true]
    attributes["permissions"] = .object(
      Dictionary(uniqueKeysWithValues: Self.workspacePermissions.map { ("can-\($0)", true) }))
    let lockedBy =
      holder.map { JSONAPI.one("runs", $0.id) }
      ?? (workspace.lock == nil ? ["data": nil] : JSONAPI.one("users", Self.userID))
    return JSONAPI.resource(
      "workspaces", workspace.id, attributes: attributes,
      relationships: [
        "organization": JSONAPI.one("organizations", organization),
        "project": JSONAPI.one("projects", workspace.projectID),
        "current-run": JSONAPI.one("runs", workspace.currentRunID),
        "latest-run": JSONAPI.one("runs", runIDs[workspace.id]?.last),
        "current-state-version": JSONAPI.one("state-versions", workspace.currentStateVersionID),
        "current-configuration-version": JSONAPI.one(
          "configuration-versions", workspace.currentConfigurationVersionID),
        "locked-by": lockedBy,
        "outputs": JSONAPI.many(
          "workspace-outputs", stateVersions[workspace.currentStateVersionID]?.outputs.map(\.id) ?? []),
      ],
      links: ["self": .string("/api/v2/organizations/\(organization)/workspaces/\(workspace.name)")])
  }

  private static let workspacePermissions = [
    "update", "destroy", "queue-run", "queue-apply", "queue-destroy", "read-run", "read-state-versions",
    "read-state-outputs", "create-state-versions", "read-variable", "update-variable", "read-settings", "lock",
    "unlock", "force-unlock", "force-delete", "manage-tags", "read-assessment-result",
  ]

  func resource(_ variable: Variable) -> JSONValue {
    JSONAPI.resource(
      "vars", variable.id,
      attributes: [
        "key": .string(variable.key), "value": variable.sensitive ? .null : .string(variable.value),
        "description": .string(variable.description), "category": .string(variable.category),
        "hcl": .bool(variable.hcl), "sensitive": .bool(variable.sensitive), "version-id": .string(variable.id),
      ], relationships: ["configurable": JSONAPI.one("workspaces", variable.workspaceID)])
  }

  func resource(_ version: ConfigurationVersion) -> JSONValue {
    var timestamps: JSONValue = [:]
    if let uploadedAt = version.uploadedAt {
      timestamps[version.status == .uploaded ? "uploaded-at" : "errored-at"] = .string(uploadedAt)
    }
    return JSONAPI.resource(
      "configuration-versions", version.id,
      attributes: [
        "status": .string(version.status.rawValue), "auto-queue-runs": .bool(version.autoQueueRuns),
        "speculative": .bool(version.speculative), "provisional": .bool(version.provisional), "source": "tfe-api",
        "error": version.errorMessage == nil ? nil : "invalid", "error-message": .init(version.errorMessage),
        "changed-files": [], "status-timestamps": timestamps,
      ], links: ["self": .string("/api/v2/configuration-versions/\(version.id)")])
  }

  func resource(_ version: StateVersion, origin: String) -> JSONValue {
    var attributes: [String: JSONValue] = [
      "serial": .init(version.serial), "size": .init(version.size), "created-at": .string(version.createdAt),
      "status": .string(version.status.rawValue), "intermediate": false, "lineage": .string(version.lineage),
      "md5": .string(version.md5), "state-version": 4, "terraform-version": .string(version.terraformVersion),
      "resources-processed": .bool(version.status == .finalized),
      "hosted-state-download-url": .string(links.url(.state, version.id, origin: origin)),
      "hosted-json-state-download-url": version.hasJSON
        ? .string(links.url(.stateJSON, version.id, origin: origin)) : .null,
      "resources": .array(
        version.resources.map { resource in
          [
            "name": .string(resource.name), "type": .string(resource.type), "count": .init(resource.count),
            "module": .string(resource.module), "provider": .string(resource.provider),
          ]
        }),
    ]
    if version.status == .pending {
      attributes["hosted-state-upload-url"] = .string(links.url(.uploadState, version.id, origin: origin))
      attributes["hosted-json-state-upload-url"] = .string(links.url(.uploadStateJSON, version.id, origin: origin))
    }
    return JSONAPI.resource(
      "state-versions", version.id, attributes: attributes,
      relationships: [
        "run": JSONAPI.one("runs", version.runID), "created-by": JSONAPI.one("users", Self.userID),
        "workspace": JSONAPI.one("workspaces", version.workspaceID),
        "outputs": JSONAPI.many("state-version-outputs", version.outputs.map(\.id)),
      ], links: ["self": .string("/api/v2/state-versions/\(version.id)")])
  }

  func resource(_ output: StateVersion.Output, value: JSONValue) -> JSONValue {
    JSONAPI.resource(
      "state-version-outputs", output.id,
      attributes: [
        "name": .string(output.name), "sensitive": .bool(output.sensitive), "type": .string(output.kind),
        "detailed-type": output.type, "value": value,
      ], links: ["self": .string("/api/v2/state-version-outputs/\(output.id)")])
  }
}
