import HCL
import Testing

struct JSONSyntaxTests {
  @Test func aModuleInJSONSyntaxIsRead() throws {
    let module = Module.read(["main.tf.json": Samples.json])
    #expect(module.complaints == [])
    #expect(module.variables.map(\.name) == ["plain", "typed", "literal"])
    let typed = try #require(module.variable(named: "typed"))
    #expect(typed.type.description == #"list(object({ a = optional(string, "x") }))"#)
    #expect(typed.typeText == #"list(object({ a = optional(string, "x") }))"#)
    #expect(typed.description == "a${1+1}")
    let literal = try #require(module.variable(named: "literal"))
    #expect(literal.default == .known("a${1+1}b %{if true} $${z}"))
    #expect(literal.isSensitive && !literal.isNullable)
    #expect(literal.validations.map(\.errorMessage) == ["one", "two"])
    #expect(module.variable(named: "plain")?.isRequired == true)
    #expect(module.outputs.map(\.name) == ["o", "p"])
    #expect(module.outputs.map(\.isEphemeral) == [false, true])
    #expect(
      module.requiredProviders["aws"] == ProviderRequirement(source: "hashicorp/aws", versionConstraints: ["5.0"]))
    #expect(module.requiredVersions == [">= 1.5"])
    #expect(module.moduleCalls.map(\.source) == ["../m"])
  }

  @Test(arguments: [
    #"{"variable": {"x": {"default": 1}}}"#, #"{"variable": [{"x": {"default": 1}}]}"#,
    #"{"variable": {"x": [{"default": 1}]}}"#,
    #"[{"variable": {"x": {"default": 1}}}, {}]"#, #"{"variable": {"x": {"default": 1}}, "variable": {}}"#,
    #"{"variable": {"x": {"default": 1}, "y": null}}"#,
  ])
  func blocksStandInObjectsAndArrays(text: String) {
    let module = Module.read(["x.tf.json": text])
    #expect(module.complaints == [])
    #expect(module.variables.map(\.name) == ["x"])
    #expect(module.variables.map(\.default) == [.known(1)])
  }

  @Test func aVariableInAnArrayTwiceIsDeclaredTwice() {
    #expect(Module.read(["x.tf.json": #"{"variable": {"x": [{}, {}]}}"#]).hasErrors)
    #expect(Module.read(["x.tf.json": #"{"variable": {"x": {}}, "variable": {"x": {}}}"#]).hasErrors)
  }

  @Test(arguments: [
    "", "{", "{}}", "\u{FEFF}{}", #"{"variable": {"x": {},}}"#, "// c\n{}", #"{"variable": 5}"#,
    #"{"variable": {"x": 5}}"#,
    #"{"variable": {"x": {"type": ["string"]}}}"#, #"{"variable": {"x": {"type": "strng"}}}"#,
    #"{"variable": {"x": {"default": 1, "default": 2}}}"#,
    #"{"variable": {"x": {"sensitive": "yes"}}}"#, #"{"variable": {"x": {"description": null}}}"#, "5", #""x""#, "null",
    #"{"variable": null}"#, #"{"variable": {"x": {"default": {"a": 1, "a": 2}}}}"#,
    #"{"terraform": {"required_providers": [{"a": "1"}, {"b": "1"}]}}"#,
  ])
  func whatIsNoModuleIsAnError(text: String) {
    #expect(Module.read(["x.tf.json": text]).hasErrors)
  }

  @Test func bigNumbersKeepTheirDigits() {
    let module = Module.read(["x.tf.json": #"{"variable": {"x": {"default": 123456789012345678901234567890}}}"#])
    #expect(module.variables.first?.default?.value?.json() == "123456789012345678901234567890")
  }
}
