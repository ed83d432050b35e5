import Foundation
import HCL
import PorcCore
import PorcStore
import TerraformEnterprise

extension RunDriver {
  // MARK: Follow

  /// How long a run about which TFE tells is left alone when it tells nothing, in seconds. The sweep looks after it too.
  static let safetyNet: TimeInterval = 300

  /// Reads the TFE run of a plan, reports what it says, and comes back until it is final: when TFE tells that it got on,
  /// or else again and again.
  func follow(_ lease: Lease, _ located: Located) async throws -> Outcome {
    guard let plan = located.run.plan(number: lease.plan), !plan.isSettled, let id = plan.tfeRunID else { return .done }
    let isTold = try await isTold(of: plan, located)
    // It was made a moment ago: there is nothing to read, unless TFE has told something already.
    if isTold, lease.claims == 1, located.run.state == .planning,
      !(try await store.takeEarlyNotice(of: id))
    {
      return .later(Self.safetyNet)
    }
    let isFinal = try await hear(id, plan, located, finishing: lease)
    if isFinal { return .reported }
    return .later(isTold ? Self.safetyNet : Self.delay(plan, in: located.run, now: now()))
  }

  /// Whether TFE tells by itself when something becomes of a plan. Not of a discard, and so not while one is wanted.
  func isTold(of plan: PorcCore.Plan, _ located: Located) async throws -> Bool {
    guard let notifications, let workspace = located.situation.instance.workspace,
      located.run.cancelRequestedAt == nil, plan.discardRequestedAt == nil
    else { return false }
    return try await notifications.cover(workspace.id)
  }

  /// Often at first and while Terraform works, seldom while a person thinks.
  static func delay(_ plan: PorcCore.Plan, in run: PorcCore.Run, now: Date) -> TimeInterval {
    let waited = now.timeIntervalSince(run.updatedAt)
    return run.state.awaitsDecision ? min(max(waited * 0.1, 0.5), 15) : min(max(waited * 0.2, 0.02), 5)
  }

  /// - Returns: whether the TFE run is final; then the job was finished together with the report.
  private func hear(
    _ id: String, _ plan: PorcCore.Plan, _ located: Located, finishing lease: Lease
  ) async throws -> Bool {
    let run: TerraformEnterprise.Run
    do {
      run = try await client.runs.read(id, include: [.plan, .apply, .workspace, .costEstimate])
    } catch let error as TFEError where error.kind == .notFound {
      let failure = try await absence(of: id, located)
      let gone: RunReport =
        located.run.state == .applying
        ? .applyFailed(plan: plan.number, failure, began: true) : .planFailed(plan: plan.number, failure)
      try await report([gone], about: located.run.id, finishing: lease)
      return true
    }
    return try await tell(run, plan, located, finishing: lease)
  }

  /// Reports what a TFE run says, as it was read a moment ago with its plan.
  ///
  /// - Returns: whether it is final; then the job was finished together with the report.
  @discardableResult
  func tell(
    _ run: TerraformEnterprise.Run, _ plan: PorcCore.Plan, _ located: Located, finishing lease: Lease?
  ) async throws -> Bool {
    let reading = TFEReading(run: run, plan: plan.number)
    let knowsPlan = plan.hasChanges != nil
    let needs = reading.needs(
      knowsPlan: knowsPlan, knowsResources: plan.summary != nil,
      knowsOutputs: located.situation.instance.basis?.isApplied != false, gates: plan.gates)
    let gates = needs.contains(.gates) ? try await self.gates(of: run, located) : nil
    var reports = reading.reports(
      resources: needs.contains(.planResources) ? try await resources(run, of: located) : plan.summary?.resources ?? [],
      outputs: needs.contains(.outputs) ? try await outputs(of: located) : nil,
      failure: try await failure(needs, run, of: located) ?? (gates ?? plan.gates)?.failure, gates: gates,
      knowsPlan: knowsPlan)
    if located.run.cancelRequestedAt != nil, let from = reading.forceCancelFrom, from != plan.forceCancelAt {
      reports.append(.forceCancelOffered(plan: plan.number, from: from))
    }
    reports += try await waiting(of: run, plan, located)
    if run.status.isFinal {
      try await report(reports, about: located.run.id, finishing: lease)
      return true
    }
    if !reports.isEmpty { try await report(reports, about: located.run.id, finishing: nil) }
    return false
  }

  /// Whether a TFE run that goes on says something about its plan that is not recorded.
  func isNews(_ run: TerraformEnterprise.Run, about plan: PorcCore.Plan, _ located: Located, at now: Date) -> Bool {
    let reports = TFEReading(run: run, plan: plan.number).reports(
      resources: plan.summary?.resources ?? [], outputs: nil, failure: nil, knowsPlan: plan.hasChanges != nil)
    return reports.contains { report in
      !RunMachine.hear(report, about: located.run.id, in: located.situation, at: now).facts.isEmpty
    }
  }

  /// What the plan would do to each resource. Missing rights to the plan's log and JSON cost the list, not the plan.
  private func resources(_ run: TerraformEnterprise.Run, of located: Located) async throws -> [ResourceChange] {
    guard let secret = try await knownSecrets(of: located) else { return [] }
    var changes = try await plannedChanges(in: run.plan?.logReadURL)
    if changes == nil, let planID = run.planID, let json = try? await client.plans.redactedJSONOutput(planID) {
      changes = json.resourceChanges.compactMap(ResourceChange.init)
    }
    // A log has them in the order in which they were planned.
    let sorted = (changes ?? []).sorted { $0.address.compare($1.address, options: .numeric) == .orderedAscending }
    return sorted.map { change in
      // A key of a for_each is part of the address.
      ResourceChange(address: secret.masked(change.address), action: change.action)
    }
  }

  private func outputs(of located: Located) async throws -> [String: PorcCore.Output] {
    guard located.run.operation == .apply, let workspace = located.situation.instance.workspace else { return [:] }
    do {
      let outputs = try await client.stateVersions.currentOutputs(workspace: workspace.id)
      let secret = try await knownSecrets(of: located)
      return Dictionary(
        outputs.map { output in
          let value = Value(output.value)
          let isSensitive = output.isSensitive || secret?.isIn(value) ?? true
          return (output.name, PorcCore.Output(value: value, isSensitive: isSensitive))
        }, uniquingKeysWith: { $1 })
    } catch let error as TFEError where error.kind == .notFound {
      return [:]  // an apply that left no state has no outputs
    }
  }

  /// `nil` if they cannot be told, since the key that sealed them is gone.
  func knownSecrets(of located: Located) async throws -> SecretTexts? {
    do {
      return try await secrets.texts(of: located.run.instance)
    } catch is InputVaultError {
      return nil
    }
  }

  private func failure(
    _ needs: Set<TFEReading.Need>, _ run: TerraformEnterprise.Run, of located: Located
  ) async throws -> Failure? {
    let error: Failure
    if needs.contains(.planError) {
      error = await firstError(of: .plan, in: run.plan?.logReadURL)
    } else if needs.contains(.applyError) {
      error = await firstError(of: .apply, in: run.apply?.logReadURL)
    } else {
      return nil
    }
    return try await knownSecrets(of: located)?.masked(error)
      ?? Failure("Terraform failed; what it said is not shown, since the key is gone that tells what is secret in it.")
  }

  /// Terraform's own words: the first error of a log; or that it cannot be told.
  private func firstError(of phase: TerraformLogReader.Phase, in url: SignedURL?) async -> Failure {
    func unknown(_ why: String) -> Failure {
      Failure("The \(phase.rawValue) failed.", detail: "\(why) Look at the run's page in Terraform Enterprise.")
    }
    guard let url else { return unknown("Terraform Enterprise has no log of it.") }
    var reader = TerraformLogReader(phase)
    var offset = 0
    var isEmpty = true
    do {
      // 8 MiB of log hold any error that a person reads.
      while offset < 8 << 20 {
        let chunk = try await client.logs.read(url, offset: offset)
        reader.append(chunk.bytes)
        isEmpty = isEmpty && chunk.bytes.isEmpty
        if reader.firstError != nil || chunk.isComplete || chunk.bytes.isEmpty { break }
        offset = chunk.nextOffset
      }
    } catch {
      reader.finish()
      return reader.firstError ?? unknown("Its log cannot be read.")
    }
    reader.finish()
    return reader.firstError ?? unknown(isEmpty ? "Its log is empty." : "Its log names no error.")
  }

  // MARK: Clear

  /// Discards an earlier plan of the same run and reads its TFE run until it is final: it may have been applied there
  /// meanwhile, and then the new plan must not be made.
  func clear(_ lease: Lease, _ located: Located) async throws -> Outcome {
    guard located.run.currentPlan?.clears == lease.plan, let plan = located.run.plan(number: lease.plan),
      let id = plan.tfeRunID
    else { return .done }
    try await endRun(id)
    return try await hear(id, plan, located, finishing: lease) ? .reported : .later(0.2)
  }

  /// Asks TFE to give a run up. One that somebody confirmed there is left alone, since nobody wanted half an apply:
  /// reading tells what came of it.
  ///
  /// - Parameter stopsApply: stops even an apply that was confirmed.
  /// - Returns: false if TFE took neither a discard nor a cancel now; it will soon, or the run ends by itself.
  @discardableResult
  func endRun(_ id: String, stopsApply: Bool = false) async throws -> Bool {
    do {
      let run = try await client.runs.read(id)
      if run.status.isFinal { return true }
      if TFEReading(run: run, plan: 0).isConfirmed, !stopsApply { return true }
      if run.actions.isDiscardable {
        try await client.runs.discard(id)
      } else if run.actions.isCancelable {
        try await client.runs.cancel(id)
      } else {
        return false
      }
      return true
    } catch let error as TFEError where error.kind == .conflict {
      return false  // somebody else acted in this very moment
    } catch let error as TFEError where error.kind == .notFound {
      return true
    }
  }
}
