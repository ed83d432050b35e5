import PorcCore

extension World {
  /// What must hold after every step.
  mutating func checkInvariants() {
    if tfe.live.count > 1 { violate("two live TFE runs: \(tfe.live.map(\.message))") }
    guard let situation else { return }
    let instance = situation.instance
    // Those that ask TFE for something may be done, with nobody having heard of it yet, and a removal ends the story; the
    // others are there.
    for job in outstanding
    where ![.confirm, .discard, .cancel, .override, .removeInstance].contains(job.kind)
      && !has(job.kind, job.run, job.plan)
    {
      violate("\(job.kind.rawValue) \(job.plan) of \(job.run) is outstanding, and nobody is at it")
    }
    for problem in Self.disorder(situation) { violate(problem) }
    if let holder = situation.holder, !isMoving(holder, in: situation) {
      violate("\(holder.id) holds '\(instance.id)' in \(holder.state.rawValue), and nobody is at it")
    }
    // Whatever waits goes on by itself as soon as it can: a command that changes nothing finds nothing to do.
    if let first = situation.runs.keys.min(), let run = situation.runs[first], run.state != .submitted,
      let decision = try? RunMachine.decide(.build, for: first, in: situation, at: run.updatedAt),
      decision.facts.contains(where: { $0.event.name != "build_started" })
    {
      violate("something was left to do: \(decision.facts.map(\.event.name))")
    }
  }

  private static func disorder(_ situation: Situation) -> [String] {
    var problems: [String] = []
    let instance = situation.instance
    if instance.holder != nil, situation.holder?.state.isFinal != false { problems.append("the holder has ended") }
    if Set(instance.waiting).count != instance.waiting.count { problems.append("a run waits twice") }
    for run in situation.runs.values {
      let isHolder = instance.holder == run.id
      let waits = instance.waiting.contains(run.id)
      if isHolder && waits { problems.append("\(run.id) holds and waits") }
      if (run.request != nil) != (waits || (isHolder && run.state == .building)) {
        problems.append("\(run.id) has a request without waiting, or waits without one")
      }
      if [.planning, .planned, .policyOverride, .applying].contains(run.state), !isHolder {
        problems.append("\(run.id) is \(run.state.rawValue) without holding")
      }
      if run.plans.map(\.number) != Array(0..<run.plans.count).map({ $0 + 1 }) {
        problems.append("numbers of \(run.id)")
      }
      if run.cancelRequestedAt != nil, run.state != .planning, run.state != .applying {
        problems.append("\(run.id) is \(run.state.rawValue) with a cancel pending")
      }
      let mayWait = [.building, .planning, .applying].contains(run.state) || run.currentPlan?.discardRequestedAt != nil
      if run.wait != nil, !mayWait { problems.append("\(run.id) is \(run.state.rawValue) and waits outside") }
    }
    if instance.holder == nil, !instance.waiting.isEmpty { problems.append("runs wait for nobody") }
    return problems
  }

  private func has(_ kind: RunJob.Kind, _ run: Run.ID, _ plan: Int) -> Bool {
    jobs.contains { $0.kind == kind && $0.run == run && $0.plan == plan }
  }

  /// Whether a holder goes on by itself, or a person can end its waiting.
  private func isMoving(_ run: Run, in situation: Situation) -> Bool {
    func has(_ kind: RunJob.Kind, _ plan: Int = 0) -> Bool { self.has(kind, run.id, plan) }
    let plan = run.currentPlan
    switch run.state {
    case .building: return has(.build)
    case .planning:
      guard let plan else { return false }
      if let clears = plan.clears { return has(.clearPlan, clears) }
      return plan.tfeRunID == nil ? has(.startPlan, plan.number) : has(.follow, plan.number)
    case .planned, .policyOverride:
      guard let plan else { return false }
      let isHeard = plan.isSettled || has(.follow, plan.number)
      let actions = situation.nextActions(of: run, at: run.updatedAt, rules: RunMachine.Rules())
      return isHeard && (plan.discardRequestedAt != nil || actions.contains("discard"))
    case .applying: return plan.map { has(.follow, $0.number) } ?? false
    default: return false
    }
  }

  /// What one fact may change.
  mutating func checkChange(from before: Situation?, by fact: Fact) {
    guard let before, let after = situation, let old = before.runs[fact.run], let new = after.runs[fact.run] else {
      return
    }
    if old.state.isFinal, new.state != old.state {
      switch (fact.event, old.state) {
      case (.planStarted, _), (.buildStarted, _): break
      // TFE's own truth about a run that had ended here before TFE made a TFE run for it after all.
      case (.applyFinished, _), (.applyFailed, _):
        if old.state == .applied { violate("\(fact.event.name) after applied") }
      default: violate("\(fact.event.name) led out of \(old.state.rawValue)")
      }
    }
    if before.instance.deployed != after.instance.deployed, fact.event.name != "apply_finished" {
      violate("\(fact.event.name) changed what is deployed")
    }
    if case .applyConfirmed(let number, _) = fact.event {
      if old.state != .planned || old.currentPlan?.number != number { violate("plan \(number) was confirmed unseen") }
      if old.currentPlan?.discardRequestedAt != nil { violate("a discarded plan was confirmed") }
    }
    if case .applyStarted(let number) = fact.event, let plan = old.plan(number: number), plan.confirmation == nil {
      let wasConfirmedHere = plan.tfeRunID.flatMap { tfe.run($0) }?.wasConfirmedHere == true
      if !plan.request.appliesAutomatically, !wasConfirmedHere { violate("plan \(number) is applied without a word") }
    }
  }
}
