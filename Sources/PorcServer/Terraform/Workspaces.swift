import PorcCore
import TerraformEnterprise

/// Finds or makes the workspace of an instance.
struct Workspaces: Sendable {
  let client: TerraformEnterprise.Client
  let settings: TFESettings

  private static let installationKey = "porc-installation"
  private static let instanceKey = "porc-instance"

  /// What all workspaces of this installation have.
  var installationTag: TagBinding { TagBinding(key: Self.installationKey, value: settings.installation) }

  /// The workspace of an instance, made if there is none.
  ///
  /// - Throws: ``TFERefusal`` if one of this name exists and is not PORC's, or cannot run PORC's plans.
  func ensure(_ instance: Instance.ID, terraformVersion: String?) async throws -> PorcCore.Workspace {
    let name = settings.workspaceName(of: instance)
    do {
      let found = try await client.workspaces.read(named: name, organization: settings.organization)
      try await check(found, instance)
      try await repair(found, terraformVersion)
      return PorcCore.Workspace(id: found.id, name: found.name)
    } catch let error as TFEError where error.kind == .notFound {
      return try await create(name, instance, terraformVersion)
    }
  }

  /// Makes a known workspace what a template of another version asks for.
  func adapt(_ workspace: PorcCore.Workspace, terraformVersion: String) async throws {
    try await repair(try await client.workspaces.read(workspace.id), terraformVersion)
  }

  /// Sets what the configuration or the template names and what somebody changed; nothing else, and nothing if all is so.
  private func repair(_ workspace: TerraformEnterprise.Workspace, _ terraformVersion: String?) async throws {
    var wanted = WorkspaceSettings()
    if let terraformVersion, terraformVersion != workspace.terraformVersion {
      wanted.terraformVersion = terraformVersion
    }
    if let mode = executionMode, mode != workspace.executionMode { wanted.executionMode = mode }
    guard wanted != WorkspaceSettings() else { return }
    _ = try await client.workspaces.update(workspace.id, wanted)
  }

  private var executionMode: ExecutionMode? { settings.executionMode.map { ExecutionMode(rawValue: $0) } }

  /// The instance whose workspace it is; `nil` if it is none of this installation's.
  func instance(of workspaceID: String) async throws -> Instance.ID? {
    let tags = Dictionary(
      try await client.workspaces.tagBindings(workspaceID).map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    guard tags[Self.installationKey] == settings.installation else { return nil }
    return tags[Self.instanceKey].map { Instance.ID($0) }
  }

  private func check(_ workspace: TerraformEnterprise.Workspace, _ instance: Instance.ID) async throws {
    guard try await self.instance(of: workspace.id) == instance else {
      throw TFERefusal(
        failure: Failure(
          "The workspace '\(workspace.name)' exists in Terraform Enterprise and is not PORC's",
          detail: "Its tags \(Self.installationKey) and \(Self.instanceKey) are not this installation's. "
            + "Rename or remove it, choose another metadata.name, or have PORC take it over: porc instances adopt \(instance)."
        ))
    }
    try checkUse(of: workspace)
  }

  /// - Throws: ``TFERefusal`` if PORC's plans cannot run there.
  private func checkUse(of workspace: TerraformEnterprise.Workspace) throws {
    // Where the configuration names another mode, it is repaired.
    if workspace.executionMode == .local, executionMode == nil {
      throw TFERefusal(
        failure: Failure(
          "The workspace '\(workspace.name)' has the execution mode 'local'",
          detail: "PORC's plans run in Terraform Enterprise. Set it to 'remote' or 'agent'."))
    }
    if workspace.hasVCSConnection {
      throw TFERefusal(
        failure: Failure(
          "The workspace '\(workspace.name)' is connected to a repository",
          detail: "Terraform Enterprise takes no configuration from PORC there. Disconnect it."))
    }
  }

  // MARK: Adopting

  /// The workspace that an instance would have, whoever made it, and whether it is PORC's already.
  ///
  /// - Throws: ``TFERefusal`` if it is another installation's or another instance's, or cannot run PORC's plans; a `TFEError`
  ///   if there is none.
  func candidate(for instance: Instance.ID) async throws -> (workspace: TerraformEnterprise.Workspace, isOurs: Bool) {
    let found = try await client.workspaces.read(
      named: settings.workspaceName(of: instance), organization: settings.organization)
    for tag in try await client.workspaces.tagBindings(found.id) {
      let owner = tag.key == Self.installationKey ? settings.installation : instance.rawValue
      guard [Self.installationKey, Self.instanceKey].contains(tag.key), tag.value != owner else { continue }
      throw TFERefusal(
        failure: Failure(
          "The workspace '\(found.name)' belongs to another: its tag \(tag.key) is '\(tag.value)'",
          detail: "If nobody uses it any more, remove its tags \(Self.installationKey) and \(Self.instanceKey) in "
            + "Terraform Enterprise."))
    }
    try checkUse(of: found)
    return (found, try await self.instance(of: found.id) == instance)
  }

  /// Makes a candidate the instance's: from then on PORC plans and applies there.
  func adopt(_ id: TerraformEnterprise.Workspace.ID, for instance: Instance.ID) async throws {
    try await client.workspaces.addTagBindings(
      id, [installationTag, TagBinding(key: Self.instanceKey, value: instance.rawValue)])
  }

  // MARK: Making

  private func create(
    _ name: String, _ instance: Instance.ID, _ terraformVersion: String?
  ) async throws -> PorcCore.Workspace {
    var new = WorkspaceSettings(name: name)
    new.description = "The instance \(instance) of PORC"
    new.sourceName = "PORC"
    new.terraformVersion = terraformVersion
    new.sourceURL = settings.publicURL.map { "\($0)/instances/\(instance.rawValue.pathSegment)" }
    new.executionMode = executionMode
    new.projectID = try await projectID()
    new.tagBindings = [
      installationTag, TagBinding(key: Self.instanceKey, value: instance.rawValue),
    ]
    do {
      let made = try await client.workspaces.create(organization: settings.organization, new)
      return PorcCore.Workspace(id: made.id, name: made.name)
    } catch let error as TFEError where error.kind == .unprocessable {
      // Made by an earlier attempt whose answer was lost, or by somebody else in this very moment.
      guard let found = try? await client.workspaces.read(named: name, organization: settings.organization) else {
        throw error
      }
      try await check(found, instance)
      try await repair(found, terraformVersion)
      return PorcCore.Workspace(id: found.id, name: found.name)
    }
  }

  /// The id of the configured project.
  func projectID() async throws -> String? {
    guard let project = settings.project else { return nil }
    let found = try await client.projects.list(organization: settings.organization, names: [project]).collected()
    guard let match = found.first(where: { $0.name.lowercased() == project.lowercased() }) else {
      throw TFERefusal(
        failure: Failure(
          "The project '\(project)' is not there in Terraform Enterprise, or the token may not see it",
          detail: "Make it, or set TFE_PROJECT to another."))
    }
    return match.id
  }
}
