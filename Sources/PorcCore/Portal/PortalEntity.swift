public import HCL

/// What a portal should show of one thing, in our words. ``null`` clears a property there.
public struct PortalEntity: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    case template = "blueprint_template"
    case instance = "blueprint_instance"
  }

  public var kind: Kind
  public var identifier: String
  public var title: String
  public var properties: [String: Value]
  public var relations: [String: Value]

  public init(
    kind: Kind, identifier: String, title: String, properties: [String: Value], relations: [String: Value] = [:]
  ) {
    self.kind = kind
    self.identifier = identifier
    self.title = title
    self.properties = properties
    self.relations = relations
  }
}

extension PortalEntity {
  /// Longer texts are cut in the portal, which takes at most 1 MiB in one request.
  static let maximumText = 50_000

  public init(_ template: Template) {
    func text(_ text: String?) -> Value { text.map { .string(String($0.prefix(Self.maximumText))) } ?? .null }
    self.init(
      kind: .template, identifier: template.id.rawValue, title: template.title ?? template.modulePath,
      properties: [
        "module_path": .string(template.modulePath),
        "repo_url": text(template.repoURL),
        "inputs_required": .array(template.inputsRequired.map(Value.string)),
        "owner": text(template.owner),
        "status": .string(template.status.rawValue),
        "name": .string(template.name),
        "version": .string(template.version.description),
        "description": text(template.description),
        "inputs": .array(template.inputs.map(Self.input)),
        "commit": text(template.commit),
        "readme": text(template.readme),
      ])
  }

  private static func input(_ input: TemplateInput) -> Value {
    var members: [String: Value] = [
      "name": .string(input.name), "type": .string(input.type), "required": .bool(input.isRequired),
      "sensitive": .bool(input.isSensitive),
    ]
    members["description"] = input.description.map(Value.string)
    members["default"] = input.default
    return .object(members)
  }

  /// What an instance waits for that waits for nothing. Port takes a value away only from one entity at a time: what came
  /// and went with every step would keep every step from travelling with others.
  public static let nothing = "nothing"

  /// What is shown of an instance: the first group follows its current run, the `deployed_…` ones what really runs.
  ///
  /// - Parameter tfeLink: the page of a TFE run, by its id and the workspace's name.
  public init?(
    _ situation: Situation, waitingFor: String?, tfeLink: (_ workspace: Workspace, _ tfeRunID: String) -> String
  ) {
    guard let run = situation.currentRun else { return nil }
    let instance = situation.instance
    let plan = run.currentPlan
    let shown = instance.shown
    let metadata = run.submission.metadata
    let isDestroyed = instance.destroyedAt != nil && run.operation == .destroy && run.state == .applied
    func text(_ text: String?) -> Value { text.map { .string(String($0.prefix(Self.maximumText))) } ?? .null }
    var properties: [String: Value] = [
      "workspace_id": text(instance.workspace?.id),
      "terraform_status": .string(isDestroyed ? "destroyed" : run.state.rawValue),
      "run_id": text(plan?.tfeRunID),
      "blueprint": .string(run.submission.template.id.rawValue),
      "region": text(shown?.region),
      "repo_url": text(shown?.metadata.repoURL),
      "tfe_link": .null,
      "porc_run_id": .string(run.id.rawValue),
      "operation": .string(run.operation.rawValue),
      "environment": text(metadata.environment),
      "owner": text(metadata.owner),
      "inputs": shown.map { .object($0.shownInputs) } ?? .null,
      "plan_summary": text(plan?.summary.map { plan?.hasChanges == false ? "no changes" : $0.sentence }),
      "outputs": .null,
      "last_error": text(run.failure?.text),
      "waiting_for": text(waitingFor ?? Self.nothing),
      "awaits": text(situation.awaited(by: run)?.rawValue ?? Self.nothing),
      "updated_at": .string(Timestamp.text(max(run.updatedAt, instance.deployed?.at ?? run.updatedAt))),
      "deployed_blueprint": text(instance.deployed?.template.id.rawValue),
      "deployed_run_id": text(instance.deployed.map { $0.tfeRunID ?? $0.run.rawValue }),
      "deployed_at": text(instance.deployed.map { Timestamp.text($0.at) }),
    ]
    if let workspace = instance.workspace, let tfeRunID = plan?.tfeRunID {
      properties["tfe_link"] = .string(tfeLink(workspace, tfeRunID))
    }
    if let outputs = instance.deployed?.outputs {
      properties["outputs"] = .object(outputs.compactMapValues { $0.isSensitive ? nil : $0.value })
    }
    self.init(
      kind: .instance, identifier: instance.id.rawValue, title: metadata.title ?? instance.id.rawValue,
      properties: properties, relations: ["blueprint": .string(run.submission.template.id.rawValue)])
  }
}

extension Submission {
  /// The inputs with every sensitive one masked: `{"sensitive": true}`.
  public var shownInputs: [String: Value] {
    inputs.merging(sensitiveInputs.map { ($0, ["sensitive": true]) }) { _, masked in masked }
  }
}
