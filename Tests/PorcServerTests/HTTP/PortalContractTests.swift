import Foundation
import HCL
import HTTPTypes
import JSONSchema
import PorcCore
import Testing

@testable import PorcServer

/// `/run/{run_id}/status` and `/summary` are what portals build on: their answers are what the documents say, by either id.
@Suite(.timeLimit(.minutes(1)))
struct PortalContractTests {
  /// A schema of the OpenAPI document.
  private func schema(_ name: String) throws -> JSONSchema {
    let document = try JSONText.parse(OpenAPIDocument.bytes).value
    return try JSONSchema(
      ["$ref": .string("https://porc.dev/openapi.json#/components/schemas/\(name)")],
      documents: ["https://porc.dev/openapi.json": document])
  }

  @Test func theAnswersAreAsTheDocumentSaysInEveryState() async throws {
    let (status, summary) = (try schema("RunStatus"), try schema("RunSummary"))
    let document = try APIDocument(OpenAPIDocument.bytes)
    try await TestServer.run { test in
      func look(_ run: String) async throws {
        for id in [run, try await test.get("/run/\(run)/status").json["tfe_run_id"]?.stringValue].compactMap(\.self) {
          for (part, schema, name) in [("status", status, "RunStatus"), ("summary", summary, "RunSummary")] {
            let answer = try await test.get("/run/\(id)/\(part)")
            #expect(answer.status == 200 && schema.violations(of: answer.json) == [], "\(id) \(part)")
            let described = try #require(document.resolve("#/components/schemas/\(name)"))
            for place in document.objects(in: answer.json, described) {
              #expect(Set(place.members.keys).subtracting(place.properties) == [], "\(part) \(ValuePath(place.path))")
            }
          }
        }
      }
      let run = try await test.submit(Samples.blueprint("web", ["region": "eu", "password": "s3cret"], approval: true))
      try await look(run)
      _ = try await test.post("/runs/\(run)/plan")
      try await test.wait(run, for: "planned")
      try await look(run)
      let reviewer = try await test.token("reviewer", .approve)
      _ = try await test.post("/runs/\(run)/approve", token: reviewer)
      try await look(run)
      _ = try await test.post("/runs/\(run)/apply")
      try await test.wait(run, for: "applied")
      try await look(run)
      let other = try await test.planned(Samples.blueprint("db"))
      _ = try await test.post("/runs/\(other)/discard")
      try await test.wait(other, for: "discarded")
      try await look(other)
    }
  }

  /// Whichever routes there are.
  @Test func everyRouteOfARunTakesEitherId() async throws {
    try await TestServer.run { test in
      let routes = test.server.routes.entries.filter { $0.path.contains("{run_id}") }
      #expect(routes.count { $0.path.hasPrefix("/run/") } * 2 == routes.count && routes.count > 20)
      let run = try await test.planned()
      let tfeRun = try #require(try await test.get("/runs/\(run)/status").json["tfe_run_id"]?.stringValue)
      for route in routes {
        for id in [run, tfeRun] {
          let path = route.path.replacing("{run_id}", with: id)
          let answer = try await test.call(route.method.rawValue, path)
          #expect(answer.status != 404 && answer.status < 500, "\(route.method) \(path): \(answer.text)")
        }
        let unknown = try await test.call(
          route.method.rawValue, route.path.replacing("{run_id}", with: "run-unknown"),
          route.path.hasSuffix("override") ? #"{"reason": "so"}"# : nil)
        #expect(unknown.status == 404, "\(route.method) \(route.path)")
      }
    }
  }

  /// `docs/portals.md` names every field, and no other.
  @Test(arguments: [("status", "RunStatus"), ("summary", "RunSummary")])
  func everyFieldIsExplained(part: String, name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/portals.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    let section = try #require(
      text.components(separatedBy: "\n## ").first { $0.hasPrefix("`GET /run/{run_id}/\(part)`") })
    let rows = section.components(separatedBy: "\n").compactMap { $0.wholeMatch(of: /\| `([a-z_]+)` \| .* \|/) }
    let document = try APIDocument(OpenAPIDocument.bytes)
    let schema = try #require(document.resolve("#/components/schemas/\(name)"))
    let own = name == "RunStatus" ? schema : schema["allOf"]?[1] ?? .null
    #expect(rows.map { String($0.1) }.sorted() == (own["properties"]?.objectValue?.keys.sorted() ?? []))
  }
}
