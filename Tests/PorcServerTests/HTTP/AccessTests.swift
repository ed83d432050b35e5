import HCL
import HTTPTypes
import PorcCore
import Testing

@testable import PorcServer

/// Who may do what.
@Suite(.timeLimit(.minutes(1)))
struct AccessTests {
  /// The path with something in the place of each parameter.
  private func path(_ entry: Routes.Entry) -> String {
    entry.path.split(separator: "/").map { $0.hasPrefix("{") ? "/x" : "/\($0)" }.joined()
  }

  @Test func everyRouteRefusesWhoeverIsNotSignedInOrMayNot() async throws {
    try await TestServer.run { test in
      for entry in test.server.routes.entries {
        let (method, path) = (entry.method.rawValue, path(entry))
        let wrong = try await test.call(method, path, token: "porc_wrong")
        #expect(wrong.status == 401 && wrong.code == "not-signed-in", "\(method) \(path) with a wrong token")
        guard let scope = entry.scope else {
          // Who sends a webhook signs it, and Backstage has its token in the path.
          let status = path.hasPrefix("/webhooks/") ? 403 : path.hasPrefix("/backstage/") ? 401 : 200
          #expect(try await test.call(method, path, token: "").status == status, "\(method) \(path)")
          continue
        }
        let nobody = try await test.call(method, path, token: "")
        #expect(nobody.status == 401 && nobody.code == "not-signed-in", "\(method) \(path)")
        #expect(nobody.header("WWW-Authenticate") == "Bearer")
        #expect(nobody.json["fix"]?.stringValue?.isEmpty == false)
        // Every scope may read.
        guard scope != .read else { continue }
        let others = Scope.allCases.filter { $0 != scope && $0 != .admin }
        let weak = try await Tokens(store: test.server.store).create(named: "\(method) \(entry.path)", scopes: others)
        let refused = try await test.call(method, path, token: weak)
        #expect(refused.status == 403 && refused.code == "forbidden", "\(method) \(path)")
        #expect(refused.json["detail"]?.stringValue?.contains("'\(scope.rawValue)'") == true)
        let strong = try await Tokens(store: test.server.store).create(
          named: "\(method) \(entry.path) can", scopes: [scope])
        let taken = try await test.call(method, path, token: strong)
        #expect(taken.status != 401 && taken.status != 403, "\(method) \(path): \(taken.status)")
      }
    }
  }

  @Test func otherSchemesAndRevokedTokensAreRefused() async throws {
    try await TestServer.run { test in
      for header in ["Basic YTpi", "Bearer", "Bearer  ", test.admin, "bearer\(test.admin)"] {
        let reply = try await test.get("/runs", token: "", headers: ["Authorization": header])
        #expect(reply.status == 401, "\(header)")
      }
      #expect(try await test.get("/runs", token: "", headers: ["Authorization": "bearer \(test.admin)"]).status == 200)
      let token = try await test.token("gone", .read)
      #expect(try await test.get("/runs", token: token).status == 200)
      try await Tokens(store: test.server.store).revoke("gone")
      // Within a second: until then it may be remembered.
      while try await test.get("/runs", token: token).status != 401 {}
    }
  }

  @Test func whoMayPlanMayNotApplyInTheSameBreath() async throws {
    try await TestServer.run { test in
      let planner = try await test.token("planner", .submit, .plan)
      let run = try await test.submit(token: planner)
      let refused = try await test.post("/runs/\(run)/plan", #"{"apply": true}"#, token: planner)
      #expect(refused.status == 403 && refused.json["detail"]?.stringValue?.contains("'apply'") == true)
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "submitted")
    }
  }

  @Test func aCancelByForceTakesTheRightToApply() async throws {
    try await TestServer.run { test in
      let planner = try await test.token("planner", .submit, .plan)
      let applier = try await test.token("applier", .plan, .apply)
      let run = try await test.submit(token: planner)
      let refused = try await test.post("/runs/\(run)/cancel", #"{"force": true}"#, token: planner)
      #expect(refused.status == 403 && refused.json["detail"]?.stringValue?.contains("'apply'") == true)
      let early = try await test.post("/runs/\(run)/cancel", #"{"force": true}"#, token: applier)
      #expect(early.status == 409 && early.code == "wrong-state")
      #expect(try await test.post("/runs/\(run)/cancel", #"{"forse": true}"#, token: applier).status == 400)
      #expect(try await test.post("/runs/\(run)/cancel", #"{"force": false}"#, token: planner).status == 202)
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "canceled")
    }
  }

  /// Two pairs of eyes: whoever submitted cannot approve, and nobody can apply before.
  @Test func anApprovalComesFromAnotherToken() async throws {
    try await TestServer.run { test in
      let author = try await test.token("author", .submit, .plan, .apply, .approve)
      let reviewer = try await test.token("reviewer", .approve)
      let run = try await test.planned(Samples.blueprint(approval: true), token: author)
      let early = try await test.post("/runs/\(run)/apply", token: author)
      #expect(early.status == 409 && early.code == "approval-missing")
      let own = try await test.post("/runs/\(run)/approve", token: author)
      #expect(own.status == 403 && own.code == "forbidden")
      let status = try await test.get("/runs/\(run)/status").json
      #expect(status["waiting_for"] == "approval by somebody with the scope approve")

      let plan = try #require(status["tfe_run_id"]?.stringValue)
      let stale = try await test.post("/runs/\(run)/approve", #"{"tfe_run_id": "run-old"}"#, token: reviewer)
      #expect(stale.status == 409 && stale.code == "plan-superseded")
      #expect(stale.json["superseded_by"]?.stringValue == plan)
      #expect(try await test.post("/runs/\(plan)/approve", token: reviewer).status == 202)  // by TFE's id
      let twice = try await test.post("/runs/\(plan)/approve", token: reviewer)
      #expect(twice.status == 202)
      let approvals = try await test.get("/runs/\(run)/summary").json["approvals"]?.arrayValue
      #expect(approvals?.count == 1 && approvals?.first?["by"]?["name"] == "reviewer")
      #expect(try await test.post("/runs/\(run)/apply", #"{"tfe_run_id": "\#(plan)"}"#, token: author).status == 202)
      try await test.wait(run, for: "applied")
    }
  }
}
