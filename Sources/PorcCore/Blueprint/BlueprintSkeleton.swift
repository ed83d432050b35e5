import HCL

/// A blueprint of a template to fill in: YAML with what the template says about itself as comments.
///
/// Required inputs come first, each with a placeholder that its type refuses, since an empty one would be null, which most
/// variables take. An input of the type `any` takes whatever stands there, so it has none: it is commented out, and missing
/// until somebody writes it. The others are commented out with their defaults.
public enum BlueprintSkeleton {
  /// - Parameters:
  ///   - instance: the instance's name, if it is known.
  ///   - schema: where editors find the JSON Schema: a URL, or a path from where the blueprint will be.
  /// - Returns: the text, which ends with a newline. Nothing a template says leads out of a comment or of quotes.
  public static func text(for template: Template, instance: String? = nil, schema: String? = nil) -> String {
    var page = Page()
    if let schema {
      page.lines.append("# yaml-language-server: $schema=" + YAMLText.comment(schema).replacing(" ", with: "%20"))
    }
    page.comment((template.title.map { "\($0): a" } ?? "A") + " blueprint of \(template.modulePath).")
    page.comment(template.description)
    page.comment("")
    page.comment("Replace what says REQUIRED. What is commented out is optional; an input shows its default there.")
    page.lines.append("")
    page.code("kind: \(YAMLText.scalar(template.name))")
    page.code("schema_version: \(template.version)", note: "or a constraint, such as \"~> 1.0\"")
    page.code("metadata:")
    let name = instance.map(YAMLText.scalar) ?? placeholderText(for: .string)
    page.code(
      "  name: \(name)",
      note: instance == nil
        ? "the instance: lower-case letters, digits and inner '-', at most \(Blueprint.maximumNameLength)" : nil)
    page.code("  # title: What people call it")
    page.code("  # environment: dev")
    page.code("  # owner: The team that answers for it")
    page.code("  # repo_url: https://github.com/acme/blueprints")
    page.code("  # approval_required: true")
    page.lines.append("")
    page.code(template.inputs.isEmpty ? "inputs: {}" : "inputs:")
    for (index, input) in (template.inputs.filter(\.isRequired) + template.inputs.filter { !$0.isRequired })
      .enumerated()
    {
      if index > 0 { page.lines.append("") }
      page.input(input)
    }
    return page.lines.joined(separator: "\n") + "\n"
  }

  /// Whether a value is what stands in a skeleton for one that has to be given.
  static func isPlaceholder(_ value: Value) -> Bool {
    value == ["REQUIRED"] || value == .object(["REQUIRED": .null])
  }

  /// Whether a text is one, put in quotes.
  static func isPlaceholder(_ text: String) -> Bool { text == "[REQUIRED]" || text == "{REQUIRED}" }

  /// What no value of the type converts from; as ``isPlaceholder(_:)`` knows it. Nothing for `any`, which takes all.
  fileprivate static func placeholderText(for type: TypeConstraint) -> String {
    switch type {
    case .list, .set, .tuple: "{REQUIRED}"
    case .any, .string, .number, .bool, .map, .object: "[REQUIRED]"
    }
  }
}

/// The lines so far.
private struct Page {
  var lines: [String] = []

  /// A default of more lines than this is not shown.
  private static let maximumDefault = 60
  /// A type longer than this stands above its input, on lines of its own.
  private static let shortType = 60

  mutating func comment(_ text: String?, indent: String = "") {
    guard let text else { return }
    guard !text.isEmpty else { return lines.append(indent + "#") }
    lines += YAMLText.commentLines(text).map { $0.isEmpty ? indent + "#" : "\(indent)# \($0)" }
  }

  /// - Parameter note: becomes a comment behind it.
  mutating func code(_ text: String, note: String? = nil) {
    lines.append(text + (note.map { "  # " + YAMLText.comment($0) } ?? ""))
  }

  mutating func input(_ input: TemplateInput) {
    let type = input.isSensitive ? input.constraint.withoutDefaults : input.constraint
    let isShort = type.description.count <= Self.shortType
    var note = isShort ? type.description : "see above"
    if input.isSensitive { note += ", sensitive: kept encrypted, shown nowhere" }
    comment(input.description, indent: "  ")
    if !isShort { lines += type.laidOut.map { "  # " + YAMLText.comment($0) } }
    switch (input.isRequired, type) {
    case (true, .any): code("  # \(YAMLText.scalar(input.name)):", note: "REQUIRED: \(note)")
    case (true, _):
      code("  \(YAMLText.scalar(input.name)): \(BlueprintSkeleton.placeholderText(for: type))", note: note)
    case (false, _): optional(input, note)
    }
  }

  private mutating func optional(_ input: TemplateInput, _ note: String) {
    guard let value = input.default, !input.isSensitive else {
      let why = input.isSensitive ? "" : "; the module works its default out"
      return code("  # \(YAMLText.scalar(input.name)):", note: note + why)
    }
    let shown = YAMLText.lines(input.name, value)
    guard shown.count <= Self.maximumDefault else {
      return code("  # \(YAMLText.scalar(input.name)):", note: "\(note); its default is too long for here")
    }
    code("  # \(shown[0])", note: note)
    lines += shown.dropFirst().map { "  # \($0)" }
  }
}

extension TypeConstraint {
  /// The same type without the defaults of its attributes, which may be secrets where the input is sensitive.
  fileprivate var withoutDefaults: TypeConstraint {
    switch self {
    case .any, .string, .number, .bool: self
    case .list(let element): .list(element.withoutDefaults)
    case .set(let element): .set(element.withoutDefaults)
    case .map(let element): .map(element.withoutDefaults)
    case .tuple(let elements): .tuple(elements.map(\.withoutDefaults))
    case .object(let attributes):
      .object(
        attributes.map { Attribute(name: $0.name, type: $0.type.withoutDefaults, isOptional: $0.isOptional) })
    }
  }

  /// The type as people write one: an attribute a line.
  fileprivate var laidOut: [String] {
    switch self {
    case .any, .string, .number, .bool: return [description]
    case .list(let element): return Self.wrapped(element.laidOut, "list(", ")")
    case .set(let element): return Self.wrapped(element.laidOut, "set(", ")")
    case .map(let element): return Self.wrapped(element.laidOut, "map(", ")")
    case .tuple(let elements):
      return ["tuple(["] + elements.flatMap { Self.wrapped($0.laidOut, "  ", ",", indent: "  ") } + ["])"]
    case .object(let attributes) where attributes.isEmpty: return [description]
    case .object(let attributes):
      let parts = attributes.flatMap { attribute in
        let (open, close) =
          switch (attribute.isOptional, attribute.default) {
          case (false, _): ("", "")
          case (true, nil): ("optional(", ")")
          case (true, let value?): ("optional(", ", \(value.hclLiteral))")
          }
        return Self.wrapped(attribute.type.laidOut, "  \(attribute.name) = \(open)", close, indent: "  ")
      }
      return ["object({"] + parts + ["})"]
    }
  }

  private static func wrapped(
    _ lines: [String], _ open: String, _ close: String, indent: String = ""
  ) -> [String] {
    var lines = [open + lines[0]] + lines.dropFirst().map { indent + $0 }
    lines[lines.count - 1] += close
    return lines
  }
}
