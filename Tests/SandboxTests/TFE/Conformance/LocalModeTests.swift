import Foundation
import Processes
import Sandbox
import Testing

/// The real `terraform` in a workspace of local execution mode: it runs by itself, and the sandbox keeps its state.
@Suite(.timeLimit(.minutes(3))) struct LocalModeTests {
  @Test func commandsThatChangeTheState() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo", ["execution-mode": "local"])
      let files = Configuration.one.merging(
        ["adopted.tf": "resource \"terraform_data\" \"adopted\" {\n  count = 0\n}\n"]) { $1 }
      let terraform = try CLI(tfe, files)
      let x: Set = ["terraform_data.x"]
      try await terraform.check(
        tfe,
        [
          Row("init", says: ["has been successfully initialized!"]),
          Row("plan -detailed-exitcode", exit: 2, says: ["1 to add"]),
          Row("apply", answer: "no", exit: 1, says: ["Apply cancelled."]),
          Row("apply -auto-approve", says: ["1 added", "o = \"a\""], state: x),
          Row("plan -detailed-exitcode", says: ["No changes."]),
        ])
      let first = try #require(try await tfe.stateVersion("demo"))
      let state = try await tfe.get("/workspaces/\(workspace)/current-state-version?include=outputs")
      #expect(state.attributes["hosted-json-state-download-url"].string != nil)
      #expect(state.json["included"].array?.count == 2)

      try await terraform.check(
        tfe,
        [
          Row("state mv terraform_data.x terraform_data.y", says: ["Successfully moved"], state: ["terraform_data.y"]),
          Row("state mv terraform_data.y terraform_data.x", state: x),
        ])
      #expect(try await tfe.stateVersion("demo")?.serial == first.serial + 2)
      try terraform.write("resource \"terraform_data\" \"adopted\" {}\n", to: "adopted.tf")
      try await terraform.check(
        tfe,
        [
          Row(
            "import terraform_data.adopted id-1", says: ["Import successful!"],
            state: x.union(["terraform_data.adopted"])),
          Row("state rm terraform_data.adopted", says: ["Successfully removed 1"], state: x),
          Row("plan -lock=false", says: ["1 to add"]),
          Row("output -raw s", prints: "hidden-output"),
          Row("destroy -auto-approve", says: ["1 destroyed"], state: []),
        ])
      #expect(try await tfe.stateVersion("demo")?.serial == first.serial + 5)
      #expect(try await tfe.get("/workspaces/\(workspace)").attributes["locked"] == false)
    }
  }

  @Test func aLockKeepsOthersOut() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo", ["execution-mode": "local"])
      let files = [
        "main.tf": """
        resource "terraform_data" "slow" {
          provisioner "local-exec" {
            command = "touch begun; while [ ! -e go-on ]; do sleep 0.05; done"
          }
        }
        """
      ]
      let terraform = try CLI(tfe, files)
      try await terraform.check(tfe, [Row("init")])
      async let slow = terraform("apply", "-auto-approve")
      while (try? terraform.read("begun")) == nil { try await Task.sleep(for: .milliseconds(20)) }
      let locked = try await tfe.get("/workspaces/\(workspace)")
      #expect(locked.attributes["locked"] == true && locked.attributes["locked-reason"] == "Locked by Terraform")
      try await terraform.check(
        tfe,
        [
          Row("apply -auto-approve", exit: 1, says: ["Error acquiring the state lock", "workspace already locked"]),
          Row("state pull", says: ["\"resources\": []"]),
        ])
      try terraform.write("", to: "go-on")
      let output = try await slow
      #expect(output.status.isSuccess && output.text.contains("1 added"), "\(output.text)")

      #expect(try await tfe.post("/workspaces/\(workspace)/actions/lock").status == 200)
      try await terraform.check(
        tfe,
        [
          Row("destroy -auto-approve", exit: 1, says: ["workspace already locked"]),
          Row("force-unlock -force acme/demo", says: ["successfully unlocked"]),
          Row("destroy -auto-approve", says: ["1 destroyed"], state: []),
        ])
      #expect(try await tfe.newestRuns().isEmpty)
    }
  }
}
