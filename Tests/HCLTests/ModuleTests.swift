import HCL
import Testing

extension Module {
  /// A module of one or more files, as text.
  static func read(_ files: [String: String]) -> Module {
    read(files: files.mapValues { Array($0.utf8) })
  }

  static func read(_ text: String) -> Module { read(["main.tf": text]) }

  var complaints: [String] { diagnostics.map(\.description) }
}

struct ModuleTests {
  static let sample = Module.read(Samples.native)

  @Test func aModuleIsReadWithoutComplaint() {
    #expect(Self.sample.complaints == [])
    #expect(
      Self.sample.variables.map(\.name) == [
        "region", "zones", "node_pools", "admin_password", "count_max", "nothing", "computed", "strict", "bare",
      ])
    #expect(Self.sample.outputs.map(\.name) == ["endpoint", "name"])
    #expect(Self.sample.requiredVersions == [">= 1.5, < 2.0"])
    #expect(
      Self.sample.requiredProviders == [
        "google": ProviderRequirement(
          source: "hashicorp/google", versionConstraints: ["~> 5.0"], configurationAliases: ["network", "dns"]),
        "random": ProviderRequirement(versionConstraints: ["~> 3.1"]),
      ])
  }

  @Test func aVariableIsReadWithAllItSays() throws {
    let region = try #require(Self.sample.variable(named: "region"))
    #expect(region.isRequired)
    #expect(region.description == "Where, e.g. \"us-west1\" — costs $5 or 100%, never ${literal}.")
    #expect(region.type == .string)
    let zones = try #require(Self.sample.variable(named: "zones"))
    #expect(zones.typeText == "list(string)")
    #expect(zones.default == .known(["a", "b"]))
    #expect(zones.validations.map(\.errorMessage) == ["At least one zone.", nil])
    #expect(!zones.isRequired)
    let pools = try #require(Self.sample.variable(named: "node_pools"))
    #expect(pools.description == "The pools:\n\n  - name\n  - size\n")
    #expect(pools.typeText.hasPrefix("list(object({\n") && pools.typeText.contains("// unique"))
    #expect(pools.default == .known([["name": "main"], ["name": "big", "size": 5, "taints": [["key": "k"]]]]))
    #expect(
      pools.convert([["name": "n", "size": "4"]]).value
        == [["name": "n", "size": 4, "taints": [], "labels": ["a b": "c", "d": "e"]]])
    let password = try #require(Self.sample.variable(named: "admin_password"))
    #expect(password.isSensitive && password.isEphemeral && password.isNullable)
    #expect(Self.sample.variable(named: "count_max")?.default == .known(-1500))
    #expect(Self.sample.variable(named: "count_max")?.typeText == "")
    #expect(Self.sample.variable(named: "nothing")?.default == .known(.null))
    #expect(Self.sample.variable(named: "nothing")?.isRequired == false)
    #expect(Self.sample.variable(named: "computed")?.default == .unknown)
    #expect(Self.sample.variable(named: "strict")?.isNullable == false)
    #expect(Self.sample.variable(named: "bare")?.type == .map(.any))
  }

  @Test func outputsAndCallsAreRead() {
    #expect(Self.sample.outputs[0].isSensitive)
    #expect(Self.sample.outputs[0].description == "Where it answers.")
    #expect(Self.sample.moduleCalls.map(\.source) == ["terraform-google-modules/network/google", "./modules/local"])
    #expect(Self.sample.moduleCalls.map(\.version) == ["~> 9.0", nil])
    #expect(Self.sample.moduleCalls.map(\.isLocal) == [false, true])
    #expect(Self.sample.moduleCalls[0].position.line > 80)
  }

  @Test func placesAreThoseOfTheFile() throws {
    let module = Module.read("\n/* é */ variable \"x\" {\n  type = strng\n}\n")
    let variable = try #require(module.variables.first)
    #expect(variable.range.start == SourcePosition(line: 2, column: 9, offset: 10))
    #expect(variable.range.end == SourcePosition(line: 2, column: 21, offset: 22))
    #expect(
      module.complaints == [
        "main.tf:3:10: error: The type cannot be read: There is no type \"strng\". Did you mean \"string\"?"
      ])
    #expect(variable.type == .any)
    #expect(variable.typeText == "strng")
  }

  @Test func filesAreTakenInByteOrderAndOthersIgnored() {
    let names = [
      "b.tf", "a.tf", "Z.tf", "m.tf.json", ".hidden.tf", "old.tf~", "#lock.tf#", "x.tfvars", "sub/c.tf", "t.tftest.hcl",
      "tf",
    ]
    var files = Dictionary(
      uniqueKeysWithValues: names.map { ($0, "variable \"in_\(names.firstIndex(of: $0) ?? 0)\" {}") })
    files["m.tf.json"] = #"{"variable": {"in_json": {}}}"#
    let module = Module.read(files)
    #expect(module.complaints == [])
    #expect(module.variables.map(\.name) == ["in_2", "in_1", "in_0", "in_json"])
    #expect(module.variables.map(\.file) == ["Z.tf", "a.tf", "b.tf", "m.tf.json"])
  }

  @Test func namesDeclaredTwiceAreErrors() {
    let module = Module.read([
      "a.tf": "variable \"x\" { default = 1 }\noutput \"o\" {}\n", "b.tf": "variable \"x\" {}\noutput \"o\" {}\n",
    ])
    #expect(module.variables.map(\.file) == ["a.tf"])
    #expect(
      module.complaints == [
        "b.tf:1:1: error: The variable \"x\" is declared twice. The first time in a.tf, line 1, column 1.",
        "b.tf:2:1: error: The output \"o\" is declared twice. The first time in a.tf, line 2, column 1.",
      ])
  }

  @Test(arguments: ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"])
  func reservedNamesAreErrors(name: String) {
    #expect(Module.read("variable \"\(name)\" {}\n").hasErrors)
  }

  @Test(arguments: ["1x", "a.b", "a b", "", "-a"])
  func namesMustBeIdentifiers(name: String) {
    #expect(Module.read("variable \"\(name)\" {}\n").hasErrors)
  }

  @Test func aDefaultMustFitItsType() {
    #expect(Module.read("variable \"x\" {\n type = number\n default = \"a\"\n}\n").hasErrors)
    #expect(Module.read("variable \"x\" {\n nullable = false\n default = null\n}\n").hasErrors)
    let dropped = Module.read("variable \"x\" {\n type = object({ a = string })\n default = { a = 1, b = 2 }\n}\n")
    #expect(!dropped.hasErrors)
    #expect(dropped.diagnostics.map(\.severity) == [.warning])
    #expect(Module.read("variable \"x\" {\n type = number\n default = \"5\"\n}\n").complaints == [])
  }

  @Test func anUnknownArgumentIsAWarning() {
    let module = Module.read("variable \"x\" {\n desciption = \"y\"\n}\n")
    #expect(
      module.complaints == [
        "main.tf:2:2: warning: A variable has no argument \"desciption\". Did you mean \"description\"?"
      ])
  }

  @Test func anUnknownBlockIsAWarning() {
    let module = Module.read([
      "a.tf": "varible \"x\" {}\nlocals {}\nmoved {}\n", "b.tf.json": #"{"outputs": {}, "locals": 5}"#,
    ])
    #expect(
      module.complaints == [
        "a.tf:1:1: warning: Terraform has no block \"varible\". Did you mean \"variable\"?",
        "b.tf.json:1:2: warning: Terraform has no block \"outputs\". Did you mean \"output\"?",
      ])
  }

  @Test func providersOfSeveralBlocksAreMergedThoughTerraformRefusesThem() {
    let module = Module.read([
      "a.tf":
        "terraform {\n required_version = \">= 1\"\n required_providers {\n  a = { source = \"x/a\", version = \"1\" }\n }\n}\n",
      "b.tf": "terraform {\n required_version = \"< 2\"\n required_providers {\n  a = { version = \"2\" }\n }\n}\n",
      "c.tf": "terraform {\n required_providers {\n  a = { source = \"y/a\" }\n }\n}\n",
    ])
    #expect(module.requiredVersions == [">= 1", "< 2"])
    #expect(module.requiredProviders["a"] == ProviderRequirement(source: "x/a", versionConstraints: ["1", "2"]))
    #expect(
      module.complaints == [
        "b.tf:3:2: error: The block \"required_providers\" is declared twice. The first time in a.tf, line 3, column 2.",
        "c.tf:2:2: error: The block \"required_providers\" is declared twice. The first time in a.tf, line 3, column 2.",
        "c.tf:3:3: error: The provider \"a\" has two different sources.",
      ])
  }

  @Test func providersAreNamedByWhateverUsesThem() {
    let module = Module.read([
      "a.tf": """
      provider "aws" {
        region  = var.region
        version = "~> 5.0"
      }
      provider "aws" {
        alias = "west"
      }
      resource "google_storage_bucket" "b" {
        provider = google-beta.network
        name     = "x"
      }
      data "random_id" "d" {}
      ephemeral "vault_kv_secret" "s" { provider = vault }
      resource "random_id" "d" {}

      """
    ])
    #expect(module.complaints == [])
    #expect(module.providerNames == ["aws", "google-beta", "random", "vault"])
    #expect(module.providerConfigurations.map(\.alias) == [nil, "west"])
    #expect(module.providerConfigurations.map(\.version) == ["~> 5.0", nil])
    #expect(module.resources.map(\.mode) == [.managed, .data, .ephemeral, .managed])
    #expect(module.resources.map(\.type) == ["google_storage_bucket", "random_id", "vault_kv_secret", "random_id"])
    #expect(module.resources.map(\.name) == ["b", "d", "s", "d"])
    #expect(module.resources.map(\.provider) == ["google-beta.network", nil, "vault", nil])
  }

  @Test(arguments: [
    "resource \"a_b\" \"c\" {}\nresource \"a_b\" \"c\" {}\n", "provider \"a\" {}\nprovider \"a\" {}\n",
    "provider \"a\" { alias = \"x\" }\nprovider \"a\" { alias = \"x\" }\n", "resource \"a_b\" {}\n",
    "resource \"a_b\" \"c d\" {}\n", "resource \"a_b\" \"c\" { provider = f(1) }\n",
    "terraform {\n required_providers {\n  a = { configuration_aliases = [b.c] }\n }\n}\n",
  ])
  func whatTerraformRefusesOfProvidersAndResourcesIsAnError(text: String) {
    #expect(Module.read(text).diagnostics.map(\.severity) == [.error])
  }

  @Test func deprecationsAreRead() {
    let module = Module.read(
      "variable \"x\" { deprecated = \"Use y.\" }\noutput \"o\" {\n value = 1\n deprecated = \"Use p.\"\n}\n")
    #expect(module.complaints == [])
    #expect(module.variables.map(\.deprecated) == ["Use y."])
    #expect(module.outputs.map(\.deprecated) == ["Use p."])
  }
}

struct OverrideTests {
  @Test func anOverrideReplacesWhatItSetsAndNothingElse() throws {
    let module = Module.read([
      "variables.tf": """
      variable "x" {
        type        = string
        default     = "5"
        description = "first"
        sensitive   = true
        validation {
          condition     = true
          error_message = "kept"
        }
      }
      output "o" {
        value       = 1
        description = "first"
      }
      module "m" {
        source  = "./a"
        version = "1"
      }

      """,
      "override.tf": """
      variable "x" {
        type = number
        validation {
          condition     = true
          error_message = "lost"
        }
      }
      output "o" {
        description = ""
        sensitive   = true
      }
      module "m" { source = "./b" }

      """,
      "z_override.tf.json":
        #"{"variable": {"x": {"default": 7, "nullable": false}}, "output": {"o": {"description": "last"}}}"#,
      "myoverride.tf": "variable \"y\" {}\n",
    ])
    #expect(module.complaints == [])
    let variable = try #require(module.variable(named: "x"))
    #expect(variable.type == .number)
    #expect(variable.default == .known(7))
    #expect(variable.description == "first")
    #expect(variable.isSensitive && !variable.isNullable)
    #expect(variable.validations.map(\.errorMessage) == ["kept"])
    #expect(variable.file == "variables.tf")
    #expect(module.outputs.map(\.description) == ["last"])
    #expect(module.outputs.map(\.isSensitive) == [true])
    #expect(module.moduleCalls.map(\.source) == ["./b"])
    #expect(module.moduleCalls.map(\.version) == ["1"])
    #expect(module.variables.map(\.name) == ["y", "x"])
  }

  @Test func anOverrideOfNothingIsAnError() {
    let module = Module.read(["x_override.tf": "variable \"x\" {}\noutput \"o\" {}\nmodule \"m\" {}\n"])
    #expect(module.diagnostics.map(\.severity) == [.error, .error, .error])
    #expect(module.variables.isEmpty)
  }

  @Test func resourcesAndProviderConfigurationsAreChangedToo() {
    let module = Module.read([
      "a.tf": "resource \"a_b\" \"c\" {}\nprovider \"a\" { alias = \"x\" }\n",
      "override.tf": "resource \"a_b\" \"c\" { provider = d.e }\nprovider \"f\" {}\n",
      "z_override.tf": "provider \"a\" { alias = \"y\" }\ndata \"a_b\" \"c\" {}\n",
    ])
    #expect(module.resources.map(\.provider) == ["d.e"])
    #expect(module.providerNames == ["a", "d", "f"])
    #expect(module.diagnostics.map(\.severity) == [.error, .error])
  }

  @Test func versionsAreReplacedAndProvidersByName() {
    let module = Module.read([
      "a.tf":
        "terraform {\n required_version = \"1\"\n required_providers {\n  a = { version = \"1\" }\n  b = { version = \"1\" }\n }\n}\n",
      "override.tf":
        "terraform {\n required_version = \"2\"\n required_providers {\n  a = { version = \"2\" }\n }\n}\n",
    ])
    #expect(module.requiredVersions == ["2"])
    #expect(module.requiredProviders.mapValues(\.versionConstraints) == ["a": ["2"], "b": ["1"]])
  }
}
