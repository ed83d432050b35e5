import Foundation
import HCL
import TestKit
import Testing

/// The real terraform must agree with what this package says of it.
@Suite(.enabled(if: Terraform.path != nil, "terraform is not on the PATH"), .timeLimit(.minutes(2)))
struct TerraformOracleTests {
  private static func declarations(_ types: [String]) -> String {
    types.enumerated().map { index, type in
      "variable \"v\(index)\" {\n  type = \(type)\n}\noutput \"v\(index)\" {\n  value = jsonencode(var.v\(index))\n}\n"
    }.joined()
  }

  private static func values(_ texts: [String]) -> String {
    "{" + texts.enumerated().map { "\"v\($0)\":\($1)" }.joined(separator: ",") + "}"
  }

  @Test func terraformConvertsAsWeDo() throws {
    let table = ConversionTable.accepted
    let outputs = try Terraform(files: [
      "main.tf": Self.declarations(table.map(\.0)), "terraform.tfvars.json": Self.values(table.map(\.1)),
    ]).outputs()
    for (index, row) in table.enumerated() {
      let text = try #require(outputs["v\(index)"]?.stringValue)
      #expect(try JSONText.parse(text).value == JSONText.parse(row.2).value, "\(row.0) of \(row.1)")
    }
  }

  @Test func terraformRefusesWhatWeRefuse() throws {
    let table = ConversionTable.refused
    let errors = try Terraform(files: [
      "main.tf": Self.declarations(table.map(\.0)), "terraform.tfvars.json": Self.values(table.map(\.1)),
    ]).planErrors().joined(separator: "\n")
    for (index, row) in table.enumerated() {
      #expect(errors.contains("var.v\(index) "), "\(row.0) of \(row.1)")
    }
  }

  @Test func terraformReadsLiteralsAsWeDo() throws {
    let table = NativeSyntaxTests.literals
    let text = table.enumerated().map {
      "variable \"v\($0)\" {\n  default = \($1.0)\n}\noutput \"v\($0)\" {\n  value = var.v\($0)\n}\n"
    }.joined()
    let outputs = try Terraform(files: ["main.tf": text]).outputs()
    for (index, row) in table.enumerated() { #expect((outputs["v\(index)"] ?? .null) == row.1, "\(row.0)") }
  }

  @Test func ourLiteralsArriveUnchanged() throws {
    var random = SplitMix(seed: 7)
    let nasty = [
      "${", "$${x}", "%{if true}", "%%{", "a\nb\r\n\tc", "\\u0041 \\n \"", "\u{1}\u{1f}\u{7f}\u{85}",
      "é😀\u{2028}\u{feff}", "$$$$${a}%%%{b", "<<EOT\nx\nEOT\n", "~}", "# // /*",
    ]
    let values =
      nasty.map { Value.string($0) } + [.object(Dictionary(nasty.map { ($0, .string($0)) }) { first, _ in first })]
      + (0..<200).map { _ in Value.string(HostileInputTests.string(using: &random)) }
    let types = values.map { _ in "any" }.enumerated().map {
      "variable \"v\($0)\" {\n type = \($1)\n}\noutput \"v\($0)\" {\n value = var.v\($0)\n}\n"
    }.joined()
    let variables = values.enumerated().map { "v\($0) = \($1.hclLiteral)\n" }.joined()
    let outputs = try Terraform(files: ["main.tf": types, "terraform.tfvars": variables]).outputs()
    for (index, value) in values.enumerated() { #expect(outputs["v\(index)"] == value, "\(value.hclLiteral)") }
  }

  @Test func terraformParsesWhatWeParse() throws {
    let text = NativeSyntaxTests.opaque.enumerated().map { "  x\($0) = \($1)\n" }.joined()
    #expect(try Terraform(files: ["main.tf": "locals {\n\(text)}\n"]).isParsed())
  }

  @Test func terraformFindsTheSameFilesBroken() throws {
    let texts =
      NativeSyntaxTests.brokenBlocks + NativeSyntaxTests.broken.map { "variable \"x\" {\n  default = \($0)\n}\n" }
    for text in texts {
      #expect(try !Terraform(files: ["main.tf": text]).isValid(), "\(text)")
    }
  }

  @Test(arguments: [
    ["main.tf": Samples.variables], ["main.tf.json": Samples.jsonVariables],
    [
      "a.tf": "variable \"x\" {\n  type    = string\n  default = \"5\"\n}\n",
      "m_override.tf": "variable \"x\" {\n  type = number\n}\n",
      "n_override.tf.json": #"{"variable": {"x": {"default": 7, "description": "d"}}}"#,
    ],
    [
      "a.tf": """
      variable "x" {
        type        = map(object({ a = optional(number, 1), b = optional(list(string), ["x"]) }))
        default     = { k = {}, l = { a = "2" } }
        description = <<-E
          one
            two
        E
      }

      """
    ],
  ])
  func terraformSeesTheSameVariables(files: [String: String]) throws {
    let module = Module.read(files)
    #expect(!module.hasErrors)
    // A plan wants values for all, so those without a default get one that says nothing.
    let required = module.variables.filter(\.isRequired)
    var withDefaults = files
    withDefaults["z_override.tf"] = required.map { "variable \"\($0.name)\" {\n  default = null\n}\n" }.joined()
    let planned = try Terraform(files: withDefaults).plannedVariables()
    #expect(Set(planned.objectValue.map { Array($0.keys) } ?? []) == Set(module.variables.map(\.name)))
    for variable in module.variables {
      let seen = try #require(planned[variable.name])
      #expect(seen["description"]?.stringValue == variable.description)
      #expect((seen["sensitive"] ?? false) == .bool(variable.isSensitive))
      guard let value = variable.default?.value else { continue }
      #expect((seen["default"] ?? .null) == variable.type.convert(value).value)
    }
  }
}
