import PorcCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct UpTests {
  private let shell: Shell
  private let applied = Wire.Run(state: .applied, tfeRunID: "run-7", hasChanges: true)

  init() throws {
    shell = try Shell()
    try shell.folder.write("kind: web\n", to: "web.yaml")
    shell.porc.on("POST /runs", .json(Wire.Run(state: .submitted).summary, status: 201))
    shell.accepts("build", Wire.Run(state: .built))
    shell.accepts("plan", .planned())
    shell.porc.on("GET /run/porc-1/summary", .json(Wire.Run(state: .built).summary), .json(Wire.Run.planned().summary))
    shell.log("plan", "the plan")
  }

  @Test func yesAppliesThePlanThatWasShown() async throws {
    shell.accepts("apply", applied)
    shell.summary(applied)
    let ending = try await shell.pine("up", "web.yaml", answers: ["y"])
    #expect(ending.status == 0)
    #expect(ending.output == "the plan\n")
    #expect(
      ending.error.contains(
        "submitted: porc-1\nbuilt\nplanned: 1 to add, 0 to change, 0 to destroy\nApply this plan? [y/N] "))
    #expect(ending.error.contains("applied\n"))
    #expect(shell.body("POST /runs/porc-1/apply") == #"{"tfe_run_id":"run-7"}"#)
  }

  @Test(arguments: [["n"], [""], []])
  func anythingElseDiscardsThePlanAndSaysSo(answers: [String]) async throws {
    let discarded = Wire.Run(state: .discarded, tfeRunID: "run-7")
    shell.accepts("discard", discarded)
    shell.summary(discarded)
    let ending = try await shell.pine("up", "web.yaml", answers: answers)
    #expect(ending.status == 1)
    #expect(ending.error.hasSuffix("Nothing was changed: the plan was discarded.\n"))
    #expect(shell.body("POST /runs/porc-1/discard") == #"{"tfe_run_id":"run-7"}"#)
    #expect(!shell.porc.calls.contains("POST /runs/porc-1/apply"))
  }

  @Test func withoutATerminalItRefusesAndNamesTheFlag() async throws {
    let ending = try await shell.pine("up", "web.yaml")
    #expect(ending.status == 64)
    #expect(ending.error.contains("--yes"))
    #expect(shell.porc.calls.isEmpty)
  }

  @Test func yesAsAFlagAsksNothing() async throws {
    shell.accepts("apply", applied)
    shell.summary(applied)
    let ending = try await shell.pine("up", "web.yaml", "--yes", "--json")
    #expect(ending.status == 0)
    #expect(ending.output == applied.summary + "\n")
    #expect(!ending.error.contains("[y/N]"))
  }

  @Test func aPlanThatNeedsAnApprovalIsLeftForIt() async throws {
    var waits = Wire.Run.planned(next: ["plan", "approve", "discard"])
    waits.waitingFor = "approval by somebody with the scope approve"
    let other = try Shell()
    try other.folder.write("kind: web\n", to: "web.yaml")
    other.porc.on("POST /runs", .json(Wire.Run(state: .submitted).summary, status: 201))
    other.accepts("build", Wire.Run(state: .built))
    other.accepts("plan", waits)
    other.summary(waits)
    other.log("plan", "x")
    let ending = try await other.pine("up", "web.yaml", "--yes")
    #expect(ending.status == 5)
    #expect(ending.error.contains("approval by somebody with the scope approve"))
    #expect(ending.error.contains("pine apply --run-id porc-1"))
    #expect(!other.porc.calls.contains("POST /runs/porc-1/apply"))
  }

  @Test func noWaitWithYesHandsTheApplyToPorc() async throws {
    let ending = try await shell.pine("up", "web.yaml", "--yes", "--no-wait", "--quiet")
    #expect(ending.output == "porc-1\n")
    #expect(shell.porc.calls == ["POST /runs", "POST /runs/porc-1/plan"])
    #expect(shell.body("POST /runs/porc-1/plan") == #"{"apply":true}"#)
  }
}

@Suite(.timeLimit(.minutes(1)))
struct DestroyTests {
  private let shell: Shell
  private let instance = #"""
    {"identifier":"web-dev","template":"web-1-0-0","terraform_status":"applied","waiting":[],"portal":{"in_sync":true},
     "deployed":{"blueprint":"web-1-0-0","run_id":"porc-0","at":"2026-11-23T09:20:00.000Z","outputs":{}},"current_run":
    """# + Wire.Run(state: .applied).status + "}"
  private var planned: Wire.Run {
    var run = Wire.Run.planned()
    run.operation = "destroy"
    return run
  }

  init() throws { shell = try Shell() }

  private func script() {
    shell.porc.on("GET /instances/web-dev", .json(instance))
    shell.porc.on(
      "POST /instances/web-dev/destroy",
      .json(Wire.Run(state: .planning, tfeRunID: "run-7", operation: "destroy").summary, status: 201))
    shell.statuses(planned)
    shell.porc.on("GET /run/porc-1/summary", .json(planned.summary))
    shell.log("plan", "- web")
  }

  @Test func itAsksTwiceAndDestroys() async throws {
    script()
    let applied = Wire.Run(state: .applied, tfeRunID: "run-7", hasChanges: true, operation: "destroy")
    shell.accepts("apply", applied)
    shell.summary(applied)
    let ending = try await shell.pine("destroy", "web-dev", answers: ["yes", "yes"])
    #expect(ending.status == 0)
    #expect(ending.error.contains("Plan the removal of 'web-dev' (web-1-0-0, deployed 1 h ago)? [y/N] "))
    #expect(ending.error.contains("Destroy 'web-dev' by this plan? [y/N] "))
    #expect(ending.error.contains("destroyed\n"))
    #expect(ending.output == "- web\n")
  }

  @Test func theFirstNoDoesNothing() async throws {
    script()
    let ending = try await shell.pine("destroy", "web-dev", answers: ["no"])
    #expect(ending.status == 1)
    #expect(shell.porc.calls == ["GET /instances/web-dev"])
  }

  @Test func theSecondNoDiscards() async throws {
    script()
    shell.accepts("discard", Wire.Run(state: .discarded, operation: "destroy"))
    shell.summary(Wire.Run(state: .discarded, operation: "destroy"))
    let ending = try await shell.pine("destroy", "web-dev", answers: ["y", "n"])
    #expect(ending.status == 1)
    #expect(ending.error.hasSuffix("the plan was discarded.\n"))
  }

  @Test func withoutATerminalItRefusesAndNamesTheFlag() async throws {
    let ending = try await shell.pine("destroy", "web-dev")
    #expect(ending.status == 64)
    #expect(ending.error.contains("--yes"))
    #expect(shell.porc.calls.isEmpty)
  }

  @Test func anUnknownInstanceIsNotFound() async throws {
    shell.porc.on("GET /instances/nope", Wire.problem(.notFound))
    #expect(try await shell.pine("destroy", "nope", answers: ["y"]).status == 4)
  }
}
