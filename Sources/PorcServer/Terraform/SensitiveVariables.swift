import HCL
import PorcCore
import TerraformEnterprise

/// A run's sensitive inputs as sensitive variables of its workspace.
struct SensitiveVariables: Sendable {
  let client: TerraformEnterprise.Client

  /// How PORC knows its own variables again.
  static let note = "Set by PORC from a blueprint"

  /// Sets exactly these: makes and rewrites them, and deletes those of inputs that were dropped or are plain now.
  ///
  /// - Throws: ``TFERefusal`` if a variable of such a name is somebody else's and would win.
  func set(_ inputs: [String: Value], in workspace: PorcCore.Workspace) async throws {
    let existing = try await client.variables.list(workspace: workspace.id).filter { $0.category == .terraform }
    for variable in existing where variable.description == Self.note && inputs[variable.key] == nil {
      try await client.variables.delete(workspace: workspace.id, variable: variable.id)
    }
    for (key, value) in inputs.sorted(by: { $0.key < $1.key }) {
      let settings = VariableSettings(
        key: key, value: value.hclLiteral, category: .terraform, isHCL: true, isSensitive: true, note: Self.note)
      guard let variable = existing.first(where: { $0.key == key }) else {
        _ = try await client.variables.create(workspace: workspace.id, settings)
        continue
      }
      guard variable.description == Self.note else {
        throw TFERefusal(
          failure: Failure(
            "The workspace '\(workspace.name)' has a variable '\(key)' that is not PORC's",
            detail: "It would stand in the place of the blueprint's input. Remove it."))
      }
      if variable.isSensitive {
        _ = try await client.variables.update(workspace: workspace.id, variable: variable.id, settings)
      } else {
        // TFE never turns a plain variable's history secret: it is made anew.
        try await client.variables.delete(workspace: workspace.id, variable: variable.id)
        _ = try await client.variables.create(workspace: workspace.id, settings)
      }
    }
  }
}
