/// A `variable` block as far as its attributes are set: what is nil an override leaves alone.
struct VariableDeclaration {
  let name: String
  let file: String
  let range: SourceRange
  var type: (constraint: TypeConstraint, text: String)?
  var description: String?
  var `default`: (value: Variable.Default, file: String, range: SourceRange)?
  var isSensitive: Bool?
  var isNullable: Bool?
  var isEphemeral: Bool?
  var deprecated: String?
  var validations: [Variable.Validation] = []

  /// Terraform's rule for overrides. Their `validation` blocks have no effect (1.11.4, `configs/module_merge.go`).
  mutating func merge(_ other: VariableDeclaration) {
    type = other.type ?? type
    description = other.description ?? description
    `default` = other.default ?? `default`
    isSensitive = other.isSensitive ?? isSensitive
    isNullable = other.isNullable ?? isNullable
    isEphemeral = other.isEphemeral ?? isEphemeral
    deprecated = other.deprecated ?? deprecated
  }

  var variable: Variable {
    Variable(
      name: name, type: type?.constraint ?? .any, typeText: type?.text ?? "", description: description,
      default: `default`?.value, isSensitive: isSensitive ?? false, isNullable: isNullable ?? true,
      isEphemeral: isEphemeral ?? false, deprecated: deprecated, validations: validations, file: file, range: range)
  }
}

/// An `output` block.
struct OutputDeclaration {
  let name: String
  let file: String
  let range: SourceRange
  var description: String?
  var isSensitive: Bool?
  var isEphemeral: Bool?
  var deprecated: String?

  mutating func merge(_ other: OutputDeclaration) {
    if let text = other.description, !text.isEmpty { description = text }
    isSensitive = other.isSensitive ?? isSensitive
    isEphemeral = other.isEphemeral ?? isEphemeral
    deprecated = other.deprecated ?? deprecated
  }

  var output: Output {
    Output(
      name: name, description: description, isSensitive: isSensitive ?? false, isEphemeral: isEphemeral ?? false,
      deprecated: deprecated, file: file, range: range)
  }
}

/// A `module` block.
struct ModuleCallDeclaration {
  let name: String
  let file: String
  let range: SourceRange
  var source: String?
  var version: String?

  mutating func merge(_ other: ModuleCallDeclaration) {
    source = other.source ?? source
    version = other.version ?? version
  }

  var call: ModuleCall { ModuleCall(name: name, source: source, version: version, file: file, range: range) }
}

/// Declarations with their names, in the order they came in.
struct DeclarationList<Declaration> {
  private(set) var all: [Declaration] = []
  private var places: [String: Int] = [:]

  /// Adds one; the earlier one instead, and nothing added, if the name is taken.
  mutating func add(_ declaration: Declaration, named name: String) -> Declaration? {
    if let place = places[name] { return all[place] }
    places[name] = all.count
    all.append(declaration)
    return nil
  }

  /// Changes the one of this name; false if there is none.
  mutating func change(_ name: String, _ change: (inout Declaration) -> Void) -> Bool {
    guard let place = places[name] else { return false }
    change(&all[place])
    return true
  }
}
