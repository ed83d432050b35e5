import Foundation
import Processes
import Sandbox
import Testing

/// What the real `terraform` with a `cloud` block says when things go wrong.
@Suite(.timeLimit(.minutes(3))) struct CloudTroubleTests {
  @Test func whoMayNotAndWhatIsNotThere() async throws {
    try await TFE.run { tfe in
      try await CLI(tfe, token: "wrong").check(tfe, [Row("init", exit: 1, says: ["unauthorized"])])
      let elsewhere = CLI.cloud("name = \"demo\"", organization: "nobody")
      try await CLI(tfe, block: elsewhere).check(
        tfe, [Row("init", exit: 1, says: ["organization \"nobody\" at host", "not found"])])
      #expect(try await tfe.get("/organizations/acme/workspaces/demo").status == 404)
    }
  }

  @Test func aConfigurationThatFails() async throws {
    try await TFE.run { tfe in
      let terraform = try CLI(tfe, ["main.tf": "output \"x\" {\n  value = file(\"missing.txt\")\n}\n"])
      try await terraform.check(
        tfe,
        [
          Row("init"),
          Row("plan", exit: 1, says: ["Invalid function argument", "missing.txt"], runs: ["errored"]),
        ])
      let failing = """
        resource "terraform_data" "made" {}
        resource "terraform_data" "fails" {
          depends_on = [terraform_data.made]
          provisioner "local-exec" {
            command = "echo no luck; exit 3"
          }
        }
        """
      try terraform.write(failing, to: "main.tf")
      try await terraform.check(
        tfe,
        [
          Row(
            "apply -auto-approve", exit: 1, says: ["local-exec provisioner error", "no luck"], runs: ["errored"],
            state: ["terraform_data.made", "terraform_data.fails"]),
          Row(
            "destroy -auto-approve", says: ["2 destroyed"], runs: ["applied"], state: []),
        ])
    }
  }

  @Test func aLockedWorkspace() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      try await tfe.apply(workspace, Configuration.one)
      let terraform = try CLI(tfe)
      try await terraform.check(tfe, [Row("init"), Row("force-unlock -force acme/demo", exit: 1, says: ["unlock"])])
      #expect(try await tfe.post("/workspaces/\(workspace)/actions/lock", ["reason": "mine"]).status == 200)
      try await terraform.check(
        tfe,
        [
          Row("state rm terraform_data.x", exit: 1, says: ["already locked"]),
          Row("plan", says: ["No changes."], runs: ["planned_and_finished"]),
          Row("force-unlock -force acme/demo", says: ["successfully unlocked"]),
          Row("state rm terraform_data.x", says: ["Successfully removed"], state: []),
        ])
    }
  }

  @Test func anApplyWaitsItsTurn() async throws {
    try await TFE.run(concurrency: 1) { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let terraform = try CLI(tfe)
      try await terraform.check(tfe, [Row("init")])
      let first = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one))
      try await tfe.wait(for: first, ["planned"])
      let before = tfe.sandbox.requests.last
      async let apply = terraform("apply", "-auto-approve")
      // The CLI looks how many runs are ahead of its own.
      while !tfe.sandbox.requests.records(after: before).contains(where: { $0.line.contains("\(workspace)/runs") }) {
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(try await tfe.post("/runs/\(first)/actions/discard").status == 202)
      let output = try await apply
      #expect(output.status.isSuccess, "\(output.text)")
      #expect(output.text.contains("Waiting for 1 run(s) to finish before being queued..."), "\(output.text)")
      #expect(output.text.contains("Apply complete! Resources: 1 added"))
    }
  }

  @Test func anInterruptedPlanIsCanceled() async throws {
    try await withTemporaryFolder { folder in
      let slow = try Script.write(
        "case $1 in plan) trap 'echo stopped; exit 1' INT; echo slow plan; while :; do sleep 0.05; done;; esac\n"
          + "exec terraform \"$@\"", in: folder)
      try await TFE.run(terraform: slow) { tfe in
        let terraform = try CLI(tfe)
        try await terraform.check(tfe, [Row("init")])
        let stop = StopSignal()
        async let apply = terraform("apply", "-auto-approve", stop: stop)
        var run = ""
        while run.isEmpty {
          try await Task.sleep(for: .milliseconds(20))
          run = try await tfe.newestRuns().first?.id ?? ""
        }
        try await tfe.waitForLog(run, "plan", "slow plan")
        stop.interrupt()
        try await tfe.wait(for: run, ["canceled"])
        let output = try await apply
        #expect(output.text.contains("successfully cancelled"), "\(output.text)")
      }
    }
  }
}
