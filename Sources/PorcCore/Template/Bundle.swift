public import HCL

/// What a run's Terraform configuration adds to the template's files.
public enum Bundle {
  /// Sorts last among `*.auto.tfvars*`, so that the inputs win over the template's own; values in it are literal, so
  /// nothing in an input is ever interpolated.
  public static let inputsFile = "zzzz-porc.auto.tfvars.json"

  /// Holds what a template takes along from around its folder, as it lies in the repository.
  public static let repositoryFolder = "zzzz-porc-repository"

  /// Points the calls of modules around the template's folder to ``repositoryFolder``. Terraform reads override files in
  /// the order of their names, and this one is to be the last.
  public static let overrideFile = "zzzz_porc_override.tf.json"

  /// The text of ``overrideFile``: where each call's module is.
  public static func overrideText(_ sources: [String: String]) -> String {
    let calls = sources.mapValues { Value.object(["source": .string($0)]) }
    return Value.object(["module": .object(calls)]).json(prettyPrinted: true) + "\n"
  }

  /// The text of ``inputsFile``: the inputs that are not sensitive, with sorted keys.
  public static func inputsText(_ inputs: [String: Value]) -> String {
    Value.object(inputs).json(prettyPrinted: true) + "\n"
  }

  /// Whether a file of a template's folder is left out of its archive: version control, state, and what `terraform init` made.
  public static func leavesOut(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    guard let name = parts.last else { return true }
    return parts.contains { $0 == ".git" || $0 == ".terraform" } || name.hasSuffix(".tfstate")
      || name.contains(".tfstate.") || name == "crash.log" || name == ".DS_Store"
  }
}
