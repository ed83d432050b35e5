import Foundation
import Processes
import Sandbox
import Testing

/// The real `terraform` with a `cloud` block, its runs executed by the sandbox.
@Suite(.timeLimit(.minutes(3))) struct CloudTests {
  private static let two = Configuration.one.merging(
    ["other.tf": "resource \"terraform_data\" \"other\" {}\n"]) { $1 }

  @Test func initPlanAndApply() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(tfe, Self.two)
      try await terraform.check(tfe, [Row("init", says: ["has been successfully initialized!"])])
      #expect(tfe.sandbox.requests.records().contains { $0.line == "POST /api/v2/organizations/acme/workspaces" })
      let present = tfe.sandbox.requests.last
      try await terraform.check(tfe, [Row("init", says: ["has been successfully initialized!"])])
      #expect(!tfe.sandbox.requests.records(after: present).contains { $0.method == "POST" })

      let both: Set = ["terraform_data.x", "terraform_data.other"]
      try await terraform.check(
        tfe,
        [
          Row(
            "plan -detailed-exitcode", exit: 2,
            says: ["# terraform_data.x will be created", "+ s = (sensitive value)", "Plan: 2 to add"],
            hides: ["hidden-output"], runs: ["planned_and_finished"]),
          Row("apply", answer: "no", exit: 1, says: ["Apply discarded"], runs: ["discarded"]),
          Row(
            "apply", answer: "yes",
            says: ["Creating...", "Apply complete! Resources: 2 added", "o = \"a\"", "s = (sensitive value)"],
            hides: ["hidden-output"], runs: ["applied"], state: both),
          Row("plan -detailed-exitcode", says: ["No changes."], runs: ["planned_and_finished"]),
          Row("apply -auto-approve", says: ["No changes."], runs: ["planned_and_finished"]),
          Row("refresh", says: ["No changes."], runs: ["planned_and_finished"]),
          Row(
            "apply -auto-approve -var", "a=two \"quoted\" ${x}", says: ["0 added, 1 changed, 0 destroyed"],
            runs: ["applied"], state: both),
          Row("output -raw o", prints: "two \"quoted\" ${x}"),
        ])
      #expect(try await tfe.get("/organizations/acme/workspaces/demo").attributes["locked"] == false)
    }
  }

  @Test func optionsOfAPlan() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      try await tfe.apply(workspace, Self.two)
      let terraform = try CLI(tfe, Self.two)
      let one = ["planned_and_finished"]
      try await terraform.check(
        tfe,
        [
          Row("init"),
          Row("plan -var a=b", says: ["~ input  = \"a\" -> \"b\"", "0 to add, 1 to change"], runs: one),
          Row("plan -var a=b -target=terraform_data.other", says: ["No changes."], runs: one),
          Row("plan -replace=terraform_data.other", says: ["will be replaced, as requested", "1 to add"], runs: one),
          Row("plan -refresh-only", says: ["No changes."], runs: one),
          Row("plan -refresh=false -detailed-exitcode", says: ["No changes."], runs: one),
          Row("plan -destroy", says: ["# terraform_data.x will be destroyed", "2 to destroy"], runs: one),
          Row("plan -out=saved.tfplan -var a=b", says: ["1 to change"], runs: ["planned_and_saved"]),
          Row("show saved.tfplan", says: ["# terraform_data.x will be updated in-place"]),
          Row("show -json saved.tfplan", says: ["\"resource_changes\":"]),
          Row(
            "apply saved.tfplan", says: ["Apply complete! Resources: 0 added, 1 changed"],
            state: ["terraform_data.x", "terraform_data.other"]),
          Row("apply saved.tfplan", exit: 1, says: ["already"]),
          Row("destroy", answer: "no", exit: 1, says: ["discarded"], runs: ["discarded"]),
          Row(
            "destroy -auto-approve", says: ["Resources: 0 added, 0 changed, 2 destroyed."], runs: ["applied"],
            state: []),
        ])
      #expect(try await tfe.newestRuns().contains { $0.status == "applied" })
      #expect(try await tfe.get("/workspaces/\(workspace)").attributes["resource-count"] == 0)
    }
  }

  @Test func outputsAndState() async throws {
    try await TFE.run { tfe in
      let outputs = (0..<24).map { "output \"o\($0)\" {\n  value = \($0)\n}\n" }.joined()
      let files = [
        "main.tf": """
        resource "terraform_data" "x" {
          input = { name = "n", list = [1, true, null] }
        }
        resource "terraform_data" "adopted" {
          count = var.adopts ? 1 : 0
        }
        variable "adopts" {
          default = false
        }
        output "object" {
          value = terraform_data.x.output
        }
        output "secret" {
          value     = "s3cr3t"
          sensitive = true
        }
        \(outputs)
        """
      ]
      let workspace = try await tfe.createWorkspace("demo")
      try await tfe.apply(workspace, files)
      let terraform = try CLI(tfe, files)
      let x: Set = ["terraform_data.x"]
      try await terraform.check(
        tfe,
        [
          Row("init"),
          Row("output", says: ["o0 = 0", "o23 = 23", "object = {", "secret = <sensitive>"], hides: ["s3cr3t"]),
          Row("output o7", prints: "7\n"),
          Row("output -raw secret", prints: "s3cr3t"),
          Row("output -json object", prints: "{\"list\":[1,true,null],\"name\":\"n\"}\n"),
          Row("output -json", says: (0..<24).map { "\"o\($0)\": {" } + ["\"value\": \"s3cr3t\""]),
          Row("output nothing", exit: 1, says: ["Output \"nothing\" not found"]),
          Row("state list", prints: "terraform_data.x\n"),
          Row("state show -no-color terraform_data.x", says: ["# terraform_data.x:", "\"n\""]),
          Row("show", says: ["# terraform_data.x:"], hides: ["s3cr3t"]),
          Row("show -json", says: ["\"terraform_version\"", "\"s3cr3t\""]),
          Row("console", answer: "terraform_data.x.output.name", prints: "\"n\"\n"),
        ])

      // A state of the user's own: pulled, given the next serial, and pushed.
      let pulled = try await terraform("state", "pull")
      #expect(pulled.status.isSuccess)
      var state = try JSONValue(parsing: pulled.text.utf8)
      let serial = try #require(state["serial"].int)
      state["serial"] = .init(serial + 1)
      try terraform.write(String(decoding: state.bytes, as: UTF8.self), to: "pushed.tfstate")
      state["lineage"] = "another"
      try terraform.write(String(decoding: state.bytes, as: UTF8.self), to: "foreign.tfstate")
      try await terraform.check(
        tfe,
        [
          Row("state push pushed.tfstate", state: x),
          Row("state push foreign.tfstate", exit: 1, says: ["lineage"]),
        ])
      #expect(try await tfe.stateVersion("demo")?.serial ?? 0 > serial)

      try await terraform.check(
        tfe,
        [
          Row("state mv terraform_data.x terraform_data.y", says: ["Successfully moved"], state: ["terraform_data.y"]),
          Row("state mv terraform_data.y terraform_data.x", says: ["Successfully moved"], state: x),
          Row("taint terraform_data.x", says: ["marked as tainted"], state: x),
          Row("untaint terraform_data.x", says: ["successfully untainted"], state: x),
          Row(
            "import -var adopts=true terraform_data.adopted[0] id-1", says: ["Import successful!"],
            state: x.union(["terraform_data.adopted"])),
          Row("state rm terraform_data.adopted", says: ["Successfully removed 1"], state: x),
        ])
      #expect(try await tfe.get("/workspaces/\(workspace)").attributes["locked"] == false)
    }
  }

  @Test func importBlocks() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(
        tfe,
        [
          "main.tf": """
          import {
            to = terraform_data.adopted
            id = "some-id"
          }
          resource "terraform_data" "adopted" {
            input = "kept"
          }
          """
        ])
      try await terraform.check(
        tfe,
        [
          Row("init"),
          Row("plan", says: ["(imported from \"some-id\")", "Plan: 1 to import"], runs: ["planned_and_finished"]),
          Row(
            "apply -auto-approve", says: ["Apply complete! Resources: 1 imported"], runs: ["applied"],
            state: ["terraform_data.adopted"]),
          Row("plan -detailed-exitcode", says: ["No changes."], runs: ["planned_and_finished"]),
        ])
      try terraform.write("import {\n  to = terraform_data.made\n  id = \"other\"\n}\n", to: "more.tf")
      try await terraform.check(
        tfe,
        [
          Row(
            "plan -generate-config-out=generated.tf", says: ["Plan: 1 to import"], runs: ["planned_and_finished"])
        ])
      #expect(try terraform.read("generated.tf").contains("resource \"terraform_data\" \"made\""))
      try await terraform.check(
        tfe,
        [
          Row(
            "apply -auto-approve", says: ["1 imported"], runs: ["applied"],
            state: ["terraform_data.adopted", "terraform_data.made"])
        ])
    }
  }

  @Test func workspacesByTags() async throws {
    try await TFE.run { tfe in
      for (name, team) in [("red", "x"), ("blue", "x"), ("green", "y")] {
        let made = try await tfe.post(
          "/organizations/acme/workspaces",
          [
            "data": [
              "attributes": ["name": .string(name)],
              "relationships": [
                "tag-bindings": ["data": [["attributes": ["key": "team", "value": .string(team)]]]]
              ],
            ]
          ])
        #expect(made.status == 201)
      }
      let terraform = try CLI(tfe, block: CLI.cloud("tags = { team = \"x\" }"))
      try await terraform.check(
        tfe, workspace: "red",
        [
          Row("init", answer: "2", says: ["1. blue", "2. red", "has been successfully initialized!"]),
          Row("workspace list", prints: "  blue\n* red\n\n"),
          Row("workspace show", prints: "red\n"),
          Row("apply -auto-approve", says: ["1 added"], runs: ["applied"], state: ["terraform_data.x"]),
          Row("workspace select blue", says: ["Switched to workspace \"blue\"."]),
          Row("workspace select green", exit: 1, says: ["doesn't exist"]),
          Row("workspace new yellow", says: ["Created and switched to workspace \"yellow\"!"]),
          Row("workspace new yellow", exit: 1, says: ["already exists"]),
          Row("workspace list", prints: "  blue\n  red\n* yellow\n\n"),
          Row("plan", says: ["1 to add"], runs: ["planned_and_finished"]),
          Row("workspace delete yellow", exit: 1, says: ["is your active workspace"]),
          Row("workspace select blue"),
          Row("workspace delete yellow", says: ["Deleted workspace \"yellow\"!"]),
          Row("workspace delete red", exit: 1, says: ["Workspace is not empty"]),
        ])
      let forced = try await terraform("workspace", "delete", "-force", "red")
      #expect(forced.text.contains("Deleted workspace \"red\"!"), "\(forced.text)")
      for name in ["yellow", "red"] {
        #expect(try await tfe.get("/organizations/acme/workspaces/\(name)").status == 404)
      }
    }
  }

  @Test func workspacesOfAProjectAndFlatTags() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(
        tfe, block: CLI.cloud("tags = [\"porc\", \"dev\"]\nproject = \"Team A\""))
      try await terraform.check(
        tfe, workspace: "fresh",
        [
          Row("init", answer: "fresh", says: ["has been successfully initialized!"]),
          Row("workspace list", prints: "* fresh\n\n"),
          Row("apply -auto-approve", says: ["1 added"], runs: ["applied"], state: ["terraform_data.x"]),
        ])
      let made = try await tfe.get("/organizations/acme/workspaces/fresh?include=project")
      #expect(made.json["included"][0]["attributes"]["name"] == "Team A")
      let tags = try await tfe.get("/workspaces/\(made.id)/tag-bindings").data.array ?? []
      #expect(Set(tags.map { $0["attributes"]["key"].string }) == ["porc", "dev"])
    }
  }
}
