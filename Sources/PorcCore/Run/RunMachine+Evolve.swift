import Foundation

extension RunMachine {
  /// What a fact makes of a situation. Never refuses: what is recorded has happened.
  ///
  /// - Parameter situation: `nil` only before the first run of an instance is submitted.
  public static func evolve(_ situation: Situation?, _ fact: Fact) -> Situation? {
    if case .submitted(let instance, let submission) = fact.event {
      return submitted(submission, as: fact, for: instance, in: situation)
    }
    guard var situation, var run = situation.runs[fact.run] else { return situation }
    let (before, wasFinal) = (run.state, run.state.isFinal)
    // That it waits is no step: since when it stands where it stands does not change by it.
    if !fact.event.isAboutWaiting { run.updatedAt = fact.at }
    evolve(&run, &situation.instance, fact)
    if run.state != before || fact.event.beginsAnew { run.forgetWait() }
    // Coming to an end lets go; an ended run that is planned again takes hold while it still is what it was.
    if run.state.isFinal, !wasFinal, situation.instance.holder == run.id { situation.instance.holder = nil }
    situation.runs[run.id] = run
    if let current = situation.currentRun, current.isBuilt { situation.instance.shown = current.submission }
    return situation
  }

  private static func submitted(
    _ submission: Submission, as fact: Fact, for id: Instance.ID, in situation: Situation?
  ) -> Situation {
    var instance = situation?.instance ?? Instance(id: id, templateName: submission.template.name, newest: fact.run)
    instance.newest = fact.run
    instance.removalRefusal = nil
    let run = Run(id: fact.run, instance: id, submission: submission, at: fact.at, life: instance.life)
    switch submission.operation {
    case .apply:
      instance.templateName = submission.template.name
      if instance.destroyedAt != nil { instance.shown = nil }
      instance.destroyedAt = nil
    case .destroy:
      instance.life += 1
    }
    var runs = situation?.runs ?? [:]
    runs[run.id] = run
    return Situation(instance: instance, runs: runs)
  }

  private static func evolve(_ run: inout Run, _ instance: inout Instance, _ fact: Fact) {
    switch fact.event {
    case .submitted: break  // made the run; handled before
    case .buildStarted:
      run.state = .building
      run.failure = nil
    case .built(let bundle):
      run.state = .built
      run.bundle = bundle
      run.builtAt = fact.at
    case .buildFailed(let failure):
      run.state = .buildFailed
      run.failure = failure
      withdrawRequest(&run, &instance)
    case .planRequested(let request):
      run.request = request
      if instance.holder != run.id, !instance.waiting.contains(run.id) { instance.waiting.append(run.id) }
    case .planRequestWithdrawn:
      withdrawRequest(&run, &instance)
    case .held:
      instance.holder = run.id
      instance.waiting.removeAll { $0 == run.id }
    case .planStarted(let number, let request, let clears):
      run.state = .planning
      run.request = nil
      run.failure = nil
      run.isPartial = false
      run.forgetCancel()
      run.plans.append(Plan(number: number, request: request, startedAt: fact.at, clears: clears))
      if !run.submission.sensitiveInputs.isEmpty { instance.holdsSensitiveVariables = true }
    case .planCleared(let number):
      if let clears = run.plan(number: number)?.clears { run.change(clears) { $0.isSettled = true } }
      run.change(number) { $0.clears = nil }
    case .planWithdrawn(let number, let reason):
      run.forgetCancel()  // it was about this plan, not about the apply that goes on
      run.change(number) {
        $0.withdrawal = reason
        $0.clears = nil
        $0.isSettled = true
      }
    case .workspaceReady(let workspace):
      instance.workspace = workspace
    case .tfeRunCreated(let number, let tfeRunID, let configurationVersionID):
      run.change(number) {
        $0.tfeRunID = tfeRunID
        $0.configurationVersionID = configurationVersionID
        $0.isSettled = false
      }
      instance.terraformVersion = run.submission.template.terraformVersion ?? instance.terraformVersion
    case .planFinished(let number, let hasChanges, let summary):
      run.state = .planned
      run.failure = nil
      run.forgetCancel()
      run.change(number) {
        $0.hasChanges = hasChanges
        $0.summary = summary
        $0.overrideRequestedAt = nil
        $0.plannedAt = $0.plannedAt ?? fact.at
        if !hasChanges { $0.isSettled = true }
      }
    case .planFailed(let number, let failure):
      run.end(.planFailed, number, at: fact.at, failure)
    case .policyFailed(let number, let failure):
      run.end(.policyFailed, number, at: fact.at, failure)
    case .policyOverrideNeeded(let number, let detail):
      run.state = .policyOverride
      run.failure = Failure(detail)
      run.forgetCancel()
      run.change(number) { $0.overrideRequestedAt = nil }
    case .planEvaluated(let number, let summary, let gates):
      run.change(number) {
        // It has come to another gate, so the override was taken.
        if let known = $0.gates, known.tfeStatus != gates.tfeStatus { $0.overrideRequestedAt = nil }
        $0.gates = gates
        $0.summary = summary ?? $0.summary
      }
    case .overrideRequested(let number, let caller, let reason):
      // TFE has the last word: the plan becomes confirmable, or not.
      run.change(number) {
        $0.overrideRequestedAt = fact.at
        $0.overrides = ($0.overrides ?? []) + [PolicyOverride(by: caller, at: fact.at, reason: reason)]
      }
    case .overrideRefused(let number, let failure):
      run.change(number) {
        $0.overrideRequestedAt = nil
        if let last = $0.overrides?.indices.last { $0.overrides?[last].refusal = failure }
      }
    case .approved(let number, let caller):
      run.change(number) { $0.approvals.append(Approval(by: caller, at: fact.at)) }
    case .applyConfirmed(let number, let caller):
      run.state = .applying
      run.change(number) { $0.confirmation = Plan.Confirmation(by: caller, at: fact.at) }
    case .applyStarted(let number):
      // A cancel of the planning that came too late is none of the apply.
      if run.state != .applying { run.forgetCancel() }
      run.state = .applying
      began(number, &run, &instance, isApplied: false, at: fact.at)
    case .applyFinished(let number, let outputs):
      began(number, &run, &instance, isApplied: true, at: fact.at)
      run.end(.applied, number, at: fact.at, nil)
      deployed(run, number, outputs, &instance, at: fact.at)
    case .applyFailed(let number, let failure, let isPartial):
      if isPartial { began(number, &run, &instance, isApplied: false, at: fact.at) }
      run.end(.applyFailed, number, at: fact.at, failure)
      run.isPartial = isPartial
    case .discardRequested(let number, _):
      run.change(number) { $0.discardRequestedAt = fact.at }
    case .discarded(let number, _):
      run.end(.discarded, number, at: fact.at, nil)
    case .cancelRequested(let caller):
      run.cancelRequestedAt = fact.at
      run.cancelRequestedBy = caller
      if let number = run.currentPlan?.number {
        run.change(number) { ($0.forceCancelAt, $0.forceCancelRequestedAt, $0.forceCancelRefusal) = (nil, nil, nil) }
      }
    case .forceCancelOffered(let number, let from):
      run.change(number) { $0.forceCancelAt = from }
    case .forceCancelRequested(let number, _):
      run.change(number) { ($0.forceCancelRequestedAt, $0.forceCancelRefusal) = (fact.at, nil) }
    case .forceCancelRefused(let number, let failure):
      run.change(number) { ($0.forceCancelRequestedAt, $0.forceCancelRefusal) = (nil, failure) }
    case .removalRefused(let failure):
      instance.removalRefusal = failure
    case .canceled:
      withdrawRequest(&run, &instance)
      if let plan = run.currentPlan, !plan.isSettled {
        run.end(.canceled, plan.number, at: fact.at, nil)
      } else {
        run.state = .canceled
      }
    case .waiting(_, let wait, let since):
      run.wait = wait
      run.waitsSince = since
    case .waitingEnded:
      run.forgetWait()
      run.waitEndedAt = fact.at
    }
  }

  private static func withdrawRequest(_ run: inout Run, _ instance: inout Instance) {
    run.request = nil
    instance.waiting.removeAll { $0 == run.id }
  }

  /// TFE began to change things: from here on a destroy can go by this run, unless another one was really applied.
  private static func began(
    _ number: Int, _ run: inout Run, _ instance: inout Instance, isApplied: Bool, at time: Date
  ) {
    run.change(number) { plan in
      plan.applyBegan = plan.tfeRunID != nil && plan.hasChanges != false
      if plan.confirmation == nil { plan.confirmation = Plan.Confirmation(by: nil, at: time) }
    }
    guard run.operation == .apply, let version = run.plan(number: number)?.configurationVersionID else { return }
    if isApplied || instance.basis?.isApplied != true {
      instance.basis = Basis(run: run.id, configurationVersionID: version, isApplied: isApplied)
    }
  }

  private static func deployed(
    _ run: Run, _ number: Int, _ outputs: [String: Output], _ instance: inout Instance, at time: Date
  ) {
    switch run.operation {
    case .apply:
      instance.deployed = Deployed(
        template: run.submission.template, run: run.id,
        tfeRunID: run.plan(number: number)?.tfeRunID, at: time, outputs: outputs)
    case .destroy:
      instance.deployed = nil
      instance.basis = nil
      instance.endedLife = run.life
      // A blueprint submitted meanwhile has begun the next life already.
      if instance.newest == run.id { instance.destroyedAt = time }
    }
  }
}

extension Run {
  fileprivate mutating func change(_ number: Int, _ change: (inout Plan) -> Void) {
    guard let index = plans.firstIndex(where: { $0.number == number }) else { return }
    change(&plans[index])
  }

  fileprivate mutating func forgetWait() {
    wait = nil
    waitsSince = nil
    waitEndedAt = nil
  }

  fileprivate mutating func forgetCancel() {
    cancelRequestedAt = nil
    cancelRequestedBy = nil
  }

  fileprivate mutating func end(_ state: RunState, _ number: Int, at time: Date, _ failure: Failure?) {
    self.state = state
    self.failure = failure
    forgetCancel()
    change(number) {
      $0.isSettled = true
      $0.finishedAt = time
    }
  }
}

extension RunEvent {
  fileprivate var isAboutWaiting: Bool {
    switch self {
    case .waiting, .waitingEnded: true
    default: false
    }
  }

  /// Whether what the run waited for before is over with it, although its state stays the same.
  fileprivate var beginsAnew: Bool {
    switch self {
    case .planStarted, .planCleared, .planWithdrawn, .tfeRunCreated: true
    default: false
    }
  }
}
