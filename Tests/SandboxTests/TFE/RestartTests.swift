import Foundation
import Logging
import Sandbox
import Testing

@Suite(.timeLimit(.minutes(2))) struct RestartTests {
  @Test func everythingIsThereAfterARestart() async throws {
    try await withTemporaryFolder { folder in
      let before = Kept()
      try await TFE.run(in: folder) { tfe in
        let workspace = try await tfe.createWorkspace("demo", ["description": "kept"])
        _ = try await tfe.post(
          "/workspaces/\(workspace)/vars",
          ["data": ["attributes": ["key": "k", "value": "v", "category": "env", "sensitive": true]]])
        let applied = try await tfe.apply(workspace, Configuration.one)
        let waiting = try await tfe.startRun(workspace, nil, ["is-destroy": true])
        try await tfe.wait(for: waiting, ["planned"])
        let pending = try await tfe.startRun(workspace, nil)
        for body in ["one", "two"] {
          _ = try await tfe.post("/runs/\(waiting)/comments", ["data": ["attributes": ["body": .string(body)]]])
        }
        await before.keep([
          "workspace": workspace, "applied": applied.id, "waiting": waiting, "pending": pending,
          "log": try await tfe.log(applied.id, "apply"),
        ])
      }
      try await TFE.run(in: folder) { tfe in
        let kept = await before.values
        let workspace = kept["workspace"] ?? ""
        let read = try await tfe.get("/organizations/acme/workspaces/demo")
        #expect(read.id == workspace && read.attributes["description"] == "kept")
        #expect(read.attributes["locked"] == true && read.attributes["resource-count"] == 1)
        #expect(try await tfe.get("/workspaces/\(workspace)/vars").data[0]["attributes"]["key"] == "k")
        #expect(try await tfe.outputs(workspace)["o"] == "a")
        #expect(try await tfe.log(kept["applied"] ?? "", "apply") == kept["log"])
        #expect(try await tfe.status(kept["applied"] ?? "") == "applied")
        #expect(try await tfe.status(kept["pending"] ?? "") == "pending")
        let comments = try await tfe.get("/runs/\(kept["waiting"] ?? "")/comments").data.array ?? []
        #expect(comments.map { $0["attributes"]["body"] } == ["one", "two"])
        // A plan from before is applied, and the queue goes on.
        #expect(try await tfe.post("/runs/\(kept["waiting"] ?? "")/actions/apply").status == 202)
        try await tfe.wait(for: kept["waiting"] ?? "", ["applied"])
        try await tfe.wait(for: kept["pending"] ?? "", ["planned"])
      }
    }
  }

  @Test func aStopInterruptsTerraformAndKeepsItsState() async throws {
    try await withTemporaryFolder { folder in
      let before = Kept()
      try await TFE.run(in: folder) { tfe in
        let workspace = try await tfe.createWorkspace("demo")
        let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.endless), ["auto-apply": true])
        try await tfe.waitForEndlessApply(run)
        await before.keep(["workspace": workspace, "run": run])
      }
      try await TFE.run(in: folder) { tfe in
        let kept = await before.values
        #expect(try await tfe.status(kept["run"] ?? "") == "errored")
        #expect(try await tfe.log(kept["run"] ?? "", "apply").contains("the server was stopped"))
        let state = try await tfe.get("/workspaces/\(kept["workspace"] ?? "")/current-state-version")
        #expect(state.attributes["resources"].array?.contains { $0["name"] == "first" } == true)
      }
    }
  }

  @Test func aCrashLeavesAnErroredRunItsStateAndAFreeWorkspace() async throws {
    try await withTemporaryFolder { folder in
      let before = Kept()
      // What is on the disk at one moment is what a sandbox finds that was killed at that moment.
      let image = folder + "/image"
      try FileManager.default.createDirectory(atPath: image, withIntermediateDirectories: true)
      try await TFE.run(in: folder) { tfe in
        let workspace = try await tfe.createWorkspace("demo")
        let version = try await tfe.upload(workspace, Configuration.endless)
        let run = try await tfe.startRun(workspace, version, ["auto-apply": true])
        let next = try await tfe.startRun(workspace, version)
        try await tfe.waitForEndlessApply(run)
        try FileManager.default.copyItem(atPath: folder + "/data", toPath: image + "/data")
        // Terraform writes its state at least when it ends; one that it wrote before the crash is made here.
        let state =
          "{\"version\":4,\"serial\":1,\"lineage\":\"l\",\"outputs\":{},\"resources\":[{\"mode\":\"managed\","
          + "\"type\":\"terraform_data\",\"name\":\"first\",\"provider\":\"p\",\"instances\":[{}]}]}"
        try Data(state.utf8).write(
          to: URL(fileURLWithPath: image + "/data/runs/\(run)/work/terraform.tfstate"))
        await before.keep(["workspace": workspace, "run": run, "next": next])
        #expect(try await tfe.post("/runs/\(run)/actions/cancel").status == 202)
        try await tfe.wait(for: run, ["canceled"])
      }
      let orphan = Process()
      orphan.executableURL = URL(fileURLWithPath: "/bin/sleep")
      orphan.arguments = ["600"]
      orphan.currentDirectoryURL = URL(fileURLWithPath: image + "/data/runs/\(await before.values["run"] ?? "")/work")
      try orphan.run()
      try await TFE.run(in: image) { tfe in
        #expect(!orphan.isRunning)
        let kept = await before.values
        #expect(try await tfe.status(kept["run"] ?? "") == "errored")
        #expect(try await tfe.log(kept["run"] ?? "", "apply").contains("was killed during the apply"))
        let state = try await tfe.get("/workspaces/\(kept["workspace"] ?? "")/current-state-version")
        #expect(state.attributes["resources"][0]["name"] == "first")
        try await tfe.wait(for: kept["next"] ?? "", ["planned", "errored"])
      }
    }
  }

  @Test func aHalfWrittenLineOfTheJournalIsDropped() async throws {
    try await withTemporaryFolder { folder in
      try await TFE.run(in: folder) { tfe in
        _ = try await tfe.createWorkspace("demo")
      }
      let journal = URL(fileURLWithPath: folder + "/data/journal")
      try (Data(contentsOf: journal) + Data("workspace\tws-torn\t{\"id\":\"ws-t".utf8)).write(to: journal)
      try await TFE.run(in: folder) { tfe in
        let kept = try await tfe.get("/organizations/acme/workspaces")
        #expect(kept.data.array?.count == 1)
        _ = try await tfe.createWorkspace("second")
      }
      try await TFE.run(in: folder) { tfe in
        let kept = try await tfe.get("/organizations/acme/workspaces")
        #expect(kept.data.array?.count == 2)
      }
    }
  }

  @Test func aLongJournalIsRewrittenAndNothingIsLost() async throws {
    try await withTemporaryFolder { folder in
      let journal = folder + "/data/journal"
      func size() throws -> Int {
        try FileManager.default.attributesOfItem(atPath: journal)[.size] as? Int ?? 0
      }
      try await TFE.run(in: folder) { tfe in
        let other = try await tfe.createWorkspace("other")
        let workspace = try await tfe.createWorkspace("demo")
        for index in 0..<30 {
          let text = "\(index)" + String(repeating: "x", count: 200_000)
          _ = try await tfe.send(
            "PATCH", "/workspaces/\(workspace)", ["data": ["attributes": ["description": .string(text)]]])
        }
        let rewritten = try size()
        #expect(rewritten < 5_000_000)
        #expect(try await tfe.get("/workspaces/\(other)").status == 200)
      }
      try await TFE.run(in: folder) { tfe in
        let read = try await tfe.get("/organizations/acme/workspaces/demo")
        #expect(read.attributes["description"].string?.hasPrefix("29x") == true)
        #expect(try await tfe.get("/organizations/acme/workspaces/other").status == 200)
      }
    }
  }

  @Test func aCancelledSandboxEndsAndLetsGoOfItsFolder() async throws {
    try await withTemporaryFolder { folder in
      let sandbox = TFESandbox(
        host: "127.0.0.1", port: 0, dataFolder: folder + "/data", organization: "acme", token: TFE.token,
        logger: Logger(label: "sandbox", factory: { _ in SwiftLogNoOpLogHandler() }))
      let task = Task { try await sandbox.run() }
      _ = try await sandbox.baseURL()
      task.cancel()
      _ = await task.result
      try await TFE.run(in: folder) { tfe in
        let answer = try await tfe.get("/organizations/acme")
        #expect(answer.status == 200)
      }
    }
  }

  @Test func aFolderIsUsedByOneSandboxOnly() async throws {
    try await TFE.run { tfe in
      await #expect(throws: (any Error).self) { try await TFE.run(in: tfe.folder) { _ in } }
    }
  }

  @Test func theDataIsPrivateToItsOwner() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let run = try await tfe.apply(workspace, Configuration.one)
      func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: tfe.folder + "/data" + path)
        return (attributes[.posixPermissions] as? Int ?? 0) & 0o777
      }
      let folderMode = try mode("")
      #expect(folderMode == 0o700)
      let state = try FileManager.default.contentsOfDirectory(atPath: tfe.folder + "/data/states")[0]
      for path in ["/journal", "/key", "/requests.jsonl", "/states/\(state)", "/runs/\(run.id)/plan"] {
        let mode = try mode(path)
        #expect(mode == 0o600, "\(path)")
      }
    }
  }
}

/// What one life of a sandbox hands to the next.
private actor Kept {
  private(set) var values: [String: String] = [:]
  func keep(_ values: [String: String]) { self.values = values }
}
