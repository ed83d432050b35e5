import HCL
import JSONSchema

extension Template {
  /// What is known of a module folder before it is read.
  public struct Origin: Sendable {
    /// `NAME/VERSION`.
    public var modulePath: String
    /// The folder's own files by name; nested ones do not matter to what a template knows.
    public var files: [String: [UInt8]]
    /// The remote without credentials and `.git`, if the source has one.
    public var remote: String?
    public var commit: String?
    public var archive: String
    public var source: String
    /// Whether the module lies in the repository's root.
    public var isWholeRepository = false
    /// See ``Template/content``.
    public var content: String?
    /// Who owns it by the repository's word, if the module itself does not say.
    public var owner: String?

    public init(
      modulePath: String, files: [String: [UInt8]], remote: String? = nil, commit: String? = nil, archive: String,
      source: String
    ) {
      self.modulePath = modulePath
      self.files = files
      self.remote = remote
      self.commit = commit
      self.archive = archive
      self.source = source
    }
  }

  /// Reads a template out of a module's folder and its optional `blueprint.yaml`.
  ///
  /// - Returns: the template, absent if any finding is an error; and all findings, with the file's name in each message.
  public static func read(_ origin: Origin) -> (template: Template?, findings: [Finding]) {
    var findings: [Finding] = []
    let parts = origin.modulePath.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2, let version = Version(parts[1]) else {
      return (
        nil,
        [
          Finding(
            at: "", "'\(origin.modulePath)' is not NAME/VERSION with a SemVer version.",
            fix: "Name the folder like gke-cluster/1.0.0.")
        ]
      )
    }
    guard isName(parts[0]) else {
      return (
        nil,
        [
          Finding(
            at: "", "'\(parts[0])' is no name for a template.",
            fix: "Name the folder with letters, digits, '-', '_' and '.', beginning with a letter or digit.")
        ]
      )
    }
    let module = Module.read(files: origin.files)
    findings += module.diagnostics.map(\.finding)
    if !origin.files.keys.contains(where: { $0.hasSuffix(".tf") || $0.hasSuffix(".tf.json") }) {
      findings.append(
        Finding(at: "", "'\(origin.modulePath)' holds no .tf or .tf.json file.", fix: "Put a Terraform module there."))
    }
    if module.variables.count > maximumInputs {
      findings.append(
        Finding(
          at: "",
          "'\(origin.modulePath)' has \(module.variables.count) variables; a template may have \(maximumInputs).",
          fix: "Gather them in objects."))
    }
    for name in [Bundle.inputsFile, Bundle.overrideFile] where origin.files[name] != nil {
      findings.append(
        Finding(at: "", "'\(origin.modulePath)' holds the file \(name), which is PORC's own.", fix: "Rename it."))
    }
    var manifest = TemplateManifest()
    if let bytes = origin.files[TemplateManifest.fileName] {
      let read = TemplateManifest.read(bytes)
      manifest = read.manifest
      findings += read.findings
    }
    if let region = manifest.regionInput, !module.variables.contains(where: { $0.name == region }) {
      findings.append(
        Finding(
          at: "/region_input", "\(TemplateManifest.fileName): there is no variable '\(region)'.",
          fix: "Name one of the module's variables."))
    }
    var schema: Value?
    if let bytes = origin.files[schemaFile] {
      let read = readSchema(bytes, variables: module.variables.map(\.name))
      schema = read.schema
      findings += read.findings
    }
    var template = Template(
      name: parts[0], version: version, inputs: module.variables.map(TemplateInput.init),
      outputs: module.outputs.map(TemplateOutput.init), archive: origin.archive, source: origin.source)
    template.title = manifest.title
    template.description = manifest.description
    template.owner = manifest.owner ?? origin.owner
    template.content = origin.content
    template.status = manifest.status
    template.repoURL = manifest.repoURL ?? origin.remote.map { origin.isWholeRepository ? $0 : "\($0)/\(parts[0])" }
    template.regionInput = manifest.regionInput
    template.approvalRequired = manifest.approvalRequired
    template.terraformVersion = manifest.terraformVersion
    template.commit = origin.commit
    template.schema = schema
    template.requiredVersions = module.requiredVersions
    template.requiredProviders = module.requiredProviders.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { RequiredProvider(name: $0, source: $1.source, versions: $1.versionConstraints) }
    template.readme = origin.files.first { $0.key.lowercased() == "readme.md" }.map {
      String(decoding: $0.value.prefix(maximumReadme), as: UTF8.self)
    }
    return (findings.contains { $0.severity == .error } ? nil : template, findings)
  }
}

extension Template {
  /// Whether a reading looks at a file of this name in the module's folder.
  public static func isRead(fileNamed name: String) -> Bool {
    name.hasSuffix(".tf") || name.hasSuffix(".tf.json") || name == TemplateManifest.fileName
      || name == Bundle.inputsFile || name == schemaFile || name.lowercased() == "readme.md"
  }

  /// A portal takes at most 1 MiB for one.
  static let maximumInputs = 2_000
  /// In bytes; what is longer is cut.
  static let maximumReadme = 256 << 10

  /// A JSON Schema in a module's folder: rules for the inputs that types cannot say.
  public static let schemaFile = "schema.json"

  private static func readSchema(
    _ bytes: [UInt8], variables: [String]
  ) -> (schema: Value?, findings: [Finding]) {
    let document: SourceValue
    do {
      document = try DocumentText.read(bytes, as: .json)
    } catch {
      return (
        nil,
        error.findings.map { finding in
          var finding = finding
          finding.message = "\(schemaFile): \(finding.message)"
          return finding
        }
      )
    }
    let schema = document.value
    do {
      _ = try JSONSchema(schema)
      return (schema, strangers(in: document, variables))
    } catch {
      return (
        nil,
        error.problems.map { problem in
          let place = problem.pointer.isEmpty ? "" : "\(problem.pointer): "
          return Finding(at: "", "\(schemaFile): \(place)\(problem.message)", fix: problem.fix)
        }
      )
    }
  }

  /// Warnings of properties with rules that are no variables: nobody can give them.
  private static func strangers(in schema: SourceValue, _ variables: [String]) -> [Finding] {
    guard case .object(let members)? = schema.member("properties")?.value.content else { return [] }
    let known = Set(variables)
    return members.filter { !known.contains($0.key) }.prefix(20).map { member in
      let name = String(member.key.prefix(100))
      return Finding(
        .warning, at: "", "\(schemaFile): has a rule for '\(name)', which is no variable of the module.",
        fix: Suggestion.closest(to: name, among: variables).map { "Did you mean '\($0)'?" }
          ?? "Remove the rule, or declare the variable.",
        line: member.keyRange.start.line, column: member.keyRange.start.column)
    }
  }

  /// Whether a folder of this name may hold the versions of a template.
  public static func isName(_ name: String) -> Bool {
    let isPlain = { (byte: UInt8) in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"):
        true
      default: false
      }
    }
    return name.utf8.first.map(isPlain) == true && name.utf8.allSatisfy { isPlain($0) || "-_.".utf8.contains($0) }
  }
}

extension TemplateInput {
  init(_ variable: Variable) {
    var known: Value?
    if case .known(let value) = variable.default, !variable.isSensitive { known = value }
    self.init(
      name: variable.name, type: variable.type.description, description: variable.description, default: known,
      isRequired: variable.isRequired, isSensitive: variable.isSensitive, isNullable: variable.isNullable)
  }
}

extension TemplateOutput {
  init(_ output: HCL.Output) {
    self.init(name: output.name, description: output.description, isSensitive: output.isSensitive)
  }
}

extension Diagnostic {
  /// The diagnostic as a finding about a template.
  var finding: Finding {
    Finding(
      severity == .error ? .error : .warning, at: "", "\(file): \(message)", fix: detail, line: range.start.line,
      column: range.start.column)
  }
}
