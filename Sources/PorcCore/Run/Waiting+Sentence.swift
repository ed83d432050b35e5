import Foundation

/// How people are told what a run waits for. The one place where that is put into words.
extension Waiting {
  /// One sentence that follows "It waits for": what it is, and what clears it.
  public var sentence: String {
    if let words { return words }
    switch wait {
    case .anotherRun, .turn, .decision, .approval, .policyOverride, .earlierPlan, .cancelOfPlan, .cancelOfApply,
      .discard, .override, .beginOfApply, .removal, .maximumRuns, .workers, .tfeCapacity:
      return subject
    default: return "\(subject); \(clearedBy)"
    }
  }

  private var subject: String {
    switch wait {
    case .anotherRun(let run, let state, let instance):
      "the run \(run), which holds '\(instance)' and is \(state.spoken)"
    case .turn: "its turn"
    case .decision: "somebody to apply or discard the plan"
    case .approval: "approval by somebody with the scope approve"
    case .policyOverride: "somebody to override the policy or discard the plan"
    case .earlierPlan: "TFE to discard the earlier plan"
    case .cancelOfPlan: "TFE to cancel the plan"
    case .cancelOfApply: "TFE to cancel the apply"
    case .discard: "TFE to discard the plan"
    case .override: "TFE to take the override"
    case .beginOfApply: "TFE to begin the apply"
    case .removal: "TFE to let the workspace go"
    case .maximumRuns(let limit):
      "its turn: \(limit == 1 ? "one run" : "\(limit) runs") of PORC \(limit == 1 ? "plans or applies" : "plan or apply") "
        + "already (tfe.maximum_runs)"
    case .workers: "a free worker of PORC, which has more to do at once than porc.concurrency allows"
    case .tfeRunAhead(let tfeRunID, let run?):
      "the run \(tfeRunID) in Terraform Enterprise (\(run)), which is before it in its workspace"
    case .tfeRunAhead(let tfeRunID, nil):
      "the run \(tfeRunID) in Terraform Enterprise, which is not PORC's and is before it in its workspace"
    case .workspaceLocked(let workspace, let person, let reason):
      "the workspace '\(workspace)', which is locked"
        + (person.map { " by \($0)" } ?? "") + (reason.map { " (\"\($0)\")" } ?? "")
    case .tfeQueue: "its turn in Terraform Enterprise, which has not begun with it"
    case .tfeCapacity: "a free worker in Terraform Enterprise"
    case .runTasks(let stage): "the run tasks \(Self.spoken(stage)) in Terraform Enterprise"
    case .tfeUnreachable: "Terraform Enterprise, which cannot be reached" + sinceText
    case .tfeFailing(let status):
      "Terraform Enterprise, which answers with errors\(status.map { " (\($0))" } ?? "")" + sinceText
    case .tokenRefused: "Terraform Enterprise, which refuses PORC's token" + sinceText
    case .tfeRefused: "Terraform Enterprise, which refuses what PORC asks" + sinceText
    case .rateLimited(let until): "Terraform Enterprise's rate limit, until \(Self.text(until))"
    case .stepFailing: "PORC itself, which fails at this" + sinceText
    }
  }

  /// What clears it, as a sentence of its own would begin.
  public var clearedBy: String { clearing ?? usualClearing }

  private var usualClearing: String {
    switch wait {
    case .anotherRun(let run, let state, _) where state.awaitsDecision:
      "apply or discard the plan of \(run), or plan with --supersede"
    case .anotherRun: "it goes on by itself when that run has ended"
    case .turn: "it goes on by itself"
    case .decision: "apply or discard the plan"
    case .approval: "approve the plan, with another token than the one it was submitted with"
    case .policyOverride: "override the policy with a reason, or discard the plan"
    case .earlierPlan, .cancelOfPlan, .cancelOfApply, .discard, .override, .beginOfApply:
      "it goes on by itself as soon as Terraform Enterprise has done it"
    case .removal: "PORC tries again every five minutes; see what TFE says of the workspace"
    case .maximumRuns: "it goes on by itself when one of them has planned or applied"
    case .workers: "it goes on by itself; if it waits often, raise porc.concurrency"
    case .tfeRunAhead(_, let run?): "it goes on by itself when \(run) has ended"
    case .tfeRunAhead(_, nil): "it goes on by itself when that run has ended; apply, discard or cancel it there"
    case .workspaceLocked: "unlock it in Terraform Enterprise"
    case .tfeQueue: "look at the run there if this takes long"
    case .tfeCapacity: "it goes on by itself; if it waits often, Terraform Enterprise needs more workers or agents"
    case .runTasks: "it goes on by itself when they have answered; look at the run there"
    case .tfeUnreachable, .tfeFailing: "PORC tries again by itself"
    case .tokenRefused: "give PORC a valid one (TFE_TOKEN)"
    case .tfeRefused: "PORC tries again by itself, and its log says what was refused"
    case .rateLimited: "it goes on by itself then"
    case .stepFailing: "PORC tries again by itself, and its log says what went wrong"
    }
  }

  private var sinceText: String { since.map { " since \(Self.text($0))" } ?? "" }

  /// To the second: nobody waits for a part of one.
  private static func text(_ date: Date) -> String { Timestamp.text(date).prefix(19) + "Z" }

  private static func spoken(_ stage: String) -> String {
    switch stage {
    case "pre_plan": "before the plan"
    case "post_plan": "after the plan"
    case "pre_apply": "before the apply"
    case "post_apply": "after the apply"
    default: "of the stage \(stage)"
    }
  }
}
