import HTTPTypes
import PorcCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct LookingTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  @Test func statusIsAPage() async throws {
    shell.porc.on("GET /run/run-7/status", .json(Wire.Run.planned().status))
    let ending = try await shell.pine("status", "--run-id", "run-7")
    #expect(
      ending.output == """
        run        porc-1
        instance   web-dev
        state      planned
        plan       run-7, with changes
        waits for  somebody to apply or discard the plan
        updated    2 min ago
        next       pine plan --run-id porc-1
                   pine apply --run-id porc-1
                   pine discard --run-id porc-1

        """)
  }

  @Test func summaryIsAPageWithNothingSecret() async throws {
    var run = Wire.Run.planned()
    run.extra["outputs"] =
      #"{"url":{"value":"https://web.example","sensitive":false},"key":{"value":null,"sensitive":true}}"#
    shell.summary(run)
    let ending = try await shell.pine("summary", "porc-1")
    #expect(
      ending.output == """
        run          porc-1
        instance     web-dev (Web)
        state        planned, 2 min ago
        waits for    somebody to apply or discard the plan
        template     web 1.0.0 (0123456789ab)
        environment  dev
        owner        platform
        region       us-west1
        workspace    porc-web-dev (ws-1)
        in TFE       https://tfe.example/app/o/workspaces/porc-web-dev/runs/run-7
        portal       in sync

        Plan
          1 to add, 0 to change, 0 to destroy
            + terraform_data.web

        Inputs
          password  (sensitive)
          region    us-west1
          size      3

        Outputs
          key  (sensitive)
          url  https://web.example

        Next
          pine plan --run-id porc-1
          pine apply --run-id porc-1
          pine discard --run-id porc-1

        """)
  }

  @Test func nothingFromPorcDrivesTheTerminal() async throws {
    var run = Wire.Run.planned()
    run.waitingFor = "\u{1B}]0;owned\u{7}"
    run.extra["region"] = Wire.quote("us\u{1B}[2J")
    shell.summary(run)
    let ending = try await shell.pine("summary", "porc-1", isTerminal: true, environment: ["NO_COLOR": "1"])
    #expect(!ending.output.contains("\u{1B}"))
    #expect(ending.output.contains("us\\u{1b}[2J"))
  }

  @Test func whySaysWhatWentWrongAndWhatMovesItOn() async throws {
    shell.summary(
      Wire.Run(
        state: .planFailed, tfeRunID: "run-7", next: ["plan"],
        error: #"{"summary":"No such zone","detail":"us-east9 is none."}"#))
    let ending = try await shell.pine("why", "porc-1")
    #expect(
      ending.output == """
        The run porc-1 of 'web-dev' is plan_failed, since 2 min ago.
        It has ended, and waits for nothing.
        What went wrong: No such zone
          us-east9 is none.
        What may come next:
          pine plan --run-id porc-1

        """)
  }

  /// What clears it is said once: in the sentence, or after it.
  @Test func whySaysWhatIsWaitedForAndWhatClearsIt() async throws {
    var locked = Wire.Run(
      state: .planning, tfeRunID: "run-7",
      waitingFor: "the workspace 'w', which is locked; unlock it in Terraform Enterprise", next: ["cancel"])
    locked.wait = Wire.wait(
      "workspace_locked", "unlock it in Terraform Enterprise", since: #""2026-11-23T10:19:00.000Z""#,
      link: #""https://tfe/w""#)
    var busy = Wire.Run(state: .planning, waitingFor: "a free worker in Terraform Enterprise")
    busy.wait = Wire.wait("tfe_capacity", "it goes on by itself")
    shell.summary(locked)
    #expect(
      try await shell.pine("why", "porc-1").output == """
        The run porc-1 of 'web-dev' is planning, since 2 min ago.
        It waits for the workspace 'w', which is locked; unlock it in Terraform Enterprise.
        That began 1 min ago.
        Look there: https://tfe/w
        What may come next:
          pine cancel --run-id porc-1

        """)
    shell.summary(busy)
    #expect(
      try await shell.pine("why", "porc-1").output == """
        The run porc-1 of 'web-dev' is planning, since 2 min ago.
        It waits for a free worker in Terraform Enterprise.
        What clears it: it goes on by itself.

        """)
  }

  /// An address is not followed by a period, and told once.
  @Test func whySaysWhoMayOverrideElsewhere() async throws {
    var run = Wire.Run(state: .policyOverride, waitingFor: "somebody to override it in TFE: https://tfe/run-7")
    run.wait = Wire.wait("policy_override", "override it there", link: #""https://tfe/run-7""#)
    shell.summary(run)
    #expect(
      try await shell.pine("why", "porc-1").output == """
        The run porc-1 of 'web-dev' is policy_override, since 2 min ago.
        It waits for somebody to override it in TFE: https://tfe/run-7
        What clears it: override it there.

        """)
  }

  @Test func whySaysWhatWasDecidedInTFE() async throws {
    var run = Wire.Run(state: .discarded)
    run.extra = ["decided_in_tfe": "true"]
    shell.summary(run)
    #expect(
      try await shell.pine("why", "porc-1").output == """
        The run porc-1 of 'web-dev' is discarded, since 2 min ago.
        The plan was discarded in Terraform Enterprise, not through PORC.
        It has ended, and waits for nothing.

        """)
    #expect(
      try await shell.pine("summary", "porc-1").output.contains("discarded (decided in Terraform Enterprise), 2 min"))
  }

  @Test(arguments: [
    (RunState.planning, "It waits for nothing: it is under way."), (.submitted, "It waits for nothing."),
    (.applied, "It has ended, and waits for nothing."),
  ])
  func whySaysWhenNothingIsWaitedFor(state: RunState, line: String) async throws {
    shell.summary(Wire.Run(state: state))
    let ending = try await shell.pine("why", "--run-id", "porc-1")
    #expect(ending.output.split(separator: "\n").last == line[...])
  }

  @Test func whyTakesAnInstanceToo() async throws {
    let run = Wire.Run(state: .planning)
    shell.porc.always("GET /run/web-dev/summary") { _ in Wire.problem(.notFound) }
    shell.porc.always("GET /instances/web-dev") { _ in
      .json(
        """
        {"identifier":"web-dev","title":null,"environment":null,"owner":null,"template":"web-1-0-0","terraform_status":"planning",\
        "current_run":\(run.status),"waiting":[],"workspace":null,"deployed":null,"destroyed_at":null,\
        "portal":{"in_sync":true,"behind_since":null}}
        """)
    }
    shell.summary(run)
    #expect(try await shell.pine("why", "web-dev").output.hasPrefix("The run porc-1 of 'web-dev' is planning"))
    #expect(try await shell.pine("why", "web-dev", "--json").output == run.summary + "\n")
    #expect(try await shell.pine("why").status == 64)
    #expect(try await shell.pine("why", "web-dev", "--run-id", "porc-1").status == 64)
  }

  @Test func whyOfSomethingUnknownNamesBothKinds() async throws {
    for path in ["/run/nothing/summary", "/instances/nothing"] {
      shell.porc.always("GET \(path)") { _ in Wire.problem(.notFound) }
    }
    let ending = try await shell.pine("why", "nothing")
    #expect(ending.status == 4 && ending.output.isEmpty)
    #expect(ending.error.contains("There is no run and no instance 'nothing'."))
  }

  @Test func runsAreATable() async throws {
    let list = #"{"next_cursor":"porc-1","runs":[\#(Wire.Run.planned().status)]}"#
    shell.porc.on("GET /runs", .json(list), .json(list), .json(list))
    let ending = try await shell.pine("runs", "--instance", "web dev", "--state", "planned")
    #expect(shell.porc.requests.last?.query == "instance=web%20dev&state=planned")
    #expect(
      ending.output == """
        RUN     INSTANCE  OPERATION  STATE    UPDATED    WAITS FOR
        porc-1  web-dev   apply      planned  2 min ago  somebody to apply or discard the plan

        """)
    #expect(ending.error == "There are more: add --cursor porc-1\n")
    #expect(try await shell.pine("runs", "--quiet").output == "porc-1\n")
    #expect(try await shell.pine("runs", "--json").output == list + "\n")
  }

  @Test func instancesAreATable() async throws {
    let instance = #"""
      {"identifier":"web-dev","title":null,"environment":"dev","owner":null,"template":"web-1-0-0","terraform_status":"applied",
       "waiting":[],"portal":{"in_sync":true},"deployed":{"blueprint":"web-1-0-0","run_id":"porc-1",
       "at":"2026-11-23T09:20:00.000Z","outputs":{"url":{"value":"u","sensitive":false}}},"current_run":
      """# + Wire.Run(state: .applied).status + "}"
    shell.porc.on("GET /instances", .json(#"{"instances":[\#(instance)],"next_cursor":null}"#))
    shell.porc.on("GET /instances/web-dev", .json(instance))
    #expect(
      try await shell.pine("instances").output == """
        INSTANCE  STATE    DEPLOYED   ENVIRONMENT  OWNER  RUN     UPDATED
        web-dev   applied  web-1-0-0  dev          -      porc-1  2 min ago

        """)
    let page = try await shell.pine("instances", "web-dev").output
    #expect(page.contains("deployed     web-1-0-0 by porc-1, 1 h ago\n"))
    #expect(page.contains("Outputs\n  url  u\n"))
  }

  @Test func templatesAreListedAndShown() async throws {
    let template = #"""
      {"id":"web-1-0-0","name":"web","version":"1.0.0","module_path":"web/1.0.0","status":"active","approval_required":false,
       "inputs":[{"name":"region","type":"string","required":true,"sensitive":false,"nullable":true},
       {"name":"size","type":"number","required":false,"sensitive":false,"nullable":true,"default":3,"description":"How big"}],
       "outputs":[],"archive":"a","source":"s","inputs_required":["region"]}
      """#
    shell.porc.on("GET /templates", .json(#"{"templates":[\#(template)]}"#))
    shell.porc.on("GET /templates/web-1-0-0", .json(template))
    #expect(
      try await shell.pine("templates").output == """
        TEMPLATE   KIND  VERSION  STATUS  OWNER  REQUIRED INPUTS
        web-1-0-0  web   1.0.0    active  -      region

        """)
    let page = try await shell.pine("templates", "show", "web-1-0-0").output
    #expect(
      page.contains(
        "INPUT   TYPE    DEFAULT   DESCRIPTION\nregion  string  required\nsize    number  3         How big\n"))
  }

  // MARK: Logs

  @Test func logsShowWhatTheRunDidLast() async throws {
    shell.porc.on(
      "GET /run/porc-1/status", .json(Wire.Run(state: .applied, tfeRunID: "run-7", hasChanges: true).status))
    shell.porc.on("GET /runs/porc-1/logs", .status(200, body: Array("a\u{1B}[2Jb \u{1B}[31mred\n".utf8)))
    let ending = try await shell.pine("logs", "porc-1")
    #expect(ending.output == "ab red\n")
    #expect(shell.porc.requests.last?.query == "phase=apply")
  }

  @Test func followedLogsGoOnWhereTheyWereCutOff() async throws {
    let first = "id: plan:10\nevent: log\ndata: one\n\n"
    let second = "id: plan:20\nevent: log\ndata: two\n\nevent: end\ndata: {}\n\n"
    shell.porc.on(
      "GET /runs/porc-1/logs", .status(200, body: Array(first.utf8)), .status(503),
      .status(200, body: Array(second.utf8)))
    let ending = try await shell.pine("logs", "porc-1", "--follow", "--phase", "plan")
    #expect(ending.status == 0)
    #expect(ending.output == "one\ntwo\n")
    #expect(shell.porc.requests.map { $0.headers[.lastEventID] } == [nil, "plan:10", "plan:10"])
  }

  // MARK: Watching

  @Test func watchTellsEachStateOnce() async throws {
    shell.statuses(
      Wire.Run(state: .building), Wire.Run(state: .building), Wire.Run(state: .planning, tfeRunID: "run-7"), .planned())
    shell.summary(.planned())
    let ending = try await shell.pine("watch", "porc-1")
    #expect(ending.status == 0)
    #expect(ending.output == "building…\nplanning…\nplanned: 1 to add, 0 to change, 0 to destroy\n")
  }

  @Test func watchOutlivesARestartOfPorc() async throws {
    shell.porc.on(
      "GET /run/porc-1/status", .json(Wire.Run(state: .applying, tfeRunID: "run-7").status, headers: [.eTag: "\"1\""]),
      .json(Wire.Run(state: .applying, tfeRunID: "run-7").status, headers: [.eTag: "\"1\""]), .brokenOff, .status(503),
      .status(502), .status(304))
    shell.statuses(Wire.Run(state: .applied, tfeRunID: "run-7", hasChanges: false))
    let ending = try await shell.pine("watch", "porc-1")
    #expect(ending.status == 0)
    #expect(ending.output == "applying…\napplied\n")
    #expect(ending.error == "PORC is away, waiting…\n")
    let held = shell.porc.requests.dropFirst(2)
    #expect(held.allSatisfy { $0.query == "wait=25" && $0.headers[.ifNoneMatch] == "\"1\"" })
  }

  @Test func watchFailsWithTheRun() async throws {
    shell.statuses(Wire.Run(state: .applyFailed))
    shell.summary(Wire.Run(state: .applyFailed, error: #"{"summary":"Quota exceeded"}"#))
    let ending = try await shell.pine("watch", "porc-1")
    #expect(ending.status == 1)
    #expect(ending.error.contains("Quota exceeded"))
  }

  // MARK: Leaving

  @Test func anInterruptSaysThatTheRunGoesOn() async throws {
    let (interrupts, interrupt) = AsyncStream.makeStream(of: Void.self)
    shell.porc.on("GET /run/porc-1/status", .json(Wire.Run(state: .applying).status))
    shell.porc.always("GET /run/porc-1/status") { _ in
      interrupt.yield()
      return .silence
    }
    let ending = try await shell.pine("watch", "porc-1", interrupts: interrupts)
    #expect(ending.status == 130)
    #expect(ending.error == "interrupted; the run goes on. Come back with: pine watch --run-id porc-1\n")
  }

  @Test func aTimeoutSaysThatTheRunGoesOn() async throws {
    shell.porc.on("GET /run/porc-1/status", .json(Wire.Run(state: .applying).status), .silence)
    let ending = try await shell.pine("watch", "porc-1", "--timeout", "1")
    #expect(ending.status == 7)
    #expect(ending.error.hasPrefix("not done after 1 s; the run goes on."))
  }

  // MARK: Doctor

  @Test func doctorTellsWhatItFinds() async throws {
    shell.porc.on("GET /healthz", .json(#"{"status":"ok","version":"0.1.0"}"#))
    shell.porc.on("GET /token", .json(#"{"id":"t-1","name":"ada","scopes":["submit","plan"]}"#))
    let ending = try await shell.pine("doctor")
    #expect(ending.status == 0)
    #expect(ending.output.contains("(from PORC_URL)"))
    #expect(ending.output.contains("yes, ok, version 0.1.0"))
    #expect(ending.output.contains("'ada' (t-1), from PORC_TOKEN"))
    #expect(ending.output.contains("plan, submit"))
  }

  @Test func doctorSaysWhatIsWellBeforeWhatIsNot() async throws {
    shell.porc.on("GET /healthz", .json(#"{"status":"ok"}"#))
    shell.porc.on("GET /token", Wire.problem(.notSignedIn, "The token is unknown."))
    let ending = try await shell.pine("doctor")
    #expect(ending.status == 3)
    #expect(ending.output.contains("reachable"))
    #expect(ending.error.hasPrefix("error: The token is unknown."))
  }
}

extension HTTPField.Name {
  static let lastEventID = Self("Last-Event-ID") ?? .cookie
}
