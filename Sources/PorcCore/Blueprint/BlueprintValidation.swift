public import HCL
import JSONSchema

/// A blueprint that fits its template, with its sensitive inputs set apart.
public struct ValidBlueprint: Sendable, Equatable {
  public var template: Template
  public var metadata: BlueprintMetadata
  /// The values as they were given; Terraform converts them as this check did.
  public var inputs: [String: Value]
  /// Values that must never be shown, logged or stored in clear.
  public var sensitiveInputs: [String: Value]
  public var region: String?
  /// What is doubtful; nothing in it forbids the run.
  public var warnings: [Finding]

  /// The whole document with sorted keys and without sensitive values: its SHA-256 names it.
  public var canonicalText: String {
    var metadata: [String: Value] = ["name": .string(self.metadata.name)]
    metadata["title"] = self.metadata.title.map(Value.string)
    metadata["environment"] = self.metadata.environment.map(Value.string)
    metadata["owner"] = self.metadata.owner.map(Value.string)
    metadata["repo_url"] = self.metadata.repoURL.map(Value.string)
    metadata["approval_required"] = .bool(self.metadata.approvalRequired)
    return Value.object([
      "kind": .string(template.name), "schema_version": .string(template.version.description),
      "metadata": .object(metadata), "inputs": .object(inputs),
      "sensitive_inputs": .array(sensitiveInputs.keys.sorted().map(Value.string)),
    ]).json()
  }
}

/// From the text of a blueprint to a valid one, or to everything that is wrong with it.
public enum BlueprintValidation {
  /// - Parameters:
  ///   - bytes: YAML or JSON.
  ///   - catalog: all templates there are.
  /// - Throws: every finding at once, each with where it stands in the text.
  public static func validate(
    _ bytes: some Collection<UInt8>, as format: DocumentText.Format, against catalog: [Template]
  ) throws(DocumentProblems) -> ValidBlueprint {
    let source = try DocumentText.read(bytes, as: format)
    var (blueprint, findings) = Blueprint.read(source)
    guard let blueprint else { throw DocumentProblems(findings) }
    let chosen = choose(blueprint, from: catalog, source)
    findings += chosen.findings
    guard let template = chosen.template else { throw DocumentProblems(findings) }
    let checked = InputCheck(template, blueprint.inputs, in: source)
    findings += checked.findings
    // Its rules are about values of the right types: what is wrong already is not told twice.
    let wrong = checked.findings.filter { $0.severity == .error }.map(\.pointer)
    findings += SchemaCheck.findings(in: blueprint.inputs, of: template, source).filter { finding in
      !wrong.contains {
        $0 == finding.pointer || $0.hasPrefix("\(finding.pointer)/") || finding.pointer.hasPrefix("\($0)/")
      }
    }
    guard !findings.contains(where: { $0.severity == .error }) else { throw DocumentProblems(findings) }
    return ValidBlueprint(
      template: template, metadata: blueprint.metadata, inputs: checked.plain, sensitiveInputs: checked.sensitive,
      region: checked.region, warnings: findings)
  }

  /// The blueprint in a document, as far as its form can be told without a template.
  ///
  /// - Throws: every finding about its form at once.
  public static func form(
    of bytes: some Collection<UInt8>, as format: DocumentText.Format
  ) throws(DocumentProblems) -> Blueprint {
    let (blueprint, findings) = Blueprint.read(try DocumentText.read(bytes, as: format))
    guard let blueprint, findings.isEmpty else { throw DocumentProblems(findings) }
    return blueprint
  }

  /// Which template a document is for, even if something else about it is wrong: its name, and the version it wants.
  ///
  /// - Throws: what is wrong with a document that cannot be read at all.
  /// - Returns: `nil` if it names none, and no version if it names none or what is no constraint.
  public static func wish(
    in bytes: some Collection<UInt8>, as format: DocumentText.Format
  ) throws(DocumentProblems) -> (template: String, version: VersionConstraint?)? {
    let blueprint = Blueprint.read(try DocumentText.read(bytes, as: format)).blueprint
    return blueprint.map { ($0.kind, VersionConstraint($0.schemaVersion)) }
  }

  private static func choose(
    _ blueprint: Blueprint, from catalog: [Template], _ source: SourceValue
  ) -> (template: Template?, findings: [Finding]) {
    func finding(_ key: String, _ message: String, fix: String, _ severity: Finding.Severity = .error) -> Finding {
      let place = source.member(key)?.value.range.start
      return Finding(severity, at: "/\(key)", message, fix: fix, line: place?.line, column: place?.column)
    }
    // What is no constraint has its finding already; whether there is such a template can be told all the same.
    let constraint = VersionConstraint(blueprint.schemaVersion)
    do throws(TemplateChoice.Problem) {
      let template = try TemplateChoice.template(named: blueprint.kind, constraint, in: catalog)
      guard constraint != nil else { return (nil, []) }
      guard template.status == .deprecated else { return (template, []) }
      let warning = finding(
        "schema_version", "The template '\(template.modulePath)' is deprecated.", fix: "Move to a newer version.",
        .warning)
      return (template, [warning])
    } catch {
      if error.part == .version, constraint == nil { return (nil, []) }
      return (nil, [finding(error.part == .name ? "kind" : "schema_version", error.message, fix: error.fix)])
    }
  }
}

/// The inputs of a blueprint against the rules of its template's `schema.json`, as they were given.
private enum SchemaCheck {
  static func findings(in inputs: [SourceValue.Member], of template: Template, _ source: SourceValue) -> [Finding] {
    // A schema that cannot be compiled lets no template into the catalog.
    guard let schema = template.schema.flatMap({ try? JSONSchema($0) }) else { return [] }
    let place = source.member("inputs")?.value ?? source
    let value = Value.object(Dictionary(inputs.map { ($0.key, $0.value.value) }) { _, last in last })
    let sensitive = Set(template.inputs.filter(\.isSensitive).map(\.name))
    let findings = schema.violations(of: value).map { violation in
      var (steps, message) = (violation.path, violation.message)
      if case .key(let name)? = steps.first, sensitive.contains(name) {
        // A message tells how long a value is, or the names in it; a path tells them too.
        (steps, message) = ([.key(name)], "is not as its rule asks")
      }
      let path = ValuePath([.key("inputs")] + steps)
      let position = place.nearestNode(to: steps).range.start
      let rule = violation.schemaPointer.isEmpty ? "" : ", at \(violation.schemaPointer)"
      return Finding(
        at: path.jsonPointer, "\(path)\(isSentence(message) ? ":" : "") \(message).",
        fix: "The template's \(Template.schemaFile) asks for it\(rule).", line: position.line, column: position.column)
    }
    // Of several places in one sensitive value the same is said.
    var seen: Set<Finding> = []
    return findings.filter { seen.insert($0).inserted }
  }

  /// Whether a violation's message is a sentence of its own, rather than one about its place.
  private static func isSentence(_ message: String) -> Bool {
    ["the ", "no "].contains { message.hasPrefix($0) }
  }
}

/// The inputs of a blueprint against the variables of a template.
private struct InputCheck {
  var plain: [String: Value] = [:]
  var sensitive: [String: Value] = [:]
  var region: String?
  var findings: [Finding] = []

  init(_ template: Template, _ members: [SourceValue.Member], in source: SourceValue) {
    let inputs = Dictionary(template.inputs.map { ($0.name, $0) }) { first, _ in first }
    let names = template.inputs.map(\.name)
    var others: [SourceValue.Member] = []
    for member in members {
      guard let input = inputs[member.key] else {
        others.append(member)
        if others.count <= DocumentReader.maximumUnknown { unknown(member, among: names, template) }
        continue
      }
      check(member, input)
    }
    let uncounted = others.dropFirst(DocumentReader.maximumUnknown)
    if let more = Finding(unknown: uncounted, at: "/inputs") { findings.append(more) }
    let given = Set(members.map(\.key))
    let place = (source.member("inputs")?.value ?? source).range.start
    for input in template.inputs where input.isRequired && !given.contains(input.name) {
      findings.append(
        Finding(
          at: "/inputs" + ValuePath([.key(input.name)]).jsonPointer, "The required input '\(input.name)' is missing.",
          fix: "Add it: \(input.wanted).", line: place.line, column: place.column))
    }
    region = plain["region"]?.stringValue ?? template.regionInput.flatMap { plain[$0]?.stringValue }
  }

  private mutating func unknown(_ member: SourceValue.Member, among names: [String], _ template: Template) {
    let near = Suggestion.closest(to: member.key, among: names)
    let fix =
      near.map { "Did you mean '\($0)'?" }
      ?? (names.isEmpty ? "The template takes no inputs." : "It takes: \(names.prefix(30).joined(separator: ", ")).")
    findings.append(
      Finding(
        at: "/inputs" + ValuePath([.key(member.key)]).jsonPointer,
        "The template '\(template.modulePath)' has no input '\(member.key)'.", fix: fix,
        line: member.keyRange.start.line, column: member.keyRange.start.column))
  }

  private mutating func check(_ member: SourceValue.Member, _ input: TemplateInput) {
    let value = member.value.value
    if value.isNull, !input.isNullable, input.isRequired {
      findings.append(
        Finding(
          at: "/inputs" + ValuePath([.key(input.name)]).jsonPointer, "The input '\(input.name)' may not be null.",
          fix: "Give it a value: \(input.type).", line: member.value.range.start.line,
          column: member.value.range.start.column))
      return
    }
    if let type = try? TypeConstraint(parsing: input.type) {
      let conversion = type.convert(value)
      if conversion.value == nil, BlueprintSkeleton.isPlaceholder(value) {
        findings.append(
          Finding(
            at: "/inputs" + ValuePath([.key(input.name)]).jsonPointer,
            "The input '\(input.name)' is still to be filled in.", fix: "Replace it: \(input.wanted).",
            line: member.value.range.start.line, column: member.value.range.start.column))
        return
      }
      for finding in conversion.findings {
        let place = member.value.nearestNode(to: finding.path).range.start
        let path = ValuePath([.key("inputs"), .key(input.name)] + finding.path)
        findings.append(
          Finding(
            finding.severity == .error ? .error : .warning, at: path.jsonPointer, "\(path): \(finding.message)",
            fix: finding.expected == "nothing"
              ? "Leave it out."
              : finding.found == "nothing"
                ? "Add it: \(finding.expected)." : "Write a value of the type \(finding.expected).",
            line: place.line, column: place.column))
      }
    }
    if input.isSensitive { sensitive[input.name] = value } else { plain[input.name] = value }
  }
}

extension TemplateInput {
  /// Its type, and what it is for.
  fileprivate var wanted: String { type + (description.map { " (\($0.trimmingSuffix(".")))" } ?? "") }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: Character) -> Substring { last == suffix ? dropLast() : self[...] }
}
