import PorcCore
import PortPortal

/// The two blueprints that PORC writes entities of, as they should be in Port.
struct PortBlueprints {
  let names: PortNames
  let extras: ExtraProperties

  init(_ settings: PortalSettings) {
    names = settings.names
    extras = settings.extras
  }

  /// In the order in which they can be made: the second one relates to the first.
  var all: [Portal.Blueprint] { [template, instance] }

  private var template: Portal.Blueprint {
    Portal.Blueprint(
      identifier: names.templateBlueprint, title: "Blueprint Template",
      description: "A versioned Terraform module that can be deployed through PORC. PORC keeps it up to date.",
      icon: "Template",
      schema: Portal.Blueprint.Schema(
        properties: properties(Self.template, .template), required: ["module_path", "status"]))
  }

  private var instance: Portal.Blueprint {
    Portal.Blueprint(
      identifier: names.instanceBlueprint, title: "Blueprint Instance",
      description: "What a blueprint has deployed, with the state of its current run. PORC keeps it up to date.",
      icon: "Terraform",
      schema: Portal.Blueprint.Schema(
        properties: properties(Self.instance, .instance), required: ["terraform_status"]),
      relations: [
        "blueprint": Portal.Blueprint.Relation(
          title: "Template", target: names.templateBlueprint, required: false, many: false,
          description: "What the current run of the instance was built from.")
      ])
  }

  /// What PORC itself shows of an entity, whatever the settings add.
  static func ownKeys(_ kind: PortalEntity.Kind) -> Set<String> {
    switch kind {
    case .template: Set(template.keys)
    case .instance: Set(instance.keys)
    }
  }

  private func properties(_ own: [String: JSON], _ kind: PortalEntity.Kind) -> [String: JSON] {
    own.merging(extras.of(kind).map { ($0.key, $0.definition) }) { own, _ in own }
  }

  private static let template: [String: JSON] = [
    "module_path": text("Module Path", "NAME/VERSION, as a blueprint names it in kind and schema_version."),
    "name": text("Name"),
    "version": text("Version"),
    "status": choice("Status", ["active": "green", "deprecated": "yellow", "retired": "lightGray"]),
    "description": text("Description"),
    "owner": text("Owner"),
    "inputs_required": list("Required Inputs", of: "string", "The inputs that a blueprint must give."),
    "inputs": list("Inputs", of: "object", "Every input with its type, default and description."),
    "repo_url": url("Repository"),
    "commit": text("Commit"),
    "readme": text("README", format: "markdown"),
  ]

  private static let instance: [String: JSON] = [
    "terraform_status": choice(
      "Terraform Status", statusColors, "The state of the current run; destroyed where nothing is left."),
    "awaits": choice("Awaits", awaitsColors, "What the current plan needs of somebody; or nothing."),
    "waiting_for": text("Waiting For", "What the current run waits for, and what clears it; or nothing."),
    "operation": choice("Operation", ["apply": "blue", "destroy": "red"], "What the current run does."),
    "blueprint": text("Blueprint", "The template of the current run."),
    "plan_summary": text("Plan"),
    "last_error": text("Last Error"),
    "tfe_link": url("Run in Terraform Enterprise"),
    "run_id": text("Run ID", "Terraform Enterprise's id of the current plan."),
    "porc_run_id": text("PORC Run ID"),
    "workspace_id": text("Workspace ID"),
    "environment": text("Environment"),
    "owner": text("Owner"),
    "region": text("Region"),
    "repo_url": url("Repository"),
    "inputs": object("Inputs", "Sensitive ones without their values."),
    "outputs": object("Outputs", "Sensitive ones are left out."),
    "updated_at": time("Updated At"),
    "deployed_blueprint": text("Deployed Blueprint", "The template of what is really deployed."),
    "deployed_run_id": text("Deployed Run ID"),
    "deployed_at": time("Deployed At"),
  ]

  private static let statusColors: [String: String] = {
    var colors = ["destroyed": "darkGray"]
    for state in RunState.allCases { colors[state.rawValue] = color(of: state) }
    return colors
  }()

  private static func color(of state: RunState) -> String {
    switch state {
    case .submitted, .built: "lightGray"
    case .building, .planning, .applying: "blue"
    case .planned, .policyOverride: "yellow"
    case .applied: "green"
    case .buildFailed, .planFailed, .policyFailed, .applyFailed: "red"
    case .discarded, .canceled: "orange"
    }
  }

  private static let awaitsColors: [String: String] = {
    let colors = DecisionNeeded.allCases.map { decision in
      let color =
        switch decision {
        case .approval: "purple"
        case .apply: "yellow"
        case .policyOverride: "orange"
        }
      return (decision.rawValue, color)
    }
    return Dictionary(uniqueKeysWithValues: colors + [(PortalEntity.nothing, "lightGray")])
  }()

  // MARK: Definitions of properties

  private static func property(
    _ type: String, _ title: String, _ description: String?, _ more: [String: JSON] = [:]
  ) -> JSON {
    var members: [String: JSON] = ["type": .string(type), "title": .string(title)]
    members["description"] = description.map(JSON.string)
    return .object(members.merging(more) { own, _ in own })
  }

  private static func text(_ title: String, _ description: String? = nil, format: String? = nil) -> JSON {
    property("string", title, description, format.map { ["format": .string($0)] } ?? [:])
  }

  private static func url(_ title: String) -> JSON { text(title, format: "url") }
  private static func time(_ title: String) -> JSON { text(title, format: "date-time") }

  private static func object(_ title: String, _ description: String) -> JSON { property("object", title, description) }

  private static func list(_ title: String, of type: String, _ description: String) -> JSON {
    property("array", title, description, ["items": ["type": .string(type)]])
  }

  /// An enumeration with a colour for each value.
  private static func choice(_ title: String, _ colors: [String: String], _ description: String? = nil) -> JSON {
    property(
      "string", title, description,
      [
        "enum": .array(colors.keys.sorted().map(JSON.string)), "enumColors": .object(colors.mapValues(JSON.string)),
      ])
  }
}

extension ExtraProperty {
  /// The property as a blueprint defines it.
  fileprivate var definition: JSON {
    var members: [String: JSON] = ["type": .string(type.rawValue), "title": .string(title ?? key)]
    members["format"] = format.map { .string($0.rawValue) }
    members["description"] = description.map(JSON.string)
    members["icon"] = icon.map(JSON.string)
    return .object(members)
  }
}
