import HCL
import JSONSchema
import PorcCore
import TestKit
import Testing

@Suite struct BlueprintSkeletonTests {
  private static func template(_ variables: String) throws -> Template {
    try BlueprintTests.template(variables: variables)
  }

  private static func findings(_ text: String, _ template: Template) -> [Finding] {
    do throws(DocumentProblems) {
      return try BlueprintValidation.validate(Array(text.utf8), as: .yaml, against: [template]).warnings
    } catch {
      return error.findings
    }
  }

  @Test func itIsAPageToFillIn() throws {
    var template = try Self.template(
      """
      variable "cluster_name" {
        type        = string
        description = "The name of the cluster."
        default     = "main"
      }
      variable "region" {
        type        = string
        description = "The region of the cluster.\\nAs Google writes it."
      }
      variable "zones" { type = set(string) }
      variable "labels" { type = map(string) }
      variable "extra" {}
      variable "admin_password" {
        type      = string
        sensitive = true
        default   = "hush-hush"
      }
      variable "pools" {
        type = list(object({
          name = string
          size = optional(number, 1)
          disk = optional(object({ kind = string, size = optional(number) }))
        }))
        default = [{ name = "default", disk = { kind = "ssd" } }, { name = "on" }]
      }
      variable "built" { default = timestamp() }
      """)
    template.title = "GKE cluster"
    template.description = "A private cluster."
    #expect(
      BlueprintSkeleton.text(for: template, schema: "./gke cluster.schema.json") == """
        # yaml-language-server: $schema=./gke%20cluster.schema.json
        # GKE cluster: a blueprint of gke-cluster/1.0.0.
        # A private cluster.
        #
        # Replace what says REQUIRED. What is commented out is optional; an input shows its default there.

        kind: gke-cluster
        schema_version: 1.0.0  # or a constraint, such as "~> 1.0"
        metadata:
          name: [REQUIRED]  # the instance: lower-case letters, digits and inner '-', at most 63
          # title: What people call it
          # environment: dev
          # owner: The team that answers for it
          # repo_url: https://github.com/acme/blueprints
          # approval_required: true

        inputs:
          # The region of the cluster.
          # As Google writes it.
          region: [REQUIRED]  # string

          zones: {REQUIRED}  # set(string)

          labels: [REQUIRED]  # map(string)

          # extra:  # REQUIRED: any

          # The name of the cluster.
          # cluster_name: main  # string

          # admin_password:  # string, sensitive: kept encrypted, shown nowhere

          # list(object({
          #   name = string
          #   size = optional(number, 1)
          #   disk = optional(object({
          #     kind = string
          #     size = optional(number)
          #   }))
          # }))
          # pools:  # see above
          #   - disk:
          #       kind: ssd
          #     name: default
          #   - name: "on"

          # built:  # any; the module works its default out

        """)
  }

  @Test func whatIsStillToBeFilledInIsNamed() throws {
    let template = try Self.template(BlueprintTests.variables + "\nvariable \"extra\" {}")
    let findings = Self.findings(BlueprintSkeleton.text(for: template), template)
    #expect(
      findings.map { "\($0.line ?? 0):\($0.column ?? 0) \($0.message) \($0.fix ?? "")" } == [
        "8:9 'metadata.name' is still to be filled in. Write text there.",
        "16:3 The required input 'extra' is missing. Add it: any.",
        "16:11 The input 'region' is still to be filled in. Replace it: string.",
        "18:15 The input 'project_id' is still to be filled in. Replace it: string.",
      ])
  }

  @Test func aTemplateWithoutRequiredInputsIsReadyWithAName() throws {
    for variables in ["", "variable \"size\" { default = 3 }"] {
      let template = try Self.template(variables)
      #expect(Self.findings(BlueprintSkeleton.text(for: template, instance: "123"), template).isEmpty)
    }
  }

  // MARK: Hostile templates

  static let hostile = [
    "\n", "\r", "\r\n", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}", "\u{c}", "\u{0}", "\u{1b}[2J", "\u{7f}", "\u{9b}",
    "\t",
    "#", "# ", ": ", "- ", "kind: evil", "inputs:\n  region: evil", "\n---\n", "\n...\n", "%YAML 1.1", "&a *a !!x", "|",
    ">",
    "'", "\"", "{", "}", "[", "]", "\\", "${x}", "\u{feff}", "\u{202e}", "\u{200b}", "\u{fffe}", "\u{1fffe}", "🦀", "é",
    " ",
    "yaml-language-server: $schema=https://evil.example/", "@", "`", "~", "null", "yes", "1e3", "0x1F", "12:30:00", "",
  ]

  private static func text(_ texts: [String] = hostile, using random: inout SplitMix) -> String {
    (0..<Int.random(in: 0...6, using: &random)).map { _ in texts.randomElement(using: &random) ?? "" }.joined()
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func nothingATemplateSaysLeadsOutOfItsComment(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    // Yams drops a byte order mark from a value.
    let texts = Self.hostile.filter { $0 != "\u{feff}" }
    var template = try Self.template(
      """
      variable "a" {
        type        = string
        description = \(Value.string(Self.text(using: &random)).hclLiteral)
      }
      variable "b" {
        type        = map(string)
        description = \(Value.string(Self.text(using: &random)).hclLiteral)
        default     = { \(Value.string(Self.text(texts, using: &random)).hclLiteral) = \
      \(Value.string(Self.text(texts, using: &random)).hclLiteral) }
      }
      variable "c" {
        type    = object({ d = optional(string, \(Value.string(Self.text(using: &random)).hclLiteral)) })
        default = {}
      }
      """)
    template.title = Self.text(using: &random)
    template.description = Self.text(using: &random)
    let text = BlueprintSkeleton.text(for: template, instance: "web", schema: "x\nkind: evil")
    let read = try DocumentText.read(Array(text.utf8), as: .yaml).value
    #expect(
      read == [
        "kind": "gke-cluster", "schema_version": "1.0.0", "metadata": ["name": "web"],
        "inputs": ["a": ["REQUIRED"]],
      ])
    // Line by line, as an editor or another reader may break them.
    let code = text.split(whereSeparator: \.isNewline).filter { $0.contains { $0 != " " && $0 != "#" } }
      .filter { $0.drop { $0 == " " }.first != "#" }
    #expect(code.count == 6, "\(code)")
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x7F...0x9F).contains($0.value) })
    #expect(text.ranges(of: "$schema").count == 1)
    // The default that is commented out is the default.
    let uncommented = text.split(separator: "\n").map(String.init).drop { !$0.hasPrefix("  # b:") }
      .prefix { !$0.hasPrefix("  # c:") && !$0.hasPrefix("  # object") }.map { String($0.dropFirst(4)) }
    let value = try DocumentText.read(Array(uncommented.joined(separator: "\n").utf8), as: .yaml).value
    #expect(value["b"] == template.inputs[1].default)
  }

  // MARK: Filling in

  private static func type(_ depth: Int, using random: inout SplitMix) -> TypeConstraint {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 4), using: &random) {
    case 0: return .string
    case 1: return .number
    case 2: return .bool
    case 3: return .any
    case 4: return .list(type(depth - 1, using: &random))
    case 5: return .set(type(depth - 1, using: &random))
    case 6: return .map(type(depth - 1, using: &random))
    case 7: return .tuple((0..<Int.random(in: 0...3, using: &random)).map { _ in type(depth - 1, using: &random) })
    default:
      return .object(
        (0..<Int.random(in: 0...4, using: &random)).map { index in
          let type = type(depth - 1, using: &random)
          let isOptional = Bool.random(using: &random)
          let hasDefault = isOptional && Bool.random(using: &random)
          return .init(
            name: "a\(index)", type: type, isOptional: isOptional,
            default: hasDefault ? value(of: type, using: &random) : nil)
        })
    }
  }

  /// A value that converts to the type without a finding. Where the type is `any` it is always text, so that all elements
  /// have one type.
  private static func value(
    of type: TypeConstraint, _ texts: [String] = hostile, using random: inout SplitMix
  ) -> Value {
    switch type {
    case .any, .string: return .string(texts.randomElement(using: &random) ?? "")
    case .number: return .number(Number(Int.random(in: -5...5, using: &random)))
    case .bool: return .bool(Bool.random(using: &random))
    case .list(let element):
      return .array((0..<Int.random(in: 0...2, using: &random)).map { _ in value(of: element, texts, using: &random) })
    // All elements of a set must be of one type from the beginning: an empty list and a full one are not.
    case .set(let element): return .array([value(of: element, texts, using: &random)])
    case .map(let element):
      return .object([
        "k": value(of: element, texts, using: &random), "null": value(of: element, texts, using: &random),
      ])
    case .tuple(let elements): return .array(elements.map { value(of: $0, texts, using: &random) })
    case .object(let attributes):
      return .object(
        Dictionary(attributes.map { ($0.name, value(of: $0.type, texts, using: &random)) }, uniquingKeysWith: { $1 }))
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func filledInItIsValid(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var variables = ""
    var values: [String: Value] = [:]
    for index in 0..<Int.random(in: 0...6, using: &random) {
      let type = Self.type(2, using: &random)
      let isRequired = Bool.random(using: &random)
      // Yams drops a byte order mark. What is filled in is JSON, which says some characters as they are that YAML does not take so.
      let texts = Self.hostile.filter { text in
        text != "\u{feff}" && (!isRequired || text.unicodeScalars.allSatisfy(\.isASCII) && text != "\u{7f}")
      }
      let value = Self.value(of: type, texts, using: &random)
      variables += "variable \"v\(index)\" {\n  type = \(type)\n"
      if !isRequired { variables += "  default = \(value.hclLiteral)\n" }
      variables += "  nullable = \(Bool.random(using: &random))\n}\n"
      if isRequired { values["v\(index)"] = value }
    }
    let template = try Self.template(variables)
    let skeleton = BlueprintSkeleton.text(for: template, instance: "web")
    // Exactly what is required is missing or still to be filled in.
    let missing = Self.findings(skeleton, template)
    #expect(missing.allSatisfy { $0.severity == .error && $0.fix != nil })
    #expect(Set(missing.map(\.pointer)) == Set(values.keys.map { "/inputs/\($0)" }), "\(skeleton)\n\(missing)")
    var lines = skeleton.split(separator: "\n").map(String.init)
    for (name, value) in values {
      let place = try #require(lines.firstIndex { $0.hasPrefix("  \(name): ") || $0.hasPrefix("  # \(name): ") })
      lines[place] = "  \(name): \(value.json())"
    }
    let text = Array(lines.joined(separator: "\n").utf8)
    let filled = try BlueprintValidation.validate(text, as: .yaml, against: [template])
    #expect(filled.inputs == values)
    // What the server accepts an editor accepts, and what is still to be filled in it does not.
    let schema = try JSONSchema(BlueprintSchema.schema(for: template))
    #expect(schema.violations(of: try DocumentText.read(text, as: .yaml).value) == [], "seed \(seed)")
    let unfilled = try DocumentText.read(Array(skeleton.utf8), as: .yaml).value
    #expect(schema.violations(of: unfilled).isEmpty == values.isEmpty, "seed \(seed)")
    // With the comments off, every default is given as it is.
    let start = try #require(lines.firstIndex { $0.hasPrefix("inputs:") })
    let whole =
      lines[...start] + lines[(start + 1)...].compactMap { $0.hasPrefix("  # ") ? "  " + $0.dropFirst(4) : $0 }
    let isLaidOut = template.inputs.contains { $0.type.count > 60 }
    guard !isLaidOut else { return }
    let all = try BlueprintValidation.validate(
      Array(whole.joined(separator: "\n").utf8), as: .yaml, against: [template])
    for input in template.inputs { #expect(all.inputs[input.name] == values[input.name] ?? input.default) }
  }
}
