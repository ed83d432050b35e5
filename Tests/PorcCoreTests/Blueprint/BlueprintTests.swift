import HCL
import PorcCore
import Testing

@Suite struct BlueprintTests {
  static let variables = """
    variable "region" { type = string }
    variable "project_id" {
      type     = string
      nullable = false
    }
    variable "size" {
      type    = number
      default = 3
    }
    variable "labels" {
      type    = map(string)
      default = {}
    }
    variable "pools" {
      type    = list(object({ name = string, count = number }))
      default = []
    }
    variable "admin_password" {
      type      = string
      default   = null
      sensitive = true
    }
    """

  static func template(
    _ version: String = "1.0.0", name: String = "gke-cluster", _ status: Template.Status = .active,
    variables: String = variables
  ) throws -> Template {
    let read = Template.read(
      Template.Origin(
        modulePath: "\(name)/\(version)", files: ["variables.tf": Array(variables.utf8)], archive: "a1", source: "main")
    )
    var template = try #require(read.template, "\(read.findings)")
    template.status = status
    return template
  }

  static let document = """
    kind: gke-cluster
    schema_version: 1.0.0
    metadata:
      name: gke-dev-west
      title: GKE Dev Cluster (West)
      environment: dev
      owner: cloud-platform
      repo_url: https://github.com/hyperfocus/porc-blueprints/gke
      approval_required: false
    inputs:
      region: us-west1
      project_id: td-dev
    """

  static func validate(
    _ text: String, as format: DocumentText.Format = .either, _ catalog: [Template]? = nil
  ) throws -> ValidBlueprint {
    try BlueprintValidation.validate(Array(text.utf8), as: format, against: try catalog ?? [template()])
  }

  /// The findings of a document that must not be valid, each as `pointer line:column message`.
  static func findings(
    _ text: String, as format: DocumentText.Format = .either, _ catalog: [Template]? = nil
  ) throws -> [String] {
    let problems = try #require(throws: DocumentProblems.self) { try validate(text, as: format, catalog) }
    #expect(problems.findings.allSatisfy { $0.fix != nil })
    return problems.findings.map { "\($0.pointer) \($0.line ?? 0):\($0.column ?? 0) \($0.message)" }
  }

  static func replacing(_ old: String, _ new: String) -> String { document.replacing(old, with: new) }

  @Test func theContractsExampleIsValid() throws {
    let valid = try Self.validate(Self.document)
    #expect(valid.template.id.rawValue == "gke-cluster-1-0-0")
    #expect(valid.inputs == ["region": "us-west1", "project_id": "td-dev"])
    #expect(valid.sensitiveInputs.isEmpty && valid.warnings.isEmpty)
    #expect(valid.region == "us-west1")
    #expect(
      valid.metadata
        == BlueprintMetadata(
          name: "gke-dev-west", title: "GKE Dev Cluster (West)", environment: "dev", owner: "cloud-platform",
          repoURL: "https://github.com/hyperfocus/porc-blueprints/gke"))
  }

  @Test func jsonAndYAMLSayTheSame() throws {
    let json = """
      {"kind": "gke-cluster", "schema_version": "1.0.0", "inputs": {"region": "us-west1", "project_id": "td-dev"},
       "metadata": {"name": "gke-dev-west", "title": "GKE Dev Cluster (West)", "environment": "dev",
         "owner": "cloud-platform", "repo_url": "https://github.com/hyperfocus/porc-blueprints/gke"}}
      """
    for format in [DocumentText.Format.json, .either, .yaml] {
      #expect(try Self.validate(json, as: format).canonicalText == Self.validate(Self.document).canonicalText)
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var old: String
    var new: String
    var finding: String
    init(_ old: String, _ new: String, _ finding: String) { (self.old, self.new, self.finding) = (old, new, finding) }
    var testDescription: String { finding }
  }

  @Test(arguments: [
    Case("kind: gke-cluster\n", "", "/kind 1:1 'kind' is missing."),
    Case("kind: gke-cluster", "kind: [a]", "/kind 1:7 'kind' is not text."),
    Case("kind: gke-cluster", "kind: gke-clustr", "/kind 1:7 There is no template 'gke-clustr'."),
    Case("schema_version: 1.0.0\n", "", "/schema_version 1:1 'schema_version' is missing."),
    Case("version: 1.0.0", "version: 1.0", "/schema_version 2:17 'schema_version' is not text."),
    Case("version: 1.0.0", "version: ''", "/schema_version 2:17 'schema_version' is empty."),
    Case(
      "version: 1.0.0", "version: ^1.0",
      "/schema_version 2:17 'schema_version' is neither a version nor a constraint."),
    Case(
      "version: 1.0.0", "version: 2.0.0",
      "/schema_version 2:17 The template 'gke-cluster' has no version that fits '2.0.0'."),
    Case("name: gke-dev-west", "name: -gke", "/metadata/name 4:9 'metadata.name' is no name for an instance."),
    Case("name: gke-dev-west", "name: GKE", "/metadata/name 4:9 'metadata.name' is no name for an instance."),
    Case("  name: gke-dev-west\n", "", "/metadata/name 4:3 'metadata.name' is missing."),
    Case("title: GKE Dev Cluster (West)", "title: 7", "/metadata/title 5:10 'metadata.title' is not text."),
    Case("title: GKE", "title: \"\\a GKE\" #", "/metadata/title 5:10 'metadata.title' holds control characters."),
    Case("titl", "tite", "/metadata/titee 5:3 'metadata.titee' is unknown."),
    Case("https://", "ftp://", "/metadata/repo_url 8:13 'metadata.repo_url' is not an http or https URL."),
    Case("https://", "https://me:pw@", "/metadata/repo_url 8:13 'metadata.repo_url' holds credentials."),
    Case(
      "required: false", "required: no",
      "/metadata/approval_required 9:22 'metadata.approval_required' is neither true nor false."),
    Case("inputs:", "input:", "/input 10:1 'input' is unknown."),
    Case("region: us", "regoin: us", "/inputs/regoin 11:3 The template 'gke-cluster/1.0.0' has no input 'regoin'."),
    Case("  project_id: td-dev", "", "/inputs/project_id 11:3 The required input 'project_id' is missing."),
    Case("project_id: td-dev", "project_id: null", "/inputs/project_id 12:15 The input 'project_id' may not be null."),
  ])
  func everyFindingSaysWhereAndWhat(test: Case) throws {
    let findings = try Self.findings(Self.document.replacing(test.old, with: test.new, maxReplacements: 1))
    #expect(findings.contains(test.finding), "\(findings)")
  }

  @Test(arguments: [
    ("metadata", "/metadata"), ("inputs", "/inputs"),
  ])
  func whatShouldBeAMappingIsOne(key: String, pointer: String) throws {
    let document = "kind: gke-cluster\nschema_version: 1.0.0\nmetadata: {name: a}\ninputs: {}\n"
    let broken = document.split(separator: "\n").map { $0.hasPrefix(key) ? "\(key): text" : String($0) }
    let findings = try Self.findings(broken.joined(separator: "\n"))
    #expect(findings.contains { $0.hasPrefix("\(pointer) ") && $0.contains("is not a mapping") })
  }

  @Test(arguments: [DocumentText.Format.yaml, .either])
  func aByteOrderMarkIsPassedOver(format: DocumentText.Format) throws {
    let marked = try DocumentText.read([0xEF, 0xBB, 0xBF] + Array(Self.document.utf8), as: format)
    #expect(try marked.value == DocumentText.read(Array(Self.document.utf8), as: format).value)
  }

  @Test func aWrongTypeIsFoundWhereItIs() throws {
    let text = Self.document + "\n  pools:\n    - {name: a, count: 1}\n    - {name: b, count: lots}"
    let findings = try Self.findings(text)
    #expect(findings.count == 1)
    #expect(findings.first?.hasPrefix("/inputs/pools/1/count 15:24 inputs.pools[1].count: ") == true, "\(findings)")
  }

  @Test func everythingIsFoundAtOnce() throws {
    let text = """
      {"kind": "gke-cluster", "schema_version": "1.0.0",
       "metadata": {"name": "No", "extra": 1},
       "inputs": {"region": ["a"], "sise": 3}}
      """
    let findings = try Self.findings(text)
    #expect(
      findings.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
        "/metadata/name 2:23", "/metadata/extra 2:29", "/inputs/project_id 3:12", "/inputs/region 3:23",
        "/inputs/sise 3:30",
      ])
  }

  @Test(arguments: [
    ("sise", "Did you mean 'size'?"), ("Region", "Did you mean 'region'?"),
    ("project-id", "Did you mean 'project_id'?"),
  ])
  func aNearMissIsSuggested(key: String, fix: String) throws {
    let problems = try #require(throws: DocumentProblems.self) { try Self.validate(Self.document + "\n  \(key): x") }
    #expect(problems.findings.first { $0.pointer == "/inputs/\(key)" }?.fix == fix)
  }

  @Test func pointersAreEscaped() throws {
    #expect(try Self.findings(Self.document + "\n  a/b~c: 1").first?.hasPrefix("/inputs/a~1b~0c 13:3") == true)
  }

  @Test func sensitiveInputsAreSetApart() throws {
    let valid = try Self.validate(Self.document + "\n  admin_password: hush-hush")
    #expect(valid.sensitiveInputs == ["admin_password": "hush-hush"])
    #expect(valid.inputs["admin_password"] == nil)
    #expect(!valid.canonicalText.contains("hush-hush"))
    #expect(valid.canonicalText.contains("\"sensitive_inputs\":[\"admin_password\"]"))
  }

  @Test func noFindingQuotesAValue() throws {
    for value in ["[hush-hush]", "{hush-hush: hush-hush-2}"] {
      let problems = try #require(throws: DocumentProblems.self) {
        try Self.validate(Self.document + "\n  admin_password: \(value)")
      }
      #expect(!problems.findings.contains { "\($0)".contains("hush-hush") }, "\(problems.findings)")
    }
  }

  @Test func aNullIsAValueWhereTheVariableTakesOne() throws {
    let valid = try Self.validate(Self.replacing("us-west1", "null") + "\n  size: ~")
    #expect(valid.inputs == ["region": .null, "project_id": "td-dev", "size": .null])
    #expect(valid.region == nil)
  }

  @Test func yamlTextStaysText() throws {
    let valid = try Self.validate(Self.document + "\n  labels: {a: yes, b: \"1\", c: 1_000, d: 2026-11-23}")
    #expect(valid.inputs["labels"] == ["a": "yes", "b": "1", "c": "1_000", "d": "2026-11-23"])
  }

  @Test func theRegionIsTheInputThatTheTemplateNames() throws {
    let variables = """
      variable "location" { type = string }
      variable "region" {
        type    = string
        default = null
      }
      """
    var template = try Self.template(variables: variables)
    let text = "kind: gke-cluster\nschema_version: 1.0.0\nmetadata: {name: a}\ninputs: {location: europe-west4"
    #expect(try Self.validate(text + "}", [template]).region == nil)
    template.regionInput = "location"
    #expect(try Self.validate(text + "}", [template]).region == "europe-west4")
    #expect(try Self.validate(text + ", region: us-west1}", [template]).region == "us-west1")
    #expect(try Self.validate(text + ", region: null}", [template]).region == "europe-west4")
  }

  @Test(arguments: [
    ("~> 1.0", "1.10.0", false), ("1.0.0", "1.0.0", false), (">= 1.0", "2.0.0", false), ("~> 3.0", "3.1.0", true),
    ("= 3.1.0", "3.1.0", true), ("4.0.0-rc1", "4.0.0-rc1", false),
  ])
  func theNewestActiveVersionThatFitsIsTaken(constraint: String, version: String, warns: Bool) throws {
    let catalog = try [
      Self.template("1.0.0"), Self.template("1.10.0"), Self.template("1.9.0"), Self.template("2.0.0"),
      Self.template("2.1.0", .retired), Self.template("3.1.0", .deprecated), Self.template("4.0.0-rc1"),
      Self.template("9.0.0", name: "eks-cluster"),
    ]
    let valid = try Self.validate(Self.replacing("version: 1.0.0", "version: \"\(constraint)\""), catalog)
    #expect(valid.template.version.description == version)
    #expect(valid.warnings.contains { $0.severity == .warning && $0.pointer == "/schema_version" } == warns)
  }

  @Test func aRetiredVersionTakesNoNewRun() throws {
    let catalog = try [Self.template("1.0.0", .retired), Self.template("2.0.0")]
    let problems = try #require(throws: DocumentProblems.self) { try Self.validate(Self.document, catalog) }
    #expect(
      problems.findings.map(\.message) == [
        "The version of 'gke-cluster' that fits '1.0.0' is retired: it takes no new run."
      ])
    #expect(problems.findings.first?.fix == "There are: 2.0.0.")
  }

  @Test func anEmptyCatalogSaysSo() throws {
    let problems = try #require(throws: DocumentProblems.self) { try Self.validate(Self.document, []) }
    #expect(problems.findings.first?.fix == "The catalog is empty.")
  }

  private static func findings(_ variables: String, schema: String, inputs: String) throws -> [Finding] {
    let files = ["variables.tf": Array(variables.utf8), "schema.json": Array(schema.utf8)]
    let read = Template.read(Template.Origin(modulePath: "web/1.0.0", files: files, archive: "a", source: "s"))
    let template = try #require(read.template, "\(read.findings)")
    let text = "kind: web\nschema_version: 1.0.0\nmetadata: {name: web}\ninputs: \(inputs)\n"
    let problems = #expect(throws: DocumentProblems.self) {
      try BlueprintValidation.validate(Array(text.utf8), as: .yaml, against: [template])
    }
    return problems?.findings ?? []
  }

  @Test func theRulesOfASensitiveInputTellNothingOfItsValue() throws {
    let variables = """
      variable "password" {
        type      = string
        sensitive = true
      }
      variable "keys" {
        type      = map(string)
        sensitive = true
      }
      """
    let schema = #"""
      {"properties": {"password": {"minLength": 8}, "keys": {"propertyNames": {"pattern": "^x$"}, "maxProperties": 1}}}
      """#
    let findings = try Self.findings(variables, schema: schema, inputs: "{password: hush-12, keys: {k3y1: a, k3y2: b}}")
    #expect(findings.map(\.pointer) == ["/inputs/password", "/inputs/keys", "/inputs/keys"])
    #expect(findings[0].message == "inputs.password is not as its rule asks.")
    #expect(findings[0].fix?.contains("/properties/password/minLength") == true)
    for text in findings.flatMap({ [$0.message, $0.fix ?? "", $0.pointer] }) {
      #expect(!text.contains("7") && !text.contains("k3y") && !text.contains("2"), "\(text)")
    }
  }

  @Test func aFindingOfARuleReadsWell() throws {
    let variables = #"variable "tags" { type = map(string) }"#
    let schema = #"{"minProperties": 2, "properties": {"tags": {"propertyNames": {"pattern": "^[a-z]+$"}}}}"#
    let findings = try Self.findings(variables, schema: schema, inputs: "{tags: {A1: x}}")
    #expect(findings.contains { $0.message.hasPrefix("inputs.tags.A1: the name") }, "\(findings)")
    #expect(findings.contains { $0.message.hasPrefix("inputs must have at least 2") })
    #expect(
      try Self.findings(variables, schema: "false", inputs: "{tags: {a: x}}").first?.fix?.hasSuffix("asks for it.")
        == true)
  }

  @Test func aMissingAttributeIsToBeAdded() throws {
    let template = try Self.template(variables: #"variable "disk" { type = object({ name = string, size = number }) }"#)
    let text = "kind: gke-cluster\nschema_version: 1.0.0\nmetadata: {name: '[REQUIRED]'}\ninputs: {disk: {size: 1}}\n"
    let problems = #expect(throws: DocumentProblems.self) {
      try BlueprintValidation.validate(Array(text.utf8), as: .yaml, against: [template])
    }
    #expect(problems?.findings.contains { $0.fix == "Add it: name = string." } == true, "\(problems?.findings ?? [])")
    #expect(problems?.findings.contains { $0.message == "'metadata.name' is still to be filled in." } == true)
  }

  @Test func theSecondOfSeveralDocumentsHasItsLine() {
    let problems = #expect(throws: DocumentProblems.self) {
      try DocumentText.read(Array("a: 1\n---\nb: 2\n".utf8), as: .yaml)
    }
    #expect(problems?.findings.first?.line == 3)
  }
}
