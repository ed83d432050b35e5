import Foundation
import HCL
import PorcCore
import TerraformEnterprise

/// TFE's words in ours: what a TFE run, as it was read, says about a plan. Pure; the one place where this is decided.
struct TFEReading {
  let run: TerraformEnterprise.Run
  let plan: Int

  /// What must be read beside the run before it can be reported.
  enum Need: Hashable { case planResources, outputs, planError, applyError, gates }

  /// What TFE offers counts, not the status alone: statuses pass and new ones appear.
  var isConfirmable: Bool { run.actions.isConfirmable && run.hasChanges }

  var needsOverride: Bool {
    Self.awaitOverride.contains(run.status)
  }

  /// TFE offers no flag for it: what it takes then are overrides of the run's policy checks and task stages.
  private static let awaitOverride: Set<TerraformEnterprise.RunStatus> = [
    .policyOverride, .postPlanAwaitingDecision, .terraformPolicyOverride,
  ]

  /// Somebody confirmed the plan, and TFE has not finished with it: to cancel it now is to stop an apply.
  var isConfirmed: Bool {
    switch run.status {
    case .confirmed, .queuingApply, .applyQueued, .preApplyRunning, .preApplyCompleted, .applying, .postApplyRunning,
      .postApplyCompleted:
      true
    default: false
    }
  }

  /// TFE began to change things. A run that was confirmed and then ended while it waited for a worker did not.
  var applyBegan: Bool {
    if run.statusTimestamps["applying-at"] != nil || run.apply?.statusTimestamps["started-at"] != nil { return true }
    switch run.status {
    case .applying, .postApplyRunning, .postApplyCompleted, .applied: return true
    default: break
    }
    switch run.apply?.status {
    case .running, .finished: return true
    // No time tells. Where nothing stood between plan and apply that could have failed, the apply did.
    case .errored: return run.plan?.status == .finished && !isGated
    default: return false
    }
  }

  /// Policies or run tasks have a say.
  var isGated: Bool { !run.taskStageIDs.isEmpty || !run.policyCheckIDs.isEmpty }

  /// From when TFE takes a forced cancel; `nil` while it does not say.
  var forceCancelFrom: Date? {
    if run.status.isFinal { return nil }
    return run.forceCancelAvailableAt ?? (run.actions.isForceCancelable ? Date(timeIntervalSince1970: 0) : nil)
  }

  /// Of an errored run: whether it went wrong before there was a plan, and not at a gate.
  private var isPlanError: Bool {
    guard let plan = run.plan, plan.status != .errored else { return true }
    return plan.status != .finished && !isGated
  }

  /// - Parameters:
  ///   - knowsResources: whether it is known what the plan would do to each resource.
  ///   - knowsOutputs: whether it is known what an earlier apply left.
  ///   - gates: what was read of the gates before.
  func needs(
    knowsPlan: Bool, knowsResources: Bool = false, knowsOutputs: Bool = true, gates: Gates? = nil
  ) -> Set<Need> {
    var needs: Set<Need> = []
    let hasPlanned = isConfirmable || needsOverride || run.status == .plannedAndFinished || applyBegan
    if hasPlanned || isRefused, !knowsPlan, !knowsResources, run.hasChanges { needs.insert(.planResources) }
    if hasPlanned || isRefused, needsGates(gates) { needs.insert(.gates) }
    switch run.status {
    case .applied: needs.insert(.outputs)
    case .plannedAndFinished where !knowsOutputs: needs.insert(.outputs)
    case .errored where applyBegan: needs.insert(.applyError)
    case .errored where isPlanError: needs.insert(.planError)
    default: break
    }
    return needs
  }

  /// Whether a gate ended the run.
  private var isRefused: Bool {
    run.status == .policySoftFailed || (run.status == .errored && !applyBegan && !isPlanError && isGated)
  }

  /// Read once; and again where an override has changed what they say, or another gate has come.
  private func needsGates(_ known: Gates?) -> Bool {
    guard isGated || run.costEstimateID != nil else { return false }
    guard let known else { return true }
    if known.tfeStatus == run.status.rawValue { return false }
    return needsOverride || isRefused
      || Self.awaitOverride.contains(TerraformEnterprise.RunStatus(rawValue: known.tfeStatus))
  }

  /// - Parameters:
  ///   - resources: the plan's resource changes, where they were read.
  ///   - outputs: of the state that the apply left, or that a plan without changes found there; `nil` if they were not
  ///     read.
  ///   - failure: Terraform's or the gates' own words.
  ///   - gates: where they were read.
  ///   - knowsPlan: whether the plan's end was reported before.
  func reports(
    resources: [ResourceChange], outputs: [String: PorcCore.Output]?, failure: Failure?, gates: Gates? = nil,
    knowsPlan: Bool
  ) -> [RunReport] {
    let reports = news(resources, outputs, failure, knowsPlan)
    guard let gates else { return reports }
    let tellsPlan = reports.contains { if case .planFinished = $0 { true } else { false } }
    let isPlanned = run.plan?.status == .finished && !knowsPlan && !tellsPlan
    return [.planEvaluated(plan: plan, summary: isPlanned ? summary(resources) : nil, gates)] + reports
  }

  private func news(
    _ resources: [ResourceChange], _ outputs: [String: PorcCore.Output]?, _ failure: Failure?, _ knowsPlan: Bool
  ) -> [RunReport] {
    let planned: [RunReport] =
      knowsPlan ? [] : [.planFinished(plan: plan, hasChanges: run.hasChanges, summary: summary(resources))]
    switch run.status {
    case .applied, .postApplyRunning, .postApplyCompleted:
      if run.status != .applied { return planned + [.applyStarted(plan: plan)] }
      return planned + [.applyStarted(plan: plan), .applyFinished(plan: plan, outputs: outputs ?? [:])]
    case .plannedAndFinished:
      return [.planFinished(plan: plan, hasChanges: false, summary: summary(resources, outputs))]
    case .discarded: return [.remoteDiscarded(plan: plan)]
    case .canceled, .forceCanceled: return [.remoteCanceled(plan: plan, applyBegan: applyBegan)]
    case .errored where applyBegan:
      return planned + [.applyFailed(plan: plan, failure ?? Failure("The apply failed."), began: true)]
    case .errored where isPlanError:
      return [.planFailed(plan: plan, failure ?? Failure("The plan failed."))]
    case .errored where !isGated:
      let failure = failure ?? Failure("Terraform Enterprise ended the run before anything was applied.")
      guard run.statusTimestamps["confirmed-at"] != nil else { return [.planFailed(plan: plan, failure)] }
      return planned + [.applyFailed(plan: plan, failure, began: false)]
    case .errored, .policySoftFailed:
      return [.policyFailed(plan: plan, failure ?? Failure("A mandatory check failed."))]
    case .applying: return planned + [.applyStarted(plan: plan)]
    default:
      if needsOverride { return [.policyOverrideNeeded(plan: plan, failure?.text ?? "A policy failed.")] }
      return isConfirmable && !knowsPlan
        ? [.planFinished(plan: plan, hasChanges: true, summary: summary(resources))] : []
    }
  }

  private func summary(_ resources: [ResourceChange], _ outputs: [String: PorcCore.Output]? = nil) -> PlanSummary {
    PlanSummary(
      additions: run.plan?.additions ?? 0, changes: run.plan?.changes ?? 0, destructions: run.plan?.destructions ?? 0,
      imports: run.plan?.imports ?? 0, resources: resources, outputs: outputs)
  }
}

extension ResourceChange {
  /// `nil` for what nothing happens to.
  init?(_ change: TerraformEnterprise.PlanJSON.ResourceChange) {
    let action: String
    switch change.actions {
    case ["create"]: action = "create"
    case ["update"]: action = "update"
    case ["delete"]: action = "delete"
    case ["read"]: action = "read"
    case ["forget"]: action = "forget"
    case ["delete", "create"], ["create", "delete"]: action = "replace"
    case ["no-op"], []: return nil
    default: action = change.actions.joined(separator: ", ")
    }
    self.init(address: change.address, action: action)
  }
}

extension Value {
  init(_ json: TerraformEnterprise.JSONValue) {
    switch json {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .number(Number(Int(value)))
    case .number(let value): self = Number(value).map(Value.number) ?? .null
    case .string(let value): self = .string(value)
    case .array(let values): self = .array(values.map(Value.init))
    case .object(let members): self = .object(members.mapValues(Value.init))
    }
  }
}
