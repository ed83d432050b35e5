import HTTPTypes
import PorcCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StepTests {
  private let shell: Shell
  private let planning = Wire.Run(state: .planning, tfeRunID: "run-7")

  init() throws { shell = try Shell() }

  @Test func buildWaitsUntilTheRunIsBuilt() async throws {
    shell.accepts("build", Wire.Run(state: .building))
    shell.statuses(Wire.Run(state: .building), Wire.Run(state: .built))
    shell.summary(Wire.Run(state: .built))
    let ending = try await shell.pine("build", "--run-id", "porc-1")
    #expect(ending.status == 0)
    #expect(ending.output.isEmpty)
    #expect(ending.error == "building…\nbuilt\n")
  }

  @Test func aPlanShowsTerraformsOutputAndItsCounts() async throws {
    shell.accepts("plan", Wire.Run(state: .building))
    shell.statuses(Wire.Run(state: .building), Wire.Run(state: .planning), planning, .planned())
    shell.summary(.planned())
    shell.log("plan", "Terraform will perform:", "  + web")
    let ending = try await shell.pine("plan", "porc-1")
    #expect(ending.status == 0)
    #expect(ending.output == "Terraform will perform:\n  + web\n")
    #expect(
      ending.error == """
        building…
        planning…
        planned: 1 to add, 0 to change, 0 to destroy
        next: pine apply --run-id porc-1

        """)
    #expect(shell.body("POST /runs/porc-1/plan") == "{}")
  }

  @Test func onATerminalThereAreColours() async throws {
    shell.accepts("build", Wire.Run(state: .building))
    shell.statuses(Wire.Run(state: .built))
    shell.summary(Wire.Run(state: .built))
    let ending = try await shell.pine("build", "porc-1", isTerminal: true)
    #expect(ending.error.contains("\u{1B}[36mbuilding\u{1B}[0m…\n"))
    // The moving line is gone in the end.
    #expect(ending.error.hasSuffix("\u{1B}[36mbuilt\u{1B}[0m\n"))
  }

  @Test func aPlanThatIsThereAtOnceStillShowsItsOutput() async throws {
    shell.accepts("plan", .planned())
    shell.summary(.planned())
    shell.log("plan", "done")
    #expect(try await shell.pine("plan", "porc-1").output == "done\n")
  }

  @Test func withoutTerraformsOutputThePlanIsListed() async throws {
    shell.accepts("plan", .planned())
    shell.summary(.planned())
    let ending = try await shell.pine("plan", "porc-1")
    #expect(ending.status == 0)
    #expect(ending.output == "1 to add, 0 to change, 0 to destroy\n  + terraform_data.web\n")
    #expect(ending.error.contains("warning: Terraform's output cannot be shown"))
  }

  @Test(
    arguments: [(true, ["--detailed-exitcode"], 2), (false, ["--detailed-exitcode"], 0), (true, [], 0)]
      as [(Bool, [String], Int32)])
  func theDetailedExitCodeTellsOfChanges(changes: Bool, flags: [String], status: Int32) async throws {
    shell.accepts("plan", .planned(changes: changes))
    shell.summary(.planned(changes: changes))
    shell.log("plan", "x")
    let ending =
      flags.isEmpty
      ? try await shell.pine("plan", "porc-1") : try await shell.pine("plan", "porc-1", flags[0])
    #expect(ending.status == status)
  }

  @Test func jsonIsTheLastSummaryAndNothingElse() async throws {
    shell.accepts("plan", planning)
    shell.statuses(.planned())
    shell.summary(.planned())
    let ending = try await shell.pine("plan", "porc-1", "--json")
    #expect(ending.output == Wire.Run.planned().summary + "\n")
    #expect(!shell.porc.calls.contains("GET /runs/porc-1/logs"))
  }

  @Test func quietPrintsTheIdAlone() async throws {
    shell.accepts("plan", planning)
    shell.statuses(.planned())
    shell.summary(.planned())
    let ending = try await shell.pine("plan", "porc-1", "--quiet")
    #expect(ending.output == "porc-1\n")
    #expect(ending.error.isEmpty)
  }

  @Test func noWaitAsksAndLeaves() async throws {
    shell.accepts("plan", planning)
    let ending = try await shell.pine("plan", "porc-1", "--no-wait", "--supersede", "--quiet")
    #expect(ending.status == 0)
    #expect(ending.output == "porc-1\n")
    #expect(shell.porc.calls == ["POST /runs/porc-1/plan"])
    #expect(shell.body("POST /runs/porc-1/plan") == #"{"supersede":true}"#)
  }

  @Test func aFailedPlanShowsTerraformsOwnError() async throws {
    let failed = Wire.Run(
      state: .planFailed, tfeRunID: "run-7", next: ["plan"],
      error: #"{"summary":"Invalid value for variable","detail":"It must be\nthree.","address":"terraform_data.web"}"#)
    shell.accepts("plan", planning)
    shell.statuses(failed)
    shell.summary(failed)
    shell.log("plan", "boom")
    let ending = try await shell.pine("plan", "porc-1")
    #expect(ending.status == 1)
    #expect(ending.error.contains("error: The plan of porc-1 failed."))
    #expect(ending.error.contains("  Invalid value for variable (terraform_data.web)\n  It must be\n  three.\n"))
  }

  @Test func aPolicyThatWaitsForSomebodyIsARefusal() async throws {
    let waits = Wire.Run(
      state: .policyOverride, tfeRunID: "run-7", waitingFor: "somebody to override", next: ["override"])
    shell.accepts("plan", waits)
    shell.summary(waits)
    let ending = try await shell.pine("plan", "porc-1", "--quiet")
    #expect(ending.status == 5)
    #expect(ending.error.contains("pine override --run-id porc-1 --reason"))
  }

  @Test func aPlanWaitsForItsTurn() async throws {
    let waiting = Wire.Run(state: .built, waitingFor: "the run porc-0, which holds 'web-dev' and is planning")
    shell.accepts("plan", waiting)
    shell.statuses(waiting, planning, .planned())
    shell.summary(.planned())
    let ending = try await shell.pine("plan", "porc-1", "--json")
    #expect(ending.status == 0)
    #expect(ending.error.hasPrefix("built: waiting for the run porc-0, which holds 'web-dev' and is planning…\n"))
  }

  @Test func aPlanThatWasWithdrawnIsNotWaitedForForever() async throws {
    shell.accepts("plan", Wire.Run(state: .built, waitingFor: "the run porc-0"))
    shell.statuses(Wire.Run(state: .built))
    let ending = try await shell.pine("plan", "porc-1")
    #expect(ending.status == 5)
    #expect(ending.error.contains("withdrawn"))
  }

  // MARK: The portal

  @Test func aStepEndsWhenThePortalShowsIt() async throws {
    var behind = Wire.Run(state: .built)
    behind.isInSync = false
    shell.accepts("build", Wire.Run(state: .built))
    shell.porc.on("GET /run/porc-1/summary", .json(behind.summary), .json(behind.summary))
    shell.summary(Wire.Run(state: .built))
    let ending = try await shell.pine("build", "porc-1")
    #expect(ending.status == 0)
    #expect(ending.error == "built\n")
    #expect(shell.porc.calls.filter { $0 == "GET /run/porc-1/summary" }.count == 3)
  }

  @Test func aPortalThatStaysBehindIsAWarning() async throws {
    var behind = Wire.Run(state: .built)
    behind.isInSync = false
    behind.rejection = "no such property"
    shell.accepts("build", Wire.Run(state: .built))
    shell.summary(behind)
    let ending = try await shell.pine("build", "porc-1")
    #expect(ending.status == 0)
    #expect(ending.error.contains("warning: The portal is behind: it may not show 'built' yet."))
    #expect(ending.error.contains("It refused the entity: no such property"))
    #expect(shell.clock.slept.reduce(.zero, +) == .seconds(5))
  }

  // MARK: Applying

  @Test func anApplyNamesThePlanThatIsShown() async throws {
    let applied = Wire.Run(state: .applied, tfeRunID: "run-7", hasChanges: true)
    shell.porc.on("GET /run/porc-1/status", .json(Wire.Run.planned().status))
    shell.accepts("apply", Wire.Run(state: .applying, tfeRunID: "run-7", hasChanges: true))
    shell.statuses(applied)
    shell.summary(applied)
    shell.log("apply", "Apply complete!")
    let ending = try await shell.pine("apply", "porc-1", "--yes")
    #expect(ending.status == 0)
    #expect(ending.output == "Apply complete!\n")
    #expect(ending.error == "applying…\napplied\n")
    #expect(shell.body("POST /runs/porc-1/apply") == #"{"tfe_run_id":"run-7"}"#)
  }

  @Test func anApplyByAnOldPlansIdNamesThatPlan() async throws {
    var old = Wire.Run.planned()
    old.tfeRunID = "run-6"
    old.supersededBy = "run-7"
    shell.porc.on("GET /run/run-6/status", .json(old.status))
    shell.porc.on("POST /runs/porc-1/apply", Wire.problem(.planSuperseded, "The plan run-6 has been superseded."))
    let ending = try await shell.pine("apply", "run-6")
    #expect(ending.status == 5)
    #expect(shell.body("POST /runs/porc-1/apply") == #"{"tfe_run_id":"run-6"}"#)
  }

  @Test func anApplyThatEndsHalfWayFails() async throws {
    var failed = Wire.Run(state: .applyFailed, tfeRunID: "run-7", hasChanges: true, next: ["plan"])
    failed.isPartial = true
    shell.porc.on("GET /run/porc-1/status", .json(Wire.Run.planned().status))
    shell.accepts("apply", Wire.Run(state: .applying, tfeRunID: "run-7", hasChanges: true))
    shell.statuses(failed)
    shell.summary(failed)
    let ending = try await shell.pine("apply", "porc-1", "--quiet")
    #expect(ending.status == 1)
    #expect(ending.error.contains("applied only in part"))
  }

  // MARK: Decisions

  @Test func aDiscardWaitsForTFE() async throws {
    shell.porc.on("GET /run/porc-1/status", .json(Wire.Run.planned().status))
    var asked = Wire.Run.planned()
    asked.waitingFor = "TFE to discard the plan"
    shell.accepts("discard", asked)
    shell.statuses(Wire.Run(state: .discarded, tfeRunID: "run-7"))
    shell.summary(Wire.Run(state: .discarded, tfeRunID: "run-7"))
    let ending = try await shell.pine("discard", "porc-1")
    #expect(ending.status == 0)
    #expect(ending.error.hasSuffix("discarded\n"))
    #expect(shell.body("POST /runs/porc-1/discard") == #"{"tfe_run_id":"run-7"}"#)
  }

  @Test(arguments: [(RunState.canceled, 0), (.applied, 1), (.applyFailed, 1)] as [(RunState, Int32)])
  func aCancelEndsAsTheRunDid(state: RunState, status: Int32) async throws {
    shell.accepts("cancel", Wire.Run(state: .applying, tfeRunID: "run-7"))
    shell.statuses(Wire.Run(state: state))
    shell.summary(Wire.Run(state: state))
    #expect(try await shell.pine("cancel", "porc-1").status == status)
  }

  @Test func anOverrideSendsItsReason() async throws {
    let waits = Wire.Run(state: .policyOverride, tfeRunID: "run-7", waitingFor: "x", next: ["override"])
    shell.porc.on("GET /run/porc-1/status", .json(waits.status))
    var asked = Wire.Run(state: .policyOverride, tfeRunID: "run-7", waitingFor: "TFE", next: ["discard"])
    asked.wait = Wire.wait("override")
    shell.accepts("override", asked)
    shell.statuses(asked, .planned())
    shell.summary(.planned())
    let ending = try await shell.pine("override", "porc-1", "--reason", "agreed")
    #expect(ending.status == 0)
    #expect(shell.body("POST /runs/porc-1/override") == #"{"reason":"agreed","tfe_run_id":"run-7"}"#)
  }

  @Test func anOverrideThatTFEDoesNotTakeIsARefusalThatSaysWhy() async throws {
    var waits = Wire.Run(
      state: .policyOverride, tfeRunID: "run-7", waitingFor: "somebody to override it in TFE", next: ["discard"])
    waits.wait = Wire.wait("policy_override")
    var asked = Wire.Run(state: .policyOverride, tfeRunID: "run-7", waitingFor: "TFE", next: ["discard"])
    asked.wait = Wire.wait("override")
    shell.porc.on("GET /run/porc-1/status", .json(waits.status))
    shell.accepts("override", asked)
    shell.statuses(waits)
    shell.summary(waits)
    let ending = try await shell.pine("override", "porc-1", "--reason", "agreed")
    #expect(ending.status == 5)
    #expect(ending.error.contains("Terraform Enterprise did not take the override of porc-1."))
    #expect(ending.error.contains("The run waits for somebody to override it in TFE"))
  }

  @Test(
    arguments: [
      (Wire.Run(state: .applyFailed, isPartial: true), 0),
      (Wire.Run(state: .applying, tfeRunID: "run-7", waitingFor: "TFE", next: ["force-cancel"]), 5),
    ] as [(Wire.Run, Int32)])
  func aForcedCancelIsAskedForInSoManyWords(end: Wire.Run, status: Int32) async throws {
    shell.accepts("cancel", Wire.Run(state: .applying, tfeRunID: "run-7", waitingFor: "TFE"))
    shell.statuses(end)
    shell.summary(end)
    let ending = try await shell.pine("cancel", "porc-1", "--force")
    #expect(ending.status == status)
    #expect(shell.body("POST /runs/porc-1/cancel") == #"{"force":true}"#)
  }

  @Test func aPlansCostAndWhatDidNotPassAreShown() async throws {
    var run = Wire.Run.planned()
    run.cost = """
      {"status":"finished","delta_monthly_cost":"390.5","proposed_monthly_cost":"400.5","matched_resources":3,\
      "unmatched_resources":1}
      """
    run.policies = """
      {"passed":2,"failed":2,"failures":[{"name":"costs","policy_set":"finance","enforcement_level":"soft-mandatory",\
      "description":"At most 100 more\\nin a month.","overridden":true},\
      {"name":"tags","enforcement_level":"advisory","description":"","overridden":false}]}
      """
    run.tasks = """
      [{"name":"scan","stage":"post_plan","status":"failed","enforcement_level":"advisory","message":"2 findings",\
      "url":"https://scan.example/1"},{"name":"ok","stage":"post_plan","status":"passed","enforcement_level":"mandatory"}]
      """
    shell.summary(run)
    let ending = try await shell.pine("summary", "porc-1")
    #expect(
      ending.output.contains(
        """
          cost: +390.5 a month, 400.5 in all (1 without a price)
          policies: 2 passed, 2 failed
            finance/costs (soft-mandatory, overridden): At most 100 more in a month.
            tags (advisory)
          run task scan (advisory) failed: 2 findings https://scan.example/1

        """))
    #expect(!ending.output.contains("run task ok"))
  }

  @Test func anEstimateThatIsStillToComeIsNotShown() async throws {
    var run = Wire.Run.planned()
    run.cost = #"{"status":"pending","matched_resources":0,"unmatched_resources":0}"#
    shell.summary(run)
    let ending = try await shell.pine("summary", "porc-1")
    #expect(ending.status == 0 && !ending.output.contains("cost"))
  }

  @Test func anApprovalNamesThePlanThatIsShown() async throws {
    shell.porc.on("GET /run/porc-1/status", .json(Wire.Run.planned().status))
    shell.accepts("approve", .planned())
    let ending = try await shell.pine("approve", "porc-1", "--json")
    #expect(ending.output == Wire.Run.planned().status + "\n")
    #expect(shell.body("POST /runs/porc-1/approve") == #"{"tfe_run_id":"run-7"}"#)
  }
}
