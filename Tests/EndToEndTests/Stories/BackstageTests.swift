import Foundation
import TestKit
import Testing

/// What Backstage and its Terraform plugin see of a deployment, and a follower of all events who is away meanwhile.
@Suite(.timeLimit(.minutes(1)))
struct BackstageTests {
  @Test func backstageSeesWhatIsDeployedAndAFollowerMissesNothing() async throws {
    let folder = try TemporaryFolder()
    var (token, tag, position) = ("", "", 0.0)
    try await DevServer.run(in: folder) { dev in
      let run = try await dev.deploy(Blueprint.service(named: "shown"))
      token = try #require(try await dev.porc(as: "backstage", scopes: "read").token)
      let backstage = API(base: dev.porc.base)
      let feed = try await backstage.get("/backstage/\(token)/catalog-info.json").expecting(200)
      let entity = try #require(
        feed.json["items"].array.first { $0["kind"] == "Resource" && $0["metadata"]["name"] == "shown" })
      #expect(entity["metadata"]["labels"]["porc.dev/status"] == "applied")
      #expect(entity["metadata"]["annotations"]["porc.dev/run-id"] == .string(run))
      #expect(entity["spec"]["dependsOn"].array.count == 1)
      // As the plugin asks, by the annotations.
      let organization = try #require(entity["metadata"]["annotations"]["terraform/organization"].string)
      let workspace = try #require(entity["metadata"]["annotations"]["terraform/workspaces"].string)
      let runs = try await dev.tfe.get(
        "/api/v2/organizations/\(organization)/runs?filter%5Bworkspace_names%5D=\(workspace)"
      ).expecting(200).json["data"].array
      #expect(runs.map { $0["id"] } == [entity["metadata"]["annotations"]["porc.dev/tfe-run-id"]])
      tag = try #require(feed.header("ETag"))
      try await backstage.get("/backstage/\(token)/catalog-info.json", headers: ["If-None-Match": tag]).expecting(304)
      let events = try await dev.porc.get("/events?limit=1000").expecting(200).json
      #expect(events["events"].array.suffix(2).map { $0["type"] } == ["apply_finished", "instance_deployed"])
      position = try #require(events["last_position"].number)
    }
    try await DevServer.run(in: folder) { dev in
      let backstage = API(base: dev.porc.base)
      let run = try await dev.planDestroy("shown")
      try await dev.apply(run)
      let gone = try await backstage.get(
        "/backstage/\(token)/catalog-info.json?kind=resource", headers: ["If-None-Match": tag]
      ).expecting(200)
      #expect(!gone.json["items"].array.contains { $0["metadata"]["name"] == "shown" })

      var types: [String] = []
      var last = position
      for try await event in try await dev.porc.events("/events", after: String(Int(position))) {
        let next = try #require(event.id.flatMap { Double($0) })
        #expect(next == last + 1, "none is left out")
        last = next
        types.append(event.name)
        if event.name == "instance_destroyed" { break }
      }
      #expect(types.first == "submitted" && !types.contains("instance_deployed"))
      #expect(try !String(contentsOf: dev.log, encoding: .utf8).contains(token))
    }
  }
}
