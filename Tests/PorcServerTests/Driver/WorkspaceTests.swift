import Foundation
import HCL
import PorcCore
import PorcStore
import Synchronization
import TestKit
import Testing

@testable import PorcServer

/// The life of an instance's workspace: how it is made, what is set and repaired, and how it goes.
struct WorkspaceTests {
  private static func settings(_ bench: DriverBench) -> [String: Value] {
    bench.tfe.state.withLock { $0.settings["porc-web"] ?? [:] }
  }

  private static func changes(_ bench: DriverBench) -> [String] { bench.tfe.calls.filter { $0.hasPrefix("PATCH") } }

  private static func destroyed(_ bench: DriverBench) async throws -> PorcCore.Run.ID {
    _ = try await bench.deployed()
    let destroy = try await bench.submissions.destroy(
      Instance.ID("web"), request: PlanRequest(by: DriverBench.caller)
    ).run
    try await bench.work(destroy, until: .planned)
    try await bench.apply(destroy)
    try await bench.work(destroy, until: .applied)
    return destroy
  }

  /// The calls about the workspace itself that a lifecycle takes whose template asks for a Terraform version.
  private static func deploy(_ bench: DriverBench, terraform version: String?) async throws -> [String] {
    let before = bench.tfe.calls.count
    let templates = try Samples.templates()
    if let version { try templates.write("terraform_version: \"\(version)\"\n", to: "web/1.0.0/blueprint.yaml") }
    try await bench.offer(templates)
    _ = try await bench.deployed()
    return bench.tfe.calls.dropFirst(before).filter { $0.hasSuffix("workspaces/ws-web") }
  }

  private static func waitingFor(_ bench: DriverBench, _ id: PorcCore.Run.ID) async throws -> String? {
    let located = try #require(try await bench.store.locate(id.rawValue))
    return located.situation.waitingFor(located.run)
  }

  @Test func aNewWorkspaceHasWhatIsNamedAndNothingElse() async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed()
      #expect(
        Self.settings(bench) == [
          "name": "porc-web", "description": "The instance web of PORC", "source-name": "PORC",
        ])
    }
    try await DriverBench.run(configure: {
      $0.executionMode = "agent"; $0.publicURL = "https://porc.example"
    }) { bench in
      _ = try await bench.deployed()
      #expect(Self.settings(bench)["execution-mode"] == "agent")
      #expect(Self.settings(bench)["source-url"] == "https://porc.example/instances/web")
    }
  }

  /// Found again, it is read anyway: what the configuration names is put right, with one call, and the rest left alone.
  @Test func whatTheConfigurationNamesIsRepairedWhereItDiffers() async throws {
    for (mode, changed) in [("local", true), ("agent", true), ("remote", false)] {
      try await DriverBench.run(configure: { $0.executionMode = "remote" }) { bench in
        bench.tfe.change {
          $0.workspaces["porc-web"] = ["porc-installation": "porc", "porc-instance": "web"]
          $0.settings["porc-web"] = ["execution-mode": .string(mode), "terraform-version": "1.1.0", "auto-apply": true]
        }
        _ = try await bench.deployed()
        #expect(Self.changes(bench) == (changed ? ["PATCH workspaces/ws-web"] : []))
        #expect(Self.settings(bench)["execution-mode"] == "remote")
        #expect(Self.settings(bench)["terraform-version"] == "1.1.0" && Self.settings(bench)["auto-apply"] == true)
      }
    }
  }

  @Test func aLocalWorkspaceIsRefusedWhereNothingIsNamed() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change {
        $0.workspaces["porc-web"] = ["porc-installation": "porc", "porc-instance": "web"]
        $0.settings["porc-web"] = ["execution-mode": "local"]
      }
      let id = try await bench.submit()
      try await bench.plan(id)
      try await bench.work(id, until: .planFailed)
      #expect(Self.changes(bench) == [])
    }
  }

  /// A known workspace is read only where a version of the template asks for another Terraform than the plan before.
  @Test func anotherTerraformVersionIsSetOnceItIsAskedFor() async throws {
    try await DriverBench.run { bench in
      let versions = ["~> 1.11.0", "~> 1.11.0", "~> 1.12.0", "~> 1.12.0", nil]
      var calls: [[String]] = []
      var settings: [Value?] = []
      for version in versions {
        calls.append(try await Self.deploy(bench, terraform: version))
        settings.append(Self.settings(bench)["terraform-version"])
      }
      #expect(calls == [[], [], ["GET workspaces/ws-web", "PATCH workspaces/ws-web"], [], []])
      // What no version names is left as it is.
      #expect(settings == ["~> 1.11.0", "~> 1.11.0", "~> 1.12.0", "~> 1.12.0", "~> 1.12.0"])
    }
  }

  /// Something is left in it: that is said, and tried again until it goes.
  @Test func aWorkspaceThatTFEDoesNotDeleteIsSaidAndTriedAgain() async throws {
    try await DriverBench.run { bench in
      let destroy = try await Self.destroyed(bench)
      bench.tfe.change { $0.refusesDeletion = "it still manages 2 resources" }
      #expect(try await Self.waitingFor(bench, destroy) == nil)
      bench.pass(3601)
      for _ in 0..<3 { try await bench.step() }
      #expect(bench.tfe.calls.count { $0.hasSuffix("safe-delete") } == 3)
      #expect(try await Self.waitingFor(bench, destroy)?.contains("it still manages 2 resources") == true)
      let said = try await bench.store.events(after: 0, of: .run(destroy), limit: 100).map(\.name)
      #expect(said.count { $0 == "removal_refused" } == 1)
      bench.tfe.change { $0.refusesDeletion = nil }
      while try await bench.step() {}
      #expect(try await bench.store.situation(of: Instance.ID("web")) == nil)
    }
  }
}
