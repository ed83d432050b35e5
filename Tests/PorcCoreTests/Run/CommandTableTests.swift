import PorcCore
import Testing

/// Every command in every state. In each, the run is the only one of its instance, and `run-1` is the TFE run of its plan.
@Suite struct CommandTableTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var command: RunCommand
    var table: String
    var testDescription: String { name }
  }

  static let rows: [Row] = [
    Row(
      name: "build", command: .build,
      table: """
        submitted build_failed: build_started
        building built planning planned plan_failed policy_failed policy_override: nothing
        applying applied apply_failed discarded canceled: nothing
        """),
    Row(name: "plan", command: .plan(PlanRequest(by: .bob, key: "key-2")), table: plan(whilePlanning: "!wrongState")),
    Row(
      name: "plan with the key of the plan in progress", command: .plan(PlanRequest(by: .bob, key: "key-1")),
      table: plan(whilePlanning: "nothing")),
    Row(name: "plan without a key", command: .plan(PlanRequest(by: .bob)), table: plan(whilePlanning: "!wrongState")),
    Row(
      name: "plan, superseding", command: .plan(PlanRequest(by: .bob, supersedes: true)),
      table: plan(whilePlanning: "!wrongState")),
    Row(
      name: "plan and apply", command: .plan(PlanRequest(by: .bob, appliesAutomatically: true)),
      table: plan(whilePlanning: "!wrongState")),
    Row(name: "apply", command: .apply(tfeRunID: nil, by: .bob), table: apply(withoutPlan: "!wrongState")),
    Row(
      name: "apply the plan seen", command: .apply(tfeRunID: "run-1", by: .bob),
      table: apply(withoutPlan: "!planSuperseded")),
    Row(name: "apply another plan", command: .apply(tfeRunID: "run-0", by: .bob), table: everywhere("!planSuperseded")),
    Row(
      name: "approve, by the submitter", command: .approve(tfeRunID: nil, by: .alice),
      table: everywhere("!wrongState", but: "planned: !notAllowed")),
    Row(
      name: "approve", command: .approve(tfeRunID: nil, by: .bob),
      table: everywhere("!wrongState", but: "planned: approved")),
    Row(
      name: "approve another plan", command: .approve(tfeRunID: "run-0", by: .bob), table: everywhere("!planSuperseded")
    ),
    Row(
      name: "discard", command: .discard(tfeRunID: nil, by: .bob),
      table: """
        planned policy_override: discard_requested
        discarded: nothing
        submitted building built build_failed planning plan_failed policy_failed: !wrongState
        applying applied apply_failed canceled: !wrongState
        """),
    Row(
      name: "discard another plan", command: .discard(tfeRunID: "run-0", by: .bob), table: everywhere("!planSuperseded")
    ),
    Row(
      name: "cancel", command: .cancel(by: .bob),
      table: """
        submitted building built: canceled
        planning applying: cancel_requested
        canceled: nothing
        build_failed planned plan_failed policy_failed policy_override applied apply_failed discarded: !wrongState
        """),
    Row(name: "cancel by force", command: .forceCancel(by: .bob), table: everywhere("!wrongState")),
    Row(
      name: "override", command: .override(tfeRunID: nil, by: .bob, reason: "agreed with finance"),
      table: everywhere("!wrongState", but: "policy_override: override_requested")),
    Row(
      name: "override without a reason", command: .override(tfeRunID: nil, by: .bob, reason: " \n"),
      table: everywhere("!wrongState")),
  ]

  static func plan(whilePlanning: String) -> String {
    """
    submitted build_failed: plan_requested held build_started
    building: plan_requested held
    built plan_failed policy_failed applied apply_failed discarded canceled: plan_requested held plan_started
    planning: \(whilePlanning)
    planned policy_override: plan_started
    applying: !wrongState
    """
  }

  static func apply(withoutPlan: String) -> String {
    """
    submitted building built build_failed: \(withoutPlan)
    planning plan_failed policy_failed policy_override apply_failed discarded canceled: !wrongState
    planned: apply_confirmed
    applying applied: nothing
    """
  }

  static func everywhere(_ outcome: String, but exception: String = "") -> String {
    RunState.allCases.map { "\($0.rawValue): \(outcome)\n" }.joined() + exception
  }

  @Test(arguments: rows) func everyStateAnswersTheCommand(row: Row) throws {
    let table = Table(row.table)
    for state in RunState.allCases {
      var story = try Story.at(state)
      #expect(try story.state("a") == state)
      let outcome = try Table.outcome { try story.tell("a", row.command) }
      #expect(outcome == table[state], "\(row.name) in \(state.rawValue)")
    }
  }

  @Test(arguments: rows) func aRefusalSaysWhatToDoInstead(row: Row) throws {
    for state in RunState.allCases {
      var story = try Story.at(state)
      do { try story.tell("a", row.command) } catch let refusal as Refusal {
        #expect(refusal.message.contains("a") && refusal.message.hasSuffix("."), "\(state.rawValue)")
        #expect(!refusal.fix.isEmpty, "\(state.rawValue)")
      }
    }
  }

  @Test func aRefusalNamesTheRunAndItsState() throws {
    var story = try Story.at(.discarded)
    let refusal = try #require(throws: Refusal.self) { try story.tell("a", .apply(tfeRunID: nil, by: .bob)) }
    #expect(refusal.message == "The run a is discarded, so it cannot take 'apply'.")
    #expect(refusal.fix == "Plan it again (pine plan --run-id a), or submit a new run.")
  }

  @Test func aCommandToAnUnknownRunIsNotFound() throws {
    var story = try Story.at(.built)
    let refusal = try #require(throws: Refusal.self) { try story.tell("z", .build) }
    #expect(refusal.reason == .notFound)
  }

  @Test func aRefusedCommandChangesNothing() throws {
    var story = try Story.at(.applying)
    let before = story.situation
    #expect(throws: Refusal.self) { try story.tell("a", .plan(PlanRequest(by: .bob))) }
    #expect(story.situation == before)
  }

  @Test func aRunCanceledBeforeItWasBuiltIsBuiltByPlanningIt() throws {
    var story = try Story.at(.submitted)
    try story.tell("a", .cancel(by: .alice))
    #expect(throws: Refusal.self) { try story.tell("a", .build) }
    #expect(try story.tell("a", .plan(PlanRequest(by: .alice))) == ["plan_requested", "held", "build_started"])
  }
}
