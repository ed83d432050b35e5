public import Foundation

/// Outside work that a fact calls for. Stored with the fact; a worker leases it and does it.
public struct RunJob: Sendable, Hashable {
  /// The raw values are stored: never rename or reuse one. The order is that in which a run's due jobs are done.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Stops what TFE does for a plan.
    case cancel
    /// Confirms a plan in TFE.
    case confirm
    /// Discards a plan in TFE.
    case discard
    /// Overrides a policy in TFE.
    case override
    /// Makes the bundle from the template and the inputs.
    case build
    /// Discards an earlier plan of the same run and reads its TFE run until it is final.
    case clearPlan = "clear_plan"
    /// Makes workspace, variables, configuration version and TFE run.
    case startPlan = "start_plan"
    /// Reads a TFE run until it is final, and reports what it learns.
    case follow
    /// Removes a destroyed instance's workspace and entity when its retention ends.
    case removeInstance = "remove_instance"

    /// 0 is done first.
    public var priority: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
  }

  public var kind: Kind
  public var run: Run.ID
  /// The plan it is about; 0 where it is about none.
  public var plan: Int
  /// How long to wait before it is due, in seconds.
  public var delay: TimeInterval

  public init(_ kind: Kind, run: Run.ID, plan: Int = 0, delay: TimeInterval = 0) {
    self.kind = kind
    self.run = run
    self.plan = plan
    self.delay = delay
  }
}

extension RunMachine {
  /// The outside work that `fact` calls for.
  ///
  /// - Parameters:
  ///   - situation: as the fact left it.
  ///   - retention: how long a destroyed instance stays visible, in seconds.
  public static func jobs(after fact: Fact, in situation: Situation, retention: TimeInterval) -> [RunJob] {
    let run = situation.runs[fact.run]
    func job(_ kind: RunJob.Kind, _ plan: Int = 0, delay: TimeInterval = 0) -> RunJob {
      RunJob(kind, run: fact.run, plan: plan, delay: delay)
    }
    switch fact.event {
    case .buildStarted: return [job(.build)]
    case .planStarted(let number, _, let clears):
      if let clears { return [job(.clearPlan, clears)] }
      return run?.operation == .destroy && situation.instance.basis == nil ? [] : [job(.startPlan, number)]
    case .planCleared(let number):
      return run?.state == .planning && run?.cancelRequestedAt == nil ? [job(.startPlan, number)] : []
    case .tfeRunCreated(let number, _, _): return [job(.follow, number)]
    // Whoever was clearing the earlier plan ends with the new one; how it goes on has to be followed.
    case .planWithdrawn: return run?.currentPlan.map { [job(.follow, $0.number)] } ?? []
    case .applyConfirmed(let number, _):
      return run?.plan(number: number)?.hasChanges == true ? [job(.confirm, number)] : []
    case .discardRequested(let number, _): return [job(.discard, number)]
    case .overrideRequested(let number, _, _): return [job(.override, number)]
    case .forceCancelRequested(let number, _): return [job(.cancel, number)]
    case .cancelRequested:
      guard let plan = run?.currentPlan, plan.clears == nil else { return [] }  // the clearing ends it
      return [job(.cancel, plan.number)]
    case .applyFinished where run?.operation == .destroy: return [job(.removeInstance, delay: retention)]
    default: return []
    }
  }
}
