import Foundation
import HCL
import HTTPTypes
import PorcCore
import TestKit
import Testing

/// `pine init`, `pine lint` and `pine validate`.
@Suite(.timeLimit(.minutes(1)))
struct BlueprintCommandTests {
  private let shell: Shell

  init() throws {
    shell = try Shell()
    try shell.folder.write(Self.blueprint, to: "web.yaml")
  }

  static let module = """
    variable "region" {
      type        = string
      description = "Where it runs."
    }
    variable "zones" { type = list(string) }
    variable "size" {
      type    = number
      default = 3
    }
    variable "tune" {
      type    = object({ speed = optional(number) })
      default = {}
    }
    variable "password" {
      type      = string
      default   = null
      sensitive = true
    }
    """

  static let blueprint = """
    kind: web
    schema_version: "~> 1.0"
    metadata:
      name: web-dev
    inputs:
      region: us-west1
      zones: [a, b]
      password: hush-hush

    """

  private static func template(_ version: String, _ status: Template.Status = .active) throws -> Template {
    let files = ["variables.tf": Array(module.utf8)]
    let read = Template.read(Template.Origin(modulePath: "web/\(version)", files: files, archive: "a", source: "s"))
    var template = try #require(read.template)
    template.status = status
    return template
  }

  /// What PORC offers; asked for others it has nothing.
  private func offers(_ templates: Template...) throws {
    let all = try JSONEncoder.porc.encode(TemplateList(templates: templates.map(TemplateBody.init)))
    shell.porc.always("GET /templates") { request in
      let isForAll = ["limit=1000", "name=web&limit=1000"].contains(request.query)
      return .json(isForAll ? String(decoding: all, as: UTF8.self) : #"{"templates":[],"next_cursor":null}"#)
    }
  }

  private func contents(_ file: String) throws -> String {
    String(decoding: try Data(contentsOf: shell.folder.file(file)), as: UTF8.self)
  }

  // MARK: init

  @Test func initWritesABlueprintAndPrintsItsName() async throws {
    try offers(Self.template("1.0.0"), Self.template("1.1.0"), Self.template("2.0.0", .deprecated))
    let ending = try await shell.pine("init", "web")
    #expect(ending.status == 0)
    #expect(ending.output == "web.blueprint.yaml\n")
    #expect(ending.error == "next: replace what says REQUIRED, then pine validate web.blueprint.yaml\n")
    let text = try contents("web.blueprint.yaml")
    #expect(text.hasPrefix("# A blueprint of web/1.1.0.\n"))
    #expect(text.contains("  # Where it runs.\n  region: [REQUIRED]  # string\n"))
    #expect(shell.porc.requests.map(\.query) == ["name=web&limit=1000"])
  }

  @Test func initTakesTheVersionThatIsNamed() async throws {
    try offers(Self.template("1.0.0"), Self.template("1.1.0"), Self.template("2.0.0", .deprecated))
    let old = try await shell.pine("init", "web@<1.1", "-o", "-", "--name", "web-dev")
    #expect(old.output.contains("schema_version: 1.0.0") && old.output.contains("  name: web-dev\n"))
    #expect(old.error.isEmpty)
    let deprecated = try await shell.pine("init", "web@2.0.0", "--output", "-")
    #expect(deprecated.status == 0)
    #expect(deprecated.error == "warning: The template 'web/2.0.0' is deprecated.\n  try: Move to a newer version.\n")
  }

  @Test(arguments: [
    ("wbe", "error: There is no template 'wbe'.\n  try: Did you mean 'web'?\n"),
    ("web-1-0-0", "error: There is no template 'web-1-0-0'.\n  try: That is an id: pine init web@1.0.0\n"),
    ("web@3.0.0", "error: The template 'web' has no version that fits '3.0.0'.\n  try: There are: 1.0.0.\n"),
  ])
  func whatIsNotThereIsNotFound(name: String, error: String) async throws {
    try offers(Self.template("1.0.0"))
    let ending = try await shell.pine("init", name)
    #expect(ending.status == 4)
    #expect(ending.error == error)
    #expect(try FileManager.default.contentsOfDirectory(atPath: shell.folder.path) == ["web.yaml"])
  }

  @Test func aFileIsNeverOverwrittenUnasked() async throws {
    try offers(Self.template("1.0.0"))
    try shell.folder.write("mine", to: "a.schema.json")
    for arguments in [["--output", "web.yaml"], ["--schema", "a.schema.json"]] {
      let ending = await shell.run(["init", "web"] + arguments, environment: ["PORC_URL": "http://127.0.0.1:1"])
      #expect(ending.status == 6)
      #expect(ending.error == "error: '\(arguments[1])' is there already.\n  try: Name another file, or add --force.\n")
    }
    #expect(try contents("web.yaml") == Self.blueprint)
    #expect(try await shell.pine("init", "web", "--output", "web.yaml", "--force").status == 0)
    #expect(try contents("web.yaml").contains("REQUIRED"))
    #expect(try contents("a.schema.json") == "mine")
  }

  @Test(arguments: [
    ("web.yaml", "web.schema.json", "./web.schema.json"), ("a/web.yaml", "schemas/web.json", "../schemas/web.json"),
    ("-", "./a/../web.json", "./web.json"),
  ])
  func aSchemaForEditorsIsNamedInTheBlueprint(file: String, schema: String, reference: String) async throws {
    try offers(Self.template("1.0.0"))
    for folder in ["a", "schemas"] { try shell.folder.write("", to: "\(folder)/.keep") }
    let ending = try await shell.pine("init", "web", "--output", file, "--schema", schema, "--force")
    #expect(ending.status == 0)
    let text = file == "-" ? ending.output : try contents(file)
    #expect(text.hasPrefix("# yaml-language-server: $schema=\(reference)\n"))
    let written = try JSONText.parse(try contents(schema)).value
    #expect(written == BlueprintSchema.schema(for: try Self.template("1.0.0")))
  }

  @Test func initForPrograms() async throws {
    try offers(Self.template("1.0.0"))
    let ending = try await shell.pine("init", "web", "--json")
    let report = try JSONText.parse(ending.output).value
    #expect(report["template"] == "web-1-0-0" && report["file"] == "web.blueprint.yaml" && report["schema"] == .null)
    #expect(try report["blueprint"]?.stringValue == contents("web.blueprint.yaml"))
    #expect(ending.error.isEmpty)
    #expect(try await shell.pine("init", "web", "--quiet", "--force").output == "web.blueprint.yaml\n")
  }

  @Test(arguments: [["web@latest"], ["@1.0.0"], ["web", "--name", "Web"]])
  func wrongUsageIsSaidBeforeAnythingIsAsked(arguments: [String]) async throws {
    #expect(await shell.run(["init"] + arguments).status == 64)
  }

  @Test func aTemplatesPageLeadsToItsBlueprint() async throws {
    shell.porc.on(
      "GET /templates/web-1-0-0",
      .json(String(decoding: try JSONEncoder.porc.encode(TemplateBody(Self.template("1.0.0"))), as: UTF8.self)))
    #expect(
      try await shell.pine("templates", "show", "web-1-0-0").output.hasSuffix("\n\nNext\n  pine init web@1.0.0\n"))
  }

  // MARK: lint

  @Test func lintNeedsNoPorc() async throws {
    let ending = await shell.run(["lint", "web.yaml"])
    #expect(ending.status == 0)
    #expect(ending.output == "web.yaml: the form is right; its inputs were not looked at.\n")
    #expect(ending.error.isEmpty)
    #expect(await shell.run(["lint", "web.yaml", "--quiet"]).output == "web-dev\n")
    #expect(await shell.run(["lint", "nowhere.yaml"]).status == 6)
  }

  @Test func lintNamesEveryFinding() async throws {
    let ending = await shell.run(["lint", "-"], input: "kind: web\nschema_version: 1.0\nmetdata:\n  name: web\n")
    #expect(ending.status == 6)
    #expect(ending.output.isEmpty)
    #expect(
      ending.error == """
        error: The blueprint has 3 errors to mend.
        <stdin>:1:1: error: 'metadata' is missing.
          try: Add it.
        <stdin>:2:17: error: 'schema_version' is not text.
          try: Put it in quotes.
        <stdin>:3:1: error: 'metdata' is unknown.
          try: Did you mean 'metadata'?

        """)
  }

  @Test func findingsForPrograms() async throws {
    try shell.folder.write(#"{"kind": "web", "schema_version": "1.0.0", "metadata": {"name": "W"}}"#, to: "web.json")
    let ending = await shell.run(["lint", "web.json", "--json"])
    #expect(ending.status == 6)
    #expect(
      try JSONText.parse(ending.output).value == [
        "file": "web.json", "valid": false, "template": .null, "instance": .null,
        "findings": [
          [
            "severity": "error", "pointer": "/metadata/name", "line": 1, "column": 65,
            "message": "'metadata.name' is no name for an instance.",
            "fix": "Use lower-case letters, digits and inner '-', at most 63 characters.",
          ]
        ],
      ])
    #expect(ending.error == "error: The blueprint has 1 error to mend.\n")
    let good = try JSONText.parse(await shell.run(["lint", "web.yaml", "--json"]).output).value
    #expect(
      good == ["file": "web.yaml", "valid": true, "template": .null, "instance": "web-dev", "findings": []])
  }

  // MARK: validate

  @Test func validateAsksForTheTemplateAndSendsNothing() async throws {
    try offers(Self.template("1.0.0"), Self.template("1.1.0"))
    let ending = try await shell.pine("validate", "web.yaml")
    #expect(ending.status == 0)
    #expect(ending.output == "web.yaml: a valid blueprint of web/1.1.0.\n")
    #expect(ending.error.isEmpty)
    #expect(shell.porc.requests.map { "\($0.call)?\($0.query)\($0.text)" } == ["GET /templates?name=web&limit=1000"])
    let good = try JSONText.parse(try await shell.pine("validate", "web.yaml", "--json").output).value
    #expect(good["valid"] == true && good["template"] == "web-1-1-0" && good["instance"] == "web-dev")
  }

  @Test func validateNamesWhatInitLeftToBeFilledIn() async throws {
    try offers(Self.template("1.0.0"))
    _ = try await shell.pine("init", "web")
    let ending = try await shell.pine("validate", "web.blueprint.yaml")
    #expect(ending.status == 6)
    #expect(
      ending.error == """
        error: The blueprint has 3 errors to mend.
        web.blueprint.yaml:8:9: error: 'metadata.name' is still to be filled in.
          try: Write text there.
        web.blueprint.yaml:17:11: error: The input 'region' is still to be filled in.
          try: Replace it: string (Where it runs).
        web.blueprint.yaml:19:10: error: The input 'zones' is still to be filled in.
          try: Replace it: list(string).

        """)
  }

  @Test func aWarningIsNoError() async throws {
    try offers(Self.template("1.0.0", .deprecated))
    try shell.folder.write(Self.blueprint + "  tune: {sped: 3}\n", to: "tuned.yaml")
    let ending = try await shell.pine("validate", "tuned.yaml")
    #expect(ending.status == 0)
    #expect(ending.output == "tuned.yaml: a valid blueprint of web/1.0.0.\n")
    #expect(
      ending.error == """
        tuned.yaml:2:17: warning: The template 'web/1.0.0' is deprecated.
          try: Move to a newer version.
        tuned.yaml:9:16: warning: inputs.tune.sped: The type has no attribute "sped", so Terraform drops it. Did you mean \
        "speed"?
          try: Leave it out.

        """)
  }

  @Test func anUnknownTemplateIsAFindingWithASuggestion() async throws {
    try offers(Self.template("1.0.0"))
    let ending = try await shell.pine("validate", "-", input: Self.blueprint.replacing("kind: web", with: "kind: wbe"))
    #expect(ending.status == 6)
    #expect(
      ending.error.contains("<stdin>:1:7: error: There is no template 'wbe'.\n  try: Did you mean 'web'?\n"))
    #expect(shell.porc.requests.map(\.query) == ["name=wbe&limit=1000", "limit=1000"])
  }

  @Test func whatCannotBeReadIsNotAskedAbout() async throws {
    try offers(Self.template("1.0.0"))
    #expect(try await shell.pine("validate", "-", input: "kind: [").status == 6)
    #expect(try await shell.pine("validate", "-", input: "inputs: {}").status == 6)
    #expect(shell.porc.calls.isEmpty)
  }

  // MARK: Against a module on this machine

  @Test(arguments: ["web/1.4.0", "web/1.4.0/.", "module"])
  func validateAgainstAFolderNeedsNoPorc(folder: String) async throws {
    try shell.folder.write(Self.module, to: folder + "/variables.tf")
    let ending = await shell.run(["validate", "web.yaml", "--template", folder])
    #expect(ending.status == 0)
    #expect(ending.output == "web.yaml: a valid blueprint of web/\(folder == "module" ? "1.0.0" : "1.4.0").\n")
    try shell.folder.write(Self.blueprint.replacing("region", with: "regoin"), to: "web.yaml")
    let broken = await shell.run(["validate", "web.yaml", "--template", folder])
    #expect(broken.status == 6)
    #expect(broken.error.contains("web.yaml:6:3: error: The template 'web/1."))
    #expect(broken.error.contains("Did you mean 'region'?"))
  }

  @Test func theFolderIsHereToo() async throws {
    try shell.folder.write(Self.module, to: "web/2.0.0/variables.tf")
    let ending = await shell.run(
      ["validate", "../../web.yaml", "--template", "."], in: shell.folder.path + "/web/2.0.0")
    #expect(ending.status == 6)
    #expect(ending.error.contains("The template 'web' has no version that fits '~> 1.0'.\n  try: There are: 2.0.0.\n"))
  }

  @Test func aModuleThatIsNoTemplateIsToldWhereItIsWrong() async throws {
    try shell.folder.write("variable \"a\" {\n  type = strin\n}\n", to: "module/main.tf")
    let ending = await shell.run(["validate", "web.yaml", "--template", "module"])
    #expect(ending.status == 6)
    #expect(ending.error.hasPrefix("module/main.tf:2:10: error: "))
    #expect(ending.error.hasSuffix("error: The module in 'module' is no template.\n  try: Mend what is named above.\n"))
    let nowhere = await shell.run(["validate", "web.yaml", "--template", "nowhere"])
    #expect(nowhere.status == 6)
    #expect(nowhere.error.contains("There is no folder 'nowhere'."))
  }
}
