import Foundation
import HCL
import PorcCore
import TestKit
import Testing

@Suite struct TemplateTests {
  static let variables = """
    variable "region" {
      type        = string
      description = "Where"
    }
    variable "project_id" { type = string }
    variable "size" {
      type    = number
      default = 3
    }
    variable "zone" {
      type    = string
      default = null
    }
    variable "admin_password" {
      type      = string
      default   = "hush-hush"
      sensitive = true
    }
    """

  static func read(
    _ files: [String: String] = ["variables.tf": variables], path: String = "gke-cluster/1.0.0",
    remote: String? = "https://github.com/hyperfocus/infra-modules"
  ) -> (template: Template?, findings: [Finding]) {
    Template.read(
      Template.Origin(
        modulePath: path, files: files.mapValues { Array($0.utf8) }, remote: remote, commit: "c0ffee", archive: "a1",
        source: "main"))
  }

  @Test func aModulesFolderBecomesATemplate() throws {
    let read = Self.read([
      "variables.tf": Self.variables, "README.md": "# GKE", "outputs.tf": "output \"endpoint\" { value = 1 }",
    ])
    #expect(read.findings.isEmpty)
    let template = try #require(read.template)
    #expect(template.id.rawValue == "gke-cluster-1-0-0")
    #expect(template.modulePath == "gke-cluster/1.0.0")
    #expect(template.inputsRequired == ["region", "project_id"])
    #expect(template.repoURL == "https://github.com/hyperfocus/infra-modules/gke-cluster")
    #expect(template.readme == "# GKE")
    #expect(template.status == .active)
    #expect(template.outputs.map(\.name) == ["endpoint"])
    #expect(template.inputs.map(\.type) == ["string", "string", "number", "string", "string"])
    #expect(template.inputs.first?.description == "Where")
    #expect(template.reference.commit == "c0ffee" && template.reference.archive == "a1")
  }

  @Test func aSensitiveDefaultIsNotKept() throws {
    let template = try #require(Self.read().template)
    #expect(template.inputs.last?.isSensitive == true)
    #expect(template.inputs.last?.default == nil)
    #expect(!String(decoding: try JSONEncoder.porc.encode(template), as: UTF8.self).contains("hush-hush"))
  }

  @Test func aTemplateReadsBackAsItWasWritten() throws {
    let template = try #require(Self.read().template)
    #expect(try JSONDecoder.porc.decode(Template.self, from: JSONEncoder.porc.encode(template)) == template)
    let json = try JSONSerialization.jsonObject(with: JSONEncoder.porc.encode(TemplateBody(template))) as? [String: Any]
    #expect(json?["inputs_required"] as? [String] == ["region", "project_id"])
    let inputs = try #require(json?["inputs"] as? [[String: Any]])
    #expect(inputs[3]["default"] is NSNull, "a default of null is a default")
    #expect(inputs[0]["default"] == nil)
  }

  @Test func theManifestSaysTheRest() throws {
    let manifest = """
      title: GKE cluster
      owner: cloud-platform
      status: deprecated
      description: A cluster
      repo_url: https://github.com/acme/gke
      region_input: zone
      terraform_version: ~> 1.9
      approval_required: true
      """
    let template = try #require(Self.read(["main.tf": Self.variables, "blueprint.yaml": manifest]).template)
    #expect(template.title == "GKE cluster" && template.owner == "cloud-platform")
    #expect(template.status == .deprecated && template.description == "A cluster")
    #expect(template.repoURL == "https://github.com/acme/gke" && template.regionInput == "zone")
    #expect(template.terraformVersion == "~> 1.9" && template.approvalRequired)
  }

  @Test(arguments: ["", "# nothing yet", "---\n", "null"]) func anEmptyManifestSaysNothing(text: String) {
    let read = Self.read(["main.tf": Self.variables, "blueprint.yaml": text])
    #expect(read.findings.isEmpty)
    #expect(read.template != nil)
  }

  @Test func everythingWrongIsFoundAtOnce() {
    let read = Self.read([
      "blueprint.yaml": "statsu: active\nregion_input: regoin\nrepo_url: https://user:pass@github.com/a\nstatus: gone",
      "zzzz-porc.auto.tfvars.json": "{}",
    ])
    #expect(read.template == nil)
    let places = read.findings.map(\.pointer).sorted()
    #expect(places == ["", "", "/region_input", "/repo_url", "/status", "/statsu"].sorted())
    #expect(read.findings.contains { $0.fix == "Did you mean 'status'?" && $0.line == 1 && $0.column == 1 })
    #expect(!read.findings.contains { $0.message.contains("pass@") })
  }

  @Test(arguments: ["gke-cluster", "gke-cluster/latest", "gke-cluster/1.0", "gke-cluster/v1.0.0"])
  func aFolderThatIsNotNameAndVersionIsNoTemplate(path: String) {
    let read = Self.read(path: path)
    #expect(read.template == nil)
    #expect(read.findings.count == 1)
  }

  @Test(arguments: [
    ("gke-cluster/1.0.0", "gke-cluster-1-0-0"), ("GKE_Cluster/1.0.0-rc.1+b2", "gke-cluster-1-0-0-rc-1-b2"),
    ("a.b/0.1.0", "a-b-0-1-0"), ("réseau/1.0.0", "r-seau-1-0-0"),
  ])
  func aSlugHoldsOnlyLowerCaseLettersAndDigits(path: String, slug: String) {
    #expect(Template.ID(modulePath: path).rawValue == slug)
  }

  @Test(arguments: [
    ("main.tf", false), (".git/config", true), ("modules/a/main.tf", false), (".terraform/providers/x", true),
    ("terraform.tfstate", true), ("terraform.tfstate.backup", true), ("a/terraform.tfstate.d/x", false),
    (".terraform.lock.hcl", false), ("crash.log", true), ("", true),
  ])
  func anArchiveLeavesOutWhatIsNotTheModules(path: String, isLeftOut: Bool) {
    #expect(Bundle.leavesOut(path) == isLeftOut)
  }

  @Test func theInputsOfABundleAreLiteralAndSorted() {
    let text = Bundle.inputsText(["b": "${file(\"/etc/passwd\")}", "a": 1])
    #expect(text == "{\n  \"a\": 1,\n  \"b\": \"${file(\\\"/etc/passwd\\\")}\"\n}\n")
  }

  @Test func whatASchemaSaysOfNoVariableIsDoubtful() throws {
    let schema = "{\"properties\": {\n\"regoin\": {\"minLength\": 1}, \"size\": {}}}"
    let read = Self.read(["variables.tf": Self.variables, "schema.json": schema])
    let finding = try #require(read.findings.first)
    #expect(read.template != nil && read.findings.count == 1)
    #expect(finding.severity == .warning && finding.line == 2 && finding.message.contains("'regoin'"))
    #expect(finding.fix == "Did you mean 'region'?")
  }

  @Test func aSchemaThatIsNoneIsNamedWithoutAnEmptyPlace() {
    let read = Self.read(["variables.tf": Self.variables, "schema.json": "[]"])
    #expect(read.template == nil && read.findings.map(\.message).allSatisfy { !$0.contains(": :") }, "\(read.findings)")
  }
}

@Suite struct IdentifierTests {
  @Test func idsSortByTime() {
    var random = SplitMix(seed: 1)
    let times = stride(from: 1_795_000_000.0, to: 1_795_000_001, by: 0.001).map { Date(timeIntervalSince1970: $0) }
    let ids = times.map { Run.ID.make(at: $0, using: &random) }
    #expect(ids == ids.sorted())
    #expect(Set(ids).count == ids.count)
    for id in ids {
      #expect(id.rawValue.hasPrefix("porc-") && id.rawValue.utf8.count == 31)
      #expect(id.rawValue.allSatisfy { "0123456789abcdefghjkmnpqrstvwxyz-porc".contains($0) })
    }
  }

  @Test func theTimeIsInTheFirstTenCharacters() {
    var random = SplitMix(seed: 2)
    // The example of the ULID specification.
    let ulid = ULID.make(at: Date(timeIntervalSince1970: 1_469_918_176.385), using: &random)
    #expect(ulid.prefix(10) == "01aryz6s41")
    #expect(ULID.make(at: Date(timeIntervalSince1970: -1), using: &random).prefix(10) == "0000000000")
  }
}
