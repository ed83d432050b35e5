import HCL
import Testing

@testable import PorcCore

/// What an organization adds to what PORC shows.
@Suite struct ExtraPropertyTests {
  private static let entity = PortalEntity(
    kind: .instance, identifier: "gke-dev", title: "GKE Dev",
    properties: [
      "environment": "dev", "owner": .null, "repo_url": "https://github.com/acme/blueprints",
      "inputs": ["cost_center": "4711", "size": 3, "password": ["sensitive": true], "tags": ["a"]],
      "outputs": ["endpoint": "https://x.example.com", "address": "somewhere"],
    ])

  private static func value(_ source: ExtraProperty.Source, _ type: ExtraProperty.ValueType = .string) -> Value {
    ExtraProperty("x", source, type: type).value(for: entity)
  }

  @Test func valuesComeFromWhatIsShown() {
    #expect(Self.value(.input("cost_center")) == "4711")
    #expect(Self.value(.input("size"), .number) == 3)
    #expect(Self.value(.input("tags"), .array) == ["a"])
    #expect(Self.value(.output("endpoint")) == "https://x.example.com")
    #expect(Self.value(.metadata(.environment)) == "dev")
    #expect(Self.value(.metadata(.repoURL)) == "https://github.com/acme/blueprints")
    #expect(Self.value(.metadata(.name)) == "gke-dev" && Self.value(.metadata(.title)) == "GKE Dev")
    #expect(Self.value(.constant("gcp")) == "gcp")
  }

  @Test func whatIsSensitiveOrAbsentHasNoValue() {
    for source: ExtraProperty.Source in [.input("password"), .input("none"), .output("none"), .metadata(.owner)] {
      for type in ExtraProperty.ValueType.allCases { #expect(Self.value(source, type) == .null) }
    }
  }

  /// Port would refuse the whole entity.
  @Test func whatDoesNotFitIsLeftOutWithANote() {
    let size = ExtraProperty("size", .input("size"))
    #expect(size.value(for: Self.entity) == .null)
    #expect(size.misfit(in: Self.entity) == "'size' of gke-dev is left out: its value is no string.")
    let link = ExtraProperty("link", .output("address"), format: .url)
    #expect(link.value(for: Self.entity) == .null)
    #expect(link.misfit(in: Self.entity)?.contains("string with the format url") == true)
    #expect(ExtraProperty("x", .input("none")).misfit(in: Self.entity) == nil)
  }

  @Test(arguments: [
    (
      ExtraProperty.Format.url, ["https://a.example/b?c=d#e", "ssh://git@host/x"],
      ["a.example", "https://", "https://a b"]
    ),
    (.email, ["a@b.example"], ["a", "@b.example", "a@b", "a@b..c", "a b@c.de"]),
    (.dateTime, ["2026-11-23T10:15:00Z"], ["2026-11-23", "now"]),
    (.ipv4, ["10.0.0.1"], ["10.0.0", "10.0.0.256", "10.0.0.01"]),
    (.ipv6, ["::1", "fe80::1:2", "1:2:3:4:5:6:7:8"], ["1:2", "1::2::3", "::12345", "1:2:3:4:5:6:7:8:9", ":1"]),
    (.markdown, ["# any"], []),
  ]) func formatsAreCheckedAsPortDoes(format: ExtraProperty.Format, good: [String], bad: [String]) {
    for text in good { #expect(format.admits(text), "\(text)") }
    for text in bad { #expect(!format.admits(text), "\(text)") }
  }

  @Test func theyAreAddedToTheirKind() {
    var extras = ExtraProperties()
    extras.instance = [ExtraProperty("cost_center", .input("cost_center"))]
    extras.template = [ExtraProperty("platform", .constant("gcp"))]
    let shown = extras.added(to: Self.entity)
    #expect(shown.properties["cost_center"] == "4711" && shown.properties["platform"] == nil)
    #expect(extras.added(to: shown) == shown)
    var template = Self.entity
    template.kind = .template
    #expect(extras.added(to: template).properties["platform"] == "gcp")
  }

  // MARK: In the settings' file

  private static func read(_ text: String) -> (properties: ExtraProperties, findings: [Finding]) {
    ExtraProperties.read(Array(text.utf8)) { $0 == .instance ? ["region"] : ["module_path"] }
  }

  @Test func theyAreReadFromTheFile() {
    let read = Self.read(
      """
      port:
        base_url: https://api.port.io
        instance_properties:
          cost_center: {title: Cost Center, type: string, from: inputs.cost_center}
          endpoint: {format: url, from: outputs.endpoint, description: Where it answers., icon: Link}
          stage: {from: metadata.environment}
          tier: {value: 2}
        template_properties:
          platform: {value: gcp}
      """)
    #expect(read.findings == [])
    #expect(
      read.properties.instance == [
        ExtraProperty("cost_center", .input("cost_center"), title: "Cost Center"),
        ExtraProperty(
          "endpoint", .output("endpoint"), format: .url, description: "Where it answers.", icon: "Link"),
        ExtraProperty("stage", .metadata(.environment)), ExtraProperty("tier", .constant(2), type: .number),
      ])
    #expect(read.properties.template == [ExtraProperty("platform", .constant("gcp"))])
  }

  @Test func everythingWrongIsFoundAtOnceWithItsPlace() {
    let read = Self.read(
      """
      port:
        instance_properties:
          region: {value: x}
          "a b": {value: x}
          nothing: {title: Nothing}
          both: {value: x, from: inputs.a}
          elsewhere: {from: secrets.a}
          odd: {value: x, type: text}
          misfit: {value: three, type: number}
          formatted: {value: 3, type: number, format: url}
          spelt: {valeu: x}
          plain: text
        template_properties:
          a: {from: inputs.a}
      """)
    let found = Set(read.findings.map { "\($0.line ?? 0) \($0.pointer)" })
    let base = "/port/instance_properties"
    #expect(
      found.isSuperset(of: [
        "3 \(base)/region", "4 \(base)/a b", "5 \(base)/nothing", "6 \(base)/both/from", "7 \(base)/elsewhere/from",
        "8 \(base)/odd/type", "9 \(base)/misfit/value", "10 \(base)/formatted/format", "11 \(base)/spelt/valeu",
        "12 \(base)/plain", "14 /port/template_properties/a/from",
      ]))
    #expect(read.findings.allSatisfy { $0.fix != nil })
  }

  @Test func aFileWithoutThemHasNone() {
    for text in ["", "port:\n  base_url: x\n", "sources: {}\n", "port:\n  instance_properties:\n"] {
      let read = Self.read(text)
      #expect(read.properties == ExtraProperties() && read.findings.isEmpty)
    }
  }
}
