import Foundation
import Testing

/// Who may do what: approvals by somebody else, and tokens with scopes.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct AccessTests {
  @Test func anApplyThatNeedsAnApprovalGetsItFromSomebodyElse() async throws {
    let dev = try DevServer.current()
    let approver = try await dev.porc(as: "approver", scopes: "approve")
    let run = try await dev.submit(Blueprint.service(named: "approved", approvalRequired: true))
    #expect(try await dev.porc.post("/runs/\(run)/plan", ["apply": true]).expecting(409).problem == "approval-missing")
    let planned = try await dev.plan(run)
    #expect(planned["waiting_for"] == "approval by somebody with the scope approve")
    try await dev.shows("approved", ["waiting_for": "approval by somebody with the scope approve"])
    #expect(!planned["next_actions"].array.contains("apply") && planned["next_actions"].array.contains("approve"))

    #expect(try await dev.porc.post("/runs/\(run)/apply").expecting(409).problem == "approval-missing")
    try await dev.pine("apply", run).exiting(5)
    #expect(try await dev.porc.post("/runs/\(run)/approve").expecting(403).problem == "forbidden")
    try await dev.pine("approve", run).exiting(3)

    try await approver.post("/runs/\(run)/approve", ["tfe_run_id": planned["tfe_run_id"]]).expecting(202)
    let summary = try await dev.summary(run)
    #expect(summary["approvals"][0]["by"]["name"] == "approver" && summary["next_actions"].array.contains("apply"))
    try await dev.shows("approved", ["waiting_for": "somebody to apply or discard the plan"])

    // It was given for that plan, not for the next one.
    let again = try await dev.plan(run)
    #expect(again["waiting_for"] == "approval by somebody with the scope approve")
    #expect(try await dev.porc.post("/runs/\(run)/apply").expecting(409).problem == "approval-missing")
    #expect(
      try await approver.post("/runs/\(run)/approve", ["tfe_run_id": planned["tfe_run_id"]]).expecting(409).problem
        == "plan-superseded")
    try await dev.pine("approve", "--run-id", run, token: approver.token).exiting(0)
    try await dev.pine("apply", "--run-id", run).exiting(0)
    try await dev.shows("approved", ["terraform_status": "applied"])
    #expect(try await dev.events(run).filter { $0 == "approved" }.count == 2)
  }

  /// Each route, and the scope without which it is refused.
  private static let routes = [
    ("GET /runs", "read"), ("GET /runs/RUN", "read"), ("GET /runs/RUN/summary", "read"),
    ("GET /runs/RUN/status", "read"), ("GET /runs/RUN/logs", "read"), ("GET /runs/RUN/events", "read"),
    ("GET /events", "read"), ("GET /instances", "read"), ("GET /instances/scoped", "read"), ("GET /templates", "read"),
    ("GET /templates/service-1-0-0", "read"), ("GET /templates/service-1-0-0/schema", "read"), ("GET /metrics", "read"),
    ("GET /token", "read"),
    ("POST /runs", "submit"), ("POST /runs/RUN/build", "plan"), ("POST /runs/RUN/plan", "plan"),
    ("POST /runs/RUN/discard", "plan"), ("POST /runs/RUN/cancel", "plan"), ("POST /runs/RUN/apply", "apply"),
    ("POST /runs/RUN/approve", "approve"), ("POST /runs/RUN/override", "approve"),
    ("POST /instances/scoped/destroy", "destroy"), ("GET /templates/sources", "catalog"),
    ("POST /templates/sync", "catalog"),
  ]

  @Test func everyRouteAsksForItsScope() async throws {
    let dev = try DevServer.current()
    let run = try await dev.submit(Blueprint.service(named: "scoped"))
    let before = try await dev.events(run)
    let scopes = ["submit", "plan", "apply", "approve", "destroy", "catalog"]
    let nobody = API(base: dev.porc.base)
    let stranger = API(base: dev.porc.base, token: "porc_unknown")
    var callers: [String: API] = [:]
    for scope in scopes { callers[scope] = try await dev.porc(as: "only-\(scope)", scopes: scope) }
    for (route, needed) in Self.routes {
      let call = route.replacing("RUN", with: run).replacing("/runs/", with: Bool.random() ? "/runs/" : "/run/")
      let anonymous = try await nobody.send(call).expecting(401)
      #expect(anonymous.problem == "not-signed-in" && anonymous.header("WWW-Authenticate") == "Bearer")
      try await stranger.send(call).expecting(401)
      for (scope, caller) in callers {
        // Every scope may read.
        if needed == "read" {
          try await caller.send(call).expecting(200)
        } else if needed != scope {
          let refused = try await caller.send(call, call == "POST /runs" ? .json([:]) : .none).expecting(403)
          #expect(refused.problem == "forbidden" && refused.text.contains(needed), "\(refused)")
        }
      }
    }
    #expect(try await dev.events(run) == before)

    // Nor is the scope asked for too much: each does its own part.
    func with(_ scope: String) throws -> API { try #require(callers[scope]) }
    let own = try await with("submit").post("/runs", Blueprint.service(named: "shared-work")).expecting(201)
    let id = try #require(own.json["run_id"].string)
    #expect(try await with("plan").post("/runs/\(id)/plan", ["apply": true]).expecting(403).text.contains("apply"))
    try await with("plan").post("/runs/\(id)/plan").expecting(202)
    try await dev.until(id, is: "planned")
    try await with("apply").post("/runs/\(id)/apply").expecting(202)
    try await dev.until(id, is: "applied")
    try await with("destroy").post("/instances/shared-work/destroy").expecting(201)
    for path in ["/healthz", "/readyz", "/openapi.json"] { try await nobody.get(path).expecting(200) }
  }

  @Test func aRevokedTokenIsRefusedSoon() async throws {
    let dev = try DevServer.current()
    let caller = try await dev.porc(as: "leaver", scopes: "read")
    try await caller.get("/runs").expecting(200)
    try await Executable.run("porc", ["token", "revoke", "leaver", "--data", dev.data]).exiting(0)
    try await eventually("the token is refused", within: .seconds(5)) {
      try await caller.get("/runs").status == 401 ? true : nil
    }
    try await dev.pine("runs", token: caller.token).exiting(3)
    let listed = try await Executable.run("porc", ["token", "list", "--data", dev.data]).exiting(0)
    #expect(listed.output.contains("leaver") && !listed.output.contains(caller.token ?? "porc_"))
  }
}
