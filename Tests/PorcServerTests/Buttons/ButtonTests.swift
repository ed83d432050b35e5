import AsyncHTTPClient
import Crypto
import Foundation
import HCL
import NIOCore
import NIOHTTP1
import PorcCore
import PorcStore
import PortPortal
import TestKit
import Testing

@testable import PorcServer

/// Buttons of the portal, as Port presses them.
@Suite(.timeLimit(.minutes(1)))
struct ButtonTests {
  /// The body of an action, as PORC sets them up.
  static func body(
    _ action: String, _ run: String, _ id: String = "r_1", actor: String? = nil, operation: String? = nil
  ) -> String {
    let context = actor.map { #"{"runId": "\#(id)", "actor": "\#($0)"}"# } ?? #"{"runId": "\#(id)"}"#
    let operation = operation.map { #""operation": "\#($0)", "# } ?? ""
    let subject = action == "destroy" ? "instance" : "run_id"
    return #"{"action": "\#(action)", "\#(subject)": "\#(run)", \#(operation)"port_context": \#(context)}"#
  }

  /// Port's headers.
  static func signed(
    _ body: String, _ secret: String = FakePort.secret, at time: Date = Date()
  ) -> [String: String] {
    let timestamp = String(Int(time.timeIntervalSince1970))
    let code = HMAC<SHA256>.authenticationCode(
      for: Data("\(timestamp).\(body)".utf8), using: SymmetricKey(data: Data(secret.utf8)))
    return ["X-Port-Timestamp": timestamp, "X-Port-Signature": "v1,\(Data(code).base64EncodedString())"]
  }

  /// Waits until Port has closed an action run.
  private func closed(_ test: TestServer, _ id: String = "r_1") async throws -> FakePort.ActionRun {
    while !test.port.actionRun(id).isEnded { try await Task.sleep(for: .milliseconds(5)) }
    return test.port.actionRun(id)
  }

  private func events(_ test: TestServer, _ run: String) async throws -> [String] {
    try await test.get("/runs/\(run)/events").json["events"]?.arrayValue?.compactMap { $0["type"]?.stringValue } ?? []
  }

  private func tfeRun(_ test: TestServer, _ run: String) async throws -> String {
    try #require(try await test.get("/runs/\(run)/status").json["tfe_run_id"]?.stringValue)
  }

  // MARK: Who is no button

  @Test func whoMayPressNothingHasNothingToldToPort() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      let plan = try await tfeRun(test, run)
      test.port.press("r_1")
      let reader = try await test.token("reader", .read)
      let body = Self.body("apply", plan, operation: "apply")
      #expect(try await test.post("/runs/\(plan)/apply", body, token: reader).status == 403)
      #expect(try await test.server.store.actionRun("r_1") == nil)
      // What it was answered is no answer to somebody else, nor is another's answer one for it.
      #expect(try await test.post("/runs/\(plan)/apply", body).status == 202)
      #expect(try await test.post("/runs/\(plan)/apply", body, token: reader).status == 403)
      #expect(try await closed(test).status == "SUCCESS")
    }
  }

  /// Whoever has some token can name an action run of which they have read: it is not theirs to end, nor to begin.
  @Test func nothingIsToldOfAPressThatNobodyVouchesFor() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      let plan = try await tfeRun(test, run)
      let body = Self.body("apply", plan, operation: "apply")
      let planner = try await test.token("planner", .plan)
      test.port.press("r_1") { $0.status = "WAITING_FOR_APPROVAL" }
      #expect(try await test.post("/runs/\(plan)/apply", body, token: planner).status == 403)
      #expect(try await test.post("/runs/none/plan", Self.body("plan", "none"), token: planner).status == 404)
      #expect(try await test.server.store.actionRun("r_1") == nil)

      // One of another action of the organization's, on the same instance.
      let discard = Self.body("discard", plan, "r_2")
      test.port.press("r_2") { $0.action = "restart" }
      #expect(try await test.post("/runs/\(plan)/discard", discard, token: planner).status == 202)
      while try await test.server.store.actionRun("r_2")?.closedAt == nil {}
      #expect(!test.port.actionRun("r_2").isEnded && test.port.actionRun("r_2").log == [])

      // The real press comes, with Port's word for it.
      test.port.change("r_1") { $0.status = "IN_PROGRESS" }
      let pressed = try await test.post("/runs/\(plan)/apply", body, token: "", headers: Self.signed(body))
      #expect(pressed.status == 409, "\(pressed.text)")
      #expect(try await closed(test).label == "Refused")
    }
  }

  /// Whoever may edit an entity in Port may have it name the plan of another.
  @Test func aPressOnAnotherEntityIsRefused() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      let plan = try await tfeRun(test, run)
      func body(_ id: String, on entity: String) -> String {
        #"{"action": "apply", "run_id": "\#(plan)", "port_context": {"runId": "\#(id)", "entity": "\#(entity)"}}"#
      }
      test.port.press("r_1") { $0.entity = "copy" }
      let copied = body("r_1", on: "copy")
      let refused = try await test.post("/runs/\(plan)/apply", copied, token: "", headers: Self.signed(copied))
      #expect(refused.status == 409 && refused.code == "wrong-state", "\(refused.text)")
      let told = try await closed(test)
      #expect(told.status == "FAILURE" && told.links == [] && told.externalID == nil)
      #expect(told.summary?.hasPrefix("The button was pressed on 'copy', whose entity names what is of 'web'.") == true)
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "planned")

      test.port.press("r_2")
      let own = body("r_2", on: "web")
      #expect(try await test.post("/runs/\(plan)/apply", own, token: "", headers: Self.signed(own)).status == 202)
      #expect(try await closed(test, "r_2").status == "SUCCESS")
    }
  }

  /// What is done must be what was read.
  @Test func aBodyThatCannotBeReadIsRefused() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      for body in [
        #"{"action": "apply", "run_id": "run-other", "run_id": "\#(run)"}"#, #"{"port_context": {"runId": 5}}"#,
        #"{"port_context": {"runId": ".."}}"#, "{", "[]",
      ] {
        let reply = try await test.post("/runs/\(run)/apply", body)
        #expect(reply.status == 400 && reply.isProblem, "\(body): \(reply.text)")
      }
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "planned")
    }
  }

  // MARK: A press

  @Test func aPressIsDoneOnceAndItsActionRunIsToldAndClosed() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      let plan = try await tfeRun(test, run)
      test.port.press("r_1")
      let body = Self.body("apply", plan, actor: "alice@example.com", operation: "apply")
      let pressed = try await test.post("/runs/\(plan)/apply", body, token: "", headers: Self.signed(body))
      #expect(pressed.status == 202 && pressed.json["run_id"]?.stringValue == run, "\(pressed.text)")
      let again = try await test.post("/runs/\(plan)/apply", body, token: "", headers: Self.signed(body))
      #expect(again.status == 202 && again.bytes == pressed.bytes)
      let replayed = try await test.post("/runs/\(plan)/apply", body)
      #expect(replayed.status == 422 && replayed.isProblem, "brought by another, it is not theirs: \(replayed.text)")

      let told = try await closed(test)
      #expect(told.status == "SUCCESS" && told.label == "Applied" && told.externalID == plan)
      #expect(told.links.count == 1 && told.links[0].hasSuffix("/runs/\(plan)"))
      #expect(
        told.log.prefix(2) == [
          "alice@example.com asked for the plan for 'web' to be applied (\(run), \(plan)).", "The plan is confirmed.",
        ])
      #expect(told.log.last == "Applied.")
      #expect(told.summary == "Applied.")
      #expect(try await events(test, run).count { $0 == "apply_confirmed" } == 1)
      while try await test.server.store.actionRunBacklog().count > 0 {}
      let metrics = try await test.get("/metrics").text
      #expect(metrics.contains("porc_action_runs_open 0\n") && metrics.contains("porc_action_runs_oldest_seconds 0"))
    }
  }

  @Test func anotherRequestUnderTheSameActionRunIsRefused() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      test.port.press("r_1")
      let body = Self.body("approve", run)
      #expect(try await test.post("/runs/\(run)/approve", body, token: "", headers: Self.signed(body)).status == 202)
      for (path, body, token, headers) in [
        ("/runs/\(run)/discard", Self.body("discard", run), "", [:]),
        ("/runs/\(run)/approve", Self.body("approve", run, actor: "bob"), "", [:]),
        ("/runs/\(run)/discard", Self.body("discard", run), nil, [:]),
        ("/runs/\(run)/discard", Self.body("discard", run), nil, ["Idempotency-Key": "other"]),
        ("/runs/\(run)/discard", "{}", nil, ["RUN_ID": "r_1"]),
      ] as [(String, String, String?, [String: String])] {
        let signature = token == nil ? [:] : Self.signed(body)
        let reply = try await test.post(path, body, token: token, headers: headers.merging(signature) { $1 })
        #expect(reply.status == 422 && reply.code == "idempotency-key-reused", "\(body): \(reply.text)")
      }
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "planned")
    }
  }

  @Test func whatIsRefusedIsClosedWithTheReasonAndStaysRefused() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      test.port.press("r_1")
      let body = Self.body("apply", run)
      let refused = try await test.post("/runs/\(run)/apply", body)
      #expect(refused.status == 409 && refused.code == "wrong-state")
      let told = try await closed(test)
      #expect(told.status == "FAILURE" && told.label == "Refused")
      #expect(told.log.count == 2 && told.log.first == "admin asked for the plan for 'web' to be applied (\(run)).")
      #expect(
        told.log.last?.contains("is submitted, so it cannot take 'apply'") == true && told.summary == told.log.last)

      // Its action run is closed: it must not be done later.
      #expect(try await test.post("/runs/\(run)/plan").status == 202)
      try await test.wait(run, for: "planned")
      let again = try await test.post("/runs/\(run)/apply", body)
      #expect(again.status == 409 && again.bytes == refused.bytes && again.isProblem)
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "planned")
    }
  }

  @Test func whoMayNotHasItsActionRunClosedWithTheReason() async throws {
    try await TestServer.run {
      $0.portal.buttons.scopes = [.plan]
    } _: { test in
      let run = try await test.planned()
      let planner = try await test.token("planner", .plan)
      for (id, token, right) in [
        ("r_1", "", "A button of the portal without a token"), ("r_2", planner, "The token 'planner'"),
      ] {
        test.port.press(id)
        let body = Self.body("apply", run, id)
        let refused = try await test.post("/runs/\(run)/apply", body, token: token, headers: Self.signed(body))
        #expect(refused.status == 403 && refused.code == "forbidden")
        let told = try await closed(test, id)
        #expect(told.status == "FAILURE")
        #expect(told.summary?.hasPrefix("\(right) lacks the scope 'apply'.") == true, "\(told)")
      }
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "planned")
    }
  }

  @Test func aPressForWhatIsNotThereIsClosed() async throws {
    try await TestServer.run { test in
      for (id, path, body) in [
        ("r_1", "/runs/porc-none/plan", Self.body("plan", "porc-none", "r_1")),
        ("r_2", "/instances/none/destroy", Self.body("destroy", "none", "r_2")),
      ] {
        test.port.press(id)
        let reply = try await test.post(path, body, token: "", headers: Self.signed(body))
        #expect(reply.status == 404, "\(reply.text)")
        let told = try await closed(test, id)
        #expect(told.status == "FAILURE" && told.externalID == nil && told.links == [])
      }
    }
  }

  /// "Apply now" never confirms a destroy.
  @Test func aRunOfTheOtherKindIsRefused() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      let body = Self.body("apply", run, operation: "destroy")
      let refused = try await test.post("/runs/\(run)/apply", body)
      #expect(refused.status == 409 && refused.json["detail"]?.stringValue?.contains("deploys 'web'") == true)
      #expect(try await test.post("/runs/\(run)/apply", #"{"operation": "apply"}"#).status == 202)
      try await test.wait(run, for: "applied")
      let destroy = try #require(try await test.post("/instances/web/destroy").json["run_id"]?.stringValue)
      try await test.wait(destroy, for: "planned")
      let now = try await test.post("/runs/\(destroy)/apply", Self.body("apply", destroy, "r_2", operation: "apply"))
      #expect(now.status == 409 && now.json["detail"]?.stringValue?.contains("destroys 'web'") == true)
      #expect(try await test.post("/runs/\(destroy)/apply", #"{"operation": "other"}"#).status == 400)
      #expect(try await test.get("/runs/\(destroy)/status").json["status"] == "planned")
      let confirmed = Self.body("apply", destroy, "r_3", operation: "destroy")
      #expect(try await test.post("/runs/\(destroy)/apply", confirmed).status == 202)
      try await test.wait(destroy, for: "applied")
    }
  }

  // MARK: Who presses

  /// How a press proves itself.
  struct Proof: CustomTestStringConvertible, Sendable {
    var token = ""
    var signature = ""
    var body = "same"
    var status: Int
    var testDescription: String { "token \(token) signature \(signature) body \(body)" }
  }

  private static let proofs = [
    Proof(token: "admin", status: 202), Proof(token: "admin", signature: "good", status: 202),
    Proof(signature: "good", status: 202), Proof(signature: "rotated", status: 202), Proof(status: 401),
    Proof(token: "wrong", status: 401), Proof(token: "wrong", signature: "good", status: 401),
    Proof(signature: "wrong", status: 401), Proof(signature: "stale", status: 401),
    Proof(signature: "early", status: 401),
    Proof(signature: "malformed", status: 401), Proof(signature: "unstamped", status: 401),
    Proof(token: "admin", signature: "wrong", status: 401), Proof(token: "admin", signature: "stale", status: 401),
    Proof(signature: "good", body: "other verb", status: 401), Proof(signature: "good", body: "other run", status: 401),
    Proof(signature: "good", body: "silent", status: 401), Proof(signature: "good", body: "header", status: 401),
    Proof(signature: "agent", status: 401), Proof(token: "admin", body: "silent", status: 202),
    Proof(token: "admin", signature: "good", body: "silent", status: 202),
    Proof(token: "admin", body: "header", status: 202), Proof(token: "admin", body: "other verb", status: 400),
    Proof(token: "admin", body: "other run", status: 400),
  ]

  private static let signedProofs = [
    Proof(token: "admin", status: 401), Proof(token: "admin", body: "header", status: 401),
    Proof(token: "admin", signature: "good", status: 202), Proof(signature: "good", status: 202),
    Proof(token: "admin", signature: "good", body: "silent", status: 401),
    Proof(token: "admin", signature: "good", body: "other run", status: 401),
    Proof(token: "admin", signature: "wrong", status: 401), Proof(token: "admin", signature: "stale", status: 401),
    Proof(token: "wrong", signature: "good", status: 401), Proof(status: 401), Proof(signature: "wrong", status: 401),
    Proof(token: "admin", body: "none", status: 202), Proof(body: "none", status: 401),
    Proof(signature: "good", body: "none", status: 401),
  ]

  /// Sends one press in each way: only those that are proven are taken, and nothing at all comes of the others.
  private func check(_ proofs: [Proof], _ test: TestServer) async throws {
    let author = try await test.token("author", .submit)
    let run = try await test.planned(token: author)
    for (number, proof) in proofs.enumerated() {
      let id = "r_\(number)"
      test.port.press(id)
      let body =
        switch proof.body {
        case "other verb": Self.body("discard", run, id)
        case "other run": Self.body("approve", "porc-other", id)
        case "silent": #"{"port_context": {"runId": "\#(id)"}}"#
        case "header": #"{"action": "approve", "run_id": "\#(run)"}"#
        case "none": "{}"
        default: Self.body("approve", run, id)
        }
      var headers =
        switch proof.signature {
        case "": [:] as [String: String]
        case "rotated": Self.signed(body, "next")
        case "wrong": Self.signed(body, "nobody's")
        case "stale": Self.signed(body, at: Date().addingTimeInterval(-310))
        case "early": Self.signed(body, at: Date().addingTimeInterval(310))
        case "malformed": Self.signed(body).mapValues { $0.replacing("v1,", with: "v2,") }
        case "unstamped": Self.signed(body).filter { $0.key != "X-Port-Timestamp" }
        case "agent": Self.signed(body.replacing(" ", with: ""))
        default: Self.signed(body)
        }
      if proof.body == "header" { headers["RUN_ID"] = id }
      let before = try await events(test, run)
      let calls = test.port.tellings.count
      let token = proof.token == "admin" ? nil : proof.token
      let reply = try await test.post("/runs/\(run)/approve", body, token: token, headers: headers)
      #expect(reply.status == proof.status, "\(proof.testDescription): \(reply.text)")
      if proof.status == 401 {
        #expect(reply.code == "not-signed-in" && reply.json["fix"]?.stringValue?.isEmpty == false)
        #expect(!reply.text.contains("web"), "a stranger learns nothing")
        #expect(try await test.server.store.actionRun(id) == nil)
        #expect(try await events(test, run) == before)
        #expect(test.port.tellings.count == calls)
      } else if proof.body != "none" {
        #expect(try await closed(test, id).status == (proof.status == 202 ? "SUCCESS" : "FAILURE"))
      }
    }
    #expect(test.log.lines.allSatisfy { !$0.contains(FakePort.secret) && !$0.contains(test.admin) })
  }

  @Test func aTokenOrASignatureIsEnough() async throws {
    try await TestServer.run {
      $0.portal.buttons.secrets = [FakePort.secret, "next"]
    } _: {
      try await check(Self.proofs, $0)
    }
  }

  @Test func aSignatureCanBeRequired() async throws {
    try await TestServer.run {
      $0.portal.buttons.requiresSignature = true
    } _: {
      try await check(Self.signedProofs, $0)
    }
  }

  @Test func bothCanBeRequired() async throws {
    try await TestServer.run {
      $0.portal.buttons.requiresSignature = true
      $0.portal.buttons.scopes = []
    } _: { test in
      try await check(
        [
          Proof(token: "admin", status: 401), Proof(signature: "good", status: 401),
          Proof(token: "admin", signature: "good", status: 202),
        ], test)
    }
  }

  @Test func theAgentMayBringThemWhereThatIsSaid() async throws {
    try await TestServer.run {
      $0.portal.usesAgent = true
    } _: { test in
      try await check(
        [
          Proof(signature: "agent", status: 202), Proof(signature: "good", status: 202),
          Proof(signature: "wrong", status: 401),
        ],
        test)
    }
  }

  /// A plain registry signs nothing, and there is nothing to check with.
  @Test func withoutASecretOnlyATokenCounts() async throws {
    try await TestServer.run {
      $0.portal.credentials = .staticToken(FakePort.token)
      $0.portal.dialect = .entities
    } _: { test in
      try await check(
        [
          Proof(token: "admin", signature: "good", status: 202), Proof(signature: "good", status: 401),
          Proof(token: "admin", status: 202),
        ], test)
    }
  }

  @Test func theUserIsTheActorOnlyWhereSomebodyVouchesForIt() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      let pipeline = try await test.token("pipeline", .approve)
      let gateway = try await test.token("gateway", .approve, .impersonate)
      var expected: [String] = []
      func approve(
        _ actor: String, _ token: String, by name: String, isSigned: Bool = false, isSilent: Bool = false
      ) async throws {
        let id = "r_\(expected.count)"
        test.port.press(id) { $0.action = "porc_approve" }
        let body =
          isSilent
          ? #"{"port_context": {"runId": "\#(id)", "actor": "\#(actor)"}}"#
          : Self.body("approve", run, id, actor: actor)
        let reply = try await test.post(
          "/runs/\(run)/approve", body, token: token, headers: isSigned ? Self.signed(body) : [:])
        #expect(reply.status == 202, "\(reply.text)")
        expected.append(name)
        let approvals = try await test.get("/runs/\(run)/summary").json["approvals"]?.arrayValue ?? []
        #expect(approvals.compactMap { $0["by"]?["name"]?.stringValue } == expected)
        #expect(try await closed(test, id).summary?.hasPrefix("\(name) approved") == true)
      }
      try await approve("alice@example.com", pipeline, by: "pipeline")
      try await approve("alice@example.com", gateway, by: "alice@example.com")
      try await approve("bob@example.com", "", by: "bob@example.com", isSigned: true)
      try await approve("carol@example.com", pipeline, by: "carol@example.com", isSigned: true)
      try await approve("", "", by: "Port", isSigned: true)
      // What is signed might be meant for something else.
      let auditor = try await test.token("auditor", .approve)
      try await approve("dave@example.com", auditor, by: "auditor", isSigned: true, isSilent: true)
    }
  }

  @Test func whoAskedForADestroyCannotApproveIt() async throws {
    try await TestServer.run { test in
      let run = try await test.planned(Samples.blueprint(approval: true))
      let reviewer = try await test.token("reviewer", .approve)
      #expect(try await test.post("/runs/\(run)/approve", token: reviewer).status == 202)
      #expect(try await test.post("/runs/\(run)/apply").status == 202)
      try await test.wait(run, for: "applied")

      func press(_ verb: String, _ subject: String, _ id: String, by actor: String) async throws -> TestServer.Reply {
        test.port.press(id)
        let body = Self.body(verb, subject, id, actor: actor)
        let place = verb == "destroy" ? "instances" : "runs"
        return try await test.post("/\(place)/\(subject)/\(verb)", body, token: "", headers: Self.signed(body))
      }
      let asked = try await press("destroy", "web", "r_1", by: "Alice@example.com")
      #expect(asked.status == 201)
      let destroy = try #require(asked.json["run_id"]?.stringValue)
      try await test.wait(destroy, for: "planned")
      let plan = try await tfeRun(test, destroy)
      let told = try await closed(test)
      #expect(
        told.status == "SUCCESS" && told.log.last?.hasSuffix("It needs an approval before it can be applied.") == true)

      #expect(try await press("apply", plan, "r_2", by: "alice@example.com").code == "approval-missing")
      let own = try await press("approve", plan, "r_3", by: "alice@example.com")
      #expect(own.status == 403 && own.code == "forbidden")
      #expect(try await closed(test, "r_3").status == "FAILURE")
      #expect(try await press("approve", plan, "r_4", by: "bob@example.com").status == 202)
      #expect(try await press("apply", plan, "r_5", by: "alice@example.com").status == 202)
      try await test.wait(destroy, for: "applied")
      #expect(try await closed(test, "r_5").summary == "Destroyed.")
    }
  }

  /// The agent's envelope has all it takes.
  @Test func anEnvelopeOfPortsOwnIsTaken() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      test.port.press("r_1")
      let body = #"""
        {"action": "porc_approve", "resourceType": "run", "status": "TRIGGERED", "headers": {},
         "trigger": {"by": {"userId": "u", "user": {"email": "alice@example.com"}}, "origin": "UI"},
         "context": {"entity": "web", "blueprint": "blueprint_instance", "runId": "r_1"},
         "payload": {"entity": {"identifier": "web", "properties": {"porc_run_id": "\#(run)"}}, "properties": {}}}
        """#
      let reply = try await test.post("/runs/\(run)/approve", body, token: "", headers: Self.signed(body))
      #expect(reply.status == 202, "\(reply.text)")
      #expect(try await closed(test).summary?.hasPrefix("alice@example.com approved") == true)
    }
  }

  @Test func otherMembersAreRefusedWhereNobodyPressed() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      for body in [#"{"run_id": "\#(run)"}"#, #"{"action": "apply"}"#, #"{"context": {}}"#] {
        let reply = try await test.post("/runs/\(run)/apply", body)
        #expect(reply.status == 400 && reply.json["detail"]?.stringValue?.hasSuffix("is unknown.") == true)
      }
      for id in ["a b", "ü", String(repeating: "r", count: 201)] {
        let reply = try await test.post("/runs/\(run)/apply", #"{"port_context": {"runId": "\#(id)"}}"#)
        #expect(reply.status == 400)
      }
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "planned")
    }
  }

  /// A stranger's body is not read: the answer comes though it never ends.
  @Test func nothingIsReadForWhoDoesNotSeemToBePort() async throws {
    try await TestServer.run { test in
      for headers in [[:], Self.signed("", at: Date().addingTimeInterval(-400)), ["X-Port-Signature": "v1,x"]] {
        let (bytes, sending) = AsyncStream.makeStream(of: ByteBuffer.self)
        defer { sending.finish() }
        sending.yield(ByteBuffer(string: "{ }"))
        var request = HTTPClientRequest(url: "\(test.url)/runs/x/apply")
        request.method = .POST
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .stream(bytes, length: .known(Int64(900_000)))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        #expect(response.status == .unauthorized)
      }
    }
  }
}
