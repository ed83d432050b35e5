extension ModuleReader {
  /// Names that mean something else in the block of a module call.
  private static let reservedNames: Set<String> = [
    "source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals",
  ]

  /// `deprecated` and `const` came with Terraform 1.15.
  private static let variableArguments: Set<String> = [
    "type", "description", "default", "sensitive", "nullable", "ephemeral", "deprecated", "const", "validation",
  ]

  mutating func variable(_ block: Block, _ file: String) -> VariableDeclaration? {
    guard let name = name(of: block, "variable", file) else { return nil }
    if Self.reservedNames.contains(name) {
      report("A variable cannot have the name \"\(name)\".", detail: "Terraform reserves it.", file, block.range)
    }
    var variable = VariableDeclaration(name: name, file: file, range: block.range)
    variable.type = block.attribute("type").map { type($0, file) }
    variable.description = string("description", of: block, file)
    variable.default = block.attribute("default").map {
      ($0.expression.constant.map { .known($0) } ?? .unknown, file, $0.expression.range)
    }
    // What cannot be read as false is kept secret.
    variable.isSensitive = bool("sensitive", of: block, file, unknown: true)
    variable.isNullable = bool("nullable", of: block, file, unknown: true)
    variable.isEphemeral = bool("ephemeral", of: block, file, unknown: true)
    variable.validations = block.blocks.filter { $0.type == "validation" }.compactMap {
      $0.attribute("error_message")?.expression.constant?.stringValue
    }
    let unknown =
      block.attributes.map { ($0.name, $0.nameRange) } + block.blocks.map { ($0.type, $0.range) }
    for (name, range) in unknown where !Self.variableArguments.contains(name) {
      let hint = Suggestion.closest(to: name, among: Self.variableArguments).map { "Did you mean \"\($0)\"?" }
      report("A variable has no argument \"\(name)\".", detail: hint, file, range, severity: .warning)
    }
    return variable
  }

  mutating func output(_ block: Block, _ file: String) -> OutputDeclaration? {
    guard let name = name(of: block, "output", file) else { return nil }
    var output = OutputDeclaration(name: name, file: file, range: block.range)
    output.description = string("description", of: block, file)
    output.isSensitive = bool("sensitive", of: block, file, unknown: true)
    output.isEphemeral = bool("ephemeral", of: block, file, unknown: true)
    return output
  }

  mutating func moduleCall(_ block: Block, _ file: String) -> ModuleCallDeclaration? {
    guard let name = name(of: block, "module", file) else { return nil }
    var call = ModuleCallDeclaration(name: name, file: file, range: block.range)
    call.source = string("source", of: block, file)
    call.version = string("version", of: block, file)
    return call
  }

  mutating func requiredVersion(_ block: Block, _ file: String) -> [String] {
    string("required_version", of: block, file).map { [$0] } ?? []
  }

  mutating func requiredProviders(
    _ block: Block, _ file: String
  ) -> [(name: String, requirement: ProviderRequirement, range: SourceRange)] {
    var result: [(String, ProviderRequirement, SourceRange)] = []
    for attribute in block.blocks.filter({ $0.type == "required_providers" }).flatMap(\.attributes) {
      var requirement = ProviderRequirement()
      switch attribute.expression.form {
      case .constant(.string(let version)): requirement.versionConstraints = [version]
      case .object(let members):
        // Member by member: `configuration_aliases` beside them holds references.
        for member in members {
          switch member.key {
          case "source": requirement.source = member.value.constant?.stringValue
          case "version": requirement.versionConstraints = member.value.constant?.stringValue.map { [$0] } ?? []
          default: break
          }
        }
      default:
        report(
          "The requirement of the provider \"\(attribute.name)\" must be an object with source and version.", file,
          attribute.expression.range)
        continue
      }
      result.append((attribute.name, requirement, attribute.nameRange))
    }
    return result
  }

  private mutating func name(of block: Block, _ kind: String, _ file: String) -> String? {
    guard block.labels.count == 1, let label = block.labels.first else {
      report("A \(kind) block has one label: its name.", file, block.range)
      return nil
    }
    guard label.text.isIdentifier else {
      report(
        "A name begins with a letter or an underscore and holds only letters, digits, underscores and dashes.", file,
        label.range)
      return nil
    }
    return label.text
  }

  private mutating func type(_ attribute: Attribute, _ file: String) -> (TypeConstraint, String) {
    let expression = attribute.expression
    let quoted = expression.constant?.stringValue
    let text = quoted ?? attribute.native?.text ?? ""
    do throws(ParseFailure) {
      if let quoted {
        if attribute.native != nil {
          report(
            "A type stands without quotes.", detail: "Terraform 0.11 and earlier wanted them.", file, expression.range)
        }
        return (try TypeConstraint(parsing: quoted), text)
      }
      guard let native = attribute.native else {
        report("The type must be a string.", file, expression.range)
        return (.any, text)
      }
      return (try TypeConstraint.parse(native.source, in: native.range), text)
    } catch {
      let range = quoted == nil ? SourceRange(start: error.position, end: error.position) : expression.range
      report("The type cannot be read: \(error.message)", file, range)
      return (.any, text)
    }
  }

  private mutating func string(_ name: String, of block: Block, _ file: String) -> String? {
    guard let expression = block.attribute(name)?.expression, case let value? = expression.constant else { return nil }
    if case .string(let text)? = TypeConstraint.string.convert(value).value { return text }
    report("The argument \"\(name)\" must be a string, and this is \(value.kind).", file, expression.range)
    return nil
  }

  /// - Parameter unknown: what to take for a value that is no constant or no bool.
  private mutating func bool(_ name: String, of block: Block, _ file: String, unknown: Bool) -> Bool? {
    guard let expression = block.attribute(name)?.expression else { return nil }
    guard let value = expression.constant else { return unknown }
    if case .bool(let value)? = TypeConstraint.bool.convert(value).value { return value }
    report("The argument \"\(name)\" must be true or false, and this is \(value.kind).", file, expression.range)
    return unknown
  }
}
