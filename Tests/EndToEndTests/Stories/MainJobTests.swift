import Foundation
import TestKit
import Testing

/// The main job: a blueprint is submitted, built, planned and applied with `pine`, and after each step the portal is read
/// from Port's own API.
struct MainJobTests {
  private static let blueprint = """
    # The text service of team A.
    kind: service
    schema_version: 1.0.0
    metadata:
      name: text-west
      title: Text Service (West)
      environment: dev
      owner: team-a
      repo_url: https://github.com/hyperfocus/porc-blueprints/text
    inputs:
      region: us-west1
      text: hello
    """

  @Test(.timeLimit(.minutes(1)), arguments: ["api", "entities"])
  func aBlueprintBecomesInfrastructureAndThePortalTellsEachStep(dialect: String) async throws {
    try await DevServer.run(["--port-api", dialect]) { dev in
      let file = try dev.folder.write(Self.blueprint, to: "text-west.yaml").path
      var expected: [String: JSON] = [
        "blueprint": "service-1-0-0", "operation": "apply", "environment": "dev", "owner": "team-a",
        "waiting_for": "nothing", "awaits": "nothing",
      ]

      let submitted = try await dev.pine("submit", file).exiting(0)
      let run = submitted.answer
      #expect(run.hasPrefix("porc-") && submitted.output == run + "\n")
      expected["porc_run_id"] = .string(run)
      expected["terraform_status"] = "submitted"
      try await Self.check(dev, expected)

      try await dev.pine("build", "--run-id", run).exiting(0)
      expected["terraform_status"] = "built"
      expected["region"] = "us-west1"
      expected["repo_url"] = "https://github.com/hyperfocus/porc-blueprints/text"
      expected["inputs"] = ["region": "us-west1", "text": "hello"]
      try await Self.check(dev, expected)

      let planned = try await dev.pine("plan", "--run-id", run).exiting(0)
      #expect(planned.output.contains("Plan: 2 to add, 0 to change, 0 to destroy."))
      #expect(planned.error.contains("next: pine apply --run-id \(run)"))
      let summary = try await dev.summary(run)
      let (workspace, tfeRun) = (summary["workspace"], summary["tfe_run_id"])
      #expect(tfeRun.string?.hasPrefix("run-") == true && workspace["name"] == "porc-text-west")
      let link = "\(dev.tfe.base)/app/porc-dev/workspaces/porc-text-west/runs/\(tfeRun.string ?? "")"
      expected["terraform_status"] = "planned"
      expected["workspace_id"] = workspace["id"]
      expected["run_id"] = tfeRun
      expected["tfe_link"] = .string(link)
      expected["plan_summary"] = "2 to add, 0 to change, 0 to destroy"
      expected["waiting_for"] = "somebody to apply or discard the plan"
      expected["awaits"] = "apply"
      try await Self.check(dev, expected)
      #expect(
        summary["plan"] == [
          "number": 1, "additions": 2, "changes": 0, "destructions": 0, "imports": 0,
          "resources": [
            ["address": "terraform_data.replica[0]", "action": "create"],
            ["address": "terraform_data.text", "action": "create"],
          ],
          "cost_estimate": .null, "policies": .null, "tasks": [], "tfe_status": .null,
        ])

      try await dev.pine("apply", "--run-id", run).exiting(0)
      let applied = try await dev.summary(run)
      expected["terraform_status"] = "applied"
      expected["waiting_for"] = "nothing"
      expected["awaits"] = "nothing"
      expected["outputs"] = ["text": "hello"]
      expected["deployed_blueprint"] = "service-1-0-0"
      expected["deployed_run_id"] = tfeRun
      expected["deployed_at"] = applied["phases"]["applied_at"]
      try await Self.check(dev, expected)

      #expect(try await dev.tfeStatus(tfeRun.string ?? "") == "applied")
      #expect(applied["outputs"] == ["text": ["value": "hello", "sensitive": false]])
      #expect(applied["portal"]["in_sync"] == true)
      #expect(
        try await dev.events(run) == [
          "submitted", "build_started", "built", "plan_requested", "held", "plan_started", "workspace_ready",
          "tfe_run_created", "plan_finished", "apply_confirmed", "apply_started", "apply_finished",
        ])
    }
  }

  /// The entity has exactly these properties, and the time of the last change.
  private static func check(
    _ dev: DevServer, _ expected: [String: JSON], at location: SourceLocation = #_sourceLocation
  ) async throws {
    var properties = try await dev.shows("text-west", expected, at: location)
    let updated = try #require(properties.removeValue(forKey: "updated_at")?.string, sourceLocation: location)
    #expect((try? Date(updated, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))) != nil)
    #expect(properties == expected, sourceLocation: location)
    let entity = try #require(try await dev.entity("text-west"), sourceLocation: location)
    #expect(entity["identifier"] == "text-west" && entity["title"] == "Text Service (West)", sourceLocation: location)
    #expect(entity["relations"] == ["blueprint": "service-1-0-0"], sourceLocation: location)
  }

  @Test(.timeLimit(.minutes(1)))
  func theWholeJobIsOneCommandToo() async throws {
    try await DevServer.run { dev in
      // What porc dev shows is true from the moment it is ready.
      let template = try #require(try await dev.entity("gke-cluster-1-0-0", of: "blueprint_template"))
      #expect(template["identifier"] == "gke-cluster-1-0-0")
      let promised: [String: JSON] = [
        "module_path": "gke-cluster/1.0.0",
        "repo_url": "https://github.com/hyperfocus/infra-modules/gke-cluster",
        "inputs_required": ["region", "project_id"],
        "owner": "cloud-platform",
        "status": "active",
      ]
      #expect(template["properties"].present.filter { promised.keys.contains($0.key) } == promised)
      #expect(template["properties"]["name"] == "gke-cluster" && template["properties"]["version"] == "1.0.0")
      #expect(template["properties"]["inputs"].array.map { $0["name"] }.prefix(2) == ["region", "project_id"])

      let file = try dev.folder.write(
        """
        {"kind": "greeting", "schema_version": "~> 1.0", "metadata": {"name": "hello"},
         "inputs": {"recipient": "World", "folder": "\(dev.folder.path)/greetings"}}
        """, to: "hello.json")
      let ended = try await dev.pine("up", file.path, "--yes", "--quiet").exiting(0)
      let run = try #require(ended.answer.split(separator: "\n").last.map(String.init))
      let shown = try await dev.shows("hello", ["terraform_status": "applied"])
      #expect(shown["deployed_blueprint"] == "greeting-1-1-0", "the newest version that fits")
      #expect(shown["title"] == nil && shown["environment"] == nil)
      #expect(try await dev.summary(run)["status"] == "applied")
      let greeting = dev.folder.file("greetings/World.txt")
      #expect(try String(contentsOf: greeting, encoding: .utf8) == "Hello, World!\n")

      try await dev.pine("destroy", "hello", "--yes").exiting(0)
      try await dev.shows("hello", ["terraform_status": "destroyed", "operation": "destroy", "outputs": .null])
      #expect(!FileManager.default.fileExists(atPath: greeting.path))
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func anEntityThatWasChangedInPortComesBackWithTheNextStep() async throws {
    try await DevServer.run { dev in
      let run = try await dev.submit(Blueprint.service(named: "edited"))
      try await dev.plan(run)
      try await dev.shows("edited", ["terraform_status": "planned"])
      // Somebody else's property on the entity is theirs; PORC's own are PORC's.
      try await dev.port.send("DELETE /v1/blueprints/blueprint_instance/entities/edited").expecting(200)
      try await dev.apply(run)
      try await dev.shows("edited", ["terraform_status": "applied", "region": "eu-west"])
    }
  }
}
