import HCL
import PorcCore
import Testing

/// What portals are given.
@Suite struct PortalEntityTests {
  static func entity(_ story: Story) throws -> PortalEntity {
    let situation = try story.present()
    return try #require(
      PortalEntity(situation, waitingFor: situation.currentRun.flatMap(situation.waitingFor)) { workspace, run in
        "https://tfe.example/app/acme/workspaces/\(workspace.name)/runs/\(run)"
      })
  }

  @Test(arguments: RunState.allCases) func anInstanceHasExactlyItsProperties(state: RunState) throws {
    let entity = try Self.entity(try Story.at(state))
    #expect(
      Set(entity.properties.keys) == [
        "workspace_id", "terraform_status", "run_id", "blueprint", "region", "repo_url", "tfe_link", "porc_run_id",
        "operation", "environment", "owner", "inputs", "plan_summary", "outputs", "last_error", "waiting_for", "awaits",
        "updated_at", "deployed_blueprint", "deployed_run_id", "deployed_at",
      ])
    #expect(entity.kind.rawValue == "blueprint_instance")
    #expect(entity.identifier == "gke-dev-west")
    #expect(entity.relations == ["blueprint": "gke-cluster-1-0-0"])
    #expect(entity.properties["terraform_status"]?.stringValue == state.rawValue)
  }

  @Test func aTemplateHasExactlyItsProperties() throws {
    let version = try #require(Version("1.0.0"))
    let template = Template(name: "gke-cluster", version: version, inputs: [], archive: "a", source: "s")
    let entity = PortalEntity(template)
    #expect(
      Set(entity.properties.keys) == [
        "module_path", "repo_url", "inputs_required", "owner", "status", "name", "version", "description", "inputs",
        "commit", "readme",
      ])
    #expect(entity.kind.rawValue == "blueprint_template")
    #expect(entity.identifier == "gke-cluster-1-0-0")
    #expect(entity.properties["module_path"] == "gke-cluster/1.0.0")
    #expect(entity.properties["status"] == "active")
  }

  @Test func theMetadataComesWithTheBuild() throws {
    var story = try Story.at(.submitted)
    for name in ["region", "repo_url", "inputs"] { #expect(try Self.entity(story).properties[name] == .null) }
    try story.tell("a", .build)
    try story.hear("a", .built(bundle: "digest"))
    let entity = try Self.entity(story)
    #expect(entity.properties["region"] == "us-west1")
    #expect(entity.properties["repo_url"] == "https://github.com/acme/blueprints")
    #expect(
      entity.properties["inputs"]
        == ["region": "us-west1", "zone": .null, "size": 3, "admin_password": ["sensitive": true]])
  }

  @Test func theFirstGroupFollowsTheCurrentRun() throws {
    var story = try Story.at(.planned)
    try story.hear("a", .workspaceReady(Workspace(id: "ws-1", name: "porc-gke-dev-west")))
    var second = Submission.sample(version: "2.0.0")
    second.region = "europe-west4"
    try story.submit("b", second)
    try story.tell("b", .build)
    try story.hear("b", .built(bundle: "digest"))
    // `a` holds the instance: what another run is built from does not show yet.
    let first = try Self.entity(story).properties
    #expect(first["region"] == "us-west1")
    #expect(first["blueprint"] == "gke-cluster-1-0-0")
    #expect(first["run_id"] == "run-1")
    #expect(first["workspace_id"] == "ws-1")
    #expect(first["tfe_link"] == "https://tfe.example/app/acme/workspaces/porc-gke-dev-west/runs/run-1")
    #expect(first["plan_summary"] == "3 to add, 0 to change, 0 to destroy")
    try story.tell("a", .discard(tfeRunID: nil, by: .alice))
    try story.hear("a", .remoteDiscarded(plan: 1))
    let next = try Self.entity(story).properties
    #expect(next["region"] == "europe-west4")
    #expect(next["blueprint"] == "gke-cluster-2-0-0")
    #expect(next["porc_run_id"] == "b")
    #expect(next["run_id"] == .null)
  }

  @Test func discardingVersionTwoNeverHidesThatVersionOneRuns() throws {
    var story = Story()
    try story.submit("a")
    try story.planned("a", tfe: "run-1")
    try story.applied("a", outputs: ["endpoint": Output(value: "https://x", isSensitive: false)])
    let deployedAt = story.now
    try story.submit("b", .sample(version: "2.0.0"))
    try story.planned("b", tfe: "run-2")
    try story.tell("b", .discard(tfeRunID: nil, by: .alice))
    try story.hear("b", .remoteDiscarded(plan: 1))
    let properties = try Self.entity(story).properties
    #expect(properties["terraform_status"] == "discarded")
    #expect(properties["blueprint"] == "gke-cluster-2-0-0")
    #expect(properties["deployed_blueprint"] == "gke-cluster-1-0-0")
    #expect(properties["deployed_run_id"] == "run-1")
    #expect(properties["deployed_at"] == .string(Timestamp.text(deployedAt)))
    #expect(properties["outputs"] == ["endpoint": "https://x"])
  }

  @Test func aDestroyedInstanceIsDestroyedUntilItsNextLife() throws {
    var story = Story()
    try story.deployed("a")
    try story.destroy("d")
    #expect(try Self.entity(story).properties["operation"] == "destroy")
    try story.finishPlan("d")
    try story.applied("d")
    let destroyed = try Self.entity(story).properties
    #expect(destroyed["terraform_status"] == "destroyed")
    #expect(destroyed["deployed_blueprint"] == .null)
    #expect(destroyed["outputs"] == .null)
    try story.submit("n", .sample(template: "eks-cluster"))
    let next = try Self.entity(story).properties
    #expect(next["terraform_status"] == "submitted")
    #expect(next["blueprint"] == "eks-cluster-1-0-0")
    #expect(next["inputs"] == .null)
  }

  @Test func anErrorIsSaidInItsOwnWordsAndLongTextsAreCut() throws {
    var story = try Story.at(.planning)
    let failure = Failure("Error: no quota", detail: String(repeating: "é", count: 60_000), address: "a.b")
    try story.hear("a", .planFailed(plan: 1, failure))
    let text = try #require(try Self.entity(story).properties["last_error"]?.stringValue)
    #expect(text.hasPrefix("Error: no quota (a.b): é"))
    #expect(text.count == 50_000)
  }
}
