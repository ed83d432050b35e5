public import HCL

/// The JSON Schema (draft 2020-12) of the blueprints of one template, for editors, portals and scripts.
///
/// Whatever ``BlueprintValidation`` takes without an error, with this template alone in the catalog, the schema takes too. It
/// refuses what a schema can refuse. Only the validation knows
/// - whether this version is in the range that a constraint such as `>= 1.0` gives,
/// - whether the template is retired; the schema calls such a one deprecated,
/// - whether all elements of a `list(any)` can have one type,
/// - that no text may have more than 255 characters (a schema counts code points, the validation characters), and no number
///   or document more than so many digits or values.
///
/// An object's unknown attributes pass: Terraform drops them and the validation warns, and an editor that underlines what
/// PORC takes would teach people to overlook its lines.
public enum BlueprintSchema {
  public static let mediaType = "application/schema+json"

  public static func schema(for template: Template) -> Value {
    var schema: [String: Value] = [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": .string("A blueprint of \(template.modulePath)"),
      "type": "object",
      "required": .array(["kind", "schema_version", "metadata"]),
      "properties": .object([
        "kind": .object(["const": .string(template.name), "description": "The template's name."]),
        "schema_version": schemaVersion(template.version),
        "metadata": metadata,
        "inputs": inputs(of: template),
      ]),
      "additionalProperties": false,
    ]
    if !template.inputsRequired.isEmpty {
      schema["required"] = ["kind", "schema_version", "metadata", "inputs"]
    }
    let about = [template.title, template.description, note(on: template.status)].compactMap(\.self)
    if !about.isEmpty { schema["description"] = .string(about.joined(separator: "\n\n")) }
    if template.status != .active { schema["deprecated"] = true }
    return .object(schema)
  }

  private static func note(on status: Template.Status) -> String? {
    switch status {
    case .active: nil
    case .deprecated: "This version is deprecated: move to a newer one."
    case .retired: "This version is retired: it takes no new run."
    }
  }

  // MARK: The version

  private static func schemaVersion(_ version: Version) -> Value {
    .object([
      "type": "string", "pattern": .string(VersionPattern.pattern(for: version)),
      "examples": [.string(version.description), .string("~> \(version.major).\(version.minor)")],
      "description": .string(
        "The template's version, or a constraint such as \"~> 1.0\": the newest active version that fits. "
          + "This schema is that of \(version)."),
    ])
  }

  // MARK: The instance

  private static let metadata = Value.object([
    "type": "object", "required": ["name"], "additionalProperties": false,
    "description": "The instance that the blueprint describes.",
    "properties": [
      "name": [
        "type": "string",
        "pattern": .string("^[a-z0-9](?:[a-z0-9-]{0,\(Blueprint.maximumNameLength - 2)}[a-z0-9])?$"),
        "description": .string(
          "The instance's name, unique in this PORC: lower-case letters, digits and inner '-', "
            + "at most \(Blueprint.maximumNameLength)."),
      ],
      "title": text("What people call the instance."),
      "environment": text("Such as dev or production."),
      "owner": text("The team that answers for the instance."),
      "repo_url": [
        "type": ["string", "null"], "pattern": .string(TextPattern.url),
        "description": "Where the blueprint is kept: an http or https URL without credentials.",
      ],
      "approval_required": [
        "type": ["boolean", "null"],
        "description": "Demands an approval before each apply. The template and the server can demand one too.",
      ],
    ],
  ])

  private static func text(_ description: String) -> Value {
    ["type": ["string", "null"], "pattern": .string(TextPattern.text), "description": .string(description)]
  }

  // MARK: The inputs

  private static func inputs(of template: Template) -> Value {
    let properties = template.inputs.map { ($0.name, schema(for: $0)) }
    let required = template.inputsRequired
    return .object([
      // Without required ones there may be no mapping at all.
      "type": required.isEmpty ? ["object", "null"] : "object",
      "required": .array(required.map(Value.string)),
      "properties": .object(Dictionary(properties) { first, _ in first }),
      "additionalProperties": false,
      "description": .string("The inputs of \(template.modulePath)."),
    ])
  }

  private static func schema(for input: TemplateInput) -> Value {
    let type = input.constraint
    // Null stands for the default, or is itself the value, wherever there is a default or the variable takes null.
    var schema = schema(of: type, takesNull: input.isNullable || !input.isRequired, showsDefaults: !input.isSensitive)
    schema["title"] = .string("\(input.name): \(type.kindText)\(input.isRequired ? ", required" : "")")
    let about = [
      input.description, input.isSensitive ? "Sensitive: PORC keeps it encrypted and shows it nowhere." : nil,
    ].compactMap(\.self)
    if !about.isEmpty { schema["description"] = .string(about.joined(separator: "\n\n")) }
    if input.isSensitive {
      schema["writeOnly"] = true
    } else if let value = input.default {
      schema["default"] = value
    }
    return .object(schema)
  }

  /// What converts to `type`, as `TypeConstraint.convert(_:)` has it.
  private static func schema(
    of type: TypeConstraint, takesNull: Bool = true, showsDefaults: Bool
  ) -> [String: Value] {
    func types(_ names: String...) -> Value {
      let all = names + (takesNull ? ["null"] : [])
      return all.count == 1 ? .string(all[0]) : .array(all.map(Value.string))
    }
    func part(_ type: TypeConstraint) -> Value { .object(schema(of: type, showsDefaults: showsDefaults)) }
    switch type {
    case .any: return takesNull ? [:] : ["type": types("string", "number", "boolean", "array", "object")]
    case .string: return ["type": types("string", "number", "boolean")]
    case .number: return ["type": types("number", "string"), "pattern": .string(TextPattern.number)]
    case .bool: return ["type": types("boolean", "string"), "pattern": "^(?:true|false|1|0)$"]
    case .list(let element), .set(let element): return ["type": types("array"), "items": part(element)]
    case .map(let element): return ["type": types("object"), "additionalProperties": part(element)]
    case .tuple(let elements):
      var schema: [String: Value] = [
        "type": types("array"), "minItems": .number(Number(elements.count)),
        "maxItems": .number(Number(elements.count)),
      ]
      // It may not be empty.
      if !elements.isEmpty { schema["prefixItems"] = .array(elements.map(part)) }
      return schema
    case .object(let attributes):
      let properties = attributes.map { attribute in
        var schema = schema(of: attribute.type, showsDefaults: showsDefaults)
        schema["title"] = .string(
          "\(attribute.name): \(attribute.type.kindText)\(attribute.isOptional ? "" : ", required")")
        if showsDefaults, let value = attribute.default { schema["default"] = value }
        return (attribute.name, Value.object(schema))
      }
      return [
        "type": types("object"), "properties": .object(Dictionary(properties) { first, _ in first }),
        "required": .array(attributes.filter { !$0.isOptional }.map { .string($0.name) }),
      ]
    }
  }
}

extension TemplateInput {
  /// The type of its values: `any` if it cannot be read, as nothing is then checked.
  var constraint: TypeConstraint { (try? TypeConstraint(parsing: type)) ?? .any }
}

extension TypeConstraint {
  /// The type in a few words: what is in an object is left out, so that no default of a sensitive input is shown.
  fileprivate var kindText: String {
    switch self {
    case .any, .string, .number, .bool: description
    case .list(let element): "list(\(element.kindText))"
    case .set(let element): "set(\(element.kindText))"
    case .map(let element): "map(\(element.kindText))"
    case .object: "object"
    case .tuple(let elements): "tuple of \(elements.count)"
    }
  }
}

/// Regular expressions of ECMA-262, as JSON Schema has them.
private enum TextPattern {
  /// What Swift calls white space, which is Unicode's White_Space. ECMA's `\s` is another set. No range begins with
  /// a character that is another one in NFC, which some engines refuse.
  static let space =
    #"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000\u2001\u2002-\u200a\u2028\u2029\u202f\u205f\u3000"#

  /// Text without control characters; blank text counts as none.
  static let text = #"^(?:[^\u0000-\u0008\u000b-\u001f]*|[\#(space)]*)$"#

  static let url = #"^(?:https?://[^/?#@\u0000-\u001f\#(space)]+(?:[/?#][^\u0000-\u001f\#(space)]*)?|[\#(space)]*)$"#

  /// A decimal number as Terraform converts one from text; also an infinite one, which gets a warning.
  static let number = #"^[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|Inf|inf)$"#
}

/// What ``VersionConstraint`` reads, as far as it may mean one version.
private enum VersionPattern {
  private static let space = "[\(TextPattern.space)]*"
  private static let number = "[0-9]{1,18}"
  private static let build = #"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"#
  private static let prerelease =
    #"(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?"#

  /// Exactly `version`, or any constraint that is not an exact version.
  static func pattern(for version: Version) -> String {
    let anyVersion = #"v?\#(number)(?:\.\#(number))*\#(prerelease)\#(build)\#(space)"#
    let related = "\(space)(?:~>|>=|<=|!=|>|<)\(space)\(anyVersion)"
    let condition = "\(space)(?:~>|>=|<=|!=|>|<|=)?\(space)\(anyVersion)"
    let exact = "\(space)=?\(space)v?\(numbers(of: version))\(suffix(of: version))\(build)\(space)"
    // A pre-release fits nothing but its exact version.
    guard version.prerelease.isEmpty else { return "^\(exact)$" }
    return "^(?:\(exact)|\(related)|\(condition)(?:,\(condition))+)$"
  }

  /// Numbers that are missing are zero, leading zeros mean nothing, and those after the third are passed over.
  private static func numbers(of version: Version) -> String {
    let more = #"(?:\.\#(number))*"#
    let patch = #"\.0*\#(version.patch)\#(more)"#
    let minor = #"\.0*\#(version.minor)"#
    let major = "0*\(version.major)"
    return switch (version.minor, version.patch) {
    case (0, 0): "\(major)(?:\(minor)(?:\(patch))?)?"
    case (_, 0): "\(major)\(minor)(?:\(patch))?"
    default: "\(major)\(minor)\(patch)"
    }
  }

  private static func suffix(of version: Version) -> String {
    version.prerelease.isEmpty ? "" : "-" + version.prerelease.joined(separator: #"\."#)
  }
}
