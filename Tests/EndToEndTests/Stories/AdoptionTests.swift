import Foundation
import Testing

/// A workspace that was there before PORC, taken over.
struct AdoptionTests {
  @Test(.timeLimit(.minutes(1)))
  func aWorkspaceIsTakenOverOnlyWhenSomebodySaysSo() async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC()
      let (porc, tfe) = (try await place.porc(), try await place.tfe())
      let made = try await tfe.post(
        "/api/v2/organizations/acme/workspaces",
        ["data": ["type": "workspaces", "attributes": ["name": "porc-old"]]]
      ).expecting(201)
      let workspace = try #require(made.json["data"]["id"].string)
      let submitted = try await porc.post("/runs", Blueprint.service(named: "old", text: "old")).expecting(201)
      let run = try #require(submitted.json["run_id"].string)
      try await porc.post("/runs/\(run)/plan").expecting(202)
      try await DevServer.until(run, "plan_failed", on: porc) { $0["status"] == "plan_failed" }
      let error = try await porc.get("/runs/\(run)/summary").json["error"]
      #expect(error["summary"] == "The workspace 'porc-old' exists in Terraform Enterprise and is not PORC's")
      #expect(error["detail"].string?.contains("porc instances adopt old") == true)

      let shown = try await place.runPorc("instances", "adopt", "old").exiting(0)
      #expect(shown.output.contains("The workspace porc-old (\(workspace)), which manages 0 resources, would become"))
      #expect(try await tags(of: workspace, tfe) == [:])
      let adopted = try await place.runPorc("instances", "adopt", "old", "--yes").exiting(0)
      #expect(adopted.output.contains("is the instance's now"))
      #expect(try await tags(of: workspace, tfe) == ["porc-installation": "porc", "porc-instance": "old"])
      #expect(
        try await place.runPorc("instances", "adopt", "old").exiting(0).output.contains("is the instance's already"))

      try await porc.post("/runs/\(run)/plan").expecting(202)
      try await DevServer.until(run, "planned", on: porc) { $0["status"] == "planned" }
      #expect(try await porc.get("/runs/\(run)/summary").json["workspace"]["id"] == .string(workspace))

      let absent = try await place.runPorc("instances", "adopt", "nowhere", "--yes").exiting(4)
      #expect(absent.error.contains("There is no workspace 'porc-nowhere'"))
      let impossible = try await place.runPorc("instances", "adopt", "../old", "--yes").exiting(6)
      #expect(impossible.error.contains("'../old' is no name that an instance can have"))
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func whatIsSomebodyElsesIsNotTaken() async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      let tfe = try await place.tfe()
      for (name, tags) in [("one", ["porc-installation": "other"]), ("two", ["porc-instance": "three"])] {
        let bindings: [JSON] = tags.map {
          ["type": "tag-bindings", "attributes": ["key": .string($0.key), "value": .string($0.value)]]
        }
        let made = try await tfe.post(
          "/api/v2/organizations/acme/workspaces",
          [
            "data": [
              "type": "workspaces", "attributes": ["name": .string("porc-\(name)")],
              "relationships": ["tag-bindings": ["data": .array(bindings)]],
            ]
          ]
        ).expecting(201)
        let refused = try await place.runPorc("instances", "adopt", name, "--yes").exiting(5)
        #expect(refused.error.contains("belongs to another"))
        #expect(try await self.tags(of: try #require(made.json["data"]["id"].string), tfe) == tags)
      }
    }
  }

  private func tags(of workspace: String, _ tfe: API) async throws -> [String: String] {
    let list = try await tfe.get("/api/v2/workspaces/\(workspace)/tag-bindings").expecting(200).json["data"].array
    return Dictionary(
      list.map { ($0["attributes"]["key"].string ?? "", $0["attributes"]["value"].string ?? "") }
    ) { $1 }
  }
}
