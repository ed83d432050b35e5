import Foundation
import Processes
import Sandbox
import Testing

/// The real `terraform` with `backend "remote"`, the older way.
@Suite(.timeLimit(.minutes(3))) struct RemoteBackendTests {
  @Test func oneWorkspace() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(tfe, block: CLI.remoteBackend("name = \"demo\""))
      let x: Set = ["terraform_data.x"]
      try await terraform.check(
        tfe,
        [
          Row("init", says: ["has been successfully initialized!"]),
          Row("plan", says: ["1 to add"], runs: ["planned_and_finished"]),
          Row("apply", answer: "no", exit: 1, says: ["discarded"], runs: ["discarded"]),
          Row("apply -auto-approve", says: ["1 added"], runs: ["applied"], state: x),
          Row("plan -detailed-exitcode", says: ["No changes."], runs: ["planned_and_finished"]),
          Row("output -raw s", prints: "hidden-output"),
          Row("state list", prints: "terraform_data.x\n"),
          Row("destroy -auto-approve", says: ["1 destroyed"], runs: ["applied"], state: []),
        ])
    }
  }

  @Test func workspacesWithAPrefix() async throws {
    try await TFE.run { tfe in
      for name in ["app-dev", "other"] { _ = try await tfe.createWorkspace(name) }
      let terraform = try CLI(tfe, block: CLI.remoteBackend("prefix = \"app-\""))
      try await terraform.check(
        tfe, workspace: "app-prod",
        [
          Row("init", says: ["has been successfully initialized!"]),
          Row("workspace list", prints: "* dev\n\n"),
          Row("workspace new prod", says: ["Created and switched to workspace \"prod\"!"]),
          Row("apply -auto-approve", says: ["1 added"], runs: ["applied"], state: ["terraform_data.x"]),
          Row("workspace list", prints: "  dev\n* prod\n\n"),
          Row("workspace select dev", says: ["Switched to workspace \"dev\"."]),
          Row("state list", exit: 1, says: ["No state file was found"]),
          Row("workspace delete prod", exit: 1, says: ["prod"]),
        ])
      #expect(try await tfe.get("/organizations/acme/workspaces/app-prod").attributes["resource-count"] == 1)
    }
  }
}
