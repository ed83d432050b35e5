/// Turns the blocks of a module's files, in the order of the files, into what the module declares.
struct ModuleReader {
  var diagnostics: [Diagnostic] = []
  private var variables = DeclarationList<VariableDeclaration>()
  private var outputs = DeclarationList<OutputDeclaration>()
  private var calls = DeclarationList<ModuleCallDeclaration>()
  private var providers: [String: ProviderRequirement] = [:]
  private var versions: [String] = []
  /// The first `required_providers`: Terraform wants no other, and we read all.
  private var requirementsBlock: (file: String, range: SourceRange)?
  private var configurations = DeclarationList<ProviderConfiguration>()
  private var resources = DeclarationList<ModuleResource>()

  /// Takes a file that is no override.
  mutating func read(_ file: ModuleFile) {
    for block in blocks(of: file) {
      switch block.type {
      case "variable":
        guard let variable = variable(block, file.name) else { continue }
        if let first = variables.add(variable, named: variable.name) {
          duplicate("variable", variable.name, first.file, first.range, file.name, variable.range)
        }
      case "output":
        guard let output = output(block, file.name) else { continue }
        if let first = outputs.add(output, named: output.name) {
          duplicate("output", output.name, first.file, first.range, file.name, output.range)
        }
      case "module":
        guard let call = moduleCall(block, file.name) else { continue }
        if let first = calls.add(call, named: call.name) {
          duplicate("module call", call.name, first.file, first.range, file.name, call.range)
        }
      case "terraform":
        versions += requiredVersion(block, file.name)
        for inner in block.blocks where inner.type == "required_providers" {
          if let first = requirementsBlock {
            duplicate("block", "required_providers", first.file, first.range, file.name, inner.range)
          }
          requirementsBlock = requirementsBlock ?? (file.name, inner.range)
        }
        for (name, requirement, range) in requiredProviders(block, file.name) {
          add(requirement, name, file.name, range)
        }
      case "provider":
        guard let new = providerConfiguration(block, file.name) else { continue }
        if let first = configurations.add(new, named: new.key) {
          duplicate("provider configuration", new.key, first.file, first.range, file.name, new.range)
        }
      case "resource", "data", "ephemeral":
        guard let mode = ModuleResource.Mode(blockType: block.type), let new = resource(block, mode, file.name) else {
          continue
        }
        if let first = resources.add(new, named: new.key) {
          duplicate(block.type, "\(new.type).\(new.name)", first.file, first.range, file.name, new.range)
        }
      default: other(block, file)
      }
    }
  }

  /// Takes an override file: its blocks change those that are there already.
  mutating func override(with file: ModuleFile) {
    var newVersions: [String] = []
    for block in blocks(of: file) {
      switch block.type {
      case "variable":
        guard let variable = variable(block, file.name) else { continue }
        if !variables.change(variable.name, { $0.merge(variable) }) { missing("variable", variable.name, file, block) }
      case "output":
        guard let output = output(block, file.name) else { continue }
        if !outputs.change(output.name, { $0.merge(output) }) { missing("output", output.name, file, block) }
      case "module":
        guard let call = moduleCall(block, file.name) else { continue }
        if !calls.change(call.name, { $0.merge(call) }) { missing("module call", call.name, file, block) }
      case "terraform":
        newVersions += requiredVersion(block, file.name)
        for (name, requirement, _) in requiredProviders(block, file.name) { providers[name] = requirement }
      case "provider":
        guard let new = providerConfiguration(block, file.name) else { continue }
        let isKnown = configurations.change(new.key) { $0 = $0.merged(with: new) }
        // Without a block of its own a provider has an empty configuration, which an override may change.
        if !isKnown, new.alias == nil { _ = configurations.add(new, named: new.key) }
        if !isKnown, new.alias != nil { missing("provider configuration", new.key, file, block) }
      case "resource", "data", "ephemeral":
        guard let mode = ModuleResource.Mode(blockType: block.type), let new = resource(block, mode, file.name) else {
          continue
        }
        if !resources.change(new.key, { $0 = $0.merged(with: new) }) {
          missing(block.type, "\(new.type).\(new.name)", file, block)
        }
      default: other(block, file)
      }
    }
    if !newVersions.isEmpty { versions = newVersions }
  }

  /// What all the files say together.
  mutating func module() -> Module {
    for variable in variables.all { checkDefault(of: variable) }
    var module = Module()
    module.variables = variables.all.map(\.variable)
    module.outputs = outputs.all.map(\.output)
    module.moduleCalls = calls.all.map(\.call)
    module.providerConfigurations = configurations.all
    module.resources = resources.all
    module.requiredProviders = providers
    module.requiredVersions = versions
    module.diagnostics = diagnostics
    return module
  }

  mutating func report(
    _ message: String, detail: String? = nil, _ file: String, _ range: SourceRange, severity: Severity = .error
  ) {
    diagnostics.append(Diagnostic(severity: severity, message: message, detail: detail, file: file, range: range))
  }

  private mutating func blocks(of file: ModuleFile) -> [Block] {
    let (blocks, problems) = file.blocks()
    for problem in problems.sorted(by: { $0.position < $1.position }) {
      report(problem.message, file.name, SourceRange(start: problem.position, end: problem.position))
    }
    return blocks
  }

  /// A newer Terraform may know more blocks than we do.
  private mutating func other(_ block: Block, _ file: ModuleFile) {
    guard !ModuleFile.otherTypes.contains(block.type) else { return }
    let hint = Suggestion.closest(to: block.type, among: ModuleFile.knownTypes).map { "Did you mean \"\($0)\"?" }
    report(
      "Terraform has no block \"\(block.type)\".", detail: hint, file.name, block.range, severity: .warning)
  }

  private mutating func duplicate(
    _ kind: String, _ name: String, _ firstFile: String, _ first: SourceRange, _ file: String, _ range: SourceRange
  ) {
    report(
      "The \(kind) \"\(name)\" is declared twice.", detail: "The first time in \(firstFile), \(first.start).", file,
      range)
  }

  private mutating func missing(_ kind: String, _ name: String, _ file: ModuleFile, _ block: Block) {
    report(
      "There is no \(kind) \"\(name)\" to override.",
      detail: "A file whose name ends in \"override\" only changes what other files declare.", file.name, block.range)
  }

  private mutating func add(
    _ requirement: ProviderRequirement, _ name: String, _ file: String, _ range: SourceRange
  ) {
    guard var known = providers[name] else { return providers[name] = requirement }
    if let source = requirement.source {
      if let first = known.source, first != source {
        report("The provider \"\(name)\" has two different sources.", file, range)
      }
      known.source = known.source ?? source
    }
    known.versionConstraints += requirement.versionConstraints
    known.configurationAliases += requirement.configurationAliases
    providers[name] = known
  }

  private mutating func checkDefault(of declaration: VariableDeclaration) {
    guard case (.known(let value), let file, let range)? = declaration.default else { return }
    let variable = declaration.variable
    if value.isNull {
      if !variable.isNullable {
        report("The default of the variable \"\(variable.name)\" is null, and it must not be null.", file, range)
      }
      return
    }
    for finding in variable.type.convert(value).findings {
      let path = ValuePath(finding.path).description
      let place = path.isEmpty ? "" : " at \(path)"
      let message = "The default of the variable \"\(variable.name)\" does not fit its type\(place)."
      report(message, detail: finding.message, file, range, severity: finding.severity)
    }
  }
}

extension ProviderConfiguration {
  /// What must not be there twice.
  fileprivate var key: String { alias.map { "\(name).\($0)" } ?? name }

  fileprivate func merged(with other: ProviderConfiguration) -> ProviderConfiguration {
    ProviderConfiguration(name: name, alias: alias, version: other.version ?? version, file: file, range: range)
  }
}

extension ModuleResource {
  /// What must not be there twice.
  fileprivate var key: String { "\(mode).\(type).\(name)" }

  fileprivate func merged(with other: ModuleResource) -> ModuleResource {
    ModuleResource(
      mode: mode, type: type, name: name, provider: other.provider ?? provider, file: file, range: range)
  }
}

extension ModuleResource.Mode {
  fileprivate init?(blockType: String) {
    switch blockType {
    case "resource": self = .managed
    case "data": self = .data
    case "ephemeral": self = .ephemeral
    default: return nil
    }
  }
}
