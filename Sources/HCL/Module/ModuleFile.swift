/// A file of a module.
struct ModuleFile {
  let name: String
  let bytes: [UInt8]

  private var isJSON: Bool { name.hasSuffix(".json") }

  /// Whether Terraform reads a file of this name: `.tf` and `.tf.json`, but no hidden ones and no editors' backups.
  static func isOne(_ name: String) -> Bool {
    let isIgnored =
      name.hasPrefix(".") || name.hasSuffix("~") || (name.hasPrefix("#") && name.hasSuffix("#")) || name.contains("/")
    return !isIgnored && stem(name) != nil
  }

  /// Whether its blocks change those of the other files: `override.tf`, `x_override.tf.json`.
  static func isOverride(_ name: String) -> Bool {
    guard let stem = stem(name) else { return false }
    return stem == "override" || stem.hasSuffix("_override")
  }

  private static func stem(_ name: String) -> String? {
    for ending in [".tf", ".tf.json"] where name.hasSuffix(ending) { return String(name.dropLast(ending.count)) }
    return nil
  }

  /// The blocks that a module's interface is made of, and what is wrong with the file.
  func blocks() -> (blocks: [Block], problems: [ParseFailure]) {
    let source = SourceText(bytes)
    return isJSON ? JSONBlocks.blocks(in: source) : BlockParser.blocks(in: source, Self.interests)
  }

  private static let interests: [String: BlockParser.Interest] = [
    "variable": .everything, "terraform": .everything,
    "output": .arguments(["description", "sensitive", "ephemeral", "deprecated"]),
    "module": .arguments(["source", "version"]), "provider": .arguments(["alias", "version"]),
    "resource": .arguments(["provider"]), "data": .arguments(["provider"]), "ephemeral": .arguments(["provider"]),
  ]

  /// The blocks that a module may have and that say nothing of its interface.
  static let otherTypes: Set<String> = ["locals", "moved", "import", "removed", "check", "action", "list"]

  /// All blocks that Terraform knows.
  static var knownTypes: Set<String> { otherTypes.union(interests.keys) }
}
