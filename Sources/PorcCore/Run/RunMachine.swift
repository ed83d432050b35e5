public import Foundation

/// Decides everything that may or may not happen to a run and its instance. Pure: no clock, no network, no database; time
/// and ids come in with the call. What is decided is recorded in one transaction, with the work that follows from it.
public enum RunMachine {
  /// What the server's policy adds to the rules.
  public struct Rules: Sendable, Equatable {
    /// A plan older than this cannot be applied; `nil` for no limit.
    public var maximumPlanAge: TimeInterval?
    public init(maximumPlanAge: TimeInterval? = nil) { self.maximumPlanAge = maximumPlanAge }
  }

  // MARK: A new run

  /// A blueprint becomes a run of its instance, new or existing.
  ///
  /// - Throws: a refusal if the instance lives and has another template.
  public static func submit(
    _ submission: Submission, as run: Run.ID, for instance: Instance.ID, in situation: Situation?, at now: Date
  ) throws(Refusal) -> Decision {
    if let existing = situation?.instance, existing.destroyedAt == nil,
      existing.templateName != submission.template.name
    {
      throw Refusal(
        .wrongState,
        "The instance '\(instance)' is a '\(existing.templateName)' and cannot become a '\(submission.template.name)'.",
        fix: "Destroy it first (pine destroy \(instance)), or choose another metadata.name.")
    }
    var draft = Draft(situation, at: now)
    draft.record(.submitted(instance: instance, submission: submission), for: run)
    return draft.decision
  }

  /// The removal of what is deployed, as a run whose plan is asked for at once.
  ///
  /// - Parameter submission: the submission of the run that it removes (see ``Instance/basis``), with `operation: destroy`.
  /// - Throws: a refusal if the instance is destroyed already, or another run holds it and `request` does not supersede.
  public static func destroy(
    _ submission: Submission, as run: Run.ID, in situation: Situation, request: PlanRequest, at now: Date
  ) throws(Refusal) -> Decision {
    let instance = situation.instance
    if instance.destroyedAt != nil {
      throw Refusal(
        .wrongState, "The instance '\(instance.id)' is destroyed already.", fix: "Nothing is left to do.")
    }
    let underway = [situation.holder] + instance.waiting.map { situation.runs[$0] }
    if let other = underway.compactMap({ $0 }).first(where: { $0.operation == .destroy }) {
      throw Refusal(
        .wrongState, "The run \(other.id) is destroying '\(instance.id)' already; it is \(other.state.spoken).",
        fix: other.state == .planned
          ? "Apply it (pine apply --run-id \(other.id)), or discard it." : "Wait for it (pine watch \(other.id)).")
    }
    var draft = Draft(situation, at: now)
    draft.record(.submitted(instance: instance.id, submission: submission), for: run)
    try draft.plan(run, request)
    return draft.decision
  }

  // MARK: A person's command

  /// What `command` leads to: facts, none if it is so already, or a refusal.
  public static func decide(
    _ command: RunCommand, for run: Run.ID, in situation: Situation, at now: Date, rules: Rules = Rules()
  ) throws(Refusal) -> Decision {
    guard let subject = situation.runs[run] else {
      throw Refusal(.notFound, "There is no run '\(run)'.", fix: "List the runs with pine runs.")
    }
    var draft = Draft(situation, at: now)
    switch command {
    case .build: try draft.build(subject)
    case .plan(let request): try draft.plan(run, request)
    case .apply(let seen, let caller): try draft.apply(subject, seen: seen, by: caller, rules: rules)
    case .approve(let seen, let caller): try draft.approve(subject, seen: seen, by: caller)
    case .discard(let seen, let caller): try draft.discard(subject, seen: seen, by: caller)
    case .cancel(let caller): try draft.cancel(subject, by: caller)
    case .forceCancel(let caller): try draft.forceCancel(subject, by: caller)
    case .override(let seen, let caller, let reason):
      try draft.override(subject, seen: seen, by: caller, reason: reason)
    }
    draft.advance()
    return draft.decision
  }

  // MARK: A worker's report

  /// What `report` leads to: facts, or none if it no longer matters. Never a refusal: what was heard has happened.
  public static func hear(
    _ report: RunReport, about run: Run.ID, in situation: Situation, at now: Date
  ) -> Decision {
    var draft = Draft(situation, at: now)
    guard let subject = situation.runs[run] else { return draft.decision }
    draft.hear(report, about: subject)
    draft.advance()
    return draft.decision
  }
}

/// What was decided: the facts to record, and the situation as they leave it.
public struct Decision: Sendable, Equatable {
  public var facts: [Fact]
  /// The situation after the facts; `nil` only where there was none and nothing was decided.
  public var situation: Situation?

  public init(facts: [Fact], situation: Situation?) {
    self.facts = facts
    self.situation = situation
  }
}

/// A decision in the making: each recorded event is evolved at once, so that the next rule sees its outcome.
struct Draft {
  private(set) var situation: Situation?
  private(set) var facts: [Fact] = []
  let now: Date

  init(_ situation: Situation?, at now: Date) {
    self.situation = situation
    self.now = now
  }

  var decision: Decision { Decision(facts: facts, situation: situation) }
  var instance: Instance? { situation?.instance }
  func run(_ id: Run.ID) -> Run? { situation?.runs[id] }

  mutating func record(_ event: RunEvent, for run: Run.ID) {
    let fact = Fact(run: run, event: event, at: now)
    situation = RunMachine.evolve(situation, fact)
    facts.append(fact)
  }

  /// Hands a free instance to the next run that waits, and gives a holder's undecided plan up for one that supersedes it.
  mutating func advance() {
    while let instance, let next = instance.waiting.first.flatMap(run) {
      if next.life <= instance.endedLife {
        // Nothing can become of it any more: whoever waits for it must hear so.
        record(next.state.isFinal ? .planRequestWithdrawn : .canceled, for: next.id)
        continue
      }
      guard let holder = instance.holder.flatMap(run) else {
        record(.held, for: next.id)
        begin(next.id)
        continue
      }
      guard let request = situation?.supersedingRequest,
        holder.state.awaitsDecision, let plan = holder.currentPlan, plan.discardRequestedAt == nil
      else { return }
      giveUp(plan, of: holder.id, by: request.by)
    }
  }

  /// Starts what a run that holds the instance was asked for.
  mutating func begin(_ id: Run.ID) {
    guard let run = run(id), let request = run.request else { return }
    switch run.operation {
    case .apply where !run.isBuilt:
      if run.state != .building { record(.buildStarted, for: id) }
    case .apply, .destroy:
      startPlan(of: run, request)
    }
  }

  mutating func startPlan(of run: Run, _ request: PlanRequest) {
    let earlier = run.currentPlan.flatMap { $0.needsClearing ? $0.number : nil }
    let number = (run.plans.last?.number ?? 0) + 1
    record(.planStarted(number: number, request: request, clears: earlier), for: run.id)
    if run.operation == .destroy, instance?.basis == nil {
      // Nothing ever began to be applied, so there is nothing that TFE could remove.
      finishPlan(number, hasChanges: false, PlanSummary(), of: run)
    }
  }

  /// A plan lies there. One without changes that was asked for together with its apply needs nobody's word any more.
  mutating func finishPlan(_ number: Int, hasChanges: Bool, _ summary: PlanSummary, of run: Run) {
    record(.planFinished(number: number, hasChanges: hasChanges, summary: summary), for: run.id)
    guard let plan = self.run(run.id)?.plan(number: number) else { return }
    if run.cancelRequestedAt != nil {
      giveUp(plan, of: run.id, by: run.cancelRequestedBy ?? plan.request.by)
    } else if plan.request.appliesAutomatically, !hasChanges {
      confirm(plan, of: run, by: plan.request.by)
    }
  }

  mutating func confirm(_ plan: Plan, of run: Run, by caller: Caller) {
    record(.applyConfirmed(number: plan.number, by: caller), for: run.id)
    guard plan.hasChanges == false else { return }
    // The outputs stay what they were: nothing was changed.
    let outputs = plan.summary?.outputs ?? instance?.deployed?.outputs ?? [:]
    record(.applyFinished(number: plan.number, outputs: outputs), for: run.id)
  }

  /// Discards a plan: in TFE if it has a run there that waits, else at once.
  mutating func giveUp(_ plan: Plan, of run: Run.ID, by caller: Caller) {
    if plan.needsClearing {
      record(.discardRequested(number: plan.number, by: caller), for: run)
    } else {
      record(.discarded(number: plan.number, by: caller), for: run)
    }
  }
}

extension Situation {
  /// The first wish of those that wait which discards the holder's plan.
  fileprivate var supersedingRequest: PlanRequest? {
    instance.waiting.lazy.compactMap { runs[$0]?.request }.first(where: \.supersedes)
  }
}

extension Plan {
  /// Whether TFE holds a run of this plan that may still be applied there.
  var needsClearing: Bool { tfeRunID != nil && !isSettled }
}
