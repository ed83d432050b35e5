import Foundation
import PorcCore
import PorcStore

/// What an action run of the portal should show of a press, told by what was recorded of its run: pure, so that it is the
/// same whenever and wherever it is asked for.
struct ActionReport: Sendable, Equatable {
  /// How it goes, in a few words.
  var label: String
  /// The TFE run's page.
  var links: [String]
  /// The TFE run's id.
  var externalID: String?
  /// The log. It only grows: what was told stays as it was.
  var lines: [String]
  /// How it ended; the last line says why.
  var end: ActionRun.End?

  /// - Parameters:
  ///   - events: all of the press's run, in order, with their positions.
  ///   - located: the run as it is; the events may be newer.
  init(
    _ press: ActionRun, _ events: [(position: Int64, event: RunEvent)], _ located: Located?, links pages: TFELinks
  ) {
    var story = PressStory(press, run: located?.run)
    for (position, event) in events { story.hear(event, at: position) }
    if let run = located?.run { story.settle(run) }

    end = story.end
    lines = story.lines
    label = story.label ?? Self.label(of: located)
    externalID = story.tfeRunID
    let workspace = located?.situation.instance.workspace
    links = story.tfeRunID.flatMap { id in workspace.map { [pages.run(id, in: $0)] } } ?? []
  }

  /// The first line of the log.
  static func opening(_ press: Press, plan: Plan?, _ run: Run.ID?, of instance: Instance.ID?) -> String {
    let subject = instance.map { "'\($0)'" } ?? "something that is not there"
    let wish =
      switch press.verb {
      case "plan": "a plan for \(subject)"
      case "destroy": "\(subject) to be destroyed"
      case "cancel", "build": "a \(press.verb) of \(subject)"
      case "apply": "the plan for \(subject) to be applied"
      case "approve": "the plan for \(subject) to be approved"
      case "discard": "the plan for \(subject) to be discarded"
      default: "the policies of \(subject) to be overridden"
      }
    let names = [run?.rawValue, plan?.tfeRunID].compactMap { $0 }.joined(separator: ", ")
    return "\(press.actor.name) asked for \(wish)\(names.isEmpty ? "" : " (\(names))")."
  }

  /// How a run goes that has not come to what was asked.
  private static func label(of located: Located?) -> String {
    guard let located else { return "Asked" }
    let (run, situation) = (located.run, located.situation)
    if let wait = situation.waiting(run), !wait.isForSomebody {
      // The log has the whole sentence.
      return "Waiting for " + wait.sentence.prefix { !",;:.(".contains($0) }.trimmingCharacters(in: .whitespaces)
    }
    return run.state.spoken.prefix(1).uppercased() + run.state.spoken.dropFirst()
  }

  /// Longer lines are cut.
  static let maximumLine = 4000
}

extension Waiting {
  /// Whether a person has to say something.
  fileprivate var isForSomebody: Bool {
    switch wait {
    case .decision, .approval, .policyOverride: true
    default: false
    }
  }
}

/// A press, and what comes of it as event after event is heard.
struct PressStory {
  private let press: ActionRun
  private let run: Run?
  /// The plan that it is about, once that is known.
  private(set) var plan: Int?
  private(set) var tfeRunID: String?
  private(set) var end: ActionRun.End?
  /// A few words for the end.
  private(set) var label: String?
  /// Whether the plan is to be applied without another word.
  private var isApplied: Bool
  /// Whether the plan was being applied when somebody pressed.
  private var wasApplying = false
  private var told: [String]

  /// The log; its last line says how it ended.
  var lines: [String] { (told + [end?.reason].compactMap { $0 }).map { String($0.prefix(ActionReport.maximumLine)) } }

  init(_ press: ActionRun, run: Run?) {
    self.press = press
    self.run = run
    plan = press.plan
    told = press.opening
    isApplied = press.verb == "apply"
    if press.isRefused, let end = press.end {
      finish("Refused", end.outcome, end.reason)
    } else if press.verb == "approve" {
      finish(
        "Approved", .success,
        "\(press.actor.name) approved the plan. Press '\(isDestroy ? "Confirm destroy" : "Apply now")' to apply it.")
    }
  }

  mutating func hear(_ event: RunEvent, at position: Int64) {
    guard position > press.position else { return hearOfThePast(event) }
    guard end == nil else { return }
    note(event)
    conclude(event)
    if end == nil, let line = line(event) { told.append(line) }
  }

  /// What makes a press one for what is so already: the plan was applied before somebody pressed "Apply now" again.
  private mutating func hearOfThePast(_ event: RunEvent) {
    if plan != nil { note(event) }
    // A refusal stands, an approval too; a plan and an override are about what comes.
    guard !press.isRefused, ["apply", "discard", "cancel", "build"].contains(press.verb) else { return }
    switch event {
    case .planRequested, .planStarted, .buildStarted:
      wasApplying = false
      // Whatever had been canceled or built was begun anew.
      if press.verb == "cancel" || press.verb == "build" { (end, label) = (nil, nil) }
    case .applyConfirmed, .applyStarted: wasApplying = true
    default: break
    }
    conclude(event, isPast: true)
  }

  /// A run that has ended leaves nothing open, whatever was heard of it.
  mutating func settle(_ run: Run) {
    guard end == nil, run.state.isFinal, run.request == nil else { return }
    finish(
      run.state.spoken, press.verb == "cancel" ? .success : .failure,
      "The run \(run.id) has ended: \(run.state.spoken).")
  }

  // MARK: What it is about

  private mutating func note(_ event: RunEvent) {
    switch event {
    case .planStarted(let number, let request, _) where plan == nil && isForAPlan:
      plan = number
      isApplied = request.appliesAutomatically
    case .tfeRunCreated(let number, let id, _) where number == plan: tfeRunID = id
    default: break
    }
  }

  private var isForAPlan: Bool { press.verb == "plan" || press.verb == "destroy" }
  private var isDestroy: Bool { run?.operation == .destroy }

  private mutating func finish(_ label: String, _ outcome: ActionRun.End.Outcome, _ reason: String) {
    self.label = label.prefix(1).uppercased() + label.dropFirst()
    end = ActionRun.End(outcome, because: reason)
  }
}

// MARK: - What is said on the way

extension PressStory {
  /// A line for an event that is worth one, and that does not end the story.
  private func line(_ event: RunEvent) -> String? {
    switch event {
    case .held: return press.opening.count > 1 ? "Its turn has come." : nil
    case .buildStarted: return "The configuration is being built."
    case .planStarted(let number, _, let earlier?) where number == plan:
      return "The earlier plan \(earlier) is being discarded in Terraform Enterprise."
    case .tfeRunCreated(let number, let id, _) where number == plan:
      return "Terraform Enterprise plans it as \(id)."
    case .waiting(let number, let wait, let since) where number == plan || number == 0:
      return "It waits for \(Waiting(wait, since: since).sentence)."
    case .planFinished(let number, let hasChanges, let summary) where number == plan && isApplied:
      return Self.sentence(hasChanges, summary)
    case .planEvaluated(let number, _, let gates) where number == plan: return Self.sentence(gates)
    case .overrideRequested(let number, let caller, let reason) where number == plan:
      return "\(caller.name) overrides the policies: \(reason)"
    case .approved(let number, let caller) where number == plan: return "\(caller.name) approved the plan."
    case .applyConfirmed(let number, _) where number == plan:
      return isDestroy ? "The plan to destroy is confirmed." : "The plan is confirmed."
    case .applyStarted(let number) where number == plan:
      return isDestroy ? "Terraform Enterprise destroys it." : "Terraform Enterprise applies it."
    case .discardRequested(let number, _) where number == plan: return "The plan is being discarded."
    case .cancelRequested: return "Terraform Enterprise is asked to cancel it."
    default: return nil
    }
  }

  private static func sentence(_ hasChanges: Bool, _ summary: PlanSummary) -> String {
    hasChanges ? "The plan: \(summary.sentence)." : "The plan has no changes."
  }

  /// What stands between the plan and its apply; `nil` where nothing does.
  private static func sentence(_ gates: Gates) -> String? {
    var parts: [String] = []
    if let cost = gates.cost, let delta = cost.deltaMonthlyCost, cost.status == "finished" {
      parts.append("The cost changes by \(delta) a month.")
    }
    if let policies = gates.policies {
      parts.append("Policies: \(policies.passed) passed, \(policies.failed) failed.")
      parts += policies.failures.prefix(10).map { "The policy '\($0.name)' (\($0.enforcementLevel)) failed." }
    }
    parts += gates.tasks.prefix(10).filter(\.isFailed).map {
      "The run task '\($0.name)' (\($0.enforcementLevel)) failed."
    }
    return parts.isEmpty ? nil : parts.joined(separator: " ")
  }

  /// What to press once the plan is there.
  private var next: String {
    if run?.submission.requiresApproval == true { return "It needs an approval before it can be applied." }
    return isDestroy ? "Press 'Confirm destroy' to apply it." : "Press 'Apply now' to apply it."
  }
}

// MARK: - How it ends

extension PressStory {
  private mutating func conclude(_ event: RunEvent, isPast: Bool = false) {
    switch press.verb {
    case "plan", "destroy": concludePlan(event)
    case "apply": concludeApply(event, isPast: isPast)
    case "discard": concludeDiscard(event, isPast: isPast)
    case "cancel": concludeCancel(event, isPast: isPast)
    case "override": concludeOverride(event)
    case "build": concludeBuild(event)
    default: break
    }
  }

  private mutating func concludePlan(_ event: RunEvent) {
    switch event {
    case .planFinished(let number, let hasChanges, let summary) where number == plan && !isApplied:
      finish("Planned", .success, "\(Self.sentence(hasChanges, summary)) \(next)")
    case .policyOverrideNeeded(let number, let detail) where number == plan && !isApplied:
      finish("Policy override", .success, "The plan is there, and a policy must be overridden first. \(detail)")
    case .applyStarted(let number) where number == plan && !isApplied:
      finish("Applying", .success, "The plan is there, and is being applied.")
    case .buildFailed(let failure): finish("Build failed", .failure, "The build failed. \(failure.text)")
    case .planWithdrawn(let number, let reason) where number == plan: finish("Withdrawn", .failure, reason)
    case .planRequestWithdrawn: finish("Withdrawn", .failure, "The plan is not wanted any more.")
    default: concludeApply(event, isPast: false)
    }
  }

  /// For the plan of an apply, and for one that is applied without another word.
  private mutating func concludeApply(_ event: RunEvent, isPast: Bool) {
    switch event {
    case .applyFinished(let number, let outputs) where number == plan:
      let names = outputs.keys.sorted().joined(separator: ", ")
      finish(
        isDestroy ? "Destroyed" : "Applied", .success,
        isDestroy ? "Destroyed." : "Applied.\(names.isEmpty ? "" : " Outputs: \(names).")")
    case .applyFailed(let number, let failure, let isPartial) where number == plan:
      finish(
        "Apply failed", .failure,
        "The apply failed. \(failure.text)\(isPartial ? "\nWhat was changed so far stays." : "")")
    case .planFailed(let number, let failure) where number == plan:
      finish("Plan failed", .failure, "The plan failed. \(failure.text)")
    case .policyFailed(let number, let failure) where number == plan:
      finish("Refused by a policy", .failure, "A policy refuses the plan. \(failure.text)")
    case .discarded(let number, _) where number == plan: finish("Discarded", .failure, "The plan was discarded.")
    case .canceled where !isPast: finish("Canceled", .failure, "The run was canceled.")
    case .planStarted(let number, _, _) where plan.map { number > $0 } == true:
      finish("Superseded", .failure, "Another plan was begun in place of this one.")
    default: break
    }
  }

  private mutating func concludeDiscard(_ event: RunEvent, isPast: Bool) {
    switch event {
    case .discarded(let number, _) where number == plan: finish("Discarded", .success, "The plan was discarded.")
    case .applyStarted(let number) where number == plan, .applyFinished(let number, _) where number == plan,
      .applyFailed(let number, _, _) where number == plan:
      finish("Too late", .failure, "The plan was applied in Terraform Enterprise before it could be discarded.")
    case .canceled where !isPast: finish("Canceled", .success, "The run was canceled.")
    case .planFailed(let number, let failure) where number == plan,
      .policyFailed(let number, let failure) where number == plan:
      finish("Ended", .success, "The plan cannot be applied any more. \(failure.text)")
    default: break
    }
  }

  private mutating func concludeCancel(_ event: RunEvent, isPast: Bool) {
    switch event {
    case .canceled: finish("Canceled", .success, "The run was canceled.")
    case .planRequestWithdrawn: finish("Canceled", .success, "The plan is not wanted any more.")
    case .discarded: finish("Discarded", .success, "The plan had finished, so it was discarded.")
    case .applyFailed(_, let failure, let isPartial):
      finish("Apply failed", .success, "\(failure.text)\(isPartial ? "\nWhat was changed so far stays." : "")")
    case .planFailed(_, let failure), .policyFailed(_, let failure), .buildFailed(let failure):
      finish("Ended", .success, "The run had ended before. \(failure.text)")
    case .applyFinished: finish("Too late", .failure, "It was applied before it could be canceled.")
    case .applyConfirmed where !wasApplying && !isPast, .applyStarted where !wasApplying && !isPast:
      finish("Too late", .failure, "The apply began before it could be canceled. Press 'Cancel' again to cancel it.")
    default: break
    }
  }

  private mutating func concludeOverride(_ event: RunEvent) {
    switch event {
    case .planFinished(let number, let hasChanges, let summary) where number == plan:
      finish("Overridden", .success, "The policies are overridden. \(Self.sentence(hasChanges, summary)) \(next)")
    case .applyStarted(let number) where number == plan, .applyFinished(let number, _) where number == plan:
      finish("Overridden", .success, "The policies are overridden, and the plan is being applied.")
    case .policyOverrideNeeded(let number, let detail) where number == plan:
      finish("Overridden", .success, "That is overridden, and another must be. \(detail)")
    case .overrideRefused(let number, let failure) where number == plan:
      finish("Refused", .failure, "Terraform Enterprise did not take the override. \(failure.text)")
    default: concludeApply(event, isPast: false)
    }
  }

  private mutating func concludeBuild(_ event: RunEvent) {
    switch event {
    case .built: finish("Built", .success, "The configuration is built. Press 'Re-run plan' to plan it.")
    case .buildFailed(let failure): finish("Build failed", .failure, "The build failed. \(failure.text)")
    case .canceled: finish("Canceled", .failure, "The run was canceled.")
    default: break
    }
  }
}
