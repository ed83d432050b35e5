import PorcCore
import PortPortal

/// The two blueprints that PORC writes entities of, and their making where they are not there.
enum PortBlueprints {
  /// In the order in which they can be made: the second one relates to the first.
  static let all = [template, instance]

  /// Makes those that are missing. What is there is left alone: it may have been extended.
  ///
  /// - Returns: the identifiers of those that were made.
  @discardableResult
  static func ensure(with client: PortClient) async throws -> [String] {
    var made: [String] = []
    for blueprint in all where try await client.blueprints.get(blueprint.identifier) == nil {
      do {
        _ = try await client.blueprints.create(blueprint)
        made.append(blueprint.identifier)
      } catch let error as PortError where error.kind == .conflict {
        // Another server made it in this very moment.
      }
    }
    return made
  }

  private static let template = Portal.Blueprint(
    identifier: PortalEntity.Kind.template.rawValue, title: "Blueprint Template", icon: "Template",
    schema: Portal.Blueprint.Schema(
      properties: [
        "module_path": text("Module Path"),
        "repo_url": url("Repository"),
        "inputs_required": ["type": "array", "title": "Required Inputs", "items": ["type": "string"]],
        "owner": text("Owner"),
        "status": choice("Status", templateColors),
        "name": text("Name"),
        "version": text("Version"),
        "description": text("Description"),
        "inputs": ["type": "array", "title": "Inputs", "items": ["type": "object"]],
        "commit": text("Commit"),
        "readme": ["type": "string", "title": "README", "format": "markdown"],
      ], required: ["module_path", "status"]))

  private static let instance = Portal.Blueprint(
    identifier: PortalEntity.Kind.instance.rawValue, title: "Blueprint Instance", icon: "Terraform",
    schema: Portal.Blueprint.Schema(
      properties: [
        "workspace_id": text("Workspace ID"),
        "terraform_status": choice("Terraform Status", statusColors),
        "run_id": text("Run ID"),
        "blueprint": text("Blueprint"),
        "region": text("Region"),
        "repo_url": url("Repository"),
        "tfe_link": url("Run in Terraform Enterprise"),
        "porc_run_id": text("PORC Run ID"),
        "operation": choice("Operation", ["apply": "blue", "destroy": "red"]),
        "environment": text("Environment"),
        "owner": text("Owner"),
        "inputs": ["type": "object", "title": "Inputs"],
        "plan_summary": text("Plan"),
        "outputs": ["type": "object", "title": "Outputs"],
        "last_error": text("Last Error"),
        "waiting_for": text("Waiting For"),
        "updated_at": time("Updated At"),
        "deployed_blueprint": text("Deployed Blueprint"),
        "deployed_run_id": text("Deployed Run ID"),
        "deployed_at": time("Deployed At"),
      ], required: ["terraform_status"]),
    relations: [
      "blueprint": Portal.Blueprint.Relation(
        title: "Blueprint Template", target: PortalEntity.Kind.template.rawValue, required: false, many: false)
    ])

  private static let templateColors = ["active": "green", "deprecated": "yellow", "retired": "lightGray"]

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

  /// An enumeration with a colour for each value.
  private static func choice(_ title: String, _ colors: [String: String]) -> JSON {
    .object([
      "type": "string", "title": .string(title), "enum": .array(colors.keys.sorted().map(JSON.string)),
      "enumColors": .object(colors.mapValues(JSON.string)),
    ])
  }

  private static func text(_ title: String) -> JSON { ["type": "string", "title": .string(title)] }
  private static func url(_ title: String) -> JSON { ["type": "string", "format": "url", "title": .string(title)] }
  private static func time(_ title: String) -> JSON {
    ["type": "string", "format": "date-time", "title": .string(title)]
  }
}
