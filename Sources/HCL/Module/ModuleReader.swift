/// Turns the blocks of a module's files, in the order of the files, into what the module declares.
struct ModuleReader {
  var diagnostics: [Diagnostic] = []
  private var variables = DeclarationList<VariableDeclaration>()
  private var outputs = DeclarationList<OutputDeclaration>()
  private var calls = DeclarationList<ModuleCallDeclaration>()
  private var providers: [String: ProviderRequirement] = [:]
  private var versions: [String] = []

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
        for (name, requirement, range) in requiredProviders(block, file.name) {
          add(requirement, name, file.name, range)
        }
      default: break
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
      default: break
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
