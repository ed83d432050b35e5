import Foundation
import Processes
import Sandbox
import Testing

/// What the real CLI does in `cloud` mode and with `backend "remote"`, end to end.
@Suite(.timeLimit(.minutes(3))) struct CLITests {
  @Test func theWholeLifeOfAWorkspace() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(tfe, in: tfe.folder)
      let made = try await terraform("init", "-input=false")
      #expect(made.status.isSuccess, "\(made.text)")
      #expect(tfe.sandbox.requests.records().contains { $0.line == "POST /api/v2/organizations/acme/workspaces" })
      let before = tfe.sandbox.requests.last
      #expect(try await terraform("init", "-input=false").status.isSuccess)
      #expect(!tfe.sandbox.requests.records(after: before).contains { $0.method == "POST" })
      let workspace = try await tfe.get("/organizations/acme/workspaces/demo").id

      let plan = try await terraform("plan", "-input=false", "-detailed-exitcode")
      #expect(plan.status == .exited(2), "\(plan.text)")
      #expect(plan.text.contains("# terraform_data.x will be created"))
      #expect(plan.text.contains("+ s = (sensitive value)"))
      let runs = try await tfe.get("/workspaces/\(workspace)/runs?filter[operation]=plan_only").data
      #expect(runs[0]["attributes"]["plan-only"] == true)
      #expect(runs[0]["attributes"]["status"] == "planned_and_finished")

      let apply = try await terraform("apply", "-input=false", "-auto-approve")
      #expect(apply.status.isSuccess, "\(apply.text)")
      #expect(apply.text.contains("terraform_data.x: Creating..."))
      #expect(apply.text.contains("Apply complete! Resources: 1 added, 0 changed, 0 destroyed."))
      #expect(apply.text.contains("o = \"a\"") && apply.text.contains("s = (sensitive value)"), "\(apply.text)")
      let again = try await terraform("apply", "-input=false", "-auto-approve")
      #expect(again.status.isSuccess && again.text.contains("No changes."), "\(again.text)")
      #expect(try await terraform("plan", "-input=false", "-detailed-exitcode").status == .exited(0))

      #expect(try await terraform("output", "-raw", "s").text == "hidden-output")
      let outputs = try await terraform("output", "-json").text
      #expect(outputs.contains("hidden-output") && outputs.contains("\"a\""))
      #expect(try await terraform("output", "o").text == "\"a\"\n")
      #expect(try await terraform("state", "list").text == "terraform_data.x\n")
      #expect(try await terraform("state", "pull").text.contains("\"lineage\""))
      #expect(try await terraform("show").text.contains("# terraform_data.x:"))

      let destroy = try await terraform("destroy", "-input=false", "-auto-approve")
      #expect(destroy.status.isSuccess, "\(destroy.text)")
      #expect(destroy.text.contains("Resources: 0 added, 0 changed, 1 destroyed."))
      #expect(try await tfe.get("/workspaces/\(workspace)").attributes["resource-count"] == 0)
    }
  }

  @Test func anApplyAsksAndIsDiscardedOrConfirmed() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(tfe, in: tfe.folder)
      _ = try await terraform("init", "-input=false")
      let no = try await terraform("apply", answer: "no")
      #expect(no.status == .exited(1) && no.text.contains("discarded"), "\(no.text)")
      let discarded = try await tfe.get("/organizations/acme/runs?page[size]=1").data[0]
      #expect(discarded["attributes"]["status"] == "discarded")
      let yes = try await terraform("apply", answer: "yes")
      #expect(yes.status.isSuccess && yes.text.contains("Apply complete! Resources: 1 added"), "\(yes.text)")
    }
  }

  @Test func aSavedPlanIsShownAndAppliedOnce() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(tfe, in: tfe.folder)
      _ = try await terraform("init", "-input=false")
      let plan = try await terraform("plan", "-input=false", "-out=saved.tfplan")
      #expect(plan.status.isSuccess, "\(plan.text)")
      let show = try await terraform("show", "saved.tfplan")
      #expect(show.status.isSuccess && show.text.contains("terraform_data.x will be created"), "\(show.text)")
      let apply = try await terraform("apply", "-input=false", "saved.tfplan")
      #expect(apply.status.isSuccess && apply.text.contains("Apply complete!"), "\(apply.text)")
      let again = try await terraform("apply", "-input=false", "saved.tfplan")
      #expect(again.status == .exited(1) && again.text.contains("already"), "\(again.text)")
    }
  }

  @Test func optionsOfAPlanArriveAtTerraform() async throws {
    try await TFE.run { tfe in
      var files = Configuration.one
      files["other.tf"] = "resource \"terraform_data\" \"other\" {}\n"
      let terraform = try CLI(tfe, in: tfe.folder, files)
      _ = try await terraform("init", "-input=false")
      let targeted = try await terraform(
        "apply", "-input=false", "-auto-approve", "-var", "a=two \"quoted\" ${x}", "-target=terraform_data.x")
      #expect(targeted.status.isSuccess && targeted.text.contains("Resources: 1 added"), "\(targeted.text)")
      let rest = try await terraform("apply", "-input=false", "-auto-approve", "-var", "a=two \"quoted\" ${x}")
      #expect(rest.text.contains("Resources: 1 added, 0 changed, 0 destroyed"), "\(rest.text)")
      #expect(try await terraform("output", "-raw", "o").text == "two \"quoted\" ${x}")
      let replaced = try await terraform("plan", "-input=false", "-replace=terraform_data.other", "-var", "a=b")
      #expect(replaced.text.contains("will be replaced, as requested"), "\(replaced.text)")
      let refresh = try await terraform("plan", "-input=false", "-refresh-only")
      #expect(refresh.status.isSuccess && refresh.text.contains("No changes"), "\(refresh.text)")
    }
  }

  @Test func aFailureIsShown() async throws {
    try await TFE.run { tfe in
      let files = ["main.tf": "output \"x\" {\n  value = file(\"missing.txt\")\n}\n"]
      let terraform = try CLI(tfe, in: tfe.folder, files)
      _ = try await terraform("init", "-input=false")
      let plan = try await terraform("plan", "-input=false")
      #expect(plan.status == .exited(1) && plan.text.contains("Invalid function argument"), "\(plan.text)")
    }
  }

  @Test func anInterruptedPlanIsCanceled() async throws {
    try await withTemporaryFolder { folder in
      let slow = try Script.write(
        "case $1 in plan) trap 'echo stopped; exit 1' INT; echo slow plan; while :; do sleep 0.05; done;; esac\n"
          + "exec terraform \"$@\"", in: folder)
      try await TFE.run(terraform: slow) { tfe in
        let terraform = try CLI(tfe, in: tfe.folder)
        _ = try await terraform("init", "-input=false")
        let stop = StopSignal()
        async let apply = terraform("apply", "-input=false", "-auto-approve", stop: stop)
        var run = ""
        while run.isEmpty {
          try await Task.sleep(for: .milliseconds(20))
          run = try await tfe.get("/organizations/acme/runs").data[0]["id"].string ?? ""
        }
        try await tfe.waitForLog(run, "plan", "slow plan")
        stop.interrupt()
        try await tfe.wait(for: run, ["canceled"])
        let output = try await apply
        #expect(output.text.contains("successfully cancelled"), "\(output.text)")
      }
    }
  }

  @Test func localRunsKeepTheirStateHere() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo", ["execution-mode": "local"])
      let terraform = try CLI(tfe, in: tfe.folder)
      let made = try await terraform("init", "-input=false")
      #expect(made.status.isSuccess, "\(made.text)")
      #expect(try await terraform("plan", "-input=false").status.isSuccess)
      let apply = try await terraform("apply", "-input=false", "-auto-approve")
      #expect(apply.status.isSuccess && apply.text.contains("1 added"), "\(apply.text)")
      let state = try await tfe.get("/workspaces/\(workspace)/current-state-version?include=outputs")
      #expect(state.attributes["hosted-json-state-download-url"].string != nil)
      #expect(state.json["included"].array?.count == 2)

      #expect(try await tfe.post("/workspaces/\(workspace)/actions/lock").status == 200)
      let locked = try await terraform("apply", "-input=false", "-auto-approve", "-replace=terraform_data.x")
      #expect(locked.status == .exited(1) && locked.text.contains("lock"), "\(locked.text)")
      let forced = try await terraform("force-unlock", "-force", "acme/demo")
      #expect(forced.status.isSuccess, "\(forced.text)")

      #expect(try await terraform("state", "rm", "terraform_data.x").status.isSuccess)
      let current = try await tfe.get("/workspaces/\(workspace)/current-state-version")
      #expect(current.attributes["serial"].int == state.attributes["serial"].int.map { $0 + 1 })
      #expect(try await terraform("destroy", "-input=false", "-auto-approve").status.isSuccess)
      #expect(try await tfe.get("/workspaces/\(workspace)").attributes["locked"] == false)
    }
  }

  @Test func theOlderRemoteBackendWorksToo() async throws {
    try await TFE.run { tfe in
      let block = """
        backend "remote" {
          hostname     = "localhost:PORT"
          organization = "acme"
          workspaces {
            name = "demo"
          }
        }
        """
      let terraform = try CLI(tfe, in: tfe.folder, block: block)
      let made = try await terraform("init", "-input=false")
      #expect(made.status.isSuccess, "\(made.text)")
      let apply = try await terraform("apply", "-input=false", "-auto-approve")
      #expect(apply.status.isSuccess, "\(apply.text)")
      let workspace = try await tfe.get("/organizations/acme/workspaces/demo")
      #expect(workspace.attributes["resource-count"] == 1)
    }
  }

  @Test func aWrongTokenAndAnUnknownOrganizationAreSaidSo() async throws {
    try await TFE.run { tfe in
      let wrong = try await CLI(tfe, in: tfe.folder, token: "wrong")("init", "-input=false")
      #expect(wrong.status == .exited(1) && wrong.text.contains("unauthorized"), "\(wrong.text)")
      let unknown = try await CLI(tfe, in: tfe.folder, organization: "nobody")("init", "-input=false")
      #expect(unknown.status == .exited(1) && unknown.text.contains("not found"), "\(unknown.text)")
    }
  }

  @Test func manyOutputsAndTagsAreAllThere() async throws {
    try await TFE.run { tfe in
      let outputs = (0..<25).map { "output \"o\($0)\" {\n  value = \($0)\n}\n" }.joined()
      let block = """
        cloud {
          hostname     = "localhost:PORT"
          organization = "acme"
          workspaces {
            tags = {
              team = "x"
              env  = "dev"
            }
          }
        }
        """
      let workspace = try await tfe.post(
        "/organizations/acme/workspaces",
        [
          "data": [
            "attributes": ["name": "demo"],
            "relationships": [
              "tag-bindings": [
                "data": [
                  ["attributes": ["key": "team", "value": "x"]], ["attributes": ["key": "env", "value": "dev"]],
                ]
              ]
            ],
          ]
        ])
      #expect(workspace.status == 201)
      let terraform = try CLI(tfe, in: tfe.folder, ["main.tf": outputs], block: block)
      let made = try await terraform("init", "-input=false")
      #expect(made.status.isSuccess, "\(made.text)")
      try await tfe.apply(workspace.id, ["main.tf": outputs])
      let shown = try await terraform("output", "-json")
      for index in 0..<25 { #expect(shown.text.contains("\"o\(index)\""), "\(index)") }
    }
  }
}
