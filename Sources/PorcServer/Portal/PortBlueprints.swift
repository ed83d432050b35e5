import PorcCore
import PortPortal

/// The two blueprints that PORC writes entities of, and their making where they are not there.
struct PortBlueprints {
  private let names: PortNames

  init(_ names: PortNames) {
    self.names = names
  }

  /// In the order in which they can be made: the second one relates to the first.
  var all: [Portal.Blueprint] { [template, instance] }

  /// Makes those that are missing. What is there is left alone: it may have been extended.
  ///
  /// - Returns: the identifiers of those that were made.
  @discardableResult
  func ensure(with client: PortClient) async throws -> [String] {
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

  private var template: Portal.Blueprint {
    Portal.Blueprint(
      identifier: names.templateBlueprint, title: "Blueprint Template", icon: "Template",
      schema: Portal.Blueprint.Schema(
        properties: [
          "module_path": Self.text("Module Path"),
          "repo_url": Self.url("Repository"),
          "inputs_required": ["type": "array", "title": "Required Inputs", "items": ["type": "string"]],
          "owner": Self.text("Owner"),
          "status": Self.choice("Status", Self.templateColors),
          "name": Self.text("Name"),
          "version": Self.text("Version"),
          "description": Self.text("Description"),
          "inputs": ["type": "array", "title": "Inputs", "items": ["type": "object"]],
          "commit": Self.text("Commit"),
          "readme": ["type": "string", "title": "README", "format": "markdown"],
        ], required: ["module_path", "status"]))
  }

  private var instance: Portal.Blueprint {
    Portal.Blueprint(
      identifier: names.instanceBlueprint, title: "Blueprint Instance", icon: "Terraform",
      schema: Portal.Blueprint.Schema(
        properties: [
          "workspace_id": Self.text("Workspace ID"),
          "terraform_status": Self.choice("Terraform Status", Self.statusColors),
          "run_id": Self.text("Run ID"),
          "blueprint": Self.text("Blueprint"),
          "region": Self.text("Region"),
          "repo_url": Self.url("Repository"),
          "tfe_link": Self.url("Run in Terraform Enterprise"),
          "porc_run_id": Self.text("PORC Run ID"),
          "operation": Self.choice("Operation", ["apply": "blue", "destroy": "red"]),
          "environment": Self.text("Environment"),
          "owner": Self.text("Owner"),
          "inputs": ["type": "object", "title": "Inputs"],
          "plan_summary": Self.text("Plan"),
          "outputs": ["type": "object", "title": "Outputs"],
          "last_error": Self.text("Last Error"),
          "waiting_for": Self.text("Waiting For"),
          "updated_at": Self.time("Updated At"),
          "deployed_blueprint": Self.text("Deployed Blueprint"),
          "deployed_run_id": Self.text("Deployed Run ID"),
          "deployed_at": Self.time("Deployed At"),
        ], required: ["terraform_status"]),
      relations: [
        "blueprint": Portal.Blueprint.Relation(
          title: "Blueprint Template", target: names.templateBlueprint, required: false, many: false)
      ])
  }

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
