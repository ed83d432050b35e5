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
      ($0.expression.constant.map { .known($0) } ?? .unknown, file, $0.range)
    }
    variable.deprecated = string("deprecated", of: block, file)
    // What cannot be read as false is kept secret.
    variable.isSensitive = bool("sensitive", of: block, file, unknown: true)
    variable.isNullable = bool("nullable", of: block, file, unknown: true)
    variable.isEphemeral = bool("ephemeral", of: block, file, unknown: true)
    variable.validations = block.blocks.filter { $0.type == "validation" }.map {
      Variable.Validation(
        errorMessage: $0.attribute("error_message")?.expression.constant?.stringValue, range: $0.range)
    }
    let names = block.attributes.map { ($0.name, $0.nameOffsets) } + block.blocks.map { ($0.type, $0.offsets) }
    for (name, offsets) in names where !Self.variableArguments.contains(name) {
      let range = block.source.range(offsets)
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
    output.deprecated = string("deprecated", of: block, file)
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
          case "source": requirement.source = text(member.value)
          case "version": requirement.versionConstraints = text(member.value).map { [$0] } ?? []
          case "configuration_aliases": requirement.configurationAliases = aliases(member.value, of: attribute, file)
          default: break
          }
        }
      default:
        report(
          "The requirement of the provider \"\(attribute.name)\" must be an object with source and version.", file,
          attribute.range)
        continue
      }
      result.append((attribute.name, requirement, attribute.nameRange))
    }
    return result
  }

  private func text(_ expression: Expression) -> String? {
    expression.constant.flatMap { TypeConstraint.string.convert($0).value }?.stringValue
  }

  private mutating func aliases(_ list: Expression, of attribute: Attribute, _ file: String) -> [String] {
    guard case .tuple(let elements) = list.form else {
      report("The configuration aliases must be a list.", file, attribute.range(of: list))
      return []
    }
    var aliases: [String] = []
    for element in elements {
      if let names = attribute.reference(in: element), names.count <= 2, names.first == attribute.name {
        // Without an alias it is the default configuration, which needs no mention.
        aliases += names.dropFirst()
      } else {
        report(
          "A configuration alias of this provider is written \(attribute.name).ALIAS.", file,
          attribute.range(of: element))
      }
    }
    return aliases
  }

  mutating func providerConfiguration(_ block: Block, _ file: String) -> ProviderConfiguration? {
    guard let name = name(of: block, "provider", file) else { return nil }
    return ProviderConfiguration(
      name: name, alias: string("alias", of: block, file), version: string("version", of: block, file), file: file,
      range: block.range)
  }

  mutating func resource(_ block: Block, _ mode: ModuleResource.Mode, _ file: String) -> ModuleResource? {
    guard block.labels.count == 2 else {
      report("A \(block.type) block has two labels: its type and its name.", file, block.range)
      return nil
    }
    for label in block.labels where !isName(label, block, file) { return nil }
    var provider: [String]?
    if let argument = block.attribute("provider") {
      provider = argument.reference(in: argument.expression)
      if provider == nil || (provider?.count ?? 0) > 2 {
        report("The provider of a resource is written NAME or NAME.ALIAS.", file, argument.range)
      }
    }
    return ModuleResource(
      mode: mode, type: block.labels[0].text, name: block.labels[1].text,
      provider: provider?.prefix(2).joined(separator: "."), file: file, range: block.range)
  }

  private mutating func name(of block: Block, _ kind: String, _ file: String) -> String? {
    guard block.labels.count == 1, let label = block.labels.first else {
      report("A \(kind) block has one label: its name.", file, block.range)
      return nil
    }
    return isName(label, block, file) ? label.text : nil
  }

  private mutating func isName(_ label: Block.Label, _ block: Block, _ file: String) -> Bool {
    if label.text.isIdentifier { return true }
    report(
      "A name begins with a letter or an underscore and holds only letters, digits, underscores and dashes.", file,
      block.source.range(label.offsets))
    return false
  }

  private mutating func type(_ attribute: Attribute, _ file: String) -> (TypeConstraint, String) {
    let offsets = attribute.expression.offsets
    let quoted = attribute.expression.constant?.stringValue
    let text = quoted ?? (attribute.isNative ? attribute.source.text(offsets) : "")
    do throws(ParseFailure) {
      if let quoted {
        if attribute.isNative {
          report(
            "A type stands without quotes.", detail: "Terraform 0.11 and earlier wanted them.", file, attribute.range)
        }
        return (try TypeConstraint(parsing: quoted), text)
      }
      guard attribute.isNative else {
        report("The type must be a string.", file, attribute.range)
        return (.any, text)
      }
      return (try TypeConstraint.parse(attribute.source, in: offsets), text)
    } catch {
      let range = quoted == nil ? SourceRange(start: error.position, end: error.position) : attribute.range
      report("The type cannot be read: \(error.message)", file, range)
      return (.any, text)
    }
  }

  private mutating func string(_ name: String, of block: Block, _ file: String) -> String? {
    guard let attribute = block.attribute(name), let value = attribute.expression.constant else { return nil }
    if case .string(let text)? = TypeConstraint.string.convert(value).value { return text }
    report("The argument \"\(name)\" must be a string, and this is \(value.kind).", file, attribute.range)
    return nil
  }

  /// - Parameter unknown: what to take for a value that is no constant or no bool.
  private mutating func bool(_ name: String, of block: Block, _ file: String, unknown: Bool) -> Bool? {
    guard let attribute = block.attribute(name) else { return nil }
    guard let value = attribute.expression.constant else { return unknown }
    if case .bool(let value)? = TypeConstraint.bool.convert(value).value { return value }
    report("The argument \"\(name)\" must be true or false, and this is \(value.kind).", file, attribute.range)
    return unknown
  }
}
