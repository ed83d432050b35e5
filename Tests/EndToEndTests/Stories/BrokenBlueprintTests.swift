import Foundation
import TestKit
import Testing

/// A blueprint that is wrong is told all that is wrong with it, and leaves nothing behind.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct BrokenBlueprintTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    /// `line:column message`, a part of each finding.
    let findings: [String]
  }

  private static let head = """
    kind: service
    schema_version: 1.0.0
    metadata:
      name: broken

    """

  static let cases = [
    Case(testDescription: "not YAML", text: "kind: service\nmetadata: {name: [broken\n", findings: ["3:1"]),
    Case(
      testDescription: "not a mapping", text: "just words",
      findings: ["1:1 The document is not a mapping."]),
    Case(testDescription: "empty", text: "", findings: ["The document is empty."]),
    Case(
      testDescription: "an unknown template",
      text: "kind: servcie\nschema_version: 1.0.0\nmetadata:\n  name: broken\ninputs: {}\n",
      findings: ["1:7 There is no template 'servcie'."]),
    Case(
      testDescription: "an unknown version",
      text: "kind: service\nschema_version: 7.0.0\nmetadata:\n  name: broken\ninputs: {}\n",
      findings: ["2:17 The template 'service' has no version that fits '7.0.0'."]),
    Case(
      testDescription: "an unknown input", text: head + "inputs:\n  region: a\n  text: b\n  regoin: c\n",
      findings: ["8:3 The template 'service/1.0.0' has no input 'regoin'."]),
    Case(
      testDescription: "a missing input", text: head + "inputs:\n  region: a\n",
      findings: ["The required input 'text' is missing."]),
    Case(
      testDescription: "a wrong type", text: head + "inputs:\n  region: a\n  text: b\n  replicas: many\n",
      findings: ["8:13 inputs.replicas: "]),
    Case(
      testDescription: "several at once",
      text: """
        kind: service
        schema_version: 1.0.0
        metadata:
          name: Broken_Name
          repo_url: not a url
          colour: blue
        inputs:
          region: [a]
          replicas: many
          tezt: x
        """,
      findings: [
        "4:9 'metadata.name' is no name", "5:13", "6:3", "8:11 inputs.region", "9:13 inputs.replicas",
        "10:3 The template 'service/1.0.0' has no input 'tezt'.", "The required input 'text' is missing.",
      ]),
  ]

  @Test(arguments: cases)
  func everyFindingIsToldWithItsPlace(broken: Case) async throws {
    let dev = try DevServer.current()
    let answer = try await dev.porc.send("POST /runs", .yaml(broken.text)).expecting(422)
    #expect(answer.header("Content-Type") == "application/problem+json")
    #expect(answer.problem == "invalid-input")
    let findings = answer.json["findings"].array
    #expect(findings.count == broken.findings.count, "\(answer)")
    let told = findings.map { finding in
      let place = finding["line"].number.map { "\(Int($0)):\(Int(finding["column"].number ?? 0)) " } ?? ""
      return place + (finding["message"].string ?? "")
    }
    for expected in broken.findings {
      #expect(told.contains { $0.contains(expected) }, "\(expected) is not in \(told)")
    }

    let file = try dev.folder.write(broken.text, to: "broken-\(UUID().uuidString).yaml")
    let submitted = try await dev.pine("submit", file.path).exiting(6)
    #expect(submitted.output.isEmpty)
    for finding in findings {
      let place = finding["line"].number.map { ":\(Int($0)):\(Int(finding["column"].number ?? 0)): " } ?? ": "
      // An empty one is refused before it is sent.
      if broken.text.isEmpty { break }
      #expect(
        submitted.error.contains("\(file.path)\(place)error: \(finding["message"].string ?? "?")"), "\(submitted)")
    }
    try await nothingWasLeft(dev)
  }

  @Test func aHugeBlueprintIsRefusedBeforeItIsRead() async throws {
    let dev = try DevServer.current()
    let huge = Self.head + "inputs:\n  region: a\n  text: " + String(repeating: "x", count: 10 << 20) + "\n"
    let answer = try await dev.porc.send("POST /runs", .yaml(huge)).expecting(413)
    #expect(answer.problem == "too-large")
    let file = try dev.folder.write(huge, to: "huge.yaml")
    try await dev.pine("submit", file.path).exiting(6)
    try await nothingWasLeft(dev)
  }

  @Test func aDocumentOfAnotherKindIsRefused() async throws {
    let dev = try DevServer.current()
    #expect(
      try await dev.porc.send("POST /runs", .bytes(Data("<a/>".utf8), type: "application/xml")).expecting(415).problem
        == "unsupported-media-type")
    try await dev.porc.send("POST /runs", .bytes(Data([0xFF, 0xFE, 0x00]), type: "application/json")).expecting(422)
    try await dev.pine("submit", "no-such-file.yaml").exiting(6)
    try await nothingWasLeft(dev)
  }

  private func nothingWasLeft(_ dev: DevServer) async throws {
    #expect(try await dev.porc.get("/runs").json["runs"] == [])
    #expect(try await dev.porc.get("/instances").json["instances"] == [])
    #expect(try await dev.porc.get("/events?subject=run").json["events"] == [])
    #expect(try await dev.port.get("/v1/blueprints/blueprint_instance/entities").json["entities"] == [])
    #expect(try await dev.tfe.writes() == [])
  }
}
