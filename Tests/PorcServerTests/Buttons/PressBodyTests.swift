import HCL
import PorcCore
import Testing

@testable import PorcServer

/// What the bodies that Port sends say of a press.
@Suite struct PressBodyTests {
  private func body(_ text: String) throws -> PressBody { try PressBody(Array(text.utf8)) }

  private static let envelope = #"""
    {"action": "porc_apply", "resourceType": "run", "status": "TRIGGERED",
     "trigger": {"by": {"orgId": "org", "userId": "auth0|1", "user": {"email": "alice@example.com"}}, "origin": "UI"},
     "context": {"entity": "web", "blueprint": "blueprint_instance", "runId": "r_1"},
     "payload": {"entity": {"identifier": "web", "properties": {"run_id": "run-1", "porc_run_id": "porc-1"}},
                 "action": {"identifier": "porc_apply"}, "properties": {}}}
    """#

  @Test(
    arguments: [
      (#"{"port_context": {"runId": "r_1"}}"#, "r_1"), (#"{"port_context": {"run_id": "r_1"}}"#, "r_1"),
      (#"{"context": {"runId": "r_1"}}"#, "r_1"), (envelope, "r_1"), (#"{"port_context": {"runId": ""}}"#, nil),
      (#"{"port_context": {"runId": null}}"#, nil), (#"{"runId": "r_1"}"#, nil), (#"["r_1"]"#, nil), ("", nil),
      (" \n", nil),
    ] as [(String, String?)])
  func theActionRunIsFound(text: String, id: String?) throws { #expect(try body(text).actionRun() == id) }

  @Test(arguments: [
    (#"{"port_context": {"runId": 1}}"#, "'port_context.runId' is no text"),
    (#"{"context": {"runId": {}}}"#, "'context.runId' is no text"), ("nonsense", "no JSON: line 1, column 1: "),
    (#"{"run_id": "a", "run_id": "b"}"#, "no JSON: line 1, column 17: "), (#"{"action": "apply""#, "no JSON: line 1"),
  ])
  func whatCannotBeReadIsRefused(text: String, message: String) {
    let fault = #expect(throws: Fault.self) { try body(text).actionRun() }
    #expect(fault?.code == .malformedRequest && fault?.message.contains(message) == true, "\(fault?.message ?? "")")
  }

  @Test func whatIsNotUTF8IsRefused() {
    #expect(throws: Fault.self) { try PressBody(Array(#"{"run_id": ""#.utf8) + [0xFF] + Array(#""}"#.utf8)) }
  }

  @Test(
    arguments: [
      (#"{"port_context": {"runId": "r_1", "entity": "web"}}"#, "web"), (envelope, "web"),
      (#"{"port_context": {"runId": "r_1"}}"#, nil),
    ] as [(String, String?)])
  func theEntityIsFound(text: String, entity: String?) throws { #expect(try body(text).entity == entity) }

  @Test(
    arguments: [
      (#"{"port_context": {"actor": "alice@example.com"}}"#, "alice@example.com"), (envelope, "alice@example.com"),
      (#"{"trigger": {"by": {"userId": "auth0|1"}}}"#, "auth0|1"), (#"{"port_context": {"actor": ""}}"#, nil),
      (#"{"port_context": {"actor": null}}"#, nil), ("{}", nil),
      (#"{"port_context": {"actor": " "}, "trigger": {"by": {"userId": "auth0|1"}}}"#, "auth0|1"),
      (#"{"port_context": {"actor": " alice@example.com\n"}}"#, "alice@example.com"),
    ] as [(String, String?)])
  func theUserIsFound(text: String, actor: String?) throws { #expect(try body(text).actor() == actor) }

  @Test(arguments: [
    #"["alice@example.com"]"#, "7", #"{"email": "alice@example.com"}"#, #""a\nb""#,
    #""\#(String(repeating: "a", count: 321))""#,
  ])
  func whatIsNoUserIsRefusedAndNobodyElseCounts(actor: String) {
    let fault = #expect(throws: Fault.self) { try body(#"{"port_context": {"actor": \#(actor)}}"#).actor() }
    #expect(fault?.code == .malformedRequest && fault?.message.contains("port_context.actor") == true)
  }

  @Test func aUserIsTheSameHoweverSpelledAndNeverATokensOwner() {
    #expect(Press.user("Alice@Example.com").id == Press.user("alice@example.com").id)
    #expect(Press.user("token-1").id != "token-1" && Press.user("Port").id != Press.portal.id)
  }

  @Test(arguments: [
    (#"{"action": "apply", "run_id": "run-1"}"#, "apply", "run-1", PressBody.Naming.same),
    (#"{"action": "plan", "porc_run_id": "porc-1"}"#, "plan", "porc-1", .same),
    (#"{"action": "apply", "run_id": "run-1", "porc_run_id": "porc-1"}"#, "apply", "porc-1", .same),
    (#"{"action": "plan", "run_id": "run-1"}"#, "apply", "run-1", .other),
    (#"{"action": "apply", "run_id": "run-2"}"#, "apply", "run-1", .other),
    (#"{"run_id": "run-2"}"#, "apply", "run-1", .other), (#"{"action": "plan"}"#, "apply", "run-1", .other),
    (#"{"action": "apply"}"#, "apply", "run-1", .silent), (#"{"run_id": "run-1"}"#, "apply", "run-1", .silent),
    (#"{"action": "apply", "instance": "run-1"}"#, "apply", "run-1", .silent), ("{}", "apply", "run-1", .silent),
    (envelope, "apply", "run-1", .same), (envelope, "apply", "porc-1", .same), (envelope, "apply", "run-2", .silent),
    (envelope, "plan", "run-1", .silent),
    (envelope.replacing("porc_apply", with: "porc_confirm_destroy"), "apply", "run-1", .same),
    (envelope.replacing("porc_apply", with: "porc_confirm_destroy"), "destroy", "run-1", .silent),
    (envelope.replacing("porc_apply", with: "reapply"), "apply", "run-1", .silent),
    // The agent puts its own around a body that says what it is about.
    (
      #"{"action": "apply", "run_id": "run-1", "context": {"runId": "r"}, "payload": {}, "headers": {}}"#, "apply",
      "run-1", .same
    ),
    (
      #"{"action": "apply", "run_id": "run-2", "context": {"runId": "r"}, "payload": {}, "headers": {}}"#, "apply",
      "run-1", .other
    ),
  ])
  func itSaysWhatThePathAsksForOrNot(text: String, verb: String, run: String, naming: PressBody.Naming) throws {
    #expect(try body(text).naming(verb, .run(run)) == naming)
  }

  @Test func anInstanceIsNamedByItsIdentifier() throws {
    #expect(try body(#"{"action": "destroy", "instance": "web"}"#).naming("destroy", .instance("web")) == .same)
    #expect(try body(#"{"action": "destroy", "instance": "db"}"#).naming("destroy", .instance("web")) == .other)
    #expect(try body(#"{"action": "destroy", "run_id": "web"}"#).naming("destroy", .instance("web")) == .silent)
    let destroy = Self.envelope.replacing("porc_apply", with: "porc_destroy")
    #expect(try body(destroy).naming("destroy", .instance("web")) == .same)
    #expect(try body(destroy).naming("destroy", .instance("db")) == .silent)
  }
}
